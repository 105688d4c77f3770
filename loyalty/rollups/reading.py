"""Asking what was counted: rows of the generation in use, and beside them the facts that were not counted yet."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from psycopg import pq
from psycopg.rows import tuple_row
from pyroaring import BitMap

from loyalty.core.calendar import add_months
from loyalty.db.session import Session, array_of
from loyalty.rollups import following, keeping
from loyalty.rollups.deltas import BUYERS, REPEATERS, Counted, Deltas
from loyalty.rollups.domain import Dimension, Piece, Rollups, SetPlace, Span
from loyalty.rollups.keeping import State

T = TypeVar("T", bound=Hashable)

_A_DAY = timedelta(days=1)

# A measure that ends in `*` is a range of names, any other a range of one. Each of those that there are is found by one
# look at the key; what is read then is a range of the key, whatever else was counted of the measure.
_NAMED = """
WITH RECURSIVE named (measure, until) AS (
    SELECT (SELECT measure FROM rollup_sums WHERE program_id = %(program_id)s AND generation = %(generation)s
            AND measure >= n.a AND measure < n.b ORDER BY measure LIMIT 1), n.b
    FROM unnest(%(from)s::text[], %(until)s::text[]) AS n (a, b)
    UNION ALL
    SELECT (SELECT measure FROM rollup_sums WHERE program_id = %(program_id)s AND generation = %(generation)s
            AND measure > n.measure AND measure < n.until ORDER BY measure LIMIT 1), n.until
    FROM named n WHERE n.measure IS NOT NULL)
"""
_OF_NAMES = """
FROM (SELECT DISTINCT measure FROM named WHERE measure IS NOT NULL) n CROSS JOIN LATERAL (
    SELECT measure, key, day, amount FROM rollup_sums
    WHERE program_id = %(program_id)s AND generation = %(generation)s AND measure = n.measure
        AND unit = %(unit)s AND dimension = %(dimension)s {key}
        AND day >= %(first)s AND day < %(last)s AND amount <> 0
    OFFSET 0) s
"""
_OF_ALL_KEYS, _OF_A_KEY = _OF_NAMES.format(key=""), _OF_NAMES.format(key="AND key = %(key)s")
_BY_DAY = "SELECT s.measure, s.key, s.day, s.amount"
# Beyond the first cut there is none: null, which is never the greatest.
_BY_PIECE = """
SELECT s.measure, s.key, greatest(date_trunc('month', s.day::timestamp)::date,
    (%(cuts)s::date[])[width_bucket(s.day, %(cuts)s::date[])]) AS piece, sum(s.amount)::bigint
"""
_IN_ALL = "SELECT s.measure, s.key, sum(s.amount)::bigint"
_SETS_OF = """
FROM rollup_sets
WHERE program_id = %(program_id)s AND generation = %(generation)s AND name = %(name)s AND dimension = %(dimension)s
    AND key = %(key)s
