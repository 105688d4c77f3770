"""Ladders from their stored form, which is what marketers wrote, without what says nothing. Pure."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from loyalty.programs.terms import Expiry
from loyalty.tiers.domain import Benefits, Grace, Ladder, Moving, Tier, Validity, Window


def ladder_from(
    stored: dict[str, Any], *, version: int, moving: Moving = "now", effective_from: datetime | None = None,
    published_at: datetime | None = None, published_by: str | None = None,
) -> Ladder:  # fmt: skip
    """A ladder from its stored form; the lowest tier comes first, in whatever order they were written."""
    tiers = sorted((tier_from(tier) for tier in stored["tiers"]), key=lambda tier: tier.threshold)
    return Ladder(
        version=version,
        basis=stored["basis"],
        window=Window(**stored["window"]),
        validity=Validity(**stored["validity"]),
        downgrade=stored["downgrade"],
        grace=Grace(**stored.get("grace", {})),
        tiers=tuple(tiers),
        moving=moving,
        effective_from=effective_from,
        published_at=published_at,
        published_by=published_by,
    )


def tier_from(stored: dict[str, Any]) -> Tier:
    """A tier from its stored form."""
    return Tier(**{**stored, "benefits": benefits_from(stored.get("benefits", {}))})


def benefits_from(stored: dict[str, Any]) -> Benefits:
    """What a tier gives, from its stored form."""
    made = dict(stored)
    if expiry := made.get("expiry"):
        made["expiry"] = Expiry(**{**expiry, "dates": tuple(expiry.get("dates", ()))})
    return Benefits(
        **{**made, "multiplier": Decimal(made.get("multiplier", "1")), "perks": tuple(made.get("perks", ()))}
    )
