"""Liability: what members hold, how it came to that, and how much revenue waits for it (IFRS 15, ASC 606)."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, timedelta
from typing import Any

from loyalty.core.apportion import apportion
from loyalty.kpis import deferring
from loyalty.kpis.counts import Counts, cuts, whole
from loyalty.kpis.curves import Curves, curves, months_between
from loyalty.kpis.deferring import Books, Moved
from loyalty.kpis.domain import Answer, Option, Period, Question, Report, Row, Sources, ratio, row
from loyalty.kpis.forecasting import Forecast, forecast
from loyalty.kpis.reports.liability_columns import COLUMNS, SECTIONS, TOTALS
from loyalty.programs.domain import POINTS
from loyalty.rollups.domain import Rollups

_A_DAY = timedelta(days=1)

# What entries of each kind do to what members hold, as the bridge has it. Every other kind moves points between an
# account's own buckets, or changes nothing but what is owed.
_BRIDGE: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "issued": (1, ("earn",)),
    "redeemed": (-1, ("redeem", "return_spent")),
    "expired": (-1, ("expire",)),
    "reinstated": (1, ("reinstate",)),
    "reversed": (-1, ("reverse",)),
    "adjusted": (1, ("adjust",)),
    "transferred_in": (1, ("transfer_in",)),
    "transferred_out": (-1, ("transfer_out",)),
    "debt_paid": (-1, ("debt_paid",)),
}
# A spreadsheet would take 3-6 for a day of June.
_AGES = (("0 to 2", 0, 3), ("3 to 5", 3, 6), ("6 to 11", 6, 12), ("12 to 23", 12, 24), ("24 or more", 24, None))
_MICRO = 10**6
_MONEY = tuple(each.name for each in fields(Moved))

# By how much each measure changed.
_Moves = Mapping[str, int]


def work_out(sources: Sources, asked: Question) -> Answer:
    """Work it out."""
    rollups, unit = sources.rollups, str(asked.options.get("unit", POINTS))
    found = curves(rollups, unit=unit, days=[asked.first, *(each.last for each in asked.periods)])
    seen = forecast(found, asked.program, unit)
    money = deferring.books(found, seen.expected, _sales(rollups, asked), _value(asked)) if unit == POINTS else None
    points = Counts(rollups, asked, unit=unit)
    points.load("points.*", "debt.*", ever=True)
    opening = _held(points.before())
    rows, held = [], opening
    for each in asked.periods:
        bridge = _row(points.moved(each), *held)
        rows.append(row(each, **bridge, **_money(money, each), **_expected(seen, each.last)))
        held = bridge["closing"], bridge["debt_closing"]
    proof = _reconciled(rollups, unit, sources.more.get("ledger"))
    totals = {
        **_row(points.moved(whole(asked)), *opening), **_money(money, whole(asked)),
        **_expected(seen, asked.last), **_interval(seen, asked),
        "value_per_point": float(_value(asked)) if unit == POINTS else None,
        "reconciled": proof["reconciled"], "difference": proof["difference"],
    }  # fmt: skip
    sections = {
        "estimate": [_estimate(seen, asked)],
        "ageing": _ageing(found, seen, money, asked.last),
        "journal": _journal(money, asked.periods) if money else [],
        "reconciliation": [proof],
    }
    return Answer(totals, rows, sections, _warnings(seen, asked, unit, proof))


def _held(moved: _Moves) -> tuple[int, int]:
    """What members hold and owe after all of it."""
    held, owed = (
        sum(amount for measure, amount in moved.items() if measure.startswith(of)) for of in ("points.", "debt.")
    )
    return held, owed


def _row(moved: _Moves, held: int, owed: int) -> Row:
    """The bridge of a period, which opens with what was held and owed."""
    bridge = {
        name: sign * sum(moved.get(f"points.{kind}", 0) for kind in kinds) for name, (sign, kinds) in _BRIDGE.items()
    }
    points, debts = _held(moved)
    return {
        "opening": held,
        **bridge,
        "closing": held + points,
        "debt_opening": owed,
        "debt_incurred": debts - moved.get("debt.debt_paid", 0),
        "debt_closing": owed + debts,
    }


def _sales(rollups: Rollups, asked: Question) -> Mapping[date, int]:
    """Goods sold to members less what came back, by day or by part of a month."""
    found = rollups.keyed(("sales", "returned"), first=None, last=asked.last, cuts=cuts(asked))
    net: dict[date, int] = {}
    for (measure, _), by_day in found.items():
        for day, amount in by_day.items():
            net[day] = net.get(day, 0) + (amount if measure == "sales" else -amount)
    return net


def _value(asked: Question) -> Any:
    return deferring.value_of_a_point(asked.program)


def _money(money: Books | None, period: Period) -> Row:
    moved = money.moved(period.first, period.last) if money else None
    return {f"money_{name}": moved and getattr(moved, name) for name in _MONEY}


def _expected(seen: Forecast, day: date) -> Row:
    return {"expected": round(seen.ahead(day)), "redemption_rate": seen.rate(day)}


def _interval(seen: Forecast, asked: Question) -> Row:
    low, high = seen.interval(asked.last)
    return {"redemption_rate_low": low, "redemption_rate_high": high}


def _estimate(seen: Forecast, asked: Question) -> Row:
    table, by_hand = seen.table(asked.last), seen.by_hand(asked.last)
    return {
        "day": asked.last - _A_DAY,
        "method": "set_by_hand" if by_hand else table.method,
        "redemption_rate": seen.rate(asked.last),
        **_interval(seen, asked),
        "new_points_rate": round(float(by_hand.share) if by_hand else table.of(0), 6),
        "cohorts": max(table.cohorts, default=0),
        "ages": len(table.cohorts),
        "reason": by_hand.reason if by_hand else None,
    }


def _ageing(found: Curves, seen: Forecast, money: Books | None, last: date) -> list[Row]:
    at = found.at(last)
    held, ahead = found.outstanding[at], seen.ahead_of_each(last)
    everything = int(held.sum())
    rows: list[Row] = []
    weights = []
    for name, least, below in _AGES:
        of_age = [
            number
            for number, cohort in enumerate(found.cohorts)
            if least <= (age := months_between(cohort, last - _A_DAY)) and (below is None or age < below)
        ]
        outstanding = int(held[of_age].sum())
        rows.append(
            {
                "age": name,
                "outstanding": outstanding,
                "share": ratio(outstanding, everything),
                "expected": round(float(ahead[of_age].sum())),
                "money": None,
            }
        )
        weights.append(round(float(money.liability[at, of_age].sum()) * _MICRO) if money else 0)
    if money:
        for each, amount in zip(rows, apportion(money.moved(last, last).closing, weights), strict=True):
            each["money"] = amount
    return rows


def _journal(money: Books, periods: Sequence[Period]) -> list[Row]:
    return [line for each in periods for line in _lines(money.moved(each.first, each.last), each)]


def _lines(moved: Moved, period: Period) -> list[Row]:
    """Two lines for each posting; what is debited comes first."""
    return [
        {
            "period": period.label,
            "day": period.last - _A_DAY,
            "text": each.text,
            "account": account,
            "debit": each.amount if account == each.debit else 0,
            "credit": each.amount if account == each.credit else 0,
        }
        for each in deferring.journal(moved)
        for account in (each.debit, each.credit)
    ]


def _reconciled(rollups: Rollups, unit: str, ledger: Mapping[str, Any] | None) -> Row:
    """What was counted of all time, against what accounts hold."""
    counted = rollups.totals(("points.*", "debt.*"), unit=unit, first=None, last=date.max)
    held, owed = _held({measure: amount for (measure, _), amount in counted.items()})
    proof = {"counted": held, "counted_debt": owed, "ledger": None, "ledger_debt": None, "difference": None}
    if ledger is None:
        return {**proof, "reconciled": None}
    difference = ledger["outstanding"] - held
    equal = difference == 0 and ledger["debt"] == owed
    proof |= {"ledger": ledger["outstanding"], "ledger_debt": ledger["debt"], "difference": difference}
    return {**proof, "reconciled": equal}


def _warnings(seen: Forecast, asked: Question, unit: str, proof: Row) -> list[str]:
    found = []
    if seen.table(asked.last).method == "not_enough_history" and not seen.by_hand(asked.last):
        found.append(
            "There is not enough history to estimate how many points will be redeemed: all that members hold are "
            "expected to be. Set a rate by hand (`liability.redemption_rate`) if you know better."
        )
    if unit != POINTS:
        found.append(f"What {unit} are worth in money is not known; only points are.")
    if proof["reconciled"] is False:
        found.append(
            "What was counted is not what accounts hold. If `as_of` is not now, wait until all is counted; else run "
            "`loyalty verify` and `loyalty rollups rebuild`."
        )
    return found


REPORT = Report(
    name="liability",
    title="Liability",
    summary="What members hold, how it came to that, and how much revenue waits for it (IFRS 15, ASC 606).",
    options=(
        Option("unit", POINTS, "The unit that is looked at."),
        Option(
            "reconcile", "no", "Whether accounts are added up to prove it; that takes as long as there are members.",
            words=("no", "yes"),
        ),
    ),
    columns=COLUMNS,
    totals=TOTALS,
    sections=SECTIONS,
    plot=("closing", "expected"),
    needs=("ledger",),
    work_out=work_out,
)  # fmt: skip
