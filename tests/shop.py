"""What a shop does all day, one line each. Every answer is the answer of the service."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any
from unittest import mock

from tests.api import Api
from tests.builders import NOW, order_json

A_DAY = timedelta(days=1)
RETURNED = {"reversed": 0, "expired": 0, "debt": 0, "forgiven": 0, "returned_to_member": 0}

_numbers = count(1)


def at(instant: datetime) -> str:
    """An instant as the service writes it."""
    return instant.isoformat().replace("+00:00", "Z")


def in_days(days: float) -> str:
    """So many days after NOW."""
    return at(NOW + days * A_DAY)


def configure(api: Api, **settings: Any) -> None:
    """Change settings of the program."""
    etag = api.get("/v1/admin/program").headers["ETag"]
    answer = api.patch("/v1/admin/program", settings, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.json


def configure_units(api: Api, **terms: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Say of each unit when its points become available and when they lapse."""
    configure(api, units={unit: {"activation": begin, "expiry": end} for unit, (begin, end) in terms.items()})


def publish_rules(api: Api, *rules: dict[str, Any]) -> None:
    """Let these earning rules judge from now on; `points` per 1.00 are all a base rule must say."""
    etag = api.get("/v1/admin/earning-rules/draft").headers["ETag"]
    made = []
    for number, given in enumerate(rules):
        rule = {"code": f"rule-{number}", "kind": "base", "priority": number + 1, **given}
        if rule["kind"] == "base" and "points" in rule:
            rule["points_per"] = {"amount": 100, "points": rule.pop("points")}
        made.append(rule)
    answer = api.put("/v1/admin/earning-rules/draft", {"rules": made}, headers={"If-Match": etag})
    assert answer.status_code == 200, answer.json
    # Where time stands still, the moment in which rules are about to be in force would never pass.
    with mock.patch("loyalty.earning.service.LEAD", timedelta(0)):
        assert api.post("/v1/admin/earning-rules/publish", {}).status_code == 200


