"""The facts that publishing offers tells. The shapes of their data stand in `fact_schemas`."""

from datetime import datetime

from loyalty.events.domain import Fact, moment


def offers_published(version: int, effective_from: datetime | None, *, occurred_at: datetime) -> Fact:
    """`offers.published`: the program gives other offers, or will."""
    data = {"version": version, "effective_from": moment(effective_from)}
    return Fact(type="offers.published", version=1, occurred_at=occurred_at, data=data)
