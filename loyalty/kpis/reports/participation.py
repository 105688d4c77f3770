"""Participation: who is enrolled, who is active, and how much of the shop's orders and revenue are members'."""

from datetime import date

from loyalty.kpis.counts import Counts, whole
from loyalty.kpis.domain import Answer, Column, Option, Period, Question, Report, Row, Sources, ratio, row

ACTIVE_DAYS = 90

COLUMNS = (
    Column("enrolled", "count", "Members who enrolled in the period. Null with a filter."),
    Column("left", "count",
        "Memberships that were closed in the period, or became one with another. Null with a filter."),
    Column("members", "count",
        "Members at the end of the period: all who ever enrolled, less who left. Null with a filter."),
    Column("active", "count",
        "Members who earned or redeemed within `active_days` days that end with the period, each counted once."),
    Column("active_share", "share", "active ÷ members. Null with a filter."),
    Column("active_in_period", "count", "Members who earned or redeemed within the period itself, each counted once."),
    Column("buyers", "count", "Members who placed an order in the period, each counted once."),
    Column("orders", "count", "Orders of members that were placed in the period."),
    Column("guest_orders", "count", "Orders without a member that were placed in the period."),
    Column("member_order_share", "share", "orders ÷ (all orders of members + guest_orders)."),
    Column("revenue", "money",
        "What members bought: goods after all discounts, without shipping, by the day of the order, less what came "
        "back, by the day on which it did."),
    Column("guest_revenue", "money", "The same of orders without a member."),
    Column("member_revenue_share", "share", "revenue ÷ (revenue of all members + guest_revenue)."),
)  # fmt: skip


def work_out(sources: Sources, asked: Question) -> Answer:
    """Work it out."""
    every = Counts(sources.rollups, asked)
    own = Counts.narrowed(sources.rollups, asked)
    # Nobody knows the tier or the segment of a guest, but the channel.
    guests = own if own.dimension == "channel" else every
    distinct = {name: own.distinct(name) for name in ("active", "buyers")}
    active = own.trailing("active", int(asked.options["active_days"]))
    members = _members(every, asked) if own.is_all else {}
    numbers = {
        each: {
            **_memberships(every if own.is_all else None, each, members.get(each.last), active[each]),
            "active_in_period": distinct["active"][each],
            "buyers": distinct["buyers"][each],
            **_shares(own, guests, each),
        }
        for each in (*asked.periods, whole(asked))
    }
    return Answer(numbers[whole(asked)], [row(each, **numbers[each]) for each in asked.periods])


def _memberships(every: Counts | None, period: Period, members: int | None, active: int) -> Row:
    return {
        "enrolled": every and every.of("enrolled", period),
        "left": every and every.of("left", period),
        "members": members,
        "active": active,
        "active_share": None if members is None else ratio(active, members),
    }


def _shares(own: Counts, guests: Counts, period: Period) -> Row:
    """Orders and revenue of members as narrowed, of guests, and what share of both together the former have."""
    orders, revenue = own.of("orders", period), own.of("sales", period) - own.of("returned", period)
    unknown = guests.of("guest_orders", period)
    strange = guests.of("guest_sales", period) - guests.of("guest_returned", period)
    return {
        "orders": orders,
        "guest_orders": unknown,
        "member_order_share": ratio(orders, guests.of("orders", period) + unknown),
        "revenue": revenue,
        "guest_revenue": strange,
        "member_revenue_share": ratio(revenue, guests.of("sales", period) - guests.of("returned", period) + strange),
    }


def _members(every: Counts, asked: Question) -> dict[date, int]:
    """How many members there are at the end of each period."""
    came, left = every.running("enrolled"), every.running("left")
    return {each.last: came[each.last] - left[each.last] for each in asked.periods}


REPORT = Report(
    name="participation",
    title="Participation",
    summary="Who is enrolled, who is active, and how much of the shop's orders and revenue are members'.",
    filters=("tier", "segment", "channel"),
    options=(Option("active_days", ACTIVE_DAYS, "Who earned or redeemed within so many days is active.", 1, 1_000),),
    columns=COLUMNS,
    totals=COLUMNS,
    plot=("active", "active_in_period"),
    work_out=work_out,
)
