"""Increment: what offers bring in, against the members they were held out from. Nothing else says so."""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from loyalty.core import calendar
from loyalty.kpis.domain import Answer, Column, Question, Report, Row, Sources, ratio, row
from loyalty.kpis.reports.earning import worth_of
from loyalty.outcomes import statistics
from loyalty.outcomes.domain import BEFORE, MILLION, OFFER, PROGRAM, WINDOW, Outcomes, Totals
from loyalty.outcomes.statistics import Difference
from loyalty.outcomes.verdicts import SAYS, TELLING, Comparison, compare, strata_of

_ARMS = (
    Column("treatment_members", "count", "Members who were given it. Of the program: in each month anew."),
    Column("holdout_members", "count", "Members from whom it was held out, by a lot that is the same for ever."),
    Column("holdout_share", "share", "holdout_members ÷ both."),
    Column("holdout_meant", "share", "What that share was meant to be, by `holdout_percent` of the time."),
    Column(
        "arms_p", "share", "How likely arms of such sizes are by chance. Below 0.001 something else is at work, and "
        "the comparison cannot be trusted.",
    ),
)  # fmt: skip
_SPENT = (
    Column(
        "treatment_revenue", "number", f"Minor units per member who was given it: goods after all discounts, without "
        f"shipping, less what came back since, of the {WINDOW.days} days after it (of the program: of the month).",
    ),
    Column("holdout_revenue", "number", "The same per member from whom it was held out."),
    Column("difference", "number", "treatment_revenue less holdout_revenue, within times of the same holdout share."),
    Column("low", "number", "Where the 95 % interval of the difference begins (Welch)."),
    Column("high", "number", "Where it ends. An interval that holds zero tells nothing."),
    Column("p", "share", "How likely such a difference, or a larger one, is by chance alone."),
)  # fmt: skip
_ADJUSTED = (
    Column(
        "adjusted_difference", "number", f"The difference with what members had bought in the {BEFORE.days} days "
        "before taken into account (CUPED). This is the one that counts; null where nobody had bought anything.",
    ),
    Column("adjusted_low", "number", "Where its 95 % interval begins."),
    Column("adjusted_high", "number", "Where it ends."),
    Column("adjusted_p", "share", "How likely such a difference, or a larger one, is by chance alone."),
    Column("variance_reduction", "share", "How much of the variance is gone by that: 0.5 is worth twice the members."),
    Column("lift", "share", "The difference that counts ÷ holdout_revenue."),
    Column("lift_low", "share", "Where its 95 % interval begins (delta method)."),
    Column("lift_high", "share", "Where it ends."),
)  # fmt: skip
_ORDERS = (
    Column("treatment_orders", "number", "Orders per member who was given it, in the same time."),
    Column("holdout_orders", "number", "Orders per member from whom it was held out."),
    Column("orders_difference", "number", "treatment_orders less holdout_orders."),
    Column("orders_low", "number", "Where its 95 % interval begins."),
    Column("orders_high", "number", "Where it ends."),
    Column("treatment_buyers", "share", "Members who were given it and bought anything, of all of them."),
    Column("holdout_buyers", "share", "The same of the holdout."),
)
_COST = (
    Column("redeemers", "share", "Members who redeemed it, of those who were given it. They are no measure of it."),
    Column("points_per_member", "number", "Points that it gave, per member who was given it."),
    Column("cost_per_member", "number", "Points at what one is worth when it pays, and what it took off prices."),
    Column("cost", "money", "The same of all of them."),
)
_READ = (
    Column(
        "detectable", "number", "The least difference of revenue that would be told four times of five, with so many "
        "members.",
    ),
    Column(
        "members_missing", "count", f"How many members more it takes until a difference of {TELLING:.0%} of "
        "holdout_revenue would be told four times of five.",
    ),
    Column(
        "verdict", "text",
        "`more`, `less`, `no_difference_told`, `not_enough_data`, `arms_do_not_fit`, or `no_holdout`.",
    ),
    Column("says", "text", "The verdict in a sentence."),
    Column("incremental_revenue", "money", "The difference that counts, of all members who were given it."),
    Column("incremental_low", "money", "Where its 95 % interval begins."),
    Column("incremental_high", "money", "Where it ends."),
    Column(
        "roi", "share", "(incremental_revenue less what its points are worth) ÷ cost; above 0 it brought in more than "
        "it cost. What it took off prices is missing in revenue already. Null unless the verdict is `more` or `less`. "
        "Revenue is no margin.",
    ),
    Column("roi_low", "share", "The same of incremental_low."),
    Column("roi_high", "share", "The same of incremental_high."),
)  # fmt: skip
COLUMNS = (*_ARMS, *_SPENT, *_ADJUSTED, *_ORDERS, *_COST, *_READ)
EXPERIMENTS = (
    Column("experiment", "text", "`program`: all its offers together; `offer:<code>`: one of them."),
    *COLUMNS,
)

WARNING = (
    "Only who was held out by lot says what would have been without. Members who redeem spend more than others before "
    "any offer: comparing them with members who did not redeem, or before with after, measures who they are."
)
NO_HOLDOUT = (
    "Nobody was held out in this time, or no window is over yet: set `holdout_percent` of the program, or of an offer, "
    f"and wait {WINDOW.days} days (of the program: until the end of the first whole month)."
)
NOT_OVER = "Who came into it since {day} is not counted yet: their {days} days are not over."
NOT_ADJUSTED = "Nothing was bought before the holdout of the program began, so there is nothing to adjust by."
MANY = (
    "With {count} experiments, one of twenty says more or less by chance alone: do not pick the best of them, wait "
    "whether it happens again."
)
MANY_ARE = 5


