"""How members buy: how often, how much, who stays, who goes, and who comes back. Pure."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from pyroaring import BitMap

from loyalty.kpis import comparing
from loyalty.kpis.asked import Slice, cut, slice_of
from loyalty.kpis.domain import Answer, Column, Period, Question, Report, Row, Sources, ratio
from loyalty.kpis.folding import Days
from loyalty.kpis.periods import beginning, following, previous
from loyalty.rollups.domain import Dimension

PER_DAYS = 30
_FILTERS: tuple[Dimension, ...] = ("tier", "segment", "channel", "category")
# What is counted of orders in all, by what their lines are, and by what the member or the order is.
_OF_LINES = ("orders", "sales", "units", "returned")
_OF_ORDERS = ("orders", "sales", "discounted_orders", "returned", "returned_orders")

CUT_OFF = "A period that is cut off is compared with a whole one before it: {}."

_COUNTS = (
    Column("buyers", "count", "Members who placed an order in the period."),
    Column("orders", "count", "Orders that members placed in the period."),
    Column("frequency", "number", "Purchase frequency: orders per buyer."),
    Column("frequency_30", "number", "Purchase frequency on 30 days: orders per buyer, divided by the days, times 30."),
    Column("sales", "money", "Goods of these orders after all discounts, without shipping."),
    Column("average_basket", "money", "Sales per order."),
    Column("units", "number", "Pieces bought; null by tier, segment or channel."),
    Column("discounted_share", "share", "Share of the orders that had a discount; null by category."),
    Column("repeat_rate", "share", "Share of the buyers who bought twice or more often in the period."),
)  # fmt: skip
_STAYING = (
    Column("retention", "share", "Share of the buyers of the period before who bought again in this one."),
    Column("new_buyers", "count", "Buyers who had never bought before."),
    Column("returning_buyers", "count", "Buyers who had bought before: retained and reactivated ones."),
    Column("retained", "count", "Buyers who also bought in the period before."),
    Column("reactivated", "count", "Buyers who had bought before, but not in the period before this one."),
    Column("churned", "count", "Buyers of the period before who did not buy in this one. They may yet come back."),
    Column("return_rate", "share", "Money of goods that came back in the period, whenever bought, divided by sales."),
    Column(
        "returned_orders_share", "share",
        "Orders whose rest came back in the period divided by orders of the period; null by category.",
    ),
)  # fmt: skip
_COLUMNS = _COUNTS + _STAYING


def work_out(sources: Sources, question: Question) -> Answer:
    """Work out the report."""
    asked = slice_of(sources.rollups, question, _FILTERS)
    whole, cuts = (question.first, question.last), _cuts(question)
    whole_before = previous(*whole, question.granularity)
    asked.folds.load("buyers", [whole, whole_before, *(days for both in cuts for days in both)])
    asked.folds.load("repeaters", [whole, *(days for days, _ in cuts)])
    sums = {name: asked.total(name, whole) for name in _measures(asked)}
    return Answer(
        totals=_numbers(asked, sums, whole, whole_before, asked.folds.before("buyers", whole[0])),
        data=list(_rows(asked, question, cuts)),
        sections={
            "members_and_guests": comparing.members_and_guests(asked, whole),
            "redeemers": comparing.redeemers(asked, whole, cuts),
            "scores": comparing.scores(sources.more.get("outlook")),
        },
        warnings=list(_warnings(asked, question)),
    )


def _cuts(question: Question) -> list[tuple[Days, Days]]:
    """Each period, and the whole one before it."""
    return [((period.first, period.last), _before(period, question)) for period in question.periods]


def _before(period: Period, question: Question) -> Days:
    begins = beginning(period.first, question.granularity)
    return beginning(begins - timedelta(days=1), question.granularity), begins


def _rows(asked: Slice, question: Question, cuts: list[tuple[Days, Days]]) -> Iterator[Row]:
    if not cuts:
        return
    sums = {name: cut(asked.by_day(name, (question.first, question.last)), question) for name in _measures(asked)}
    ever = asked.folds.before("buyers", question.first)
    for place, (period, (days, before)) in enumerate(zip(question.periods, cuts, strict=True)):
        numbers = _numbers(asked, {name: each[place] for name, each in sums.items()}, days, before, ever)
        yield {"period": period.label, "from": period.first, "to": period.last, **numbers}
        ever |= asked.folds.members("buyers", *days)


def _numbers(asked: Slice, sums: Mapping[str, int], days: Days, before: Days, ever: BitMap) -> Row:
    buyers, buyers_before = asked.folds.members("buyers", *days), asked.folds.members("buyers", *before)
    bought, orders, sales = len(buyers), sums["orders"], sums["sales"]
    returned_orders, discounted = sums.get("returned_orders"), sums.get("discounted_orders")
    retained, known = buyers.intersection_cardinality(buyers_before), buyers.intersection_cardinality(ever)
    return {
        "buyers": bought,
        "orders": orders,
        "frequency": ratio(orders, bought),
        "frequency_30": ratio(PER_DAYS * orders, bought * (days[1] - days[0]).days),
        "sales": sales,
        "average_basket": comparing.average(sales, orders),
        "units": sums.get("units"),
        "discounted_share": None if discounted is None else ratio(discounted, orders),
        "repeat_rate": ratio(len(asked.folds.again(*days)), bought),
        "retention": ratio(retained, len(buyers_before)),
        "new_buyers": bought - known,
        "returning_buyers": known,
        "retained": retained,
        "reactivated": known - retained,
        "churned": len(buyers_before) - retained,
        "return_rate": ratio(sums["returned"], sales),
        "returned_orders_share": None if returned_orders is None else ratio(returned_orders, orders),
    }


def _measures(asked: Slice) -> tuple[str, ...]:
    match asked.dimension:
        case "all":
            return (*_OF_ORDERS, "units")
        case "category":
            return _OF_LINES
        case _:
            return _OF_ORDERS


def _warnings(asked: Slice, question: Question) -> Iterator[str]:
    yield comparing.NOT_CAUSAL
    if asked.dimension not in {"all", "channel"}:
        yield comparing.NO_GUESTS
    short = [each.label for each in question.periods if not _is_whole(each, question)]
    if short:
        yield CUT_OFF.format(", ".join(short))


def _is_whole(period: Period, question: Question) -> bool:
    begins = beginning(period.first, question.granularity)
    return (period.first, period.last) == (begins, following(begins, question.granularity))


REPORT = Report(
    name="behaviour",
    title="Behaviour",
    summary="How often and how much members buy, who stays, who goes and who comes back. "
    "With a filter all of it is about the purchases that fit it: a new buyer of a category never bought in it before.",
    filters=_FILTERS,
    columns=_COLUMNS,
    totals=_COLUMNS,
    sections=comparing.SECTIONS,
    plot=("new_buyers", "retained", "reactivated", "churned"),
    needs=("outlook",),
    work_out=work_out,
)
