"""Searching the calendar for what falls due: each lead time by itself, in batches, going on where it was.

How far a search has come is written in the transaction of what it found, in a row of its own. Programs whose clock is
the real one are searched together; a sandbox whose clock was moved by itself.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from psycopg.rows import class_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.notifications import arranging, expiring, lapsing
from loyalty.notifications.domain import Settings, Wanted
from loyalty.notifications.queueing import enqueue
from loyalty.notifications.spans import LAST, NOBODY, Due, Notice, Span, notices

# So much of what is due in one transaction.
BATCH = 1_000

A_DAY = timedelta(days=1)
DUE_ROW = class_row(Due)

_CLOCKS = "SELECT program_id, clock_ahead FROM programs ORDER BY program_id"
# A sandbox whose clock was just moved goes on where all others were. A row that is there is looked for first: to insert
# it would wait for whoever is moving it.
_BEGIN = """
INSERT INTO sweeps (name, scope, until)
SELECT %(name)s, %(scope)s, coalesce((SELECT s.until FROM sweeps s WHERE s.name = %(name)s AND s.scope = %(nobody)s),
    %(until)s)
WHERE NOT EXISTS (SELECT FROM sweeps s WHERE s.name = %(name)s AND s.scope = %(scope)s)
ON CONFLICT (name, scope) DO NOTHING
"""
_PLACE = "SELECT until, after FROM sweeps WHERE name = %s AND scope = %s FOR UPDATE SKIP LOCKED"
_MOVE = "UPDATE sweeps SET until = %s, after = %s WHERE name = %s AND scope = %s"
_FORGET = """
DELETE FROM sweeps WHERE (name, scope) IN (
    SELECT s.name, s.scope FROM sweeps s
    WHERE s.until IS NOT NULL AND split_part(s.name, ':', 1) = ANY(%(kinds)s::text[])
      AND (s.name, s.scope) NOT IN (SELECT * FROM unnest(%(names)s::text[], %(scopes)s::uuid[]))
    FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, slots=True)
class _Source:
    """What can fall due: as what it is told, how far ahead, how it is found, and what is told of what was found."""

    kind: str
    leads: Callable[[Settings], Sequence[int]]
    due: str
    due_of_one: str
    wanted: Callable[[Session, UUID, Sequence[Due], Notice], Iterator[Wanted]]


_SOURCES = (
    _Source(expiring.KIND, expiring.leads, expiring.DUE, expiring.DUE_OF, expiring.wanted),
    _Source(lapsing.KIND, lapsing.leads, lapsing.DUE, lapsing.DUE_OF, lapsing.wanted),
)


@dataclass(frozen=True, slots=True)
class _Search:
    """One lead time of one source, in the programs of a scope, by their clock."""

    source: _Source
    days: int
    scope: UUID
    now: datetime
    notices: Mapping[UUID, Notice]

    @property
    def name(self) -> str:
        """What its place is kept under."""
        return f"{self.source.kind}:{self.days}"

    @property
    def end(self) -> datetime:
        """How far it looks."""
        return self.now + self.days * A_DAY


def sweep_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Queue the next notices of what falls due, when the real clock shows `now`; 0 if all was told."""
    clocks: dict[UUID, timedelta] = dict(session.rows(_CLOCKS, into=tuple_row))
    settings = {program_id: arranging.settings_of(session, program_id) for program_id in clocks}
    searches = list(_searches(settings, clocks, now))
    for search in searches:
        done = _go_on(session, search, limit)
        if done:
            return done
    _forget(session, searches)
    return 0


def _searches(settings: Mapping[UUID, Settings], clocks: Mapping[UUID, timedelta], now: datetime) -> Iterator[_Search]:
    """What is to be searched, the shortest lead times first."""
    for source in _SOURCES:
        found: dict[tuple[int, UUID], dict[UUID, Notice]] = {}
        for program_id, ahead in clocks.items():
            tells = settings[program_id]
            if tells.channels_of(source.kind):
                scope = program_id if ahead else NOBODY
                for days, notice in notices(source.leads(tells), tells, now=now + ahead).items():
                    found.setdefault((days, scope), {})[program_id] = notice
        for (days, scope), of_programs in sorted(found.items()):
            yield _Search(source, days, scope, now + clocks.get(scope, timedelta(0)), of_programs)


def _go_on(session: Session, search: _Search, limit: int) -> int:
    """The next batch of a search; 0 if there is nothing (more) to be found, or somebody else searches."""
    where = (search.name, search.scope)
    begin = {"name": search.name, "scope": search.scope, "nobody": NOBODY, "until": search.end - A_DAY}
    session.run(_BEGIN, begin)
    place = session.row(_PLACE, where, into=tuple_row)
    if place is None:
        return 0
    # What is over, nobody is told of any more.
    until, after = max((place[0], place[1] or LAST), (search.now, LAST))
    if (until, after) >= (search.end, LAST):
        return 0
    span = Span(
        begin=until, after=after, end=search.end, programs=list(search.notices),
        alone=None if search.scope == NOBODY else search.scope,
    )  # fmt: skip
    found = _due(session, search.source, span, limit=limit)
    _tell(session, search, found)
    more = len(found) == limit
    session.run(_MOVE, (found[-1].at if more else search.end, found[-1].member_id if more else None, *where))
    return len(found)


def _due(session: Session, source: _Source, span: Span, *, limit: int) -> list[Due]:
    """What falls due next."""
    where = {
        "begin": span.begin, "after": span.after, "end": span.end, "programs": array_of(span.programs),
        "alone": span.alone,
    }  # fmt: skip
    return session.rows(statement(source.due if span.alone is None else source.due_of_one, limit), where, into=DUE_ROW)


@lru_cache(maxsize=16)
def statement(search: str, limit: int) -> str:
    """A search for so many rows: the number is written out, so that the planner knows how few they are."""
    return search.format(limit=limit)


def _tell(session: Session, search: _Search, found: Iterable[Due]) -> None:
    in_programs = sorted(found, key=attrgetter("program_id"))
    for program_id, group in groupby(in_programs, key=attrgetter("program_id")):
        notice = search.notices[program_id]
        told = list(search.source.wanted(session, program_id, list(group), notice))
        enqueue(session, program_id, told, notice.settings, now=search.now)


def _forget(session: Session, searches: Sequence[_Search]) -> None:
    """A lead time that no program uses any more begins anew when one does: nothing is told that is late by weeks."""
    where = {
        "kinds": array_of(source.kind for source in _SOURCES),
        "names": array_of(search.name for search in searches),
        "scopes": array_of(search.scope for search in searches),
    }
    session.run(_FORGET, where)