"""
_WITHIN = "AND span = %(span)s AND starts >= %(first)s AND starts < %(last)s"
_SIZES = f"SELECT starts, size {_SETS_OF} {_WITHIN}"
_SETS = f"SELECT starts, members {_SETS_OF} {_WITHIN}"
_UNION = f"""
SELECT members {_SETS_OF} AND span = 'month' AND starts >= %(months)s AND starts < %(days)s
UNION ALL
SELECT members {_SETS_OF} AND span = 'day' AND starts >= %(first)s AND starts < %(months)s
UNION ALL
SELECT members {_SETS_OF} AND span = 'day' AND starts >= %(days)s AND starts < %(last)s
"""
_OF_DIMENSION = """
FROM rollup_sets
WHERE program_id = %(program_id)s AND generation = %(generation)s AND name = %(name)s AND dimension = %(dimension)s
"""
_EACH = f"""
SELECT key, members {_OF_DIMENSION} AND span = 'month' AND starts >= %(months)s AND starts < %(days)s
UNION ALL
SELECT key, members {_OF_DIMENSION} AND span = 'day' AND starts >= %(first)s AND starts < %(months)s
UNION ALL
SELECT key, members {_OF_DIMENSION} AND span = 'day' AND starts >= %(days)s AND starts < %(last)s
"""
_NUMBERS = "SELECT number, member_id FROM rollup_members WHERE program_id = %s AND number = ANY(%s::bigint[])"


def rollups(session: Session, program_id: UUID, *, now: datetime) -> Rollups:
    """What was counted of a program, and what has happened since, as far as that can be told at once.

    All that is asked of it sees the database as it is now: where nothing was asked in the session's transaction yet,
    that becomes one which sees one state.
    """
    _see_one_state(session)
    state = keeping.state_in_use(session, program_id) or keeping.first_state(session, program_id)
    tail = following.uncounted(session, state)
    if tail is None:
        return Kept(session, state, Counted(Deltas(), state.as_of or now), state.as_of or now)
    return Kept(session, state, Counted(tail[0].deltas(), now), now)


def member_ids(session: Session, program_id: UUID, numbers: Iterable[int]) -> dict[int, UUID]:
    """Who members of sets are. Those whom only facts know that were not counted yet have no number for good."""
    return dict(session.rows(_NUMBERS, (program_id, array_of(numbers)), into=tuple_row))


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows of a generation, and beside them what was not counted yet (`tail`): answers as `Rollups` says."""

    session: Session
    state: State
    tail: Counted
    as_of: datetime
    # Nothing is read twice, however many parts of a report ask for it.
    _known: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def sums(
        self,
        measure: str,
        *,
        unit: str = "",
        dimension: Dimension = "all",
        key: str = "",
        first: date | None,
        last: date,
    ) -> Mapping[date, int]:
        """A sum by day."""
        found = self.keyed((measure,), unit=unit, dimension=dimension, key=key, first=first, last=last)
        return found.get((measure, key), {})

    def keyed(
        self,
        measures: Iterable[str],
        *,
        unit: str = "",
        dimension: Dimension = "all",
        key: str | None = None,
        first: date | None,
        last: date,
        cuts: Sequence[date] | None = None,
    ) -> Mapping[tuple[str, str], Mapping[date, int]]:
        """Sums of a key of a dimension, or of all, by (measure, key) and day, or piece of a month."""
        names, found = tuple(measures), defaultdict[tuple[str, str], dict[date, int]](dict)
        where, of = _named(names, unit, dimension), _OF_ALL_KEYS if key is None else _OF_A_KEY
        statement, ends = (
            (_BY_DAY, "") if cuts is None else (_BY_PIECE, "GROUP BY s.measure, s.key, piece HAVING sum(s.amount) <> 0")
        )
        if cuts is not None:
            where["cuts"] = array_of(cuts)
        rows = self._rows(f"{_NAMED} {statement} {of} {ends}", where | {"key": key}, first, last)
        for measure, its_key, day, amount in rows:
            found[measure, its_key][day] = amount
        more = self.tail.keyed(names, unit=unit, dimension=dimension, key=key, first=first, last=last, cuts=cuts)
        for at, days in more.items():
            found[at] = _added(found[at], days)
        return {at: days for at, days in found.items() if days}

    def totals(
        self, measures: Iterable[str], *, unit: str = "", dimension: Dimension = "all", first: date | None, last: date
    ) -> Mapping[tuple[str, str], int]:
        """`keyed`, each over all days."""
        names = tuple(measures)
        statement = f"{_NAMED} {_IN_ALL} {_OF_ALL_KEYS} GROUP BY s.measure, s.key HAVING sum(s.amount) <> 0"
        rows = self._rows(statement, _named(names, unit, dimension), first, last)
        found = {(measure, key): amount for measure, key, amount in rows}
        return _added(found, self.tail.totals(names, unit=unit, dimension=dimension, first=first, last=last))

    def sizes(
        self, name: str, *, dimension: Dimension = "all", key: str = "", span: Span, first: date | None, last: date
    ) -> Mapping[date, int]:
        """How many are in a set, by the first day of each span that begins within the days."""
        where = {"name": name, "dimension": dimension, "key": key, "span": span}
        found = dict(self._rows(_SIZES, where, first, last))
        changed = self._changed((name, dimension, key, span), first, last)
        return found | {starts: len(members) for starts, members in changed.items()}

    def members(
        self, name: str, *, dimension: Dimension = "all", key: str = "", first: date | None, last: date
    ) -> BitMap:
        """Who is in a set on any of the days: whole months within them are read as such."""
        begins, months, days = _parts(first, last, whole_months=name != REPEATERS)
        where = {"name": name, "dimension": dimension, "key": key, "months": months, "days": days}
        kept = [BitMap.deserialize(members) for (members,) in self._rows(_UNION, where, begins, last, binary=True)]
        changed = self._changed((name, dimension, key, "day"), first, last)
        return BitMap().union(*kept, *changed.values())

    def sets(
        self, name: str, *, dimension: Dimension = "all", key: str = "", span: Span, first: date | None, last: date
    ) -> Mapping[date, BitMap]:
        """Who is in a set, by the first day of each span that begins within the days."""
        where = {"name": name, "dimension": dimension, "key": key, "span": span}
        rows = self._rows(_SETS, where, first, last, binary=True)
        found = {starts: BitMap.deserialize(members) for starts, members in rows}
        return found | self._changed((name, dimension, key, span), first, last)

    def spans(
        self, names: Iterable[str], *, dimension: Dimension = "all", key: str = "", spans: Iterable[Piece]
    ) -> Mapping[tuple[str, Span, date], BitMap]:
        """Who is in sets, by name, span and its first day: of the very spans that are asked for."""
        asked = sorted(spans)
        places = [SetPlace(name, dimension, key, *each) for name in names for each in asked]
        kept = keeping.kept_sets(self.session, self.state.program_id, self.state.generation, places)
        found = {(place.name, place.span, place.starts): members for place, members in kept.items()}
        for name, span in {(place.name, place.span) for place in places}:
            days = [starts for its_span, starts in asked if its_span == span]
            changed = self._changed((name, dimension, key, span), min(days), max(days) + _A_DAY)
            found |= {(name, span, starts): changed[starts] for starts in days if starts in changed}
        return found

    def each(self, name: str, *, dimension: Dimension, first: date | None, last: date) -> Mapping[str, BitMap]:
        """`members` of every key of a dimension."""
        begins, months, days = _parts(first, last, whole_months=name != REPEATERS)
        where = {"name": name, "dimension": dimension, "months": months, "days": days}
        found: dict[str, list[BitMap]] = defaultdict(list)
        for key, members in self._rows(_EACH, where, begins, last, binary=True):
            found[key].append(BitMap.deserialize(members))
        for key in self.tail.keys(name, dimension=dimension, first=first, last=last):
            found[key] += self._changed((name, dimension, key, "day"), first, last).values()
        return {key: BitMap().union(*sets) for key, sets in found.items()}

    def _changed(self, place: tuple[str, Dimension, str, Span], first: date | None, last: date) -> dict[date, BitMap]:
        """The sets to which the tail adds, with what it adds."""
        name, dimension, key, span = place
        names = (BUYERS, REPEATERS) if name == REPEATERS else (name,)
        more = {
            SetPlace(each, dimension, key, span, starts): members
            for each in names
            for starts, members in self.tail.sets(
                each, dimension=dimension, key=key, span=span, first=first, last=last
            ).items()
        }
        if not more:
            return {}
        asked = (tuple(more), "changed")
        if asked not in self._known:
            places = keeping.places_of(more)
            kept = keeping.kept_sets(self.session, self.state.program_id, self.state.generation, places)
            self._known[asked] = keeping.with_more(kept, more)
        return {each.starts: members for each, members in self._known[asked].items() if each.name == name}

    def _rows(
        self, statement: str, where: Mapping[str, Any], first: date | None, last: date, *, binary: bool = False
    ) -> list[Any]:
        asked = (statement, *(tuple(v) if isinstance(v, list) else v for v in where.values()), first, last)
        if asked not in self._known:
            whose = {"program_id": self.state.program_id, "generation": self.state.generation}
            rows = self.session.binary_rows if binary else self.session.rows
            days = {"first": first or date.min, "last": last}
            self._known[asked] = rows(statement, {**where, **whose, **days}, into=tuple_row)
        known: list[Any] = self._known[asked]
        return known


