"""Birthdays, as the days of each program begin. A program remembers until when it has kept them all."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from psycopg.rows import class_row, tuple_row

from loyalty.activities.domain import BIRTHDAY, Birthday, NewActivity, birthday_of, birthdays_on, days_to_keep
from loyalty.activities.service import decide, keep
from loyalty.activities.soundly import for_all_but_the_broken
from loyalty.core import calendar
from loyalty.core.clock import REAL
from loyalty.db.session import Session, array_of
from loyalty.earning import queries as earning
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program

# One transaction, short enough for a request that waits for one of its members.
BATCH = 500

_PROGRAMS = """
SELECT p.program_id, b.kept_until FROM programs p LEFT JOIN birthdays_kept b ON b.program_id = p.program_id
ORDER BY p.program_id
"""
# By the index of days; who had this year's birthday already is passed over, by either form of its id.
_BORN = """
SELECT m.member_id, m.customer_id, m.enrolled_at FROM members m
WHERE m.program_id = %(program_id)s AND m.birth_date IS NOT NULL AND m.status = 'active'
  AND (extract(month FROM m.birth_date) * 100 + extract(day FROM m.birth_date))::integer = ANY(%(days)s::integer[])
  AND m.enrolled_at < %(end)s AND m.enrolled_at <= %(now)s AND NOT EXISTS (
    SELECT FROM natural_keys k WHERE k.program_id = m.program_id AND k.kind = 'activity' AND k.key IN (
        'birthday-' || m.customer_id || %(year)s, 'birthday-' || m.member_id || %(year)s))
ORDER BY m.member_id LIMIT %(limit)s
"""
_KEPT = """
INSERT INTO birthdays_kept (program_id, kept_until) VALUES (%s, %s)
ON CONFLICT (program_id) DO UPDATE SET kept_until = greatest(birthdays_kept.kept_until, excluded.kept_until)
"""


def keep_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Record birthdays that have come, at most `limit`; answers how many. `now` is real: sandboxes may be ahead."""
    done, ahead = 0, programs.moved_clocks(session)
    for program_id, kept_until in session.rows(_PROGRAMS, into=tuple_row):
        if done >= limit:
            break
        there = now + ahead.get(program_id, REAL)
        done += _keep(session, programs.load(session, program_id), kept_until, there, limit - done)
    return done


def _keep(session: Session, program: Program, kept_until: date | None, now: datetime, limit: int) -> int:
    """The birthdays of one program, day by day. A day is kept when it is over and nobody is left of it."""
    today, done = calendar.local_date(now, program.time_zone), 0
    for day in days_to_keep(kept_until, today):
        room = limit - done
        born = _born(session, program, day, now, room)
        activities = [birthday_of(member, day, program.time_zone) for member in born]
        if activities:
            # They are in the order of their members' ids, and so are their halves.
            record = partial(_record, session, program.program_id, now)
            done += for_all_but_the_broken(session, activities, record)
        if len(born) == room:
            break
        before = day if day < today else today - timedelta(days=1)
        if kept_until is None or before > kept_until:
            session.run(_KEPT, (program.program_id, before))
    return done


def _record(session: Session, program_id: UUID, now: datetime, activities: Sequence[NewActivity]) -> int:
    """Record birthdays; answers how many there were."""
    decided = decide(session, program_id, activities, now=now)
    keep(session, decided)
    return len(decided.verdicts)


def _born(session: Session, program: Program, day: date, now: datetime, limit: int) -> list[Birthday]:
    """Who is to be congratulated for a day; nobody where no rule of that day gives anything for it."""
    begin = calendar.midnight(day, program.time_zone)
    rules = earning.rules_at(session, program, begin).rules
    if not any(rule.activity == BIRTHDAY for rule in rules):
        return []
    where = {
        "program_id": program.program_id, "days": array_of(birthdays_on(day)), "year": f"-{day.year}", "now": now,
        "end": calendar.midnight(calendar.day_after(day), program.time_zone), "limit": limit,
    }  # fmt: skip
    return session.rows(_BORN, where, into=class_row(Birthday))
