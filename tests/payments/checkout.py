"""What a checkout does with points, one line each. Every answer is the answer of the service."""

from itertools import count
from typing import Any

from tests.api import Api
from tests.builders import NOW, order_json
from tests.shop import a_line, at

_numbers = count(1)


def ask(api: Api, order_total: int, points: int | None = None, customer_id: str = "c-42") -> dict[str, Any]:
    """Ask how many points could be used for an order of that total."""
    wanted = {"order_total": order_total, **({} if points is None else {"points": points})}
    answer = api.post(f"/v1/members/{customer_id}/point-payments/quote", wanted)
    assert answer.status_code == 200, answer.json
    return answer.json


def hold(
    api: Api, points: int, payment_id: str = "p-1", customer_id: str = "c-42", order_total: int = 10_000, **given: Any
) -> Any:
    """Hold points for an order of 100.00."""
    wish = {"payment_id": payment_id, "order_total": order_total, "points": points, **given}
    return api.post(f"/v1/members/{customer_id}/point-payments", wish)


def capture(api: Api, payment_id: str = "p-1", **given: Any) -> Any:
    """Spend the points of a payment."""
    return api.post(f"/v1/point-payments/{payment_id}/capture", given)


def release(api: Api, payment_id: str = "p-1") -> Any:
    """Give the points of a payment back that was not captured."""
    return api.post(f"/v1/point-payments/{payment_id}/release")


def refund(api: Api, points: int | None = None, payment_id: str = "p-1", **given: Any) -> Any:
    """Give points of a captured payment back."""
    wish = {"refund_id": f"rf-{next(_numbers)}", **given, **({} if points is None else {"points": points})}
    return api.post(f"/v1/point-payments/{payment_id}/refund", wish)


def pay(api: Api, points: int, payment_id: str = "p-1", **given: Any) -> None:
    """Hold and capture."""
    assert hold(api, points, payment_id, **given).status_code == 201
    assert capture(api, payment_id).status_code == 200


def order(api: Api, points_paid: int, order_id: str = "A-1", payment_id: str | None = "p-1", **given: Any) -> Any:
    """Record an order of two lines of 50.00 each, of which so much was paid with points."""
    lines = [a_line("1", 5_000), a_line("2", 5_000)]
    paid = {"points_paid": points_paid, "payment_id": payment_id, "placed_at": at(NOW)}
    return api.post("/v1/orders", order_json(order_id=order_id, **{"lines": lines, **paid, **given}))


def payment(api: Api, payment_id: str = "p-1") -> dict[str, Any]:
    """A payment as it stands."""
    answer = api.get(f"/v1/point-payments/{payment_id}")
    assert answer.status_code == 200, answer.json
    return answer.json
