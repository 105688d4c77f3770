"""What a report looks at: everything, or what one filter leaves of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from loyalty.kpis.domain import Question
from loyalty.kpis.folding import Days, Folds
from loyalty.rollups.domain import Dimension, Rollups


@dataclass(frozen=True, slots=True)
class Slice:
    """The sums and sets of one key of a dimension, or in all."""

    rollups: Rollups
    dimension: Dimension
    key: str
    folds: Folds

    def total(self, measure: str, days: Days) -> int:
        """A sum over some days."""
        first, last = days
        return self.rollups.total(measure, dimension=self.dimension, key=self.key, first=first, last=last)

    def by_day(self, measure: str, days: Days) -> Mapping[date, int]:
        """A sum by day."""
        first, last = days
        return self.rollups.sums(measure, dimension=self.dimension, key=self.key, first=first, last=last)


def slice_of(rollups: Rollups, question: Question, filters: Sequence[Dimension]) -> Slice:
    """What the question's filter leaves."""
    found = [(each, question.filters[each]) for each in filters if each in question.filters]
    dimension, key = found[0] if found else ("all", "")
    return Slice(rollups, dimension, key, Folds(rollups, dimension, key))


def cut(by_day: Mapping[date, int], question: Question) -> list[int]:
    """A sum by day as one by period."""
    sums = [0] * len(question.periods)
    ends = iter(enumerate(question.periods))
    place, period = next(ends, (0, None))
    for day in sorted(by_day):
        while period is not None and day >= period.last:
            place, period = next(ends, (place, None))
        if period is None:
            break
        sums[place] += by_day[day]
    return sums
