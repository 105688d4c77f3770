"""Following the log: whoever acts on facts keeps its place in it, in the transaction of what it does about them.

So each fact is acted on exactly once, whenever the follower is cut off and however long nobody runs it.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from loyalty.db.session import Session, array_of

# The oldest transaction under way: nothing can come into the log before it any more.
HORIZON = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

_BEHIND = f"""
SELECT p.program_id FROM programs p LEFT JOIN followers f ON f.name = %(name)s AND f.program_id = p.program_id
WHERE EXISTS (
    SELECT FROM events e WHERE e.program_id = p.program_id
    AND (e.xid, e.seq) > (coalesce(f.xid, -1), coalesce(f.seq, -1)) AND e.xid < {HORIZON})
ORDER BY p.program_id
"""
_BEHIND_ANOTHER = """
SELECT b.program_id FROM followers b LEFT JOIN followers f ON f.name = %(name)s AND f.program_id = b.program_id
WHERE b.name = %(after)s AND (b.xid, b.seq) > (coalesce(f.xid, -1), coalesce(f.seq, -1)) ORDER BY b.program_id
"""
# To insert a place that is there would wait for whoever is moving it.
_BEGIN = """
INSERT INTO followers (name, program_id, xid, seq) SELECT %(name)s, %(program_id)s, -1, -1
WHERE NOT EXISTS (SELECT FROM followers f WHERE f.name = %(name)s AND f.program_id = %(program_id)s)
ON CONFLICT DO NOTHING
"""
_PLACE = "SELECT xid, seq FROM followers WHERE name = %s AND program_id = %s FOR UPDATE SKIP LOCKED"
_HOLD = "SELECT 1 FROM followers WHERE name = %s AND program_id = %s FOR UPDATE"
_AT = "SELECT xid, seq FROM followers WHERE name = %s AND program_id = %s"
_NEXT = f"""
WITH page AS MATERIALIZED (
    SELECT owner_id, event_id, type, version, customer_id, occurred_at, recorded_at, data, xid, seq FROM events
    WHERE program_id = %(program_id)s AND (xid, seq) > (%(xid)s::bigint, %(seq)s::bigint) AND xid < {HORIZON}
        AND (xid, seq) <= (%(to_xid)s::bigint, %(to_seq)s::bigint)
    ORDER BY xid, seq LIMIT %(limit)s)
SELECT * FROM page WHERE type = ANY(%(types)s)
OR (xid, seq) = (SELECT p.xid, p.seq FROM page p ORDER BY p.xid DESC, p.seq DESC LIMIT 1)
ORDER BY xid, seq
"""
_ALL = _NEXT.replace(f"AND xid < {HORIZON}", "")
_MOVE = "UPDATE followers SET xid = %s, seq = %s WHERE name = %s AND program_id = %s"


@dataclass(frozen=True, slots=True)
class LoggedFact:
    """A fact as its followers see it: of a member, by both ids, or of the program, whose id `owner_id` is then."""

    owner_id: UUID
    event_id: UUID
    type: str
    version: int
    customer_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]
    xid: int
    seq: int


def behind(session: Session, name: str, *, after: str | None = None) -> list[UUID]:
    """The programs that have facts which the follower called `name` has not seen.

    `after`: but the follower of that name has.
    """
    statement = _BEHIND if after is None else _BEHIND_ANOTHER
    return session.rows(statement, {"name": name, "after": after}, into=scalar_row)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the log of a program: up to it, with it, all has been seen."""

    xid: int
    seq: int


BEGINNING = Place(-1, -1)
# No fact lies behind it.
_END = Place(2**63 - 1, 2**63 - 1)


@dataclass(frozen=True, slots=True)
class LogPage:
    """A page of the log: the facts of some types, in the order of the log, and where the page ends.

    `recorded_at` is when its last fact was recorded, of whatever type.
    """

    facts: list[LoggedFact]
    end: Place
    recorded_at: datetime


def by_turns(
    session: Session, name: str, turn: Callable[[UUID, int], int], *, limit: int, after: str | None = None
) -> int:
    """Follow all programs that have new facts, `limit` in all: `turn(program_id, most)` answers how many those were.

    By turns, as it were: a program that has imported years of orders does not keep the others waiting for hours.
    """
    waiting = behind(session, name, after=after)
    random.shuffle(waiting)
    done = 0
    for program_id in waiting:
        if done < limit:
            done += turn(program_id, limit - done)
    return done


def follow(
    session: Session, name: str, program_id: UUID, types: Sequence[str], *, limit: int, after: str | None = None
) -> list[LoggedFact] | None:
    """What is new of some types among the next `limit` facts of a program, and the place after these is kept.

    None if there is nothing new at all, or if somebody else follows under this name at the moment. `after`: no further
    than the follower of that name has come, so that what it made of facts is there.
    """
    place = take_place(session, name, program_id)
    if place is None:
        return None
    to = None if after is None else place_of(session, after, program_id)
    if after is not None and to is None:
        return None
    page = page_after(session, program_id, place, types, limit=limit, to=to)
    if page is None:
        return None
    move(session, name, program_id, page.end)
    # A transaction that waited for a member whom another one had may have begun before that one, but wrote after it.
    return sorted(page.facts, key=lambda fact: fact.seq)


def take_place(session: Session, name: str, program_id: UUID) -> Place | None:
    """The place of a follower, which nobody else can move until the transaction ends; None if somebody is about to."""
    session.run(_BEGIN, {"name": name, "program_id": program_id})
    return session.row(_PLACE, (name, program_id), into=class_row(Place))


def place_of(session: Session, name: str, program_id: UUID) -> Place | None:
    """How far a follower has come; None if it has never begun."""
    return session.row(_AT, (name, program_id), into=class_row(Place))


def move(session: Session, name: str, program_id: UUID, to: Place) -> None:
    """Keep a follower's place. The caller has taken it."""
    session.run(_MOVE, (to.xid, to.seq, name, program_id))


def page_after(
    session: Session,
    program_id: UUID,
    place: Place,
    types: Sequence[str],
    *,
    limit: int,
    to: Place | None = None,
    settled: bool = True,
) -> LogPage | None:
    """The facts of some types among the `limit` facts behind a place, up to another at most; None if there are none.

    Not only `settled` ones: those, too, before which others may yet come. Who keeps a place must not pass them by.
    """
    end = to or _END
    where = {
        "program_id": program_id, "xid": place.xid, "seq": place.seq, "to_xid": end.xid, "to_seq": end.seq,
        "limit": limit, "types": array_of(types),
    }  # fmt: skip
    rows = session.rows(_NEXT if settled else _ALL, where, into=class_row(LoggedFact))
    if not rows:
        return None
    last = rows[-1]
    return LogPage([row for row in rows if row.type in types], Place(last.xid, last.seq), last.recorded_at)


def hold(session: Session, name: str, program_id: UUID) -> None:
    """Keep everybody from following a program under this name until the transaction ends; waits for who does."""
    session.run(_BEGIN, {"name": name, "program_id": program_id})
    session.run(_HOLD, (name, program_id))
