"""Vouchers over HTTP."""

from itertools import count
from typing import Any

from tests.api import Api

_numbers = count(1)

FIVE_OFF = {"type": "discount_amount", "amount": 500}


def batch(api: Api, *codes: str, **given: Any) -> Any:
    """Ask for vouchers: of these codes, or one with a new code."""
    wanted = {"batch_id": f"b-{next(_numbers)}", "value": FIVE_OFF, **given}
    if codes:
        wanted["codes"] = list(codes)
    elif "count" not in given:
        wanted["count"] = 1
    return api.post("/v1/admin/vouchers", wanted)


def a_voucher(api: Api, code: str = "SPRING-26", **given: Any) -> str:
    """A voucher of a batch: free, for one use, without an end, unless said otherwise."""
    answer = batch(api, code, **given)
    assert answer.status_code == 201, answer.json
    return code


def ask(api: Api, verb: str, code: str, order_id: str = "A-1", **given: Any) -> Any:
    """Validate, redeem or release."""
    return api.post(f"/v1/vouchers/{code}/{verb}", {"order_id": order_id, **given})


def redeem(api: Api, code: str, order_id: str = "A-1", **given: Any) -> Any:
    """Use a voucher."""
    return ask(api, "redeem", code, order_id, **given)


def why_not(api: Api, code: str, **given: Any) -> list[str]:
    """Why a voucher cannot be used, as the validation tells; nothing if it can."""
    answer = ask(api, "validate", code, **given)
    assert answer.status_code == 200, answer.json
    assert answer.json["valid"] == (answer.json["reasons"] == [])
    return [reason["code"] for reason in answer.json["reasons"]]
