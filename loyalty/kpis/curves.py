"""What became of the points of each month of earning, as it adds up over time. Pure.

A *cohort* is the points of one unit that were earned in one calendar month. Four sums of it are kept: `issued`, what
was earned or given; `withdrawn`, what a return or a correction took back; `redeemed`, less what went back to members;
`lapsed`, less what was brought back. What is left is outstanding.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import cast

import numpy as np
import numpy.typing as npt

from loyalty.core.calendar import add_months
from loyalty.rollups.domain import Rollups

Whole = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]

# Which sum an entry of a kind moves, and which way.
_REDEEMED = ("redeem", "return_spent")
_LAPSED = ("expire", "reinstate")
_TAKEN_BACK = ("reverse", "debt_paid")


@dataclass(frozen=True, slots=True)
class Curves:
    """Sums by step and cohort. `steps`: days; what happened before each of them counts. Cohorts follow each other."""

    cohorts: tuple[date, ...]
    steps: tuple[date, ...]
    issued: Whole
    withdrawn: Whole
    redeemed: Whole
    lapsed: Whole

    @property
    def net(self) -> Whole:
        """What was issued and not taken back."""
        return self.issued - self.withdrawn

    @property
    def outstanding(self) -> Whole:
        """What members hold of it."""
        return self.net - self.redeemed - self.lapsed

    def at(self, day: date) -> int:
        """The place of a step."""
        return bisect_left(self.steps, day)


def months_between(earlier: date, later: date) -> int:
    """How many months lie between two days, by their months alone."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def curves(rollups: Rollups, *, unit: str, days: Iterable[date]) -> Curves:
    """The cohorts of a unit, at each of the days and at the beginning of each month before the last of them."""
    asked = sorted(set(days))
    last = asked[-1]
    found = rollups.keyed(("points.*",), unit=unit, dimension="cohort", first=None, last=last)
    begin = min((_month(key) for _, key in found), default=last.replace(day=1))
    cohorts = _months(begin, last)
    steps = tuple(sorted({*asked, *(month for month in _months(begin, last) if month > begin)}))
    ends = np.array([step.toordinal() for step in steps])
    sums = {
        name: np.zeros((len(steps) + 1, len(cohorts)), np.int64)
        for name in ("issued", "withdrawn", "redeemed", "lapsed")
    }
    for (measure, key), by_day in found.items():
        cohort = months_between(begin, _month(key))
        when = np.fromiter(map(date.toordinal, by_day), np.int64, len(by_day))
        amounts = np.fromiter(by_day.values(), np.int64, len(by_day))
        # A change of a day counts at the first step after it.
        at = np.searchsorted(ends, when, side="right")
        over = add_months(_month(key), 1).toordinal()
        for name, sign, chosen in _moved(measure.removeprefix("points."), when < over):
            np.add.at(sums[name][:, cohort], at[chosen], sign * amounts[chosen])
    return Curves(cohorts, steps, **{name: cast("Whole", each[:-1].cumsum(axis=0)) for name, each in sums.items()})


def _moved(kind: str, own_month: npt.NDArray[np.bool_]) -> list[tuple[str, int, npt.NDArray[np.bool_]]]:
    """Which sum changes of a kind move, and which way, on which of their days."""
    every = np.ones_like(own_month)
    if kind in _REDEEMED:
        return [("redeemed", -1, every)]
    if kind in _LAPSED:
        return [("lapsed", -1, every)]
    if kind in _TAKEN_BACK:
        return [("withdrawn", -1, every)]
    # What is given by hand or by another member is issued; what is taken by hand from older points is taken back.
    return [("issued", 1, own_month), ("withdrawn", -1, ~own_month)]


def _month(key: str) -> date:
    return date.fromisoformat(f"{key}-01")


def _months(begin: date, last: date) -> tuple[date, ...]:
    """The first days of the months from one on that begin before a day."""
    count = max(1, months_between(begin, last) + (last.day > 1))
    return tuple(add_months(begin, number) for number in range(count))