def _see_one_state(session: Session) -> None:
    """Let a session that has asked nothing in its transaction see the database as it is now, until the end."""
    if session.driver.info.transaction_status == pq.TransactionStatus.IDLE:
        session.begin_together()
        session.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def _named(names: Iterable[str], unit: str, dimension: Dimension) -> dict[str, Any]:
    """Measures as ranges of names: what begins like one that ends in `*`, else the very name."""
    ranges = [(name[:-2] + ".", name[:-2] + "/") if name.endswith(".*") else (name, name + "\x01") for name in names]
    starts, ends = zip(*ranges, strict=True)
    return {"from": array_of(starts), "until": array_of(ends), "unit": unit, "dimension": dimension}


def _parts(first: date | None, last: date, *, whole_months: bool) -> tuple[date, date, date]:
    """Days are cut in three: single ones, whole months from the second of the dates to the third, single ones."""
    begins = first or date.min
    months, days = begins if begins.day == 1 else add_months(begins.replace(day=1), 1), last.replace(day=1)
    return (begins, months, days) if whole_months and months < days else (begins, begins, begins)


def _added(found: dict[T, int], more: Mapping[T, int]) -> dict[T, int]:
    """Sums with what is added to them, without those that are nothing."""
    for at, amount in more.items():
        found[at] = found.get(at, 0) + amount
    return {at: amount for at, amount in found.items() if amount}
