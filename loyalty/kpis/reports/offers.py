"""Offers: who was given one, who saw, activated and redeemed it, and what that cost."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from loyalty.kpis.counts import Counts, whole
from loyalty.kpis.domain import Answer, Column, Period, Question, Report, Row, Sources, ratio, row
from loyalty.kpis.reports.earning import worth_of
from loyalty.kpis.reports.increment import compared
from loyalty.outcomes.domain import OFFER, Outcomes

STEPS = ("assigned", "seen", "activated", "redeemed", "reinstated", "dismissed", "expired")

_STEPS = (
    Column("assigned", "count", "How often an offer was given to a member."),
    Column("seen", "count", "How often a member was first shown one."),
    Column("activated", "count", "How often one began to count: by itself, or because the member asked for it."),
    Column("redeemed", "count", "How often one was fulfilled, less those whose order came back."),
    Column("dismissed", "count", "How often a member wanted to hear no more of one."),
    Column("expired", "count", "How often one ended unused."),
)
_MEMBERS = (
    Column("members_assigned", "count", "Members who were given one, each counted once."),
    Column("members_redeemed", "count", "Members who redeemed one, each counted once."),
    Column("response_rate", "share", "members_redeemed ÷ members_assigned."),
    Column("redemption_rate", "share", "redeemed ÷ assigned."),
)
_COST = (
    Column("points", "points", "Points that redeemed ones gave, less those of orders that came back."),
    Column("amount", "money", "What redeemed ones took off prices."),
    Column("cost", "money", "amount, and points at what a point is worth when it pays (`pay` of the program)."),
)
COLUMNS = (*_STEPS, *_MEMBERS, *_COST)
OFFERS = (
    Column("offer", "text", "The code of the offer."),
    Column("title", "text", "Its title, as it was published last."),
    Column("group", "text", "Its group; null where it has none."),
    *COLUMNS,
    Column("incremental_revenue", "money",
        "What it brought in against members from whom it was held out, as far as that is known (report `increment`)."),
    Column("verdict", "text", "Whether that can be told, as in the report `increment`; null without a holdout."),
)  # fmt: skip
GROUPS = (
    Column("group", "text", "The group of offers."),
    Column("offers", "count", "How many offers of it were given to anybody."),
    *_STEPS,
    Column("members_assigned", "count", "Members who were given one, counted once for each offer."),
    Column("members_redeemed", "count", "Members who redeemed one, counted once for each offer."),
    *_MEMBERS[2:],
    *_COST,
)

WARNING = (
    "Redemption is no proof that an offer pays: who redeems it would often have bought anyway. What it brings in is "
    "measured against members from whom it was held out: see the report `increment`."
)


def work_out(sources: Sources, asked: Question) -> Answer:
    """Work it out."""
    counts = Counts.narrowed(sources.rollups, asked)
    counts.load(*(f"offers.{step}" for step in STEPS), "offer_points", "offer_amount")
    given, used = (counts.distinct(f"offers.{step}") for step in ("assigned", "redeemed"))
    numbers = {}
    for each in (*asked.periods, whole(asked)):
        steps = {step: counts.of(f"offers.{step}", each) for step in STEPS}
        numbers[each] = _numbers(steps, (given[each], used[each]), _given(counts, each), asked)
    offers = _offers(sources, asked)
    rows = [row(each, **numbers[each]) for each in asked.periods]
    return Answer(numbers[whole(asked)], rows, {"offers": offers, "groups": _groups(offers)}, [WARNING])


def _given(counts: Counts, period: Period) -> tuple[int | None, int | None]:
    """Points and minor units, which are counted in all and by offer."""
    if counts.dimension not in ("all", "offer"):
        return None, None
    return counts.of("offer_points", period), counts.of("offer_amount", period)


def _numbers(
    steps: Mapping[str, int], members: tuple[int, int], gave: tuple[int | None, int | None], asked: Question
) -> Row:
    """`members` were given one, and redeemed one; what those `gave` in points and minor units."""
    (given, used), (points, amount) = members, gave
    redeemed = steps["redeemed"] - steps["reinstated"]
    cost = None if points is None or amount is None else amount + int(points * worth_of(asked.program.pay))
    return {
        **{column.name: steps[column.name] for column in _STEPS},
        "redeemed": redeemed,
        "members_assigned": given,
        "members_redeemed": used,
        "response_rate": ratio(used, given),
        "redemption_rate": ratio(redeemed, steps["assigned"]),
        "points": points,
        "amount": amount,
        "cost": cost,
    }


def _offers(sources: Sources, asked: Question) -> list[Row]:
    """Each offer that anything happened to, or the one that is asked for."""
    rollups, first, last = sources.rollups, asked.first, asked.last
    measures = ("offers.*", "offer_points", "offer_amount")
    found = rollups.totals(measures, dimension="offer", first=first, last=last)
    given, used = (
        rollups.each(f"offers.{step}", dimension="offer", first=first, last=last) for step in ("assigned", "redeemed")
    )
    codes = sorted({offer for _, offer in found if asked.filters.get("offer", offer) == offer})
    rows = []
    for code in codes:
        steps = {step: found.get((f"offers.{step}", code), 0) for step in STEPS}
        members = len(given.get(code, ())), len(used.get(code, ()))
        gave = found.get(("offer_points", code), 0), found.get(("offer_amount", code), 0)
        known = sources.more["offers"].get(code, {})
        rows.append({
            "offer": code, "title": known.get("title"), "group": known.get("group"),
            **_numbers(steps, members, gave, asked), **_brought(sources.more["outcomes"], code, asked),
        })  # fmt: skip
    return rows


def _brought(outcomes: Outcomes, code: str, asked: Question) -> Row:
    found = compared(outcomes, f"{OFFER}{code}", asked.first, asked.last)
    if not found.holdout.members:
        return {"incremental_revenue": None, "verdict": None}
    brought = None if found.best is None else round(found.best.difference * found.treatment.members)
    return {"incremental_revenue": brought, "verdict": found.verdict}


def _groups(offers: Iterable[Row]) -> list[Row]:
    """Offers of a group together."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for offer in offers:
        if offer["group"] is not None:
            groups[offer["group"]].append(offer)
    rows = []
    for group, those in sorted(groups.items()):
        sums: dict[str, Any] = {
            column.name: sum(each[column.name] for each in those)
            for column in COLUMNS
            if column.kind in ("count", "points", "money")
        }
        rates = {
            "response_rate": ratio(sums["members_redeemed"], sums["members_assigned"]),
            "redemption_rate": ratio(sums["redeemed"], sums["assigned"]),
        }
        rows.append({"group": group, "offers": sum(1 for each in those if each["assigned"]), **sums, **rates})
    return rows


REPORT = Report(
    name="offers",
    title="Offers",
    summary="Who was given an offer, who saw, activated and redeemed it, and what that cost.",
    filters=("offer", "tier", "segment"),
    columns=COLUMNS,
    totals=COLUMNS,
    sections={"offers": OFFERS, "groups": GROUPS},
    plot=("assigned", "redeemed"),
    needs=("offers", "outcomes"),
    work_out=work_out,
)
