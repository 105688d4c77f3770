"""Who did something in some days, or did it more than once, from sets of days, weeks and months. Pure.

A set of a month costs no more than one of a day, so any days are cut into as few spans as there are: whole months, and
the weeks and days before and after them. What many questions need is asked of the rollups once.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from pyroaring import BitMap

from loyalty.core.calendar import add_months
from loyalty.rollups.domain import Dimension, Piece, Rollups, Span

A_DAY, A_WEEK = timedelta(days=1), timedelta(weeks=1)

# Half-open days.
Days = tuple[date, date]

_NOBODY = BitMap()


@dataclass(frozen=True, slots=True)
class Folds:
    """The sets of one key of a dimension, or in all. What it answers is not to be changed."""

    rollups: Rollups
    dimension: Dimension = "all"
    key: str = ""
    _known: dict[tuple[str, Span, date], BitMap] = field(default_factory=dict)

    def load(self, names: Sequence[str], asked: Iterable[Days]) -> None:
        """Read at once what many questions will need."""
        wanted = dict.fromkeys(piece for days in asked for piece in pieces(*days))
        missing = [piece for piece in wanted if any((name, *piece) not in self._known for name in names)]
        if missing:
            found = self.rollups.spans(names, dimension=self.dimension, key=self.key, spans=missing)
            for name in names:
                self._known.update(((name, *piece), found.get((name, *piece), _NOBODY)) for piece in missing)

    def members(self, name: str, first: date, last: date) -> BitMap:
        """Who is in a set on any of the days."""
        each = self._each(name, first, last)
        return each[0] if len(each) == 1 else BitMap().union(*each)

    def again(self, first: date, last: date) -> BitMap:
        """Who bought twice or more often in the days: in one span already, or in two."""
        repeaters = self._each("repeaters", first, last)
        if len(repeaters) == 1:
            return repeaters[0]
        seen, again = BitMap(), BitMap()
        for buyers, often in zip(self._each("buyers", first, last), repeaters, strict=True):
            again |= often
            again |= seen & buyers
            seen |= buyers
        return again

    def before(self, name: str, last: date) -> BitMap:
        """Who is in a set on any day before one, from the beginning."""
        return self.rollups.members(name, dimension=self.dimension, key=self.key, first=None, last=last)

    def by_day(self, name: str, first: date | None, last: date) -> Mapping[date, BitMap]:
        """Who is in a set on each day."""
        return self.rollups.sets(name, dimension=self.dimension, key=self.key, span="day", first=first, last=last)

    def _each(self, name: str, first: date, last: date) -> list[BitMap]:
        asked = list(pieces(first, last))
        if any((name, *piece) not in self._known for piece in asked):
            self.load((name,), [(first, last)])
        return [self._known[name, span, starts] for span, starts in asked]


def pieces(first: date, last: date) -> Iterator[Piece]:
    """The spans that some days are made of, the first one first.

    >>> for span, day in pieces(date(2026, 2, 28), date(2026, 4, 13)):
    ...     print(span, day)
    day 2026-02-28
    month 2026-03-01
    day 2026-04-01
    day 2026-04-02
    day 2026-04-03
    day 2026-04-04
    day 2026-04-05
    week 2026-04-06
    """
    while first < last:
        span, ends = _piece(first, last)
        yield span, first
        first = ends


def _piece(first: date, last: date) -> tuple[Span, date]:
    """The longest span that begins on a day; a week does not cut into a month that fits as a whole."""
    if first.day == 1 and (month := add_months(first, 1)) <= last:
        return "month", month
    if not first.weekday() and (week := first + A_WEEK) <= last:
        month = add_months(first.replace(day=1), 1)
        if week <= month or add_months(month, 1) > last:
            return "week", week
    return "day", first + A_DAY


def moving(by_day: Mapping[date, BitMap], ends: Iterable[date], days: int) -> dict[date, int]:
    """How many are in the sets of so many days before each end.

    The window is two stacks: what came of late joins one by one; what is to leave was joined from its end backwards.
    So each set is joined twice, however long the window is.
    """
    found: dict[date, int] = {}
    waiting = deque(sorted(by_day))
    leaving: list[tuple[date, BitMap]] = []
    coming: list[date] = []
    joined = BitMap()
    for end in sorted(ends):
        begins = end - timedelta(days=days)
        while waiting and waiting[0] < end:
            coming.append(waiting.popleft())
            joined |= by_day[coming[-1]]
        while leaving and leaving[-1][0] < begins:
            leaving.pop()
        if not leaving:
            behind = BitMap()
            for day in reversed([day for day in coming if day >= begins]):
                behind = behind | by_day[day]
                leaving.append((day, behind))
            coming, joined = [], BitMap()
        found[end] = leaving[-1][1].union_cardinality(joined) if leaving else len(joined)
    return found
