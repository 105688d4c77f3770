"""How much of what members hold will be redeemed: a life table of points, by months since they were earned. Pure.

It is the chain ladder of insurers, on what is outstanding. In each month of its age a cohort enters with what is
outstanding; a share of it is redeemed, a share lapses, the rest is outstanding a month later. The shares of all cohorts
that have been through an age, weighed by what was outstanding, are expected of those that have not. `ahead[a]` is what
share of the points that are outstanding when age `a` begins will be redeemed in the end:

    ahead[a] = redeemed[a] + survived[a] * ahead[a + 1]

Ages that fewer than two cohorts have been through are the tail. There nothing is assumed to lapse (`ahead` is 1),
unless points lapse at an age that the program states and half of the way there was seen: then the monthly rate of the
last three ages goes on until then. The variance is Mack's (1993): cohorts differ more than chance alone would have it,
in proportion to their size, and what is expected of all was learnt from a few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from loyalty.kpis.curves import Curves, Numbers, Whole
from loyalty.programs.domain import UnitTerms

Method = Literal["life_table", "not_enough_history"]

# Below so many ages that two cohorts have been through nothing is estimated; nor where the rate of new points is only
# known to within so much.
AGES_NEEDED = 6
HALF_WIDTH_MOST = 0.25
# A rate that goes on in the tail is that of so many ages, and its standard error is taken to be so much of it.
TAIL_AGES = 3
TAIL_ERROR = 0.5
CONFIDENCE = 0.95

_A_MONTH_OF_DAYS = 30


@dataclass(frozen=True, slots=True)
class Table:
    """A life table. By age: `ahead`, `survived`, `spread` (the variance per point) and `weight` (points seen).

    Lists end where nothing was seen any more; from there on `tail` is ahead. `cohorts`: how many went through an age.
    """

    method: Method
    ahead: Sequence[float] = ()
    survived: Sequence[float] = ()
    spread: Sequence[float] = ()
    weight: Sequence[float] = ()
    cohorts: Sequence[int] = ()
    tail: float = 1.0

    def of(self, age: int) -> float:
        """What share of the points outstanding when an age begins will be redeemed."""
        return self.ahead[age] if age < len(self.ahead) else self.tail

    def within(self, ages: Whole, passed: float) -> Numbers:
        """The same when such a part of each age has passed: its redemptions and lapses are spread evenly over it."""
        ahead, survived = np.array([*self.ahead, self.tail]), np.array([*self.survived, 1.0])
        end = len(self.ahead)
        at = np.minimum(ages, end)
        left, later = survived[at], ahead[np.minimum(at + 1, end)]
        to_come = (ahead[at] - left * later) * (1 - passed) + left * later
        shares: Numbers = np.clip(to_come / (1 - passed * (1 - left)), 0, 1)
        return shares

    def error(self, outstanding: Sequence[tuple[int, float]]) -> tuple[float, float]:
        """The standard error of what will be redeemed of points, given by age, and its degrees of freedom."""
        entering = [0.0] * (len(self.ahead) + 1)
        for age, points in outstanding:
            entering[min(age, len(self.ahead))] += points
        terms = []
        for age, spread in enumerate(self.spread):
            points = entering[age]
            terms.append((spread * (points + points * points / self.weight[age]), self.cohorts[age] - 1))
            entering[age + 1] += points * self.survived[age]
        if self.tail < 1:
            terms.append(((entering[-1] * self.tail * TAIL_ERROR) ** 2, TAIL_AGES))
        variance = sum(each for each, _ in terms)
        if variance <= 0:
            return 0.0, 1.0
        # Satterthwaite: spreads that were learnt from few cohorts make the interval wider.
        return variance**0.5, variance**2 / sum(each * each / max(1, degrees) for each, degrees in terms)

    def half_width(self, outstanding: Sequence[tuple[int, float]]) -> float:
        """How far what will be redeemed may lie from what is expected, with a confidence of 95 %."""
        error, degrees = self.error(outstanding)
        return error * float(stdtrit(degrees, 0.5 + CONFIDENCE / 2)) if error else 0.0


NOTHING_KNOWN = Table("not_enough_history")


class LifeTables:
    """The life tables of a unit, as they could be made at the end of each month."""

    def __init__(self, curves: Curves, terms: UnitTerms | None) -> None:
        self._curves, self._lapse_age = curves, lapse_age(terms) if terms else None
        self._made: dict[int, Table] = {}

    def after(self, months: int) -> Table:
        """The table made of so many months since the first cohort."""
        if months not in self._made:
            self._made[months] = self._table(months)
        return self._made[months]

    @cached_property
    def _sums(self) -> "_Sums":
        return _Sums(self._curves)

    def _table(self, months: int) -> Table:
        sums = self._sums
        ages = sums.ages_seen(months)
        if ages < AGES_NEEDED:
            return NOTHING_KNOWN
        tail = self._tail(months, ages)
        ahead, survived, spread, weight, cohorts = ([0.0] * ages for _ in range(5))
        later = tail
        for age in range(ages - 1, -1, -1):
            at = sums.at(months - age, age)
            survived[age] = at.left / at.entered
            # What became of a point, valued by what is ahead of those that are left, in the mean and by cohort.
            mean = (at.redeemed + later * at.left) / at.entered
            squares = at.redeemed_squared + 2 * later * at.crossed + later * later * at.left_squared
            spread[age] = max(0.0, squares - mean * mean * at.entered) / (at.cohorts - 1)
            weight[age], cohorts[age] = at.entered, at.cohorts
            later = ahead[age] = min(1.0, max(0.0, mean))
        made = Table("life_table", ahead, survived, spread, weight, [int(each) for each in cohorts], tail)
        new = weight[0] / cohorts[0]
        learnt = Table("life_table", ahead, survived, spread, weight, made.cohorts, tail).half_width([(0, new)]) / new
        return made if learnt <= HALF_WIDTH_MOST else NOTHING_KNOWN

    def _tail(self, months: int, ages: int) -> float:
        if self._lapse_age is None or ages * 2 < self._lapse_age or ages > self._lapse_age:
            return 1.0
        seen = [self._sums.at(months - age, age) for age in range(ages - TAIL_AGES, ages)]
        rate = sum(each.redeemed for each in seen) / sum(each.entered for each in seen)
        return min(1.0, max(0.0, 1 - (1 - min(1.0, max(0.0, rate))) ** (self._lapse_age - ages + 1)))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What so many cohorts did at an age, added up; squares are of each, divided by what it entered with."""

    cohorts: int
    entered: float
    redeemed: float
    left: float
    redeemed_squared: float
    crossed: float
    left_squared: float


