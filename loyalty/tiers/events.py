"""The facts that tiers tell. The shapes of their data stand in `fact_schemas`."""

from datetime import datetime

from loyalty.events.domain import Fact, moment
from loyalty.tiers.domain import Ladders
from loyalty.tiers.prospects import valid_until
from loyalty.tiers.standing import Standing, tier_at


def tier_changed(standing: Standing, ladders: Ladders, customer_id: str, *, now: datetime) -> Fact | None:
    """`tier.changed`: a member has another tier than is recorded, or the first one; None if nothing has changed.

    What lay between is not told: who reaches gold by an order and loses it by another that is told late never had it.
    """
    changes = [seen for seen in standing.evaluations if seen.new != seen.old]
    was = standing.evaluations[0].old if standing.evaluations else standing.tier
    found = tier_at(standing, ladders, now)
    if not changes or standing.tier == was or found is None:
        return None
    decisive, (tier, ladder) = changes[-1], found
    return Fact(
        type="tier.changed",
        version=1,
        member_id=standing.member_id,
        customer_id=customer_id,
        occurred_at=decisive.as_of,
        data={
            "tier": decisive.new,
            "from": was,
            "direction": "down" if _rank(ladders, decisive.new) < _rank(ladders, was) else "up",
            "reason": decisive.cause,
            "valid_until": moment(valid_until(standing, ladders, tier, now)),
            "ladder_version": ladder.version,
        },
    )


def ladder_published(version: int, effective_from: datetime | None, *, occurred_at: datetime) -> Fact:
    """`ladder.published`: the program has other tiers, or will have."""
    data = {"version": version, "effective_from": moment(effective_from)}
    return Fact(type="ladder.published", version=1, occurred_at=occurred_at, data=data)


def _rank(ladders: Ladders, code: str | None) -> int:
    """How high a tier stands, or stood in the last ladder that had it."""
    ranks = (ladder.rank(code) for ladder in reversed(ladders.published))
    return next((rank for rank in ranks if rank is not None), 0)
