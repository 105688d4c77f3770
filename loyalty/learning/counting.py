"""The nightly count of what a program's members buy all together (`features.statistics`).

Members are read by the page, each page in a short transaction; nothing is locked. What comes of it is a new version,
which is used from the moment it is finished. A count that was cut off is begun again, and leaves nothing but a row that
the next one deletes. Two workers do not count the same program: the lock is the connection's, and goes with it.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from datetime import time as clock_time
from uuid import UUID

import orjson
from psycopg.rows import scalar_row, tuple_row

from loyalty.core import calendar
from loyalty.db.session import Session, reading, transaction
from loyalty.features.decay import DAY
from loyalty.features.outlook import Outlook
from loyalty.features.statistics import Statistics, document_of
from loyalty.learning import looking_back, members
from loyalty.learning.tallying import Tally, by_reach

# The hour, by the clocks of the program's zone, from which a day's count is due.
HOUR = clock_time(3)
# Counts that are kept.
KEPT = 3
# More categories than that are none that are advertised; those that most members buy are counted.
CATEGORIES_MAX = 10_000
# What is bought together shows in the purchases of so many members.
WEIGHED_MAX = 200_000
# What is to be expected shows in what became of so many members.
LOOKED_AT_MAX = 10_000
# How often it is said how far a count is.
TELL_SECONDS = 1.0

# Says how far it is; answers whether to go on.
Told = Callable[[str, int, int], bool]

_PROGRAMS = """
SELECT p.program_id, p.time_zone, p.clock_ahead,
    (SELECT max(s.as_of) FROM feature_statistics s WHERE s.program_id = p.program_id AND s.finished_at IS NOT NULL)
FROM programs p WHERE EXISTS (SELECT FROM member_features f WHERE f.program_id = p.program_id) ORDER BY p.program_id
"""
_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('feature statistics ' || %s, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('feature statistics ' || %s, 0))"
_BEGIN = """
INSERT INTO feature_statistics (program_id, version, as_of, started_at, stage, total)
SELECT %(program_id)s, coalesce(max(version), 0) + 1, %(as_of)s, %(as_of)s, 'reach', %(total)s
FROM feature_statistics WHERE program_id = %(program_id)s RETURNING version
"""
_ADVANCE = "UPDATE feature_statistics SET stage = %s, done = %s, total = %s WHERE program_id = %s AND version = %s"
_FINISH = """
UPDATE feature_statistics SET stage = 'finished', done = total, finished_at = %s, cuts = %s, document = %s,
    weights = %s, outlook = %s
WHERE program_id = %s AND version = %s
"""
# Nobody else counts, so what is not finished was cut off.
_FORGET = """
DELETE FROM feature_statistics WHERE program_id = %(program_id)s AND version < %(version)s
AND (finished_at IS NULL OR version NOT IN (
    SELECT version FROM feature_statistics WHERE program_id = %(program_id)s AND finished_at IS NOT NULL
    ORDER BY version DESC LIMIT %(kept)s))
"""
# The articles that published offers name.
_SKUS = """
SELECT DISTINCT sku FROM (
    SELECT jsonb_array_elements_text(offer -> 'skus') AS sku
    FROM offer_sets s CROSS JOIN LATERAL jsonb_array_elements(s.offers) offer
    WHERE s.program_id = %s AND jsonb_typeof(offer -> 'skus') = 'array'
      AND s.version > (SELECT max(version) - 3 FROM offer_sets WHERE program_id = s.program_id)) named
