"""Keeping what was counted: the states of generations, and what a page of the log adds to sums and sets."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

import orjson
from psycopg.rows import class_row, tuple_row
from pyroaring import BitMap

from loyalty.db.session import Session, array_of
from loyalty.events.following import BEGINNING, LogPage
from loyalty.programs import queries as programs
from loyalty.rollups.cells import Counting
from loyalty.rollups.deltas import BUYERS, REPEATERS, Deltas
from loyalty.rollups.domain import SetPlace

# The way of counting. Another one here has all programs counted anew.
LAYOUT = 1

# So many sets are read and written by one statement.
SETS_AT_ONCE = 500

STATES = "SELECT program_id, generation, status, layout, time_zone, xid, seq, as_of FROM rollup_states"
_STATE = f"{STATES} WHERE program_id = %s AND status = 'used'"
_NEW = """
INSERT INTO rollup_states (program_id, generation, status, layout, time_zone, xid, seq)
VALUES (%(program_id)s, %(generation)s, %(status)s, %(layout)s, %(time_zone)s, %(xid)s, %(seq)s)
"""
_MOVE = "UPDATE rollup_states SET xid = %s, seq = %s, as_of = %s WHERE program_id = %s AND generation = %s"
_ADD = """
INSERT INTO rollup_sums AS t (program_id, generation, measure, unit, dimension, key, day, amount)
SELECT %s, %s, measure, unit, dimension, key, day, amount
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::date[], %s::bigint[])
    AS w (measure, unit, dimension, key, day, amount)
ON CONFLICT (program_id, generation, measure, unit, dimension, key, day)
DO UPDATE SET amount = t.amount + excluded.amount
"""
_SETS = """
SELECT w.place, s.members FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::date[]) WITH ORDINALITY
    AS w (name, dimension, key, span, starts, place)
CROSS JOIN LATERAL (
    SELECT * FROM rollup_sets b WHERE b.program_id = %s AND b.generation = %s AND b.name = w.name
    AND b.dimension = w.dimension AND b.key = w.key AND b.span = w.span AND b.starts = w.starts LIMIT 1) s
"""
_PUT = """
INSERT INTO rollup_sets (program_id, generation, name, dimension, key, span, starts, size, members)
SELECT %s, %s, name, dimension, key, span, starts, size, members
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::date[], %s::bigint[], %s::bytea[])
    AS w (name, dimension, key, span, starts, size, members)
