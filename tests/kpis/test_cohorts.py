"""Cohorts: who is still there how long after coming, and how long it takes to redeem. Pure."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.kpis.reports.cohorts import NOT_OVER, REPORT
from loyalty.rollups.deltas import Deltas
from tests.kpis.shopping import asked, bought, did, on

JAN, FEB, MAR, APR = (date(2026, month, 1) for month in (1, 2, 3, 4))
ENROLLED = ((1, on(0)), (2, on(10)), (3, on(30)), (4, on(35)))
PURCHASES = ((1, on(0)), (1, on(40)), (2, on(65)), (4, on(36)), (4, on(66)), (5, on(36)))


def triangle(answer, *names):
    return [tuple(row[name] for name in ("period", "age", *names)) for row in answer.data]


def test_members_by_the_month_in_which_they_enrolled():
    answer = asked(REPORT, did(bought(Deltas(), PURCHASES), "enrolled", ENROLLED), JAN, APR)

    assert triangle(answer, "size", "active", "share") == [
        ("2026-01", 0, 3, 1, 0.333333), ("2026-01", 1, 3, 1, 0.333333), ("2026-01", 2, 3, 1, 0.333333),
        ("2026-02", 0, 1, 1, 1.0), ("2026-02", 1, 1, 1, 1.0),
    ]  # fmt: skip
    assert answer.totals["cohorts"] == 2
    # At the age of two months there are only those of January.
    assert [(row["age"], row["size"], row["active"]) for row in answer.sections["ages"]] == [
        (0, 4, 2), (1, 4, 2), (2, 3, 1)
    ]  # fmt: skip


def test_members_by_their_first_purchase_are_all_there_at_first():
    deltas = bought(Deltas(), [*PURCHASES, (5, on(-400))])
    answer = asked(REPORT, deltas, JAN, APR, by="first_purchase")

    # 5 bought long before, and is of no cohort.
    assert triangle(answer, "size", "active") == [
        ("2026-01", 0, 1, 1), ("2026-01", 1, 1, 1), ("2026-01", 2, 1, 0),
        ("2026-02", 0, 1, 1), ("2026-02", 1, 1, 1), ("2026-03", 0, 1, 1),
    ]  # fmt: skip


def test_being_there_may_be_redeeming():
    deltas = did(did(Deltas(), "enrolled", ENROLLED), "redeemers", [(1, on(33)), (3, on(62))])

    assert triangle(asked(REPORT, deltas, JAN, APR, of="redeemers"), "active")[:3] == [
        ("2026-01", 0, 0), ("2026-01", 1, 1), ("2026-01", 2, 1)
    ]  # fmt: skip


def test_days_from_enrolment_to_the_first_redemption():
    redeemed = ((1, on(4)), (1, on(50)), (2, on(18)), (4, on(36)), (9, on(40)))
    answer = asked(REPORT, did(did(Deltas(), "enrolled", ENROLLED), "redeemers", redeemed), JAN, APR)
    january, february, march = answer.sections["cohorts"]

    assert (january["redeemed"], january["redeemed_share"]) == (2, 0.666667)
    assert (january["mean_days"], january["median_days"], january["half_redeemed_after"]) == (6.0, 6.0, 8.0)
    assert (february["median_days"], february["half_redeemed_after"]) == (1.0, 1.0)
    assert (march["size"], march["redeemed_share"], march["median_days"]) == (0, None, None)
    assert (answer.totals["size"], answer.totals["median_days"], answer.totals["redeemed_share"]) == (4, 4.0, 0.75)


def test_it_is_said_that_the_last_month_is_not_over():
    assert NOT_OVER.format("2026-03") in asked(REPORT, Deltas(), JAN, date(2026, 3, 9)).warnings
    assert len(asked(REPORT, Deltas(), JAN, APR).warnings) == 1


@pytest.mark.parametrize("by", ["enrolled", "first_purchase"])
@pytest.mark.parametrize("granularity", ["day", "week", "month", "quarter"])
@settings(max_examples=20, deadline=None)
@given(
    enrolled=st.dictionaries(st.integers(0, 9), st.integers(-20, 90).map(on)),
    purchases=st.lists(st.tuples(st.integers(0, 9), st.integers(-20, 90).map(on)), max_size=30),
)
def test_nobody_is_in_two_cohorts_and_no_share_is_above_one(by, granularity, enrolled, purchases):
    deltas = did(bought(Deltas(), purchases), "enrolled", enrolled.items())
    answer = asked(REPORT, deltas, on(0), on(60), granularity, by=by)

    began = dict(enrolled)
    if by == "first_purchase":
        began = {who: min(day for each, day in purchases if each == who) for who, _ in purchases}
    of_cohorts = {who for who, day in began.items() if on(0) <= day < on(60)}
    assert sum(row["size"] for row in answer.sections["cohorts"]) == answer.totals["size"] == len(of_cohorts)
    assert all(0 <= row["share"] <= 1 for row in answer.data)
    if by == "first_purchase":
        assert all(row["share"] == 1 for row in answer.data if row["age"] == 0)