ORDER BY sku
"""


class Interrupted(Exception):
    """The count was told to stop."""


def due(session: Session, *, now: datetime) -> list[tuple[UUID, datetime]]:
    """The programs to be counted, and what their clocks show. `now` is what the real clock shows."""
    found = []
    for program_id, zone, ahead, counted in session.rows(_PROGRAMS, into=tuple_row):
        there = now + ahead
        if counted is None or counted < _night_of(there, zone):
            found.append((program_id, there))
    return found


def _night_of(now: datetime, zone: str) -> datetime:
    """The newest instant at which a count was due."""
    today = calendar.local_date(now, zone)
    tonight = calendar.at(today, HOUR, zone)
    return tonight if tonight <= now else calendar.at(today - DAY, HOUR, zone)


def count(program_id: UUID, *, told: Told = lambda _stage, _done, _total: True, now: datetime) -> int | None:
    """Count a program as of an instant; answers the new version.

    None: another worker is at it, or `told` said not to go on.
    """
    with _alone(program_id) as alone:
        if not alone:
            return None
        try:
            return _count(program_id, told, now)
        except Interrupted:
            return None


def _count(program_id: UUID, told: Told, now: datetime) -> int:
    with transaction() as session:
        total = members.count(session, program_id)
        version: int | None = session.row(
            _BEGIN, {"program_id": program_id, "as_of": now, "total": total}, into=scalar_row
        )
        skus = session.rows(_SKUS, (program_id,), into=scalar_row)
    assert version is not None, "what was inserted has a version"
    telling = _Telling(program_id, version, total, told)
    reached = _reach(program_id, telling)
    tally = Tally(by_reach(reached)[:CATEGORIES_MAX], skus)
    lies_in = _tally(program_id, tally, telling, now)
    telling.say("weights", total)
    _finish(program_id, tally.statistics(version, now, lies_in), tally.outlook(), now)
    return version


def _reach(program_id: UUID, telling: "_Telling") -> Counter[str]:
    """How many members buy in each category, which says which of them are counted."""
    reached: Counter[str] = Counter()
    for session, page, done in _pages(program_id):
        telling.say("reach", done)
        reached.update(members.reach(session, page))
    return reached


def _tally(program_id: UUID, tally: Tally, telling: "_Telling", now: datetime) -> dict[str, str]:
    """Add up what all members buy; answers what the articles of offers lie in."""
    every = max(1, -(-telling.total // WEIGHED_MAX))
    looked_at = max(1, -(-telling.total // LOOKED_AT_MAX))
    lies_in: dict[str, str] = {}
    for number, (session, page, done) in enumerate(_pages(program_id)):
        telling.say("habits", done)
        tally.add(members.read(session, page, tally.codes, tally.skus, now=now), weigh=number % every == 0)
        if number % looked_at == 0:
            tally.look(looking_back.look(session, page, now=now))
        lies_in |= members.categories_of(session, page, [sku for sku in tally.skus if sku not in lies_in])
    return lies_in


def _pages(program_id: UUID) -> Iterator[tuple[Session, list[UUID], int]]:
    """All members who have bought anything, by the page, each in a transaction; and how many came before."""
    after, done = None, 0
    while True:
        with transaction() as session:
            page = members.page_after(session, program_id, after)
            if not page:
                return
            yield session, page, done
        after, done = page[-1], done + len(page)


class _Telling:
    """Writes down how far a count is, once a second, in a transaction of its own."""

    def __init__(self, program_id: UUID, version: int, total: int, told: Told) -> None:
        self.total = total
        self._program_id, self._version, self._told = program_id, version, told
        self._said: tuple[str, float] = ("", 0.0)

    def say(self, stage: str, done: int) -> None:
        """Say it. Raises Interrupted."""
        if not self._told(stage, done, self.total):
            raise Interrupted
        said, at = self._said
        if said != stage or time.monotonic() - at >= TELL_SECONDS:
            self._said = stage, time.monotonic()
            with transaction() as session:
                session.run(_ADVANCE, (stage, done, self.total, self._program_id, self._version))


def _finish(program_id: UUID, statistics: Statistics, outlook: Outlook, now: datetime) -> None:
    """Put the count in use, all at once, and forget older ones."""
    document, weights = orjson.dumps(document_of(statistics)).decode(), statistics.weights.astype("<f4").tobytes()
    cuts = None if statistics.cuts is None else orjson.dumps(statistics.cuts.document()).decode()
    expected = orjson.dumps(outlook.document()).decode()
    with transaction() as session:
        session.run(_FINISH, (now, cuts, document, weights, expected, program_id, statistics.version))
        session.run(_FORGET, {"program_id": program_id, "version": statistics.version, "kept": KEPT})


@contextmanager
def _alone(program_id: UUID) -> Iterator[bool]:
    with reading() as session:
        alone = session.row(_LOCK, (str(program_id),), into=scalar_row) is True
        try:
            yield alone
        finally:
            if alone:
                session.run(_UNLOCK, (str(program_id),))