ON CONFLICT (program_id, generation, name, dimension, key, span, starts)
DO UPDATE SET size = excluded.size, members = excluded.members
"""
_CURSORS = """
INSERT INTO rollup_cursors (program_id, generation, number, seq, tier)
SELECT %s, %s, number, seq, tier FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS w (number, seq, tier)
ON CONFLICT (program_id, generation, number) DO UPDATE SET seq = excluded.seq, tier = excluded.tier
"""
_RETURNED = """
INSERT INTO rollup_returns (program_id, generation, order_id, lines)
SELECT %s, %s, order_id, lines FROM unnest(%s::text[], %s::jsonb[]) AS w (order_id, lines)
ON CONFLICT (program_id, generation, order_id) DO UPDATE SET lines = excluded.lines
"""


Status = Literal["building", "used", "checking", "leaving"]


@dataclass(frozen=True, slots=True)
class State:
    """A generation: by what days and in what way it is counted, and how far in the log (`models.RollupStateRow`)."""

    program_id: UUID
    generation: int
    status: Status
    layout: int
    time_zone: str
    xid: int
    seq: int
    as_of: datetime | None


def look_up_by_key(session: Session) -> None:
    """Let statements of this transaction find their rows by key, also in tables that hold next to nothing yet.

    A plan is made once; one that was made for an empty table would go through all of it when it is full.
    """
    session.row("SELECT set_config('enable_seqscan', 'off', true)", into=tuple_row)


def state_in_use(session: Session, program_id: UUID) -> State | None:
    """The generation in use; None if nothing was counted of the program yet."""
    return session.row(_STATE, (program_id,), into=class_row(State))


def first_state(session: Session, program_id: UUID) -> State:
    """The first generation of a program, as it is before anything is counted. It is not written."""
    return unbegun(program_id, 1, "used", time_zone=programs.load(session, program_id).time_zone)


def unbegun(program_id: UUID, generation: int, status: Status, *, time_zone: str) -> State:
    """A generation before anything is counted."""
    return State(program_id, generation, status, LAYOUT, time_zone, BEGINNING.xid, BEGINNING.seq, None)


def begin(session: Session, state: State) -> State:
    """Write a new generation."""
    session.run(_NEW, {name: value for name, value in asdict(state).items() if name != "as_of"})
    return state


def move(session: Session, state: State, page: LogPage) -> State:
    """Keep how far a generation is counted."""
    where = (page.end.xid, page.end.seq, page.recorded_at, state.program_id, state.generation)
    session.run(_MOVE, where)
    return replace(state, xid=page.end.xid, seq=page.end.seq, as_of=page.recorded_at)


def keep(session: Session, state: State, counting: Counting) -> None:
    """Add what was counted to a generation. The caller holds its place, so nobody else writes it."""
    deltas, whose = counting.deltas(), (state.program_id, state.generation)
    _add(session, whose, deltas)
    _put(session, whose, deltas)
    if counting.members:
        known = [(number, counting.standings[number]) for number in sorted(counting.members)]
        columns = ([n for n, _ in known], [s.seq for _, s in known], [s.tier for _, s in known])
        session.run(_CURSORS, (*whose, *(array_of(column) for column in columns)))
    if counting.orders:
        orders = sorted(counting.orders)
        lines = [orjson.dumps(counting.returned[order_id]).decode() for order_id in orders]
        session.run(_RETURNED, (*whose, array_of(orders), array_of(lines)))


def kept_sets(
    session: Session, program_id: UUID, generation: int, places: Sequence[SetPlace]
) -> dict[SetPlace, BitMap]:
    """Sets of a generation, as far as there are such."""
    found: dict[SetPlace, BitMap] = {}
    for some in _parts(places):
        where = (*_columns(some), program_id, generation)
        for place, members in session.binary_rows(_SETS, where, into=tuple_row):
            found[some[place - 1]] = BitMap.deserialize(members)
    return found


def with_more(kept: dict[SetPlace, BitMap], more: dict[SetPlace, BitMap]) -> dict[SetPlace, BitMap]:
    """Sets to which more were added. `kept` has the sets of all places of `more` that there are.

    Who bought before within a span, and does again, has bought twice within it.
    """
    found = {place: kept[place] | members if place in kept else members for place, members in more.items()}
    for place, members in more.items():
        if place.name == BUYERS and place in kept and (twice := kept[place] & members):
            again = replace(place, name=REPEATERS)
            found[again] = (found.get(again) or kept.get(again) or BitMap()) | twice
    return found


def places_of(more: Iterable[SetPlace]) -> list[SetPlace]:
    """The places that are read before sets are added to, in the order of the key."""
    wanted = {place for place in more if place.name != BUYERS}
    for place in more:
        if place.name == BUYERS:
            wanted |= {place, replace(place, name=REPEATERS)}
    return sorted(wanted, key=_key)


def _add(session: Session, whose: tuple[UUID, int], deltas: Deltas) -> None:
    sums = sorted(
        (p.measure, p.unit, p.dimension, p.key, p.day.isoformat(), amount)
        for p, amount in deltas.sums.items() if amount
    )  # fmt: skip
    if sums:
        session.run(_ADD, (*whose, *map(array_of, zip(*sums, strict=True))))


def _put(session: Session, whose: tuple[UUID, int], deltas: Deltas) -> None:
    for some in _parts(sorted(deltas.sets, key=_key)):
        more = {place: deltas.sets[place] for place in some}
        kept = kept_sets(session, *whose, places_of(more))
        found = sorted(with_more(kept, more).items(), key=lambda item: _key(item[0]))
        sizes = array_of([len(members) for _, members in found])
        packed = [packed_of(members) for _, members in found]
        session.run(_PUT, (*whose, *_columns([place for place, _ in found]), sizes, packed))


def _parts(places: Sequence[SetPlace]) -> Iterator[Sequence[SetPlace]]:
    return (places[start : start + SETS_AT_ONCE] for start in range(0, len(places), SETS_AT_ONCE))


def packed_of(members: BitMap) -> bytes:
    """A set as it is kept."""
    members.run_optimize()
    return members.serialize()


def _columns(places: Sequence[SetPlace]) -> list[str]:
    return [array_of(column) for column in zip(*map(_key, places), strict=True)]


def _key(place: SetPlace) -> tuple[str, str, str, str, str]:
    return place.name, place.dimension, place.key, place.span, place.starts.isoformat()