def work_out(sources: Sources, asked: Question) -> Answer:
    """Work it out."""
    outcomes: Outcomes = sources.more["outcomes"]
    offer = asked.filters.get("offer")
    main = PROGRAM if offer is None else f"{OFFER}{offer}"
    found = {name: compared(outcomes, name, asked.first, asked.last) for name in outcomes.experiments}
    rows = [row(each, **_numbers(compared(outcomes, main, each.first, each.last), asked)) for each in asked.periods]
    sections = [{"experiment": name, **_numbers(each, asked)} for name, each in found.items()]
    totals = _numbers(found.get(main) or compare([]), asked)
    return Answer(totals, rows, {"experiments": sections}, [WARNING, *_warnings(found, asked)])


def compared(outcomes: Outcomes, experiment: str, first: date, last: date) -> Comparison:
    """The arms of an experiment, of who came into them within some days. Of the program each month has all members."""
    same = experiment == PROGRAM
    return compare(strata_of(outcomes.of(experiment, first, last).days, by_day=same), same_members=same)


def _numbers(found: Comparison, asked: Question) -> Row:
    one, other = found.treatment, found.holdout
    both = one.members + other.members
    worth = worth_of(asked.program.pay)
    narrowed = statistics.narrowed(found.plain, found.adjusted) if found.plain and found.adjusted else None
    return {
        "treatment_members": one.members, "holdout_members": other.members,
        "holdout_share": ratio(other.members, both), "holdout_meant": ratio((one.share + other.share) / MILLION, both),
        "arms_p": _six(found.mismatch), "treatment_revenue": ratio(one.spend, one.members),
        "holdout_revenue": ratio(other.spend, other.members), **_said(found.plain, ""),
        **_said(found.adjusted, "adjusted_"), "variance_reduction": _six(narrowed),
        **dict(zip(("lift", "lift_low", "lift_high"), map(_six, found.lift or (None,) * 3), strict=True)),
        "treatment_orders": ratio(one.orders, one.members), "holdout_orders": ratio(other.orders, other.members),
        **{name: value for name, value in _said(found.orders, "orders_").items() if name != "orders_p"},
        "treatment_buyers": ratio(one.buyers, one.members), "holdout_buyers": ratio(other.buyers, other.members),
        "redeemers": ratio(one.redeemers, one.members), "points_per_member": ratio(one.points, one.members),
        "cost_per_member": ratio(float(_cost(one, worth)), one.members), "cost": round(_cost(one, worth)),
        "detectable": _six(found.detectable), "members_missing": found.missing, "verdict": found.verdict,
        "says": SAYS[found.verdict], **_return(found, worth),
    }  # fmt: skip


def _said(difference: Difference | None, prefix: str) -> Row:
    names = ("difference", "low", "high", "p")
    return {f"{prefix}{name}": None if difference is None else _six(getattr(difference, name)) for name in names}


def _return(found: Comparison, worth: Fraction) -> Row:
    """What it brought in all together, and that against its cost, if it can be told at all."""
    names = {"incremental_revenue": "roi", "incremental_low": "roi_low", "incremental_high": "roi_high"}
    best, members = found.best, found.treatment.members
    if best is None:
        return dict.fromkeys((*names, *names.values()))
    cost, points = _cost(found.treatment, worth), found.treatment.points * worth
    brought = [each * members for each in (best.difference, best.low, best.high)]
    told = [ratio(each - float(points), float(cost)) if found.is_told else None for each in brought]
    return dict(zip(names, map(round, brought), strict=True)) | dict(zip(names.values(), told, strict=True))


def _cost(treatment: Totals, worth: Fraction) -> Fraction:
    return treatment.points * worth + treatment.amount


def _warnings(found: dict[str, Comparison], asked: Question) -> Iterable[str]:
    if not any(each.holdout.members for each in found.values()):
        yield NO_HOLDOUT
    today = calendar.local_date(asked.now, asked.program.time_zone)
    if asked.last > today - WINDOW:
        yield NOT_OVER.format(day=max(asked.first, today - WINDOW), days=WINDOW.days)
    for name, each in found.items():
        if each.verdict == "arms_do_not_fit":
            yield f"{name}: {SAYS[each.verdict]}"
    program = found.get(PROGRAM)
    if program is not None and program.plain is not None and program.adjusted is None:
        yield NOT_ADJUSTED
    if len(found) >= MANY_ARE:
        yield MANY.format(count=len(found))


def _six(value: Any) -> float | None:
    return None if value is None else round(float(value), 6)


REPORT = Report(
    name="increment",
    title="Increment",
    summary="What offers bring in, against members from whom they were held out by lot; whether that can be told yet.",
    filters=("offer",),
    columns=COLUMNS,
    totals=COLUMNS,
    sections={"experiments": EXPERIMENTS},
    plot=("adjusted_difference", "adjusted_low", "adjusted_high"),
    needs=("outcomes",),
    work_out=work_out,
)
