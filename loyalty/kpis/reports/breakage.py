"""Breakage: which share of points lapses without being redeemed, by period and by the month in which it was earned."""

from datetime import date, timedelta

from loyalty.core import calendar
from loyalty.kpis.counts import Counts, whole
from loyalty.kpis.curves import Curves, curves
from loyalty.kpis.domain import Answer, Column, Option, Period, Question, Report, Row, Sources, ratio, row
from loyalty.kpis.forecasting import Forecast, forecast
from loyalty.programs.domain import POINTS

_A_DAY = timedelta(days=1)

COLUMNS = (
    Column("issued", "points", "Points that were awarded in the period."),
    Column(
        "expired", "points", "Points that lapsed in the period, whenever they were earned, less those brought back."
    ),
    Column("share", "share", "expired ÷ issued, both of the period."),
)
TOTALS = (
    *COLUMNS,
    Column("cohort_issued", "points", "Points of the months asked for, less those taken back since."),
    Column("cohort_expired", "points", "How many of those lapsed until today."),
    Column("cohort_share", "share", "cohort_expired ÷ cohort_issued: breakage to date."),
    Column("expected_share", "share", "What share of them will have lapsed in the end."),
    Column("expected_share_low", "share",
        "The lower end of the interval that holds it with a confidence of 95 %. Null if it is not an estimate."),
    Column("expected_share_high", "share", "The upper end of it."),
)  # fmt: skip
COHORTS = (
    Column("cohort", "text", "The month in which the points were earned."),
    Column("issued", "points", "How many were earned or given, less those taken back since."),
    Column("redeemed", "points", "How many of them were redeemed until today, less those that went back to members."),
    Column("expired", "points", "How many of them lapsed until today, less those brought back."),
    Column("outstanding", "points", "How many of them members hold."),
    Column("share", "share", "expired ÷ issued: breakage to date."),
    Column("expected_share", "share", "What share will have lapsed in the end."),
    Column("expected_share_low", "share", "The lower end of its interval (95 %). Null if it is not an estimate."),
    Column("expected_share_high", "share", "The upper end of its interval (95 %)."),
    Column("over", "flag", "Whether nothing of it is outstanding any more."),
)


def work_out(sources: Sources, asked: Question) -> Answer:
    """Work it out."""
    unit = str(asked.options.get("unit", POINTS))
    points = Counts(sources.rollups, asked, unit=unit)
    rows = [row(each, **_of_period(points, each)) for each in asked.periods]
    today = calendar.local_date(asked.now, asked.program.time_zone) + _A_DAY
    found = curves(sources.rollups, unit=unit, days=[today])
    seen = forecast(found, asked.program, unit)
    months = [number for number, month in enumerate(found.cohorts) if _is_asked(month, asked)]
    all_of_them = _cohorts(found, seen, months, today)
    totals = {
        **_of_period(points, whole(asked)),
        "cohort_issued": all_of_them["issued"], "cohort_expired": all_of_them["expired"],
        "cohort_share": all_of_them["share"],
        **{name: all_of_them[name] for name in ("expected_share", "expected_share_low", "expected_share_high")},
    }  # fmt: skip
    cohorts = [{"cohort": f"{found.cohorts[each]:%Y-%m}", **_cohorts(found, seen, [each], today)} for each in months]
    warnings = []
    if seen.table(today).method == "not_enough_history" and not seen.by_hand(today):
        warnings.append(
            "There is not enough history to expect points to lapse: only those that did are in the expected share."
        )
    return Answer(totals, rows, {"cohorts": cohorts}, warnings)


def _of_period(points: Counts, period: Period) -> Row:
    issued = points.of("points.earn", period)
    expired = -points.of("points.expire", period) - points.of("points.reinstate", period)
    return {"issued": issued, "expired": expired, "share": ratio(expired, issued)}


def _cohorts(found: Curves, seen: Forecast, chosen: list[int], day: date) -> Row:
    """What became of some cohorts together, and what will."""
    at = found.at(day)
    issued, redeemed, expired, outstanding = (
        int(each[at, chosen].sum()) for each in (found.net, found.redeemed, found.lapsed, found.outstanding)
    )
    low, high = seen.interval(day, chosen)
    return {
        "issued": issued, "redeemed": redeemed, "expired": expired, "outstanding": outstanding,
        "share": ratio(expired, issued),
        "expected_share": _rest(seen.rate(day, chosen)),
        "expected_share_low": _rest(high), "expected_share_high": _rest(low),
        "over": outstanding == 0,
    }  # fmt: skip


def _rest(rate: float | None) -> float | None:
    """What is not redeemed lapses."""
    return None if rate is None else round(1 - rate, 6)


def _is_asked(month: date, asked: Question) -> bool:
    return month < asked.last and calendar.add_months(month, 1) > asked.first


REPORT = Report(
    name="breakage",
    title="Breakage",
    summary="Which share of points lapses unredeemed, by period and by the month in which they were earned.",
    options=(Option("unit", POINTS, "The unit that is looked at."),),
    columns=COLUMNS,
    totals=TOTALS,
    sections={"cohorts": COHORTS},
    plot=("share",),
    work_out=work_out,
)
