"""Offers as marketers write them, drafted and published through the service."""

from typing import Any

from tests.api import Api

OFFERS = "/v1/admin/offers"
DRAFT = f"{OFFERS}/draft"


def points(**given: Any) -> dict[str, Any]:
    """100 points, until a day, so that nothing is to be said of them."""
    promise = {"kind": "bonus_points", "value": 100}
    return {"code": "points", "title": "Points", "promise": promise, "valid_to": "2027-01-01T00:00:00+01:00", **given}


def double(**given: Any) -> dict[str, Any]:
    """Double points on coffee."""
    promise = {"kind": "multiplier", "value": "2"}
    return {**points(code="double", title="Double points", promise=promise, categories=["coffee"]), **given}


def off(**given: Any) -> dict[str, Any]:
    """A fifth off tea, of at most 10.00."""
    promise = {"kind": "discount_percent", "value": "20", "most": 1_000}
    plain = points(code="off", title="20% off", promise=promise, categories=["tea"], budget_amount=500_000)
    return {**plain, **given}


def cheaper(**given: Any) -> dict[str, Any]:
    """5.00 off an order of 20.00."""
    promise = {"kind": "discount_amount", "value": 500}
    plain = points(code="cheaper", title="5 off", promise=promise, min_basis=2_000, budget_amount=500_000)
    return {**plain, **given}


def gift(**given: Any) -> dict[str, Any]:
    """A free cup, which costs 3.00."""
    promise = {"kind": "free_product", "sku": "CUP-1", "most": 300}
    return {**points(code="gift", title="A cup", promise=promise, budget_amount=90_000), **given}


def promising(kind: str, value: Any, **given: Any) -> dict[str, Any]:
    """An offer of this promise."""
    return {"code": "o", "title": "O", "promise": {"kind": kind, "value": value, **given}}


def put_draft(api: Api, *offers: dict[str, Any], **given: Any) -> Any:
    """Put a draft in the place of the one there is."""
    etag = api.get(DRAFT).headers["ETag"]
    return api.put(DRAFT, {"offers": list(offers) or [points()], **given}, headers={"If-Match": etag})


def publish(api: Api, *offers: dict[str, Any], effective_from: str | None = None, **given: Any) -> Any:
    """Draft and publish offers."""
    answer = put_draft(api, *offers, **given)
    assert answer.status_code == 200, answer.json
    return api.post(f"{OFFERS}/publish", {"effective_from": effective_from})
