"""The timeline of a member: a stretch of the log's key for the member, and one for each who was merged into it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.core.i18n import language
from loyalty.db.paging import Page, Window, cursor
from loyalty.db.session import Session, array_of
from loyalty.members import queries as members
from loyalty.members.domain import Member
from loyalty.programs import queries as programs
from loyalty.rewards import catalogue as catalogues
from loyalty.tiers import queries as tiers
from loyalty.timeline.telling import UNTOLD, UNTOLD_ACTIVITIES, Teller

# So far one page looks for facts of the type that is asked for: however rare they are, what it costs does not grow with
# the history. No fewer than the longest page.
LOOKED_AT = 500

# A page ends before an instant and an id; the first one before the end of time. Member by member, each by the key.
_PAGE = """
WITH RECURSIVE mine (member_id) AS (
    SELECT %(member_id)s::uuid
    UNION ALL
    SELECT s.member_id FROM mine JOIN members s ON s.merged_into = mine.member_id),
looked_at AS MATERIALIZED (
    SELECT n.* FROM mine CROSS JOIN LATERAL (
        SELECT event_id, type, version, occurred_at, data FROM events e
        WHERE e.owner_id = mine.member_id AND (e.occurred_at, e.event_id) < (%(at)s, %(id)s)
          AND e.type <> ALL(%(untold)s::text[])
          AND NOT (e.type = 'activity.recorded' AND e.data ->> 'type' = ANY(%(untold_activities)s::text[]))
        ORDER BY e.occurred_at DESC, e.event_id DESC LIMIT %(looked_at)s) n
    ORDER BY n.occurred_at DESC, n.event_id DESC LIMIT %(looked_at)s)
(SELECT *, true AS wanted FROM looked_at
 WHERE %(type)s::text IS NULL OR type = %(type)s OR starts_with(type, %(type)s || '.')
 ORDER BY occurred_at DESC, event_id DESC LIMIT %(limit)s)
UNION ALL
(SELECT *, false FROM looked_at ORDER BY occurred_at DESC, event_id DESC LIMIT 1 OFFSET %(looked_at)s - 1)
"""
_END = ("infinity", str(UUID(int=2**128 - 1)))
_LEFT_OUT = {"untold": array_of(UNTOLD), "untold_activities": array_of(UNTOLD_ACTIVITIES)}


@dataclass(frozen=True, slots=True)
class ToldFact:
    """A fact with its sentence."""

    event_id: UUID
    type: str
    version: int
    occurred_at: datetime
    summary: str
    data: dict[str, Any]


def timeline(
    session: Session, program_id: UUID, customer_id: str, window: Window, *, of_type: str | None = None, now: datetime
) -> Page[ToldFact]:
    """The facts of a member and of those merged into it, newest first; of one type, or of one family of types.

    Refuses: MemberNotFound.
    """
    member = members.member(session, program_id, customer_id)
    at, event_id = _position(window)
    asked = window.limit + 1
    where = {"member_id": member.member_id, "type": of_type, "at": at, "id": event_id, "limit": asked}
    rows = session.rows(_PAGE, {**where, **_LEFT_OUT, "looked_at": LOOKED_AT if of_type else asked}, into=dict_row)
    wanted = [row for row in rows if row["wanted"]]
    shown = wanted[: window.limit]
    if not shown:
        return Page([], _following(rows[-1]) if rows else None)
    # More of them; or else more to look at, where there may be more of them.
    last = shown[-1] if len(wanted) > window.limit else next((row for row in rows if not row["wanted"]), None)
    teller = _teller(session, program_id, member, now)
    return Page([_told(row, teller) for row in shown], _following(last) if last else None)


def _position(window: Window) -> tuple[str, str]:
    """Where a page begins, out of a cursor; the start of the list for anything else."""
    try:
        at, event_id = window.position(str, str) or _END
        return (at, event_id) if at == _END[0] else (datetime.fromisoformat(at).isoformat(), str(UUID(event_id)))
    except ValueError:
        return _END


def _following(row: Mapping[str, Any]) -> str:
    return cursor([row["occurred_at"].isoformat(), str(row["event_id"])])


def _teller(session: Session, program_id: UUID, member: Member, now: datetime) -> Teller:
    """Names are those of today, which are remembered: they cost no statement."""
    program = programs.current(session, program_id)
    tag = member.locale or program.locale
    in_force = tiers.ladders(session, program).at(now)
    named = {tier.code: tier for tier in in_force.tiers} if in_force else {}
    return Teller(tag, language(tag), program.currency, catalogues.catalogue(session, program).rewards, named)


def _told(row: Mapping[str, Any], teller: Teller) -> ToldFact:
    summary = teller.summary(row["type"], row["version"], row["data"])
    return ToldFact(row["event_id"], row["type"], row["version"], row["occurred_at"], summary, row["data"])
