"""How much revenue waits for points to be redeemed: IFRS 15 B39 to B43 and ASC 606-10-55-41 ff. Pure.

The price of a month's purchases is split between the goods and the points of that month by what each would cost alone:
the points that are expected to be redeemed, times the value of a point. The points' part is deferred. Of it is
recognised what share was redeemed of those that are expected to be redeemed in all; when the estimate changes, what was
recognised follows at once. When nothing of the month is outstanding, all is recognised.

Money that hangs on an estimate is worked out in binary fractions and rounded once, to whole minor units, in sums over
all cohorts; movements are differences of such sums, so that every bridge closes and every journal balances.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from loyalty.core.calendar import add_months
from loyalty.core.money import exponent_of
from loyalty.kpis.curves import Curves, Numbers, months_between
from loyalty.kpis.lapsing import LifeTables, Table
from loyalty.programs.domain import ExpectedRate, Program

REVENUE = "revenue"
CONTRACT_LIABILITY = "contract liability: loyalty points"

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Posting:
    """One amount, in minor units, from one account to another."""

    text: str
    debit: str
    credit: str
    amount: int


@dataclass(frozen=True, slots=True)
class Moved:
    """Minor units in a time: opening + deferred - reversed - redeemed - unredeemed = closing.

    `redeemed` is revenue for points that were redeemed, at the estimate of the opening; `unredeemed` all that was
    recognised beside it, because points lapsed or the estimate changed (negative if more are expected to be redeemed).
    """

    opening: int
    deferred: int
    reversed: int
    redeemed: int
    unredeemed: int
    closing: int


@dataclass(frozen=True, slots=True)
class Books:
    """The points of each cohort at each step, and what is deferred for them.

    `expected`: how many will be redeemed in all, redeemed ones included; `liability`: minor units by step and cohort.
    The rest are sums of minor units over all cohorts, since the beginning.
    """

    curves: Curves
    expected: Numbers
    liability: Numbers
    deferred: npt.NDArray[np.int64]
    reversed: npt.NDArray[np.int64]
    redeemed: npt.NDArray[np.int64]
    unredeemed: npt.NDArray[np.int64]

    def moved(self, first: date, last: date) -> Moved:
        """What moved between two steps."""
        begin, end = self.curves.at(first), self.curves.at(last)
        names = ("deferred", "reversed", "redeemed", "unredeemed")
        sums = {name: [int(getattr(self, name)[at]) for at in (begin, end)] for name in names}
        opening, closing = (
            sums["deferred"][at] - sums["reversed"][at] - sums["redeemed"][at] - sums["unredeemed"][at] for at in (0, 1)
        )
        return Moved(opening, closing=closing, **{name: after - before for name, (before, after) in sums.items()})


def value_of_a_point(program: Program) -> Decimal:
    """Minor units: what the program says, else what it gives for a point in payment."""
    if (said := program.liability.value_per_point) is not None:
        return Decimal(said).scaleb(exponent_of(program.currency))
    return Decimal(program.pay.amount) / program.pay.points


def rate_on(rates: Sequence[ExpectedRate], day: date) -> ExpectedRate | None:
    """The rate that was set by hand, on a day."""
    return next((rate for rate in reversed(rates) if rate.begins <= day), None)


def points_part(price: float, value: float) -> float:
    """What part of a price points of a stand-alone value get, beside goods that would cost the price alone."""
    return price * value / (price + value) if price > 0 and value > 0 else 0.0


def expected(curves: Curves, tables: LifeTables, rates: Sequence[ExpectedRate]) -> Numbers:
    """How many points of each cohort will be redeemed in all, as was expected at each step by what was known then."""
    net, redeemed = curves.net.astype(float), curves.redeemed.astype(float)
    outstanding = np.maximum(curves.outstanding, 0).astype(float)
    found = np.zeros_like(net)
    for step, day in enumerate(curves.steps):
        if (rate := rate_on(rates, day - _A_DAY)) is not None:
            most = redeemed[step] + outstanding[step]
            found[step] = np.clip(float(rate.share) * net[step], redeemed[step], most)
        else:
            found[step] = redeemed[step] + outstanding[step] * _ahead(curves, table_at(curves, tables, day), day)
    return found


def table_at(curves: Curves, tables: LifeTables, day: date) -> Table:
    """The life table as it could be made on the first of a day's month."""
    return tables.after(max(0, min(months_between(curves.cohorts[0], day), len(curves.cohorts))))


