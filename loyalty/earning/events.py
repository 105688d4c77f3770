"""The facts that earning rules tell. The shapes of their data stand in `fact_schemas`."""

from datetime import datetime

from loyalty.events.domain import Fact, moment


def rules_published(version: int, effective_from: datetime | None, *, occurred_at: datetime) -> Fact:
    """`earning_rules.published`: the program gives points by other rules, or will."""
    data = {"version": version, "effective_from": moment(effective_from)}
    return Fact(type="earning_rules.published", version=1, occurred_at=occurred_at, data=data)
