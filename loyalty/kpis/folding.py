"""Who did something in some days, or did it more than once, from sets of days, weeks and months. Pure.

A set of a month costs no more than one of a day, so any days are cut into as few spans as there are: whole months, and
the days before and after them. What is asked for often is asked of the rollups once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from pyroaring import BitMap

from loyalty.core.calendar import add_months
from loyalty.rollups.domain import Dimension, Rollups, Span

A_DAY, A_WEEK = timedelta(days=1), timedelta(weeks=1)

# Half-open days.
Days = tuple[date, date]
Piece = tuple[Span, date]


@dataclass(frozen=True, slots=True)
class Folds:
    """The sets of one kind, in all or of one key of a dimension."""

    rollups: Rollups
    dimension: Dimension = "all"
    key: str = ""
    _known: dict[tuple[str, Span], dict[date, BitMap]] = field(default_factory=dict)

    def load(self, name: str, asked: Iterable[Days]) -> None:
        """Read at once what many questions will need."""
        wanted: dict[Span, set[date]] = {}
        for days in asked:
            for span, starts in pieces(*days):
                wanted.setdefault(span, set()).add(starts)
        for span, starts_of in wanted.items():
            known = self._known.setdefault((name, span), {})
            for first, last in _runs(span, sorted(starts_of - known.keys())):
                found = self._sets(name, span, first, last)
                known.update((starts, found.get(starts, BitMap())) for starts in _steps(span, first, last))

    def members(self, name: str, first: date, last: date) -> BitMap:
        """Who is in a set on any of the days; not to be changed."""
        each = self._each(name, first, last)
        return each[0] if len(each) == 1 else BitMap().union(*each)

    def again(self, first: date, last: date) -> BitMap:
        """Who bought twice or more often in the days: in one span already, or in two; not to be changed."""
        repeaters = self._each("repeaters", first, last)
        if len(repeaters) == 1:
            return repeaters[0]
        seen, again = BitMap(), BitMap()
        for buyers, often in zip(self._each("buyers", first, last), repeaters, strict=True):
            again |= often
            again |= seen & buyers
            seen |= buyers
        return again

    def before(self, name: str, first: date) -> BitMap:
        """Who is in a set on any day before one, from the beginning."""
        month = first.replace(day=1)
        earlier = self._sets(name, "month", None, month).values()
        return BitMap().union(*earlier, *self._each(name, month, first))

    def by_day(self, name: str, first: date | None, last: date) -> Mapping[date, BitMap]:
        """Who is in a set on each day, the first day first."""
        found = self._sets(name, "day", first, last)
        return {day: found[day] for day in sorted(found)}

    def _each(self, name: str, first: date, last: date) -> list[BitMap]:
        asked = list(pieces(first, last))
        if any(starts not in self._known.get((name, span), ()) for span, starts in asked):
            self.load(name, [(first, last)])
        return [self._known[name, span][starts] for span, starts in asked]

    def _sets(self, name: str, span: Span, first: date | None, last: date) -> Mapping[date, BitMap]:
        return self.rollups.sets(name, dimension=self.dimension, key=self.key, span=span, first=first, last=last)


def pieces(first: date, last: date) -> Iterator[Piece]:
    """The spans that some days are made of, the first one first.

    >>> [(span, day.isoformat()) for span, day in pieces(date(2026, 2, 27), date(2026, 4, 1))]
    [('day', '2026-02-27'), ('day', '2026-02-28'), ('month', '2026-03-01')]
    """
    if last - first == A_WEEK and not first.weekday():
        yield "week", first
        return
    while first < last:
        if first.day == 1 and (month_on := add_months(first, 1)) <= last:
            yield "month", first
            first = month_on
        else:
            yield "day", first
            first += A_DAY


def _runs(span: Span, starts: list[date]) -> Iterator[Days]:
    """Spans that follow each other, as half-open days."""
    begun: date | None = None
    for place, day in enumerate(starts):
        begun = begun or day
        if place + 1 == len(starts) or starts[place + 1] != _next(span, day):
            # Later spans begin later than the day after.
            yield begun, day + A_DAY
            begun = None


def _steps(span: Span, first: date, last: date) -> Iterator[date]:
    while first < last:
        yield first
        first = _next(span, first)


def _next(span: Span, day: date) -> date:
    if span == "month":
        return add_months(day, 1)
    return day + (A_WEEK if span == "week" else A_DAY)
