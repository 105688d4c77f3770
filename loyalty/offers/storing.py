"""Offers from their stored form, which is what marketers wrote, without what says nothing. Pure."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from loyalty.offers.domain import Budget, Offer, OfferSet, Personalising, Promise

_LISTS = ("categories", "skus", "exclude_categories", "exclude_skus", "tiers", "segments")


def set_from(
    offers: list[dict[str, Any]], personalising: dict[str, Any], *, version: int,
    effective_from: datetime | None = None, published_at: datetime | None = None, published_by: str | None = None,
) -> OfferSet:  # fmt: skip
    """A set of offers from its stored form."""
    return OfferSet(
        version, tuple(offer_from(offer, version) for offer in offers), personalising_from(personalising),
        effective_from, published_at, published_by,
    )  # fmt: skip


def offer_from(stored: dict[str, Any], version: int) -> Offer:
    """An offer from its stored form."""
    made: dict[str, Any] = {**stored, "version": version, "promise": promise_from(stored["promise"])}
    for name in _LISTS:
        made[name] = tuple(made.get(name) or ())
    made["caps"] = tuple((made.get("caps") or {}).items())
    made["budget"] = Budget(made.pop("budget_points", None), made.pop("budget_amount", None))
    made["holdout_percent"] = Decimal(made.get("holdout_percent", 0))
    for name in ("valid_from", "valid_to"):
        if isinstance(made.get(name), str):
            made[name] = datetime.fromisoformat(made[name])
    return Offer(**made)


def promise_from(stored: dict[str, Any]) -> Promise:
    """A promise from its stored form, in which numbers are texts."""
    numbers = {name: Decimal(stored[name]) for name in ("value", "least_value") if stored.get(name) is not None}
    return Promise(**{**stored, **numbers})


def personalising_from(stored: dict[str, Any]) -> Personalising:
    """How offers are chosen, from its stored form."""
    made = dict(stored)
    never = made.pop("never_personalise", {})
    return Personalising(
        **made, never_categories=tuple(never.get("categories", ())), never_skus=tuple(never.get("skus", ()))
    )
