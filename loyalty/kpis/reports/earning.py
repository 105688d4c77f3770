"""Earning: what was awarded, by which rules, to whom, and what it costs."""

from collections import defaultdict
from fractions import Fraction

from loyalty.kpis.counts import Counts, whole
from loyalty.kpis.domain import Answer, Column, Option, Period, Question, Report, Row, Sources, ratio, row
from loyalty.programs.domain import POINTS, PaySettings

COLUMNS = (
    Column("issued", "points", "Points that were awarded in the period."),
    Column("awards", "count", "How many awards that were: one for each rule that gave any for an order or activity."),
    Column("earners", "count", "Members who were awarded any, each counted once."),
    Column("points_per_earner", "number", "issued ÷ earners."),
    Column("reversed", "points", "Points that returns and cancellations took back in the period."),
    Column("cost", "money", "issued less reversed, at what a point is worth when it pays (`pay` of the program)."),
    Column("revenue", "money",
        "What members bought in the period: goods after all discounts, less what came back. Null with a rule."),
    Column("give_back", "share", "cost ÷ revenue: what is given back of what members spend. Null with a rule."),
)  # fmt: skip
RULES = (
    Column("rule", "text", "The code of the rule; `offer:<code>` is an offer that gives points."),
    Column("awards", "count", "How often it gave any."),
    Column("issued", "points", "How many points it gave."),
    Column("reversed", "points", "How many of the points of this rule were taken back."),
    Column("earners", "count", "To how many members."),
    Column("share", "share", "Of all points that were issued in the time."),
    Column("cost", "money", "issued less reversed, at what a point is worth when it pays."),
)


def work_out(sources: Sources, asked: Question) -> Answer:
    """Work it out."""
    unit = str(asked.options["unit"])
    points, things = (Counts.narrowed(sources.rollups, asked, unit=each) for each in (unit, ""))
    earners = things.distinct("earners")
    worth = worth_of(asked.program.pay) if unit == POINTS else None
    numbers = {each: _of_period(points, things, earners[each], worth, each) for each in (*asked.periods, whole(asked))}
    rows = [row(each, **numbers[each]) for each in asked.periods]
    return Answer(numbers[whole(asked)], rows, {"rules": _rules(sources, asked, unit, worth)})


def _of_period(points: Counts, things: Counts, earners: int, worth: Fraction | None, period: Period) -> Row:
    issued, taken = points.of("points.earn", period), -points.of("points.reverse", period)
    cost = _cost(issued - taken, worth)
    revenue = None if things.dimension == "rule" else things.of("sales", period) - things.of("returned", period)
    return {
        "issued": issued,
        "awards": points.of("awards", period),
        "earners": earners,
        "points_per_earner": ratio(issued, earners),
        "reversed": taken,
        "cost": cost,
        "revenue": revenue,
        "give_back": None if cost is None or not revenue else ratio(cost, revenue),
    }


def _rules(sources: Sources, asked: Question, unit: str, worth: Fraction | None) -> list[Row]:
    rollups, first, last = sources.rollups, asked.first, asked.last
    measures = ("points.earn", "points.reverse", "awards")
    found = rollups.totals(measures, unit=unit, dimension="rule", first=first, last=last)
    members = rollups.each("earners", dimension="rule", first=first, last=last)
    rules: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(measures, 0))
    for (measure, rule), amount in found.items():
        rules[rule][measure] = amount
    everything = sum(counted["points.earn"] for counted in rules.values())
    rows = [
        {
            "rule": rule,
            "awards": counted["awards"],
            "issued": counted["points.earn"],
            "reversed": -counted["points.reverse"],
            "earners": len(members.get(rule, ())),
            "share": ratio(counted["points.earn"], everything),
            "cost": _cost(counted["points.earn"] + counted["points.reverse"], worth),
        }
        for rule, counted in sorted(rules.items())
    ]
    return sorted(rows, key=lambda each: -each["issued"])


def worth_of(pay: PaySettings) -> Fraction:
    """What a point is worth in minor units, when it pays."""
    return Fraction(pay.amount, pay.points)


def _cost(points: int, worth: Fraction | None) -> int | None:
    return None if worth is None else int(points * worth)


REPORT = Report(
    name="earning",
    title="Earning",
    summary="What was awarded, by which rules, to whom, and what it costs.",
    filters=("tier", "segment", "channel", "rule"),
    options=(Option("unit", POINTS, "The unit that is looked at."),),
    columns=COLUMNS,
    totals=COLUMNS,
    sections={"rules": RULES},
    plot=("issued", "reversed"),
    work_out=work_out,
)
