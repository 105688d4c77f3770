"""Sums and sets in memory: what some facts add to what is kept, and, as `Counted`, something to ask. Pure."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from pyroaring import BitMap

from loyalty.rollups.domain import Dimension, Piece, Place, SetPlace, Span, starts_of

BUYERS, REPEATERS = "buyers", "repeaters"


@dataclass(slots=True)
class Deltas:
    """What is added to sums and sets."""

    sums: dict[Place, int] = field(default_factory=lambda: defaultdict(int))
    sets: dict[SetPlace, BitMap] = field(default_factory=lambda: defaultdict(BitMap))

    def add(self, measure: str, amount: int, day: date, *, unit: str = "", by: Iterable[tuple[Dimension, str]]) -> None:
        """Add to a sum, in all and by dimensions."""
        self.sums[Place(measure, unit, "all", "", day)] += amount
        for dimension, key in by:
            self.sums[Place(measure, unit, dimension, key, day)] += amount

    def put(self, name: str, member: int, day: date, *, by: Iterable[tuple[Dimension, str]]) -> None:
        """Put a member into a set, in all and by dimensions, of each span that the day belongs to."""
        for span, starts in starts_of(day):
            self.sets[SetPlace(name, "all", "", span, starts)].add(member)
            for dimension, key in by:
                self.sets[SetPlace(name, dimension, key, span, starts)].add(member)

    def join(self, name: str, by: tuple[Dimension, str], day: date, members: BitMap, again: BitMap) -> None:
        """Put members into one set of a day, and of the spans that it belongs to; of buyers, `again` came twice.

        Who bought before within a span, and now, has bought twice within it.
        """
        for span, starts in starts_of(day):
            found = self.sets[SetPlace(name, *by, span, starts)]
            if name == BUYERS and (twice := (found & members) | again):
                self.sets[SetPlace(REPEATERS, *by, span, starts)] |= twice
            found |= members


@dataclass(frozen=True, slots=True)
class Counted:
    """Sums and sets in memory, to be asked like those that are kept (`domain.Rollups`)."""

    deltas: Deltas
    as_of: datetime

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
        found = self.keyed([measure], unit=unit, dimension=dimension, key=key, first=first, last=last)
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
        names, found = tuple(measures), defaultdict[tuple[str, str], dict[date, int]](lambda: defaultdict(int))
        for place, amount in self.deltas.sums.items():
            where = (place.unit, place.dimension, place.key if key is None else key)
            asked = where == (unit, dimension, place.key) and _within(place.day, first, last)
            if amount and asked and any(is_called(place.measure, name) for name in names):
                found[place.measure, place.key][_piece(place.day, cuts)] += amount
        told = {at: {day: amount for day, amount in days.items() if amount} for at, days in found.items()}
        return {at: days for at, days in told.items() if days}

    def totals(
        self, measures: Iterable[str], *, unit: str = "", dimension: Dimension = "all", first: date | None, last: date
    ) -> Mapping[tuple[str, str], int]:
        """`keyed`, each over all days."""
        found = self.keyed(measures, unit=unit, dimension=dimension, first=first, last=last)
        return {at: total for at, days in found.items() if (total := sum(days.values()))}

    def sizes(
        self, name: str, *, dimension: Dimension = "all", key: str = "", span: Span, first: date | None, last: date
    ) -> Mapping[date, int]:
        """How many are in a set, by the first day of each span that begins within the days."""
        found = self.sets(name, dimension=dimension, key=key, span=span, first=first, last=last)
        return {starts: len(members) for starts, members in found.items()}

    def members(
        self, name: str, *, dimension: Dimension = "all", key: str = "", first: date | None, last: date
    ) -> BitMap:
        """Who is in a set on any of the days."""
        return BitMap().union(
            *self.sets(name, dimension=dimension, key=key, span="day", first=first, last=last).values()
        )

    def sets(
        self, name: str, *, dimension: Dimension = "all", key: str = "", span: Span, first: date | None, last: date
    ) -> Mapping[date, BitMap]:
        """Who is in a set, by the first day of each span that begins within the days."""
        return {
            place.starts: members
            for place, members in self._sets(name, dimension, first, last)
            if (place.key, place.span) == (key, span)
        }

    def spans(
        self, names: Iterable[str], *, dimension: Dimension = "all", key: str = "", spans: Iterable[Piece]
    ) -> Mapping[tuple[str, Span, date], BitMap]:
        """Who is in sets, by name, span and its first day: of the very spans that are asked for."""
        asked = tuple(spans)
        places = (SetPlace(name, dimension, key, *each) for name in names for each in asked)
        return {
            (place.name, place.span, place.starts): self.deltas.sets[place]
            for place in places
            if place in self.deltas.sets
        }

    def each(self, name: str, *, dimension: Dimension, first: date | None, last: date) -> Mapping[str, BitMap]:
        """`members` of every key of a dimension."""
        found: dict[str, BitMap] = defaultdict(BitMap)
        for place, members in self._sets(name, dimension, first, last):
            if place.span == "day":
                found[place.key] |= members
        return found

    def keys(self, name: str, *, dimension: Dimension, first: date | None, last: date) -> list[str]:
        """The keys of a dimension for which a set was kept on any of the days."""
        return sorted({place.key for place, _ in self._sets(name, dimension, first, last) if place.span == "day"})

    def _sets(
        self, name: str, dimension: Dimension, first: date | None, last: date
    ) -> Iterator[tuple[SetPlace, BitMap]]:
        for place, members in self.deltas.sets.items():
            if (place.name, place.dimension) == (name, dimension) and _within(place.starts, first, last):
                yield place, members


def is_called(measure: str, name: str) -> bool:
    """Whether a measure is the one asked for, or one of those (`points.*`)."""
    return measure.startswith(name[:-1]) if name.endswith("*") else measure == name


def _piece(day: date, cuts: Sequence[date] | None) -> date:
    """The day a sum is told of: the day itself or, where there are cuts, the first of its piece of the month."""
    if cuts is None:
        return day
    month, cut = day.replace(day=1), bisect_right(cuts, day)
    return max(month, cuts[cut - 1]) if cut else month


def _within(day: date, first: date | None, last: date) -> bool:
    return (first is None or first <= day) and day < last
