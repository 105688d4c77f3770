"""What was counted, as reports ask for it: narrowed to what they were asked, by period, and in all. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import cast

from pyroaring import BitMap

from loyalty.kpis.domain import Period, Question
from loyalty.kpis.periods import beginning, following
from loyalty.rollups.domain import Dimension, Rollups, Span

_SPANS: tuple[Span, ...] = ("day", "week", "month")


class Counts:
    """What was counted of one key of a dimension (of all, without), in the time that is asked for."""

    def __init__(
        self, rollups: Rollups, asked: Question, *, dimension: Dimension = "all", key: str = "", unit: str = ""
    ) -> None:
        self.dimension, self.key = dimension, key
        self._rollups, self._asked, self._unit = rollups, asked, unit
        self._days: dict[str, Mapping[date, int]] = {}

    @classmethod
    def narrowed(cls, rollups: Rollups, asked: Question, *, unit: str = "") -> "Counts":
        """What the question is narrowed to."""
        for name, key in asked.filters.items():
            return cls(rollups, asked, dimension=cast("Dimension", name), key=key, unit=unit)
        return cls(rollups, asked, unit=unit)

    @property
    def is_all(self) -> bool:
        """Whether it is narrowed to nothing."""
        return self.dimension == "all"

    def days(self, measure: str) -> Mapping[date, int]:
        """A sum by day."""
        if measure not in self._days:
            self._days[measure] = self._rollups.sums(
                measure, unit=self._unit, dimension=self.dimension, key=self.key, first=self._asked.first,
                last=self._asked.last,
            )  # fmt: skip
        return self._days[measure]

    def of(self, measure: str, period: Period) -> int:
        """A sum over a period."""
        return within(self.days(measure), period)

    def before(self, measure: str) -> int:
        """A sum over all time before what is asked for."""
        return self._rollups.total(
            measure, unit=self._unit, dimension=self.dimension, key=self.key, first=None, last=self._asked.first
        )

    def running(self, measure: str) -> dict[date, int]:
        """A sum from the beginning of time up to the end of each period."""
        return running(self.days(measure), self.before(measure), self._asked.periods)

    def distinct(self, name: str) -> dict[Period, int]:
        """How many members are in a set in each period, and in all that is asked for (`whole`)."""
        asked, periods = self._asked, self._asked.periods
        kept = [each for each in periods if self._is_span(each)]
        sizes = self._sizes(name, asked.granularity) if kept else {}
        found = {each: sizes.get(each.first, 0) for each in kept}
        for each in (*periods, whole(asked)):
            if each not in found:
                found[each] = len(self.members(name, each))
        return found

    def members(self, name: str, period: Period) -> BitMap:
        """Who is in a set at any time in a period."""
        return self._rollups.members(name, dimension=self.dimension, key=self.key, first=period.first, last=period.last)

    def ever(self, name: str) -> BitMap:
        """Who is in a set at any time before the end of what is asked for."""
        return self._rollups.members(name, dimension=self.dimension, key=self.key, first=None, last=self._asked.last)

    def _sizes(self, name: str, granularity: str) -> Mapping[date, int]:
        return self._rollups.sizes(
            name, dimension=self.dimension, key=self.key, span=cast("Span", granularity), first=self._asked.first,
            last=self._asked.last,
        )  # fmt: skip

    def _is_span(self, period: Period) -> bool:
        """Whether a period is kept as it is: a day, week or month that is not cut off."""
        granularity = self._asked.granularity
        if granularity not in _SPANS:
            return False
        begins = beginning(period.first, granularity)
        return (period.first, period.last) == (begins, following(begins, granularity))

    def trailing(self, name: str, days: int) -> dict[Period, int]:
        """How many are in a set within so many days up to the end of each period, and of all that is asked for."""
        asked, length = self._asked, timedelta(days=days)
        periods = (*asked.periods, whole(asked))
        ends = sorted({each.last for each in periods})
        if len(ends) * days > 2 * ((ends[-1] - ends[0]).days + days):
            # The times overlap: each day is read once.
            by_day = self._rollups.sets(
                name, dimension=self.dimension, key=self.key, span="day", first=ends[0] - length, last=ends[-1]
            )
            found = moving(by_day, ends, days)
        else:
            found = {end: len(self.members(name, Period("", end - length, end))) for end in ends}
        return {each: found[each.last] for each in periods}


def whole(asked: Question) -> Period:
    """All the time that is asked for."""
    return Period("", asked.first, asked.last)


def within(days: Mapping[date, int], period: Period) -> int:
    """A sum by day, over a period."""
    return sum(amount for day, amount in days.items() if period.first <= day < period.last)


def running(days: Mapping[date, int], before: int, periods: Iterable[Period]) -> dict[date, int]:
    """A sum up to the end of each period, by that end."""
    found = {}
    for each in periods:
        before += within(days, each)
        found[each.last] = before
    return found


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
