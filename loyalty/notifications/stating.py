"""Statements: once a month, on a day of the program's choice, members are told what became of their points.

Who was not told on that day, because no worker ran, is told later in the month; a month that nobody was told of by the
end of the next is passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, tuple_row

from loyalty.core import calendar
from loyalty.db.session import Session, array_of
from loyalty.notifications import arranging
from loyalty.notifications.domain import Settings, Wanted
from loyalty.notifications.queueing import enqueue

KIND = "balance_statement"

# So many accounts in one transaction.
BATCH = 500

# So many instants of what expires next.
EXPIRING_MAX = 3

_PROGRAMS = "SELECT program_id, time_zone AS zone, created_at, clock_ahead AS ahead FROM programs ORDER BY program_id"
# To insert a row that is there would wait for whoever is moving it.
_BEGIN = """
INSERT INTO sweeps (name, scope, data, finished_at)
SELECT %(name)s, %(scope)s, jsonb_build_object('month', %(month)s::text), %(finished_at)s
WHERE NOT EXISTS (SELECT FROM sweeps s WHERE s.name = %(name)s AND s.scope = %(scope)s)
ON CONFLICT (name, scope) DO NOTHING
"""
_PLACE = "SELECT data ->> 'month', after, finished_at FROM sweeps WHERE name = %s AND scope = %s FOR UPDATE SKIP LOCKED"
_MOVE = """
UPDATE sweeps SET data = jsonb_build_object('month', %s::text), after = %s, finished_at = %s
WHERE name = %s AND scope = %s
"""
# What accounts hold, and what comes next of what lapses: by date, and by the clocks that run.
_ACCOUNTS = """
SELECT a.member_id, a.available + a.pending + a.held AS holds,
  (SELECT json_agg(json_build_array(n.at, n.expiring)) FROM (
      SELECT u.at, u.expiring FROM upcoming u
      WHERE u.member_id = a.member_id AND u.unit = a.unit AND u.at > %(now)s AND u.expiring > 0
      ORDER BY u.at LIMIT %(instants)s) n) AS dated,
  (SELECT json_agg(json_build_array(c.value ->> 'at', (c.value ->> 'points')::bigint))
   FROM jsonb_each(a.idle) c) AS idle
FROM accounts a
WHERE a.program_id = %(program_id)s AND a.unit = 'points'
  AND a.member_id > coalesce(%(after)s, '00000000-0000-0000-0000-000000000000'::uuid)
ORDER BY a.member_id LIMIT %(limit)s
"""
# Each member's month is one stretch of the primary key (OFFSET 0: found member by member, however many there are).
_MOVED = """
SELECT w.member_id, m.type, m.points
FROM unnest(%s::uuid[]) AS w (member_id) CROSS JOIN LATERAL (
    SELECT e.type, sum((e.data ->> 'points')::bigint)::bigint AS points FROM events e
    WHERE e.owner_id = w.member_id AND e.occurred_at >= %s AND e.occurred_at < %s
      AND starts_with(e.type, 'points.') AND e.data ->> 'unit' = 'points'
      AND (e.type <> 'points.adjusted' OR (e.data ->> 'points')::bigint > 0)
    GROUP BY e.type OFFSET 0) m
"""


@dataclass(frozen=True, slots=True)
class _Month:
    """A calendar month of a place: what is told of, and until when."""

    first: date
    zone: str

    @property
    def name(self) -> str:
        """ISO 8601."""
        return self.first.strftime("%Y-%m")

    @property
    def begin(self) -> datetime:
        """Its first instant."""
        return calendar.midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return self.next.begin

    @property
    def next(self) -> "_Month":
        """The month after."""
        return _Month(calendar.add_months(self.first, 1), self.zone)


def state_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Queue the next statements of one program, by its own clock; 0 if all that are due were queued."""
    for program in session.rows(_PROGRAMS, into=dict_row):
        done = _state(session, program, now=now + program["ahead"], limit=limit)
        if done:
            return done
    return 0


def _state(session: Session, program: Mapping[str, Any], *, now: datetime, limit: int) -> int:
    program_id = program["program_id"]
    settings = arranging.settings_of(session, program_id)
    month = due_month(settings, program["zone"], now=now)
    if month is None:
        return 0
    # Nothing became of anybody's points before there was a program.
    finished_at = now if program["created_at"] >= month.end else None
    session.run(_BEGIN, {"name": KIND, "scope": program_id, "month": month.name, "finished_at": finished_at})
    place = session.row(_PLACE, (KIND, program_id), into=tuple_row)
    if place is None or (place[0] == month.name and place[2] is not None):
        return 0
    where = {
        "program_id": program_id, "after": place[1] if place[0] == month.name else None, "now": now,
        "instants": EXPIRING_MAX, "limit": limit,
    }  # fmt: skip
    accounts = session.rows(_ACCOUNTS, where, into=dict_row)
    enqueue(session, program_id, list(_statements(session, accounts, month, now)), settings, now=now)
    more = len(accounts) == limit
    after, finished_at = (accounts[-1]["member_id"], None) if more else (None, now)
    session.run(_MOVE, (month.name, after, finished_at, KIND, program_id))
    return len(accounts) + 1


def due_month(settings: Settings, zone: str, *, now: datetime) -> _Month | None:
    """The month of which members are told at an instant: the one before, once the day has come; None before that.

    A day that a month does not have is its last one.
    """
    today = calendar.local_date(now, zone)
    if settings.statement_day is None or not settings.channels_of(KIND):
        return None
    last = calendar.end_of_period(today, "month").day
    if today.day < min(settings.statement_day, last):
        return None
    return _Month(calendar.add_months(today.replace(day=1), -1), zone)


def _statements(
    session: Session, accounts: Sequence[Mapping[str, Any]], month: _Month, now: datetime
) -> Iterator[Wanted]:
    """Of those who hold points, or whose points moved."""
    ids = array_of(account["member_id"] for account in accounts)
    moved: dict[UUID, dict[str, int]] = {}
    for member_id, kind, points in session.rows(_MOVED, (ids, month.begin, month.end), into=tuple_row):
        moved.setdefault(member_id, {})[kind] = points
    for account in accounts:
        of_month = moved.get(account["member_id"])
        if account["holds"] or of_month:
            data = {**_sums(of_month or {}), "month": month.name, "expiring": _expiring(account, now)}
            yield Wanted(
                member_id=account["member_id"], kind=KIND, key=month.name, data=data, occurred_at=month.end,
                outdated_at=month.next.end,
            )  # fmt: skip


def _sums(moved: Mapping[str, int]) -> dict[str, int]:
    """What was given, used and lost; what was given by hand counts as earned, what came back is not used."""
    earned = moved.get("points.earned", 0) + moved.get("points.adjusted", 0)
    redeemed = moved.get("points.redeemed", 0) - moved.get("points.returned", 0)
    return {"earned": earned, "redeemed": max(0, redeemed), "expired": moved.get("points.expired", 0)}


def _expiring(account: Mapping[str, Any], now: datetime) -> list[dict[str, Any]]:
    """What lapses next."""
    points_at: dict[datetime, int] = {}
    for text, points in [*(account["dated"] or ()), *(account["idle"] or ())]:
        at = datetime.fromisoformat(text)
        if at > now and points > 0:
            points_at[at] = points_at.get(at, 0) + points
    coming = sorted(points_at.items(), key=itemgetter(0))[:EXPIRING_MAX]
    return [{"points": points, "at": at} for at, points in coming]
