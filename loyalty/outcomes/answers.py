"""What members bought after they answered a question: those who are delighted beside those who are not.

Nobody is held out from an opinion, so this tells what goes with an answer, not what it brings about.
"""

from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import scalar_row, tuple_row

from loyalty.core import calendar
from loyalty.db.session import Session
from loyalty.feedback.domain import SCALES, class_of
from loyalty.outcomes.domain import ANSWERS, BEFORE, Anchor
from loyalty.programs.domain import Program

# Long enough to see who stays away (`features.outlook` looks as far ahead).
AFTER_ANSWER = timedelta(days=90)

_KINDS = """
SELECT k.kind FROM unnest(%s::text[]) AS k (kind)
WHERE EXISTS (SELECT FROM feedback f WHERE f.program_id = %s AND f.kind = k.kind)
"""
# In the order in which they were reported, so that none is passed by that was reported late. Whose answer lies within
# the window of another one is not counted twice.
_GIVEN = """
WITH page AS MATERIALIZED (
    SELECT f.member_id, f.recorded_at, f.feedback_id, f.answered_at, f.score FROM feedback f
    WHERE f.program_id = %(program_id)s AND f.kind = %(kind)s AND f.recorded_at <= %(due)s
        AND (f.recorded_at, f.member_id) > (%(at)s::timestamptz, %(after)s::uuid)
    ORDER BY f.recorded_at, f.member_id LIMIT %(limit)s)
SELECT p.member_id, p.recorded_at, p.answered_at, p.score,
    m.merged_into IS NULL AND NOT coalesce(e.is_there, false) AS counts
FROM page p
CROSS JOIN LATERAL (SELECT b.merged_into FROM members b WHERE b.member_id = p.member_id LIMIT 1) m
LEFT JOIN LATERAL (
    SELECT true AS is_there FROM feedback g WHERE g.member_id = p.member_id AND g.kind = %(kind)s
        AND (g.recorded_at, g.feedback_id) < (p.recorded_at, p.feedback_id)
        AND g.answered_at > p.answered_at - %(window)s::interval
        AND g.answered_at < p.answered_at + %(window)s::interval
    LIMIT 1) e ON true
ORDER BY p.recorded_at, p.member_id
"""


def experiments(session: Session, program_id: UUID) -> list[str]:
    """The kinds of questions that anybody has answered."""
    kinds = session.rows(_KINDS, (list(SCALES), program_id), into=scalar_row)
    return [f"{ANSWERS}{kind}" for kind in kinds]


def anchors_after(
    session: Session, program: Program, experiment: str, begin: tuple[datetime, UUID], *, limit: int, now: datetime
) -> tuple[list[Anchor], int, tuple[datetime, UUID]] | None:
    """The next answers whose window is over, how many were looked at, and the last of these; None if there are none."""
    kind, (at, after) = experiment.removeprefix(ANSWERS), begin
    where = {
        "program_id": program.program_id, "kind": kind, "due": now - AFTER_ANSWER, "at": at, "after": after,
        "window": AFTER_ANSWER, "limit": limit,
    }  # fmt: skip
    rows = session.rows(_GIVEN, where, into=tuple_row)
    if not rows:
        return None
    found = [
        Anchor(
            member_id=member_id, experiment=experiment, arm=class_of(kind, score),
            day=calendar.local_date(answered_at, program.time_zone), at=answered_at,
            ends_at=answered_at + AFTER_ANSWER, before_from=answered_at - BEFORE, before_to=answered_at, share=0,
        )
        for member_id, _, answered_at, score, counts in rows
        if counts
    ]  # fmt: skip
    return found, len(rows), (rows[-1][1], rows[-1][0])
