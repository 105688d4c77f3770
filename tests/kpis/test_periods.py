from datetime import date, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.kpis.domain import Granularity
from loyalty.kpis.periods import periods, previous
from tests.kpis.life import on

DAYS = st.dates(date(1999, 1, 1), date(2040, 12, 31))
GRANULARITIES = st.sampled_from(get_args(Granularity))


@pytest.mark.parametrize(
    ("granularity", "labels"),
    [
        ("day", ["2025-12-30", "2025-12-31", "2026-01-01", "2026-01-02"]),
        ("week", ["2026-W01"]),
        ("month", ["2025-12", "2026-01"]),
        ("quarter", ["2025-Q4", "2026-Q1"]),
        ("year", ["2025", "2026"]),
    ],
)
def test_time_is_cut_by_the_calendar_and_a_week_belongs_to_the_year_of_its_thursday(granularity, labels):
    assert [each.label for each in periods(on("2025-12-30"), on("2026-01-03"), granularity)] == labels


def test_the_first_and_the_last_period_may_be_cut_off():
    first, middle, last = periods(on("2026-01-20"), on("2026-03-05"), "month")

    assert (first.first, first.last) == (on("2026-01-20"), on("2026-02-01"))
    assert (middle.first, middle.last) == (on("2026-02-01"), on("2026-03-01"))
    assert (last.first, last.last) == (on("2026-03-01"), on("2026-03-05"))


@given(DAYS, st.integers(1, 1500), GRANULARITIES)
def test_periods_follow_each_other_without_gaps_and_end_where_time_ends(first, days, granularity):
    cut = periods(first, first + timedelta(days), granularity)

    assert cut[0].first == first
    assert cut[-1].last == first + timedelta(days)
    assert all(one.last == other.first for one, other in pairwise(cut))
    assert len({each.label for each in cut}) == len(cut)


@pytest.mark.parametrize(
    ("first", "last", "granularity", "was"),
    [
        ("2026-03-01", "2026-04-01", "month", ("2026-02-01", "2026-03-01")),
        ("2026-01-01", "2027-01-01", "month", ("2025-01-01", "2026-01-01")),
        ("2026-04-01", "2026-07-01", "quarter", ("2026-01-01", "2026-04-01")),
        ("2026-03-01", "2026-03-15", "month", ("2026-02-15", "2026-03-01")),
        ("2026-03-02", "2026-03-09", "week", ("2026-02-23", "2026-03-02")),
        ("2026-03-01", "2026-04-01", "day", ("2026-01-29", "2026-03-01")),
    ],
)
def test_the_time_before_is_as_many_days_or_as_many_whole_months(first, last, granularity, was):
    assert previous(on(first), on(last), granularity) == (on(was[0]), on(was[1]))
