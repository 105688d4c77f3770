"""What was counted, as reports ask for it: narrowed to what they were asked, by period, and in all. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from itertools import accumulate
from typing import cast

from pyroaring import BitMap

from loyalty.kpis.domain import Period, Question
from loyalty.kpis.folding import Days, Folds, moving, pieces
from loyalty.kpis.periods import is_whole
from loyalty.rollups.domain import Dimension, Rollups, Span

_SPANS: tuple[Span, ...] = ("day", "week", "month")

# A sum as it adds up: before the first day that is asked for, and before the end of each period.
Upto = Mapping[date, int]


class Counts:
    """The sums and sets of one key of a dimension (of all, without), in the time that is asked for.

    Sums are read as late as they are needed, or many at once (`load`).
    """

    def __init__(
        self, rollups: Rollups, asked: Question, *, dimension: Dimension = "all", key: str = "", unit: str = ""
    ) -> None:
        self.dimension, self.key = dimension, key
        self.sets = Folds(rollups, dimension, key)
        self._rollups, self._asked, self._unit = rollups, asked, unit
        self._known: dict[str, Upto] = {}
        self._ever: set[str] = set()

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

    def load(self, *measures: str, ever: bool = False) -> None:
        """Read at once what many questions will need; `ever`: with all that came before what is asked for.

        A measure may end in `*`; then there are those that `moved` tells.
        """
        asked = self._asked
        found = self._rollups.keyed(
            measures, unit=self._unit, dimension=self.dimension, key=self.key,
            first=None if ever else asked.first, last=asked.last, cuts=cuts(asked),
        )  # fmt: skip
        days = {measure: by_day for (measure, _), by_day in found.items()}
        named = {measure for measure in measures if not measure.endswith("*")}
        self._known |= {measure: upto(days.get(measure, {}), asked) for measure in named | days.keys()}
        if ever:
            self._ever |= named | days.keys()

    def of(self, measure: str, period: Period) -> int:
        """A sum over a period."""
        if measure not in self._known:
            self.load(measure)
        return between(self._known[measure], period)

    def moved(self, period: Period) -> dict[str, int]:
        """All sums that were loaded, over a period."""
        return {measure: between(known, period) for measure, known in self._known.items()}

    def before(self) -> dict[str, int]:
        """All sums that were loaded with what came before, up to the first day asked for."""
        return {measure: self._known[measure][self._asked.first] for measure in self._ever}

    def running(self, measure: str) -> Upto:
        """A sum from the beginning of time up to the first day asked for, and up to the end of each period."""
        if measure not in self._ever:
            self.load(measure, ever=True)
        return self._known[measure]

    def distinct(self, name: str) -> dict[Period, int]:
        """How many members are in a set in each period, and in all that is asked for (`whole`)."""
        asked, everything = self._asked, (*self._asked.periods, whole(self._asked))
        kept = [each for each in asked.periods if asked.granularity in _SPANS and is_whole(each, asked.granularity)]
        sizes = self._sizes(name) if kept else {}
        found = {each: sizes.get(each.first, 0) for each in kept}
        rest = [each for each in everything if each not in found]
        self.sets.load((name,), map(days_of, rest))
        return found | {each: len(self.members(name, each)) for each in rest}

    def members(self, name: str, period: Period) -> BitMap:
        """Who is in a set at any time in a period."""
        return self.sets.members(name, *days_of(period))

    def ever(self, name: str) -> BitMap:
        """Who is in a set at any time before the end of what is asked for."""
        return self.sets.before(name, self._asked.last)

    def trailing(self, name: str, days: int) -> dict[Period, int]:
        """How many are in a set within so many days up to the end of each period, and of all that is asked for."""
        asked, length = self._asked, timedelta(days=days)
        periods = (*asked.periods, whole(asked))
        ends = sorted({each.last for each in periods})
        windows: list[Days] = [(end - length, end) for end in ends]
        if sum(len(list(pieces(*each))) for each in windows) > 2 * (windows[-1][1] - windows[0][0]).days:
            # The times overlap so much that it is less to read each day once.
            found = moving(self.sets.by_day(name, windows[0][0], ends[-1]), ends, days)
        else:
            self.sets.load((name,), windows)
            found = {end: len(self.sets.members(name, begins, end)) for begins, end in windows}
        return {each: found[each.last] for each in periods}

    def _sizes(self, name: str) -> Mapping[date, int]:
        asked = self._asked
        return self._rollups.sizes(
            name, dimension=self.dimension, key=self.key, span=cast("Span", asked.granularity), first=asked.first,
            last=asked.last,
        )  # fmt: skip


def whole(asked: Question) -> Period:
    """All the time that is asked for."""
    return Period("", asked.first, asked.last)


def days_of(period: Period) -> Days:
    """The days of a period."""
    return period.first, period.last


def cuts(asked: Question) -> tuple[date, ...] | None:
    """Where sums are cut for what is asked; none if each day is by itself anyway."""
    return None if asked.granularity == "day" else tuple(each.first for each in asked.periods)


def upto(by_day: Mapping[date, int], asked: Question) -> Upto:
    """A sum by day, or by piece between `cuts`, as it adds up."""
    ends = (asked.first, *(each.last for each in asked.periods))
    sums = [0] * len(ends)
    at = 0
    for day in sorted(by_day):
        while day >= ends[at]:
            at += 1
        sums[at] += by_day[day]
    return dict(zip(ends, accumulate(sums), strict=True))


def between(found: Upto, period: Period) -> int:
    """What came to a sum in a period."""
    return found[period.last] - found[period.first]