class _Sums:
    """What cohorts did at each age, added up over the first so many of them."""

    def __init__(self, curves: Curves) -> None:
        count = len(curves.cohorts)
        ends = {step: place for place, step in enumerate(curves.steps)}
        whole = [ends[month] for month in curves.cohorts[1:]]
        if curves.steps[-1].day == 1 and curves.steps[-1] > curves.cohorts[-1]:
            whole.append(len(curves.steps) - 1)
        self._months = len(whole)
        entered, redeemed, left = (np.zeros((count, self._months)) for _ in range(3))
        nothing = np.zeros(count)
        before = {"net": nothing, "redeemed": nothing, "outstanding": nothing}
        net, spent, outstanding = curves.net[whole], curves.redeemed[whole], curves.outstanding[whole]
        for month in range(self._months):
            # In this month the first cohort is at age `month`, the next one a month younger …
            old = np.arange(month + 1)
            ages = month - old
            entered[old, ages] = (before["outstanding"] + net[month] - before["net"])[old]
            redeemed[old, ages] = (spent[month] - before["redeemed"])[old]
            left[old, ages] = outstanding[month][old]
            before = {"net": net[month], "redeemed": spent[month], "outstanding": outstanding[month]}
        there = entered > 0
        by = np.where(there, entered, 1.0)
        parts: list[Numbers] = [
            there.astype(float), entered, redeemed, left, redeemed**2 / by, redeemed * left / by, left**2 / by
        ]  # fmt: skip
        self._cumulated = [
            np.vstack([np.zeros(self._months), np.where(there, part, 0).cumsum(axis=0)]) for part in parts
        ]

    def ages_seen(self, months: int) -> int:
        """How many ages, from the first on, at least two of the cohorts of the first months have been through."""
        ages = 0
        while ages < min(months, self._months) and self._cumulated[0][months - ages, ages] >= 2:  # noqa: PLR2004
            ages += 1
        return ages

    def at(self, cohorts: int, age: int) -> _Seen:
        """What the first so many cohorts did at an age."""
        count, *sums = (float(part[cohorts, age]) for part in self._cumulated)
        return _Seen(int(count), *sums)


def lapse_age(terms: UnitTerms) -> int | None:
    """In which month of their age points lapse at the latest, by the terms of their unit; None: nobody can say."""
    activation, expiry = terms.activation, terms.expiry
    if activation.mode == "on_event" or expiry.mode not in ("rolling", "calendar"):
        return None
    waiting = activation.months + -(-activation.days // _A_MONTH_OF_DAYS)
    if expiry.mode == "calendar":
        return waiting + 12
    rounded = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}.get(expiry.round_to or "", 0)
    return waiting + expiry.months + 12 * expiry.years + -(-expiry.days // _A_MONTH_OF_DAYS) + rounded
