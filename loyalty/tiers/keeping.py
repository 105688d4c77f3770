"""Turning what was decided about a standing into rows."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from loyalty.core.ids import new_id
from loyalty.db.writer import Changes
from loyalty.events import service as facts
from loyalty.tiers import events, granting
from loyalty.tiers.domain import Amounts, Ladders
from loyalty.tiers.models import TierDayRow, TierEvaluationRow, TierGrantRow, TierPeriodRow, TierStandingRow
from loyalty.tiers.progress import Bucket
from loyalty.tiers.standing import Standing, counts_from, next_change_at

_STATE = ("ladder_version", "tier", "since", "reached_on", "valid_to", "held_to", "day", "step", "reason")


def changes_of(standing: Standing, ladders: Ladders, program_id: UUID, customer_id: str, *, now: datetime) -> Changes:
    """The rows of what was decided, and the fact that it tells; `now` is when they are written."""
    assert not standing.outdated, "what is written was judged by the ladder in force"
    changes = Changes()
    for bucket, amounts in sorted(standing.added.items()):
        changes.add(day_of(standing.member_id, bucket, amounts))
    if not standing.evaluations:
        return changes
    number = standing.last_number
    for state in standing.states:
        if not state.number:
            number += 1
            row = {name: getattr(state, name) for name in _STATE}
            changes.insert(TierPeriodRow, {"member_id": standing.member_id, "seq": number, **row})
    for seq in standing.void:
        changes.update(TierPeriodRow, {"member_id": standing.member_id, "seq": seq, "void": True})
    for grant in standing.grants:
        if grant.grant_id is None:
            row = {**asdict(grant), "grant_id": new_id()}
            changes.insert(TierGrantRow, {"member_id": standing.member_id, **row})
    for seen in standing.evaluations:
        row = {"member_id": standing.member_id, "evaluation_id": new_id(), "recorded_at": now, **asdict(seen)}
        changes.insert(TierEvaluationRow, row)
    changes.keep(TierStandingRow, _row(standing, ladders, program_id, number, now), is_new=not standing.last_number)
    fact = events.tier_changed(standing, ladders, customer_id, now=now)
    if fact is not None:
        facts.tell(changes, program_id, fact, now=now)
    return changes


def looked_at(standing: Standing, ladders: Ladders, program_id: UUID, *, now: datetime) -> Changes:
    """The row of a standing in which nothing has changed but when it will next: a grace has begun."""
    changes = Changes()
    changes.update(TierStandingRow, _row(standing, ladders, program_id, standing.last_number, now))
    return changes


def day_of(member_id: UUID, bucket: Bucket, amounts: Amounts) -> Changes:
    """What is to be added to a day of a member."""
    changes = Changes()
    day, version = bucket
    changes.increase(TierDayRow, {"member_id": member_id, "day": day, "ladder_version": version, **asdict(amounts)})
    return changes


def _row(standing: Standing, ladders: Ladders, program_id: UUID, number: int, now: datetime) -> dict[str, object]:
    return {
        "member_id": standing.member_id,
        "program_id": program_id,
        "tier": standing.tier,
        "tier_since": standing.since,
        "ladder_version": standing.state.ladder_version,
        "seq": number,
        **asdict(standing.progress.total),
        "counts_from": min(counts_from(standing, ladders), granting.counts_from(standing, ladders, now)),
        "next_change_at": next_change_at(standing, ladders, now),
    }
