"""What the calendar says of windows, periods, validity and grace."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.core.calendar import add_months
from loyalty.tiers import terms
from loyalty.tiers.domain import Window
from tests.tiers.lives import a_grace, a_ladder, a_window, day

A_DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("window", "on", "begin"),
    [
        ("lifetime", "2025-06-15", "0001-01-01"),
        ("12 months", "2025-06-15", "2024-06-15"),
        ("12 months", "2024-02-29", "2023-03-01"),  # 28 Feb 2023 counted through 28 Feb 2024
        ("12 months", "2025-02-28", "2024-02-28"),  # so did 29 Feb 2024
        ("12 months", "2025-03-01", "2024-03-01"),
        ("1 months", "2025-02-28", "2025-01-28"),  # 28, 29, 30 and 31 Jan all count through 28 Feb
        ("1 months", "2025-03-01", "2025-02-01"),
        ("1 months", "2025-03-31", "2025-03-01"),  # 28 Feb counted through 28 March
        ("1 months", "2025-03-28", "2025-02-28"),
        ("1 months", "2024-02-29", "2024-01-29"),
        ("30 days", "2025-03-31", "2025-03-01"),
        ("1 days", "2025-10-27", "2025-10-26"),
        ("1 months 10 days", "2025-03-10", "2025-01-28"),  # through 28 Feb, and ten days
        ("1 months 10 days", "2025-03-11", "2025-02-01"),
        ("calendar_year", "2025-12-31", "2025-01-01"),
        ("calendar_year", "2026-01-01", "2026-01-01"),
        ("calendar_quarter", "2025-03-31", "2025-01-01"),
        ("calendar_quarter", "2025-04-01", "2025-04-01"),
        ("calendar_quarter", "2025-12-31", "2025-10-01"),
        ("membership_year", "2025-02-27", "2024-02-29"),
        ("membership_year", "2025-02-28", "2025-02-28"),
        ("membership_year", "2028-02-28", "2027-02-28"),
        ("membership_year", "2028-02-29", "2028-02-29"),
        ("membership_year", "2023-06-01", "2023-02-28"),  # before the enrolment
    ],
)
def test_a_window_begins(window: str, on: str, begin: str):
    assert terms.window_begin(a_window(window), day(on), day("2024-02-29")) == day(begin)


@pytest.mark.parametrize(
    ("window", "on", "begin", "end"),
    [
        ("lifetime", "2025-06-15", "2025-01-01", "2026-01-01"),
        ("12 months", "2024-12-31", "2024-01-01", "2025-01-01"),
        ("calendar_quarter", "2025-02-15", "2025-01-01", "2025-04-01"),
        ("calendar_quarter", "2025-06-30", "2025-04-01", "2025-07-01"),
        ("calendar_quarter", "2025-09-30", "2025-07-01", "2025-10-01"),
        ("calendar_quarter", "2025-10-01", "2025-10-01", "2026-01-01"),
        ("membership_year", "2024-02-29", "2024-02-29", "2025-02-28"),
        ("membership_year", "2027-02-28", "2027-02-28", "2028-02-29"),
        ("membership_year", "2028-02-29", "2028-02-29", "2029-02-28"),
    ],
)
def test_a_period_is_half_open(window: str, on: str, begin: str, end: str):
    assert terms.period_of(a_window(window), day(on), day("2024-02-29")) == (day(begin), day(end))


@pytest.mark.parametrize(
    ("window", "validity", "reached", "end"),
    [
        ("12 months", "forever", "2025-01-10", None),
        ("12 months", "1 months", "2025-01-31", "2025-03-01"),
        ("12 months", "1 months", "2024-01-31", "2024-03-01"),
        ("12 months", "12 months", "2024-02-29", "2025-03-01"),
        ("12 months", "48 months", "2024-02-29", "2028-03-01"),
        ("12 months", "12 months", "2025-02-28", "2026-03-01"),
        ("12 months", "end_of_period", "2025-12-31", "2026-01-01"),
        ("calendar_year", "end_of_next_period", "2025-01-01", "2027-01-01"),
        ("calendar_quarter", "end_of_period", "2025-09-30", "2025-10-01"),
        ("calendar_quarter", "end_of_next_period", "2025-10-01", "2026-04-01"),
        ("membership_year", "end_of_period", "2025-02-27", "2025-02-28"),
        ("membership_year", "end_of_next_period", "2027-02-27", "2028-02-29"),
    ],
)
def test_a_tier_is_valid_to(window: str, validity: str, reached: str, end: str | None):
    found = terms.valid_to(a_ladder(window, validity), day(reached), day("2024-02-29"))

    assert found == (day(end) if end else None)


@pytest.mark.parametrize("validity", ["forever", "end_of_period", "end_of_next_period", "1 months"])
def test_what_is_never_lost_is_valid_without_end(validity: str):
    assert terms.valid_to(a_ladder("12 months", validity, "none"), day("2025-01-10"), day("2024-02-29")) is None


@pytest.mark.parametrize(
    ("grace", "end", "held"),
    [
        ("", "2026-01-11", "2026-01-11"),
        ("1 days", "2024-02-29", "2024-03-01"),
        ("1 days", "2025-02-28", "2025-03-01"),
        ("30 days", "2026-01-11", "2026-02-10"),
        ("0 days to month", "2026-02-01", "2026-02-01"),
        ("0 days to month", "2026-02-02", "2026-03-01"),
        ("28 days to month", "2024-02-01", "2024-03-01"),
        ("29 days to month", "2024-02-01", "2024-03-01"),
        ("29 days to month", "2025-02-01", "2025-04-01"),
        ("10 days to month", "2025-12-25", "2026-02-01"),
    ],
)
def test_a_tier_is_held_to(grace: str, end: str, held: str):
    assert terms.held_to(a_grace(grace), day(end)) == day(held)


@pytest.mark.parametrize(
    ("window", "validity", "ended", "reached", "after", "end"),
    [
        ("12 months", "1 months", "2025-03-01", "2025-01-31", "2025-03-01", "2025-04-01"),
        ("12 months", "1 months", "2025-04-01", "2025-01-31", "2025-04-01", "2025-05-01"),
        ("12 months", "12 months", "2027-03-01", "2024-02-29", "2027-03-01", "2028-03-01"),
        ("12 months", "1 months", "2025-02-11", "2025-01-10", "2025-05-20", "2025-06-11"),
        ("calendar_year", "end_of_period", "2026-01-01", "2025-05-01", "2026-01-31", "2027-01-01"),
        ("calendar_year", "end_of_next_period", "2026-01-01", "2024-05-01", "2026-01-31", "2027-01-01"),
        ("calendar_quarter", "end_of_period", "2025-04-01", "2025-02-01", "2025-07-01", "2025-10-01"),
        ("membership_year", "end_of_period", "2028-02-29", "2027-03-01", "2028-02-29", "2029-02-28"),
        ("calendar_year", "end_of_period", "2025-08-17", "2025-05-01", "2025-08-17", "2026-01-01"),
    ],
)
def test_a_tier_that_was_kept_is_renewed_to(window: str, validity: str, ended: str, reached: str, after: str, end: str):
    ladder, enrolled_on = a_ladder(window, validity), day("2024-02-29")

    assert terms.renewed_to(ladder, day(ended), day(reached), enrolled_on, after=day(after)) == day(end)


@pytest.mark.parametrize(
    ("window", "validity", "end", "begin"),
    [
        ("12 months", "12 months", "2026-01-11", "2025-01-11"),
        ("calendar_year", "end_of_period", "2026-01-01", "2026-01-01"),  # each year by itself
        ("calendar_year", "end_of_next_period", "2026-01-01", "2025-01-01"),
        ("calendar_year", "2 months", "2026-01-01", "2025-01-01"),
        ("calendar_year", "2 months", "2026-01-02", "2026-01-01"),
        ("calendar_quarter", "end_of_next_period", "2025-07-01", "2025-04-01"),
        ("membership_year", "end_of_next_period", "2028-02-29", "2027-02-28"),
    ],
)
def test_what_keeps_a_tier_counts_from(window: str, validity: str, end: str, begin: str):
    assert terms.keep_begin(a_ladder(window, validity), day(end), day("2024-02-29")) == day(begin)


@pytest.mark.parametrize(
    ("zone", "on", "begin"),
    [
        ("Europe/Warsaw", "2025-03-30", "2025-03-29T23:00"),
        ("Europe/Warsaw", "2025-03-31", "2025-03-30T22:00"),  # a day of 23 hours later
        ("Europe/Warsaw", "2025-10-26", "2025-10-25T22:00"),
        ("Europe/Warsaw", "2025-10-27", "2025-10-26T23:00"),  # a day of 25 hours later
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00"),  # there was no such day: it begins with the next
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00"),
        ("America/Sao_Paulo", "2018-11-03", "2018-11-03T03:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00"),  # at one o'clock
        ("America/Sao_Paulo", "2018-11-05", "2018-11-05T02:00"),
        ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00"),  # after an hour that came twice
    ],
)
def test_a_day_begins_at(zone: str, on: str, begin: str):
    assert terms.instant(day(on), zone) == datetime.fromisoformat(begin).replace(tzinfo=UTC)


days = st.dates(date(2000, 1, 1), date(2040, 1, 1))
rolling = st.builds(Window, st.just("rolling"), st.integers(0, 36), st.integers(0, 400))


@given(rolling, days)
def test_a_rolling_window_holds_exactly_the_days_that_still_count(window: Window, on: date):
    begin = terms._rolling_begin(window, on)

    def counts_through(bought: date) -> date:
        return add_months(bought, window.months) + timedelta(days=window.days)

    assert all(counts_through(begin + n * A_DAY) >= on for n in range(min(40, (on - begin).days + 1)))
    assert all(counts_through(begin - n * A_DAY) < on for n in range(1, 40))


@given(rolling, days, st.integers(0, 500))
def test_a_rolling_window_never_moves_back(window: Window, on: date, later: int):
    assert terms._rolling_begin(window, on) <= terms._rolling_begin(window, on + timedelta(days=later))


windows = rolling | st.sampled_from(["calendar_year", "calendar_quarter", "membership_year"]).map(Window)


@given(windows, days, days)
def test_periods_follow_each_other_without_a_gap(window: Window, on: date, enrolled_on: date):
    begin, end = terms.period_of(window, on, enrolled_on)

    assert begin <= on < end
    assert terms.period_of(window, end, enrolled_on)[0] == end
    assert terms.period_of(window, begin, enrolled_on) == terms.period_of(window, end - A_DAY, enrolled_on)


validities = st.sampled_from(["end_of_period", "end_of_next_period", "1 months", "7 months", "12 months"])


@given(windows, validities, days, days, st.integers(0, 400))
def test_what_is_renewed_is_valid_for_longer_and_a_tier_reached_later_never_for_less(
    window: Window, validity: str, reached_on: date, enrolled_on: date, later: int
):
    ladder = replace(a_ladder("lifetime", validity), window=window)
    end = terms.valid_to(ladder, reached_on, enrolled_on)
    assert end is not None
    after = end + timedelta(days=later)

    renewed = terms.renewed_to(ladder, end, reached_on, enrolled_on, after=after)
    again = terms.valid_to(ladder, reached_on + timedelta(days=later), enrolled_on)

    assert renewed is not None
    assert again is not None
    assert renewed > after
    assert again >= end
