"""How many points of a unit will be redeemed, by what was known on a day: set by hand, or estimated. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from loyalty.kpis.curves import Curves, Numbers, months_between
from loyalty.kpis.deferring import expected, rate_on, table_at
from loyalty.kpis.domain import ratio
from loyalty.kpis.lapsing import LifeTables, Table
from loyalty.programs.domain import POINTS, ExpectedRate, Program

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is expected of each cohort at each step. Shares are of what was issued and not taken back."""

    curves: Curves
    expected: Numbers
    tables: LifeTables
    rates: tuple[ExpectedRate, ...]

    def by_hand(self, day: date) -> ExpectedRate | None:
        """The rate that is set by hand at the end of the day before."""
        return rate_on(self.rates, day - _A_DAY)

    def table(self, day: date) -> Table:
        """The life table as it could be made then."""
        return table_at(self.curves, self.tables, day)

    def ahead_of_each(self, day: date) -> Numbers:
        """How many points of each cohort that are outstanding will be redeemed."""
        at = self.curves.at(day)
        ahead: Numbers = self.expected[at] - self.curves.redeemed[at]
        return ahead

    def ahead(self, day: date) -> float:
        """How many of those outstanding will be redeemed."""
        return float(self.ahead_of_each(day).sum())

    def rate(self, day: date, cohorts: Iterable[int] | None = None) -> float | None:
        """What share of points will have been redeemed in the end: of all, or of some cohorts."""
        at, chosen = self.curves.at(day), self._chosen(cohorts)
        return ratio(float(self.expected[at, chosen].sum()), int(self.curves.net[at, chosen].sum()))

    def interval(self, day: date, cohorts: Iterable[int] | None = None) -> tuple[float | None, float | None]:
        """The interval of that rate, with a confidence of 95 %; None where it is not an estimate."""
        table, found, at, chosen = self.table(day), self.curves, self.curves.at(day), self._chosen(cohorts)
        issued = int(found.net[at, chosen].sum())
        if self.by_hand(day) or table.method != "life_table" or issued <= 0:
            return None, None
        held = np.maximum(found.outstanding[at], 0)
        width = table.half_width([(max(0, months_between(found.cohorts[n], day)), float(held[n])) for n in chosen])
        middle, least = float(self.expected[at, chosen].sum()), int(found.redeemed[at, chosen].sum())
        most = least + int(held[chosen].sum())
        return ratio(max(least, middle - width), issued), ratio(min(most, middle + width), issued)

    def _chosen(self, cohorts: Iterable[int] | None) -> list[int]:
        return list(range(len(self.curves.cohorts)) if cohorts is None else cohorts)


def forecast(curves: Curves, program: Program, unit: str) -> Forecast:
    """What is expected of the points of a unit. Rates that are set by hand are those of points."""
    tables = LifeTables(curves, program.units.get(unit))
    rates = program.liability.redemption_rate if unit == POINTS else ()
    return Forecast(curves, expected(curves, tables, rates), tables, rates)