def _ahead(curves: Curves, table: Table, day: date) -> Numbers:
    """What share of each cohort's outstanding points will be redeemed."""
    age = months_between(curves.cohorts[0], day)
    begin = day.replace(day=1)
    passed = (day - begin).days / (add_months(begin, 1) - begin).days
    return table.within(np.maximum(0, age - np.arange(len(curves.cohorts))), passed)


def books(curves: Curves, expected: Numbers, sales: Mapping[date, int], value: Decimal) -> Books:
    """What is deferred for points. `sales`: goods sold less goods that came back, in minor units, by day."""
    shape = expected.shape
    price_of_point, rate = np.zeros(shape), np.zeros(shape)
    now = np.zeros(shape[1])
    for step, day in enumerate(curves.steps):
        # The price is split anew until the month is over, then no more.
        cohort = months_between(curves.cohorts[0], day - _A_DAY)
        if 0 <= cohort < shape[1]:
            price = _sold(sales, curves.cohorts[cohort], day)
            points = int(curves.net[step, cohort])
            part = points_part(price, float(value) * expected[step, cohort])
            now[cohort] = part / points if points > 0 else 0.0
        price_of_point[step] = now
        # What is recognised with each point that is redeemed.
        net, redeemed_in_all = curves.net[step], expected[step]
        rate[step] = np.divide(now * net, redeemed_in_all, out=np.zeros(shape[1]), where=redeemed_in_all > 0)
    deferred, taken = price_of_point * curves.issued, price_of_point * curves.withdrawn
    left = np.where(expected > 0, np.clip(expected - curves.redeemed, 0, None) * rate, 0.0)
    left = np.minimum(left, np.maximum(deferred - taken, 0))
    sums = [np.rint(each.sum(axis=1)).astype(np.int64) for each in (deferred, taken, left)]
    redeemed = np.rint(_by_redemption(curves, expected, rate)).astype(np.int64)
    return Books(curves, expected, left, sums[0], sums[1], redeemed, sums[0] - sums[1] - redeemed - sums[2])


def _by_redemption(curves: Curves, expected: Numbers, rate: Numbers) -> Numbers:
    """What was recognised for redeemed points, at the estimate before: sums over cohorts since the beginning."""
    before = np.vstack([np.zeros((1, rate.shape[1])), rate[:-1]])
    known = np.vstack([np.zeros((1, rate.shape[1]), bool), expected[:-1] > 0])
    moved = np.diff(curves.redeemed, axis=0, prepend=0)
    recognised: Numbers = (moved * np.where(known, before, rate)).sum(axis=1).cumsum()
    return recognised


def _sold(sales: Mapping[date, int], month: date, day: date) -> int:
    """What was sold in a month, up to a day."""
    days = (month + _A_DAY * number for number in range((min(add_months(month, 1), day) - month).days))
    return max(0, sum(sales.get(each, 0) for each in days))


def journal(moved: Moved) -> list[Posting]:
    """What is written into the books. A negative amount is written the other way round."""
    named = (
        ("Points issued", REVENUE, CONTRACT_LIABILITY, moved.deferred),
        ("Points taken back", CONTRACT_LIABILITY, REVENUE, moved.reversed),
        ("Points redeemed", CONTRACT_LIABILITY, REVENUE, moved.redeemed),
        ("Points lapsed, and changes of the estimate", CONTRACT_LIABILITY, REVENUE, moved.unredeemed),
    )
    return [
        Posting(text, debit, credit, amount) if amount > 0 else Posting(text, credit, debit, -amount)
        for text, debit, credit, amount in named
        if amount
    ]
