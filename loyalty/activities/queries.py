"""Reading activities."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import dict_row

from loyalty.activities.domain import RecordedActivity
from loyalty.activities.errors import ActivityNotFound
from loyalty.db.session import Session
from loyalty.earning.domain import Awarded
from loyalty.earning.undoing import awards_given

_ACTIVITY = """
SELECT a.activity_id, a.customer_id, a.type, a.status, a.occurred_at, a.recorded_at, a.cancelled_at, a.properties,
       a.judged, r.body
FROM natural_keys k JOIN activities a ON a.member_id = k.member_id AND a.activity_id = k.key
JOIN receipts r ON r.member_id = k.member_id AND r.kind = k.kind AND r.key = k.key
WHERE k.program_id = %s AND k.kind = 'activity' AND k.key = %s
"""
_AWARDED = """
SELECT member_id, activity_id, type, occurred_at, recorded_at, award_seqs, judged FROM activities
WHERE member_id = %s AND activity_id = %s FOR NO KEY UPDATE
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwardedActivity:
    """An activity as its cancellation finds it: what it was awarded, and by which rules."""

    member_id: UUID
    activity_id: str
    type: str
    occurred_at: datetime
    recorded_at: datetime
    judged: dict[str, Any]
    awards: tuple[Awarded, ...]


def activity(session: Session, program_id: UUID, activity_id: str) -> RecordedActivity:
    """One activity, as reported, with what it earned. Refuses: ActivityNotFound."""
    row = session.row(_ACTIVITY, (program_id, activity_id), into=dict_row)
    if row is None:
        raise ActivityNotFound(activity_id)
    answered = orjson.loads(row.pop("body"))
    dates = ("matures_at", "expires_at")
    awards = [{**award, **{name: _instant(award[name]) for name in dates}} for award in answered["awards"]]
    return RecordedActivity(**row, points=answered["points"], awards=awards)


def awarded_activity(session: Session, owner_id: UUID, activity_id: str) -> AwardedActivity:
    """An activity, locked, with what it was awarded."""
    row = session.row(_AWARDED, (owner_id, activity_id), into=dict_row)
    assert row is not None, "the registry names activities that are there"
    awards = awards_given(session, owner_id, row.pop("award_seqs"))
    return AwardedActivity(**row, awards=awards)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