def a_ladder(*tiers: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A ladder by what was ever spent, on which what came back counts no more; a tier is named after its code."""
    return {
        "basis": "spend", "window": {"mode": "lifetime"}, "validity": {"mode": "forever"}, "downgrade": "full", **given,
        "tiers": [{"name": tier["code"].title(), **tier} for tier in tiers],
    }  # fmt: skip


def publish_ladder(api: Api, *tiers: dict[str, Any], members: str = "now", **given: Any) -> dict[str, Any]:
    """Let these tiers be in force from now on; a tier needs a code and a threshold. `effective_from` may be given."""
    wanted = {"members": members}
    if "effective_from" in given:
        wanted["effective_from"] = given.pop("effective_from")
    etag = api.get("/v1/admin/ladder/draft").headers["ETag"]
    answer = api.put("/v1/admin/ladder/draft", a_ladder(*tiers, **given), headers={"If-Match": etag})
    assert answer.status_code == 200, answer.json
    # Where time stands still, the moment in which a ladder is about to be in force would never pass.
    with mock.patch("loyalty.tiers.service.LEAD", timedelta(0)):
        published = api.post("/v1/admin/ladder/publish", wanted)
    assert published.status_code == 200, published.json
    return published.json


def a_line(line_id: str, unit_price: int, quantity: int = 1, **given: Any) -> dict[str, Any]:
    """A line of an order; the price is in minor units."""
    return {"line_id": line_id, "sku": f"SKU-{line_id}", "unit_price": unit_price, "quantity": quantity, **given}


def buy(api: Api, order_id: str, *lines: dict[str, Any], amount: int = 10_000, **given: Any) -> Any:
    """Record an order, of one line "1" worth 100.00 unless lines or an amount are given, placed at NOW."""
    order = {"order_id": order_id, "placed_at": at(NOW), "lines": list(lines) or [a_line("1", amount)], **given}
    answer = api.post("/v1/orders", order_json(**order))
    assert answer.status_code == 201, answer.json
    return answer


def a_bonus(activity: str, points: int = 50, **given: Any) -> dict[str, Any]:
    """A rule that gives points for an activity."""
    return {"code": activity, "kind": "bonus", "activity": activity, "points": points, **given}


def report(api: Api, activity_id: str, activity_type: str = "review", customer_id: str = "c-42", **given: Any) -> Any:
    """Tell of an activity that happened at NOW, unless said otherwise."""
    activity = {"activity_id": activity_id, "customer_id": customer_id, "type": activity_type, "occurred_at": at(NOW)}
    return api.post("/v1/activities", {**activity, **given})


def give_back(api: Api, order_id: str, lines: dict[str, int], *, return_id: str = "R-1", **given: Any) -> Any:
    """Report units that came back, by line."""
    units = [{"line_id": line_id, "quantity": quantity} for line_id, quantity in lines.items()]
    return api.post(f"/v1/orders/{order_id}/returns", {"return_id": return_id, "lines": units, **given})


def cancel(api: Api, order_id: str) -> Any:
    """Cancel an order."""
    return api.post(f"/v1/orders/{order_id}/cancel")


def confirm(api: Api, order_id: str, **given: Any) -> Any:
    """Confirm an order."""
    return api.post(f"/v1/orders/{order_id}/confirm", given)


def hold(api: Api, hold_id: str, points: int, customer_id: str = "c-42", **given: Any) -> Any:
    """Keep points for a payment."""
    return api.post(f"/v1/members/{customer_id}/holds", {"hold_id": hold_id, "points": points, **given})


def capture(api: Api, hold_id: str, **given: Any) -> Any:
    """Spend points of a hold."""
    return api.post(f"/v1/holds/{hold_id}/capture", given)


def release(api: Api, hold_id: str) -> Any:
    """Free a hold."""
    return api.post(f"/v1/holds/{hold_id}/release")


def pay(api: Api, points: int, customer_id: str = "c-42", **given: Any) -> None:
    """Spend points: hold and capture."""
    hold_id = f"pay-{next(_numbers)}"
    assert hold(api, hold_id, points, customer_id, **given).status_code == 201
    assert capture(api, hold_id).status_code == 200


def adjust(api: Api, points: int, customer_id: str = "c-42", **given: Any) -> Any:
    """Give or take points by hand."""
    wish = {"adjustment_id": f"adj-{next(_numbers)}", "points": points, "reason": "goodwill", **given}
    return api.post(f"/v1/members/{customer_id}/adjustments", wish)


def transfer(api: Api, points: int, giver: str, taker: str, **given: Any) -> Any:
    """Give points of one member to another."""
    wish = {"transfer_id": f"t-{next(_numbers)}", "to": taker, "points": points, **given}
    return api.post(f"/v1/members/{giver}/transfers", wish)


def reinstate(api: Api, lot: int, customer_id: str = "c-42", **given: Any) -> Any:
    """Bring lapsed points back."""
    wish = {"reinstatement_id": f"re-{next(_numbers)}", "lot": lot, "reason": "was ill", **given}
    return api.post(f"/v1/members/{customer_id}/reinstatements", wish)


def merge(api: Api, source: str, into: str) -> Any:
    """Make two members one."""
    return api.post(f"/v1/members/{source}/merge", {"into": into})


def buckets(api: Api, customer_id: str = "c-42", **query: str) -> dict[str, int]:
    """What a member holds, without what is empty."""
    answer = api.get(f"/v1/members/{customer_id}/balance", query_string=query)
    assert answer.status_code == 200, answer.json
    return {name: n for name in ("available", "pending", "held", "debt") if (n := answer.json[name])}


def entries(api: Api, customer_id: str = "c-42") -> list[dict[str, Any]]:
    """A member's whole history, oldest first."""
    found, after = [], ""
    while True:
        answer = api.get(f"/v1/members/{customer_id}/entries?limit=200{after}").json
        found += answer["data"]
        if answer["next"] is None:
            return found[::-1]
        after = f"&after={answer['next']}"


def story(api: Api, customer_id: str = "c-42") -> list[tuple[str, int]]:
    """A member's history in short, oldest first; entries that moved no points are left out."""
    return [(entry["kind"], entry["points"]) for entry in entries(api, customer_id) if entry["points"]]


def lots(api: Api, customer_id: str = "c-42") -> list[tuple[int, str | None]]:
    """What is left where, and until when, oldest first; what is empty is left out."""
    found = api.get(f"/v1/members/{customer_id}/lots?limit=200").json["data"]
    return [(lot["remaining"], lot["expires_at"]) for lot in reversed(found) if lot["remaining"]]


def told(**points: int) -> dict[str, int]:
    """What the receipt of a return says of points; what is not named is 0."""
    return {**RETURNED, **points}


def refused(answer: Any) -> tuple[int, str]:
    """The status and the code of a refusal."""
    return answer.status_code, answer.json["code"]


def pointers(answer: Any) -> list[str]:
    """Where a request was wrong."""
    assert answer.status_code == 422, answer.json
    return [error["pointer"] for error in answer.json["errors"]]


def replayed(answer: Any) -> bool:
    """Whether this is the answer that an earlier request got."""
    return answer.headers.get("Idempotent-Replayed") == "true"
