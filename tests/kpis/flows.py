"""Points that were earned, redeemed and lost by month, as if they had been counted; and what a report is asked."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from loyalty.core.calendar import add_months
from loyalty.kpis.domain import Answer, Granularity, Question, Report, Sources
from loyalty.kpis.periods import periods
from loyalty.programs.domain import Program, program_from
from loyalty.rollups.deltas import Counted, Deltas

BEGIN = date(2020, 1, 1)
AS_OF = datetime(2035, 1, 1, tzinfo=UTC)


class Shop:
    """Points of a program in memory; months are numbered from the beginning."""

    def __init__(self) -> None:
        self.deltas = Deltas()

    @property
    def rollups(self) -> Counted:
        """What was counted."""
        return Counted(self.deltas, AS_OF)

    def points(self, kind: str, points: int, *, cohort: int, month: int, day: int = 15, unit: str = "points") -> None:
        """Points of the month `cohort` change by an entry of a kind."""
        key = f"{the_month(cohort):%Y-%m}"
        self.deltas.add(f"points.{kind}", points, on(month, day), unit=unit, by=[("cohort", key)])

    def sold(self, amount: int, *, month: int, day: int = 15) -> None:
        """Goods were sold."""
        self.deltas.add("sales", amount, on(month, day), by=[])


def the_month(number: int) -> date:
    """The first day of a month."""
    return add_months(BEGIN, number)


def on(month: int, day: int = 15) -> date:
    """A day of a month."""
    return the_month(month) + timedelta(days=day - 1)


def a_program(**settings: Any) -> Program:
    """A program that nobody has stored: points are worth one cent and last for twelve months."""
    named = {"code": "shop", "name": "Shop", "currency": "EUR", "time_zone": "UTC", "locale": "en", "sandbox": False}
    return program_from({**named, **settings}, program_id=UUID(int=1), version=1, config_version=1)


def by_hand(*rates: tuple[int, str]) -> dict[str, Any]:
    """Settings: rates set by hand, each from the beginning of a month."""
    said = [{"since": the_month(month).isoformat(), "rate": rate, "reason": "Agreed"} for month, rate in rates]
    return {"redemption_rate": said}


def ask(
    report: Report, shop: Shop, program: Program, *, first: int, last: int, granularity: Granularity = "month",
    now: date | None = None, more: dict[str, Any] | None = None, **options: Any,
) -> Answer:  # fmt: skip
    """What a report says about the months from one on until before another."""
    begins, ends = the_month(first), the_month(last)
    given = {option.name: option.default for option in report.options} | options
    today = datetime.combine(now or ends - timedelta(days=1), datetime.min.time(), tzinfo=UTC)
    asked = Question(
        program=program, first=begins, last=ends, granularity=granularity, periods=periods(begins, ends, granularity),
        options=given, now=today,
    )  # fmt: skip
    return report.work_out(Sources(shop.rollups, more or {}), asked)


# What share of the points that are there when an age begins is redeemed within it.
Habit = Callable[[int], float]


def lives(
    shop: Shop, random: np.random.Generator, *, months: int, known: int, habit: Habit, expiry: int = 12,
    spread: float = 0.15,
) -> float:  # fmt: skip
    """Let cohorts of points live for so many months, of which `known` are counted.

    Each cohort's months differ by chance beyond that of single points. What is left lapses at the age `expiry`. Answers
    what share of all points will have been redeemed in the end.
    """
    issued = redeemed = 0
    for cohort in range(months):
        points = left = int(random.integers(50_000, 150_000))
        shop.points("earn", points, cohort=cohort, month=cohort)
        issued += points
        for age in range(expiry + 1):
            rate = min(1.0, habit(age) * float(random.lognormal(-(spread**2) / 2, spread)))
            used = int(random.binomial(left, rate))
            left -= used
            redeemed += used
            if cohort + age < known and used:
                shop.points("redeem", -used, cohort=cohort, month=cohort + age)
        if cohort + expiry < known and left:
            shop.points("expire", -left, cohort=cohort, month=cohort + expiry)
    return redeemed / issued
