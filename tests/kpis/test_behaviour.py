"""Behaviour: how often members buy, who stays, who goes, who comes back. Pure, from sums and sets made up here."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.features.outlook import USUAL
from loyalty.kpis.comparing import NO_GUESTS, NOT_CAUSAL
from loyalty.kpis.reports.behaviour import REPORT
from loyalty.learning.foreseeing import spread
from loyalty.rollups.deltas import Deltas
from tests.kpis.shopping import asked, bought, did, on

JAN, FEB, MAR, APR = (date(2026, month, 1) for month in (1, 2, 3, 4))

# 1 buys twice in January and once in each month after; 2 in January and March; 3 in February; 4 in March, twice.
SHOP = (
    (1, on(2)),
    (1, on(20)),
    (1, on(33)),
    (1, on(65)),
    (2, on(9)),
    (2, on(70)),
    (3, on(40)),
    (4, on(61)),
    (4, on(62)),
)


def test_a_quarter_by_month():
    answer = asked(REPORT, bought(Deltas(), SHOP), JAN, APR)
    picked = ("period", "buyers", "orders", "new_buyers", "retained", "reactivated", "churned", "retention")

    assert [tuple(row[name] for name in picked) for row in answer.data] == [
        ("2026-01", 2, 3, 2, 0, 0, 0, None),
        ("2026-02", 2, 2, 1, 1, 0, 1, 0.5),
        ("2026-03", 3, 4, 1, 1, 1, 1, 0.5),
    ]


def test_frequency_basket_and_repeat_rate_of_a_month():
    january = asked(REPORT, bought(Deltas(), SHOP, cents=1001), JAN, APR).data[0]

    assert (january["frequency"], january["frequency_30"]) == (1.5, round(1.5 * 30 / 31, 6))
    assert (january["sales"], january["average_basket"], january["repeat_rate"]) == (3003, 1001, 0.5)


def test_in_all_members_are_counted_once():
    totals = asked(REPORT, bought(Deltas(), SHOP), JAN, APR).totals

    assert (totals["buyers"], totals["orders"], totals["new_buyers"], totals["repeat_rate"]) == (4, 9, 4, 0.75)


def test_who_bought_on_two_days_of_a_quarter_repeats_though_never_within_a_month():
    twice = ((1, on(2)), (1, on(45)), (2, on(3)))

    assert [row["repeat_rate"] for row in asked(REPORT, bought(Deltas(), twice), JAN, APR, "quarter").data] == [0.5]
    assert [row["repeat_rate"] for row in asked(REPORT, bought(Deltas(), twice), JAN, APR).data] == [0, 0, None]


def test_who_bought_before_the_days_asked_for_is_not_new():
    years_ago = bought(Deltas(), [(1, date(2023, 5, 5)), (2, on(-20)), (1, on(5)), (2, on(6)), (3, on(7))])
    (january,) = asked(REPORT, years_ago, JAN, FEB).data

    assert (january["new_buyers"], january["reactivated"], january["retained"]) == (1, 1, 1)
    assert january["returning_buyers"] == 2


def test_a_period_that_is_cut_off_is_compared_with_the_whole_one_before():
    answer = asked(REPORT, bought(Deltas(), SHOP), date(2026, 2, 15), date(2026, 3, 10))

    assert [(row["period"], row["buyers"], row["retention"]) for row in answer.data] == [
        ("2026-02", 0, 0.0),  # 1 and 2 bought in January, neither from the 15th on
        ("2026-03", 2, 0.5),  # 1 and 3 bought in February
    ]
    assert "2026-02, 2026-03" in answer.warnings[-1]


def test_returns_and_discounts_are_shares_of_what_was_sold():
    deltas = bought(Deltas(), SHOP)
    deltas.add("returned", 500, on(3), by=())
    deltas.add("returned_orders", 1, on(3), by=())
    deltas.add("discounted_orders", 2, on(3), by=())
    deltas.add("units", 7, on(3), by=())
    january = asked(REPORT, deltas, JAN, FEB).data[0]

    assert (january["return_rate"], january["returned_orders_share"]) == (round(500 / 3000, 6), round(1 / 3, 6))
    assert (january["discounted_share"], january["units"]) == (round(2 / 3, 6), 7)


def test_one_category_has_its_own_buyers_and_no_discounts():
    deltas = bought(bought(Deltas(), SHOP), [(1, on(3)), (5, on(40))], by=(("category", "tea"),))
    answer = asked(REPORT, deltas, JAN, MAR, filters={"category": "tea"})

    assert [(row["buyers"], row["new_buyers"], row["discounted_share"]) for row in answer.data] == [
        (1, 1, None), (1, 1, None)
    ]  # fmt: skip
    assert [row["who"] for row in answer.sections["members_and_guests"]] == ["members"]
    assert NO_GUESTS in answer.warnings


def test_guests_are_compared_but_have_no_frequency():
    deltas = bought(Deltas(), SHOP, cents=2000)
    deltas.add("guest_orders", 1, on(3), by=())
    deltas.add("guest_sales", 2000, on(3), by=())
    members, guests = asked(REPORT, deltas, JAN, APR).sections["members_and_guests"]

    assert (members["order_share"], guests["order_share"], guests["sales_share"]) == (0.9, 0.1, 0.1)
    assert (members["frequency"], guests["frequency"], guests["average_basket"]) == (2.25, None, 2000)


def test_redeemers_are_told_apart_with_a_warning():
    deltas = did(bought(Deltas(), SHOP), "redeemers", [(1, on(10))])
    answer = asked(REPORT, deltas, JAN, APR)
    redeemers, others = answer.sections["redeemers"]

    assert (redeemers["buyers"], redeemers["repeat_rate"], others["buyers"]) == (1, 1.0, 3)
    assert others["repeat_rate"] == round(2 / 3, 6)
    # In January 1 redeemed and bought, and came back; in February nobody redeemed, and 1 of 1 and 3 came back.
    assert (redeemers["bought_before"], redeemers["retained"], redeemers["retention"]) == (1, 1, 1.0)
    assert (others["bought_before"], others["retained"]) == (3, 1)
    assert NOT_CAUSAL in answer.warnings


def test_scores_are_those_of_the_last_nightly_count():
    outlook = spread(USUAL, np.array([0.1, 2.0, 9.0]), np.array([10.0, 20.0, 90.0]), (15, 30, 45, 60))
    rows = asked(REPORT, Deltas(), JAN, FEB, more={"outlook": outlook}).sections["scores"]

    assert len(rows) == 15
    assert [(row["churn"], row["fifth"]) for row in rows if row["members"]] == [("low", 5), ("medium", 2), ("high", 1)]
    assert {row["share"] for row in rows} == {0.0, round(1 / 3, 6)}
    assert asked(REPORT, Deltas(), JAN, FEB).sections["scores"] == []


@pytest.mark.parametrize("granularity", ["day", "week", "month", "quarter", "year"])
@settings(max_examples=25, deadline=None)
@given(
    purchases=st.lists(st.tuples(st.integers(0, 9), st.integers(-100, 120).map(on)), max_size=40),
    first=st.integers(0, 60).map(on), days=st.integers(1, 90),
)  # fmt: skip
def test_the_numbers_are_those_of_counting_by_hand(granularity, purchases, first, days):
    last = on(days, first)
    answer = asked(REPORT, bought(Deltas(), purchases), first, last, granularity)

    for row in [*answer.data, answer.totals | {"from": first, "to": last}]:
        within = [who for who, day in purchases if row["from"] <= day < row["to"]]
        assert row["buyers"] == len(set(within)) == row["new_buyers"] + row["returning_buyers"]
        assert row["returning_buyers"] == row["retained"] + row["reactivated"]
        assert row["new_buyers"] == len(set(within) - {who for who, day in purchases if day < row["from"]})
        often = {who for who in within if within.count(who) > 1}
        assert row["repeat_rate"] == (round(len(often) / row["buyers"], 6) if row["buyers"] else None)
        before = row["retained"] + row["churned"]
        assert row["retention"] == (round(row["retained"] / before, 6) if before else None)
    for earlier, later in zip(answer.data, answer.data[1:], strict=False):
        if earlier is not answer.data[0]:
            assert later["retained"] + later["churned"] == earlier["buyers"]
