"""Redemption: what becomes of points that were issued, who redeems, how soon, and which rewards."""

from loyalty.kpis.counts import Counts, whole
from loyalty.kpis.domain import Answer, Column, Option, Period, Question, Report, Row, Sources, ratio, row
from loyalty.kpis.folding import Folds
from loyalty.kpis.waiting import Waits
from loyalty.programs.domain import POINTS

_OF_PERIOD = (
    Column("issued", "points", "Points that were awarded in the period. Null with a reward."),
    Column("redeemed", "points", "Points that were spent in the period, less those that went back to members."),
    Column("burn_earn", "share", "redeemed ÷ issued, both of the period. Null with a reward."),
    Column("redemptions", "count", "Rewards that were redeemed in the period."),
    Column("redemptions_cancelled", "count", "Redemptions that were cancelled in the period."),
    Column("payments", "money", "What was paid with points in the period, less what was refunded. Null with a reward."),
    Column("redeemers", "count", "Members who redeemed in the period, each counted once."),
)
COLUMNS = (
    *_OF_PERIOD,
    Column("points_rate", "share",
        "Of all points ever issued and not taken back, the share that was redeemed by the end of the period. Null with "
        "a reward."),
    Column("member_rate", "share",
        "redeemers ÷ members at the end of the period (all who ever enrolled, less who left). Null with a filter."),
)  # fmt: skip
TOTALS = (
    *COLUMNS,
    Column("ever_redeemed", "count", "Members who have redeemed at any time up to the end."),
    Column("ever_redeemed_share", "share", "ever_redeemed ÷ members at the end. Null with a filter."),
    Column(
        "days_to_first_redemption",
        "days",
        "The median days from enrolment, of members whose first redemption fell into the time. Null with a filter.",
    ),
)
REWARDS = (
    Column("reward", "text", "The code of the reward."),
    Column("redemptions", "count", "How often it was redeemed."),
    Column("redemptions_cancelled", "count", "How many of its redemptions were cancelled."),
    Column("redeemers", "count", "By how many members."),
    Column("points", "points", "For how many points, less those of cancelled ones."),
    Column("share", "share", "Of all redemptions in the time."),
)

_KINDS = ("points.earn", "points.reverse", "points.redeem", "points.return_spent")


def work_out(sources: Sources, asked: Question) -> Answer:
    """Work it out."""
    unit = str(asked.options["unit"])
    points, things = (Counts.narrowed(sources.rollups, asked, unit=each) for each in (unit, ""))
    things.load("redemptions", "redemptions_cancelled", "payments", "payments_refunded")
    points.load(*_KINDS, ever=things.dimension != "reward")
    everything, redeemers = whole(asked), things.distinct("redeemers")
    members = _members(sources, asked) if things.is_all else {}
    rates = {} if things.dimension == "reward" else _rates(points, asked)
    numbers = {
        each: {
            **_of_period(points, things, each),
            "redeemers": redeemers[each],
            "points_rate": rates.get(each),
            "member_rate": ratio(redeemers[each], members[each]) if members else None,
        }
        for each in (*asked.periods, everything)
    }
    ever = len(things.ever("redeemers"))
    totals = {
        **numbers[everything],
        "ever_redeemed": ever,
        "ever_redeemed_share": ratio(ever, members[everything]) if members else None,
        "days_to_first_redemption": _waited(sources, asked) if things.is_all else None,
    }
    rows = [row(each, **numbers[each]) for each in asked.periods]
    return Answer(totals, rows, {"rewards": _rewards(sources, asked, unit)})


def _waited(sources: Sources, asked: Question) -> float | None:
    return Waits(Folds(sources.rollups), None, asked.last).median_within(asked.first, asked.last)


def _of_period(points: Counts, things: Counts, period: Period) -> Row:
    of_one = things.dimension == "reward"
    issued = points.of("points.earn", period)
    redeemed = -points.of("points.redeem", period) - points.of("points.return_spent", period)
    return {
        "issued": None if of_one else issued,
        "redeemed": redeemed,
        "burn_earn": None if of_one else ratio(redeemed, issued),
        "redemptions": things.of("redemptions", period),
        "redemptions_cancelled": things.of("redemptions_cancelled", period),
        "payments": None if of_one else things.of("payments", period) - things.of("payments_refunded", period),
    }


def _rates(points: Counts, asked: Question) -> dict[Period, float | None]:
    """Redeemed ÷ issued since the beginning, by the end of each period."""
    earned, reversed_, redeemed, returned = map(points.running, _KINDS)
    return {
        each: ratio(-redeemed[each.last] - returned[each.last], earned[each.last] + reversed_[each.last])
        for each in (*asked.periods, whole(asked))
    }


def _members(sources: Sources, asked: Question) -> dict[Period, int]:
    every = Counts(sources.rollups, asked)
    every.load("enrolled", "left", ever=True)
    came, left = every.running("enrolled"), every.running("left")
    return {each: came[each.last] - left[each.last] for each in (*asked.periods, whole(asked))}


def _rewards(sources: Sources, asked: Question, unit: str) -> list[Row]:
    rollups, first, last = sources.rollups, asked.first, asked.last
    counted = rollups.totals(("redemptions", "redemptions_cancelled"), dimension="reward", first=first, last=last)
    spent = rollups.totals(("points.*",), unit=unit, dimension="reward", first=first, last=last)
    members = rollups.each("redeemers", dimension="reward", first=first, last=last)
    points: dict[str, int] = {}
    for (_, reward), amount in spent.items():
        points[reward] = points.get(reward, 0) - amount
    everything = sum(amount for (measure, _), amount in counted.items() if measure == "redemptions")
    rows = [
        {
            "reward": reward,
            "redemptions": counted.get(("redemptions", reward), 0),
            "redemptions_cancelled": counted.get(("redemptions_cancelled", reward), 0),
            "redeemers": len(members.get(reward, ())),
            "points": points.get(reward, 0),
            "share": ratio(counted.get(("redemptions", reward), 0), everything),
        }
        for reward in sorted({reward for _, reward in counted} | points.keys())
    ]
    return sorted(rows, key=lambda each: -int(each["redemptions"]))


REPORT = Report(
    name="redemption",
    title="Redemption",
    summary="What becomes of points that were issued, who redeems, how soon, and which rewards.",
    filters=("tier", "segment", "reward"),
    options=(Option("unit", POINTS, "The unit that is looked at."),),
    columns=COLUMNS,
    totals=TOTALS,
    sections={"rewards": REWARDS},
    plot=("issued", "redeemed"),
    work_out=work_out,
)
