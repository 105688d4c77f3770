"""Points that wait for an event, points that lapse by inactivity, and terms as a lot carries them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core import calendar
from loyalty.programs.terms import Activation, Dates, Expiry, dates_of, expiry_from
from tests.builders import NOW
from tests.programs.test_domain import WARSAW, at, dated, delays, instants, rolling, zones

idle = st.builds(Expiry, st.just("inactivity"), st.integers(0, 800), st.integers(1, 60), st.integers(0, 5)) | st.builds(
    Expiry, st.just("inactivity"), st.integers(1, 800)
)
any_expiry = st.just(Expiry()) | rolling | dated | idle


# Waiting for an event


@pytest.mark.parametrize(
    ("earned", "days", "too_late"),
    [
        ("2026-03-01T12:00", 14, "2026-03-16T00:00"),  # to the end of the fourteenth day
        ("2026-03-01T00:00", 1, "2026-03-03T00:00"),
        ("2026-03-01T23:59", 1, "2026-03-03T00:00"),
        ("2028-02-28T12:00", 1, "2028-03-01T00:00"),  # 29 February counts
        ("2026-03-28T12:00", 1, "2026-03-30T00:00"),  # the deadline is the end of a day of 23 hours
        ("2026-10-24T12:00", 1, "2026-10-26T00:00"),  # and here of one of 25
    ],
)
def test_an_event_may_come_until_the_end_of_the_last_day_in_the_zone(earned: str, days: int, too_late: str):
    activation = Activation("on_event", deadline_days=days)

    assert activation.deadline_at(at(earned, WARSAW), WARSAW) == at(too_late, WARSAW)


@pytest.mark.parametrize("activation", [Activation(), Activation("delay", days=3), Activation("on_event")])
def test_where_no_event_is_waited_for_or_it_may_come_any_time_there_is_no_deadline(activation: Activation):
    assert activation.deadline_at(NOW, WARSAW) is None


def test_points_that_wait_for_an_event_do_not_mature_by_themselves():
    assert Activation("on_event", deadline_days=60).matures_at(NOW, WARSAW) is None


@settings(deadline=None)
@given(st.integers(1, 400), instants, zones)
def test_a_deadline_lies_at_a_midnight_after_points_were_earned(days: int, earned: datetime, zone: str):
    too_late = Activation("on_event", deadline_days=days).deadline_at(earned, zone)

    assert too_late is not None
    assert too_late > earned
    assert too_late == calendar.midnight(calendar.local_date(too_late, zone), zone)


# Inactivity


@pytest.mark.parametrize(
    ("stirred", "expiry", "gone"),
    [
        ("2026-03-01T10:00", Expiry("inactivity", days=30), "2026-04-01T00:00"),
        ("2026-01-31T10:00", Expiry("inactivity", months=1), "2026-03-01T00:00"),
        ("2028-01-31T10:00", Expiry("inactivity", months=1), "2028-03-01T00:00"),
        ("2024-02-29T10:00", Expiry("inactivity", years=1), "2025-03-01T00:00"),
        ("2026-03-28T23:30", Expiry("inactivity", days=1), "2026-03-30T00:00"),
        ("2026-10-24T23:30", Expiry("inactivity", days=1), "2026-10-26T00:00"),
    ],
)
def test_idle_points_lapse_at_the_midnight_after_the_last_day_of_the_term(stirred: str, expiry: Expiry, gone: str):
    assert expiry.expires_at(at(stirred, WARSAW), WARSAW) == at(gone, WARSAW)


@settings(deadline=None)
@given(idle, instants, instants, zones)
def test_a_later_activity_never_brings_the_date_forward(expiry: Expiry, one: datetime, other: datetime, zone: str):
    earlier, later = sorted((one, other))
    before, after = expiry.expires_at(earlier, zone), expiry.expires_at(later, zone)

    assert before is not None
    assert after is not None
    assert earlier < before <= after


# The terms that a lot carries


@pytest.mark.parametrize(
    ("expiry", "code"),
    [
        (Expiry(), "never"),
        (Expiry("rolling", months=12), "rolling 12m"),
        (Expiry("rolling", 1, 2, 3, "half_year"), "rolling 3y2m1d/half_year"),
        (Expiry("inactivity", days=90), "inactivity 90d"),
        (Expiry("calendar", dates=("02-29", "12-31")), "calendar 02-29,12-31"),
    ],
)
def test_terms_are_one_short_text(expiry: Expiry, code: str):
    assert expiry.code() == code
    assert expiry_from(code) == expiry


@given(any_expiry)
def test_terms_are_read_back_as_they_were_written(expiry: Expiry):
    assert expiry_from(expiry.code()) == expiry


# The dates of a lot


ROLLING = Expiry("rolling", months=1)


def test_points_available_at_once_have_their_expiry():
    assert dates_of(Activation(), ROLLING, NOW, "UTC") == Dates(expires_at=datetime(2026, 4, 2, tzinfo=UTC))


def test_the_expiry_of_delayed_points_runs_from_their_maturity():
    matures_at = datetime(2026, 3, 15, 12, tzinfo=UTC)

    dates = dates_of(Activation("delay", days=14), ROLLING, NOW, "UTC")

    assert dates == Dates(pending=True, matures_at=matures_at, expires_at=datetime(2026, 4, 16, tzinfo=UTC))


@pytest.mark.parametrize("expiry", [ROLLING, Expiry(), Expiry("inactivity", days=90)])
def test_points_that_wait_for_an_event_keep_the_terms_of_their_expiry(expiry: Expiry):
    dates = dates_of(Activation("on_event", deadline_days=1), expiry, NOW, "UTC")

    assert dates == Dates(pending=True, deadline_at=datetime(2026, 3, 3, tzinfo=UTC), expiry=expiry.code())


def test_points_that_lapse_by_inactivity_keep_their_terms():
    expiry = Expiry("inactivity", days=90)

    assert dates_of(Activation(), expiry, NOW, "UTC") == Dates(expiry="inactivity 90d")
    delayed = dates_of(Activation("delay", days=14), expiry, NOW, "UTC")
    assert delayed == Dates(pending=True, matures_at=datetime(2026, 3, 15, 12, tzinfo=UTC), expiry="inactivity 90d")


@settings(deadline=None)
@given(delays, rolling | dated, instants, zones)
def test_points_never_lapse_before_they_mature(activation: Activation, expiry: Expiry, earned: datetime, zone: str):
    dates = dates_of(activation, expiry, earned, zone)

    assert dates.matures_at is not None
    assert dates.expires_at is not None
    assert earned < dates.matures_at < dates.expires_at


LATER = datetime(2026, 3, 10, tzinfo=UTC)
BEFORE = LATER.replace(day=9)


@pytest.mark.parametrize(
    ("dates", "before", "then"),
    [
        (Dates(), (False, False), (False, False)),
        (Dates(expires_at=LATER), (False, False), (False, True)),
        (Dates(pending=True, matures_at=LATER), (True, False), (False, False)),
        (Dates(pending=True, matures_at=LATER, expires_at=LATER), (True, False), (False, True)),
        (Dates(pending=True, deadline_at=LATER), (True, False), (False, True)),
        (Dates(pending=True), (True, False), (True, False)),
        (Dates(expiry="inactivity 90d"), (False, False), (False, False)),
    ],
)
def test_dates_say_whether_points_wait_and_whether_they_are_gone(
    dates: Dates, before: tuple[bool, bool], then: tuple[bool, bool]
):
    assert (dates.waits(BEFORE), dates.lapsed(BEFORE)) == before
    assert (dates.waits(LATER), dates.lapsed(LATER)) == then


def test_the_day_of_the_zone_counts_for_every_date():
    # 23:30 in London is 00:30 of the next day in Warsaw.
    instant = datetime(2026, 1, 25, 23, 30, tzinfo=ZoneInfo("Europe/London"))
    on_event = Activation("on_event", deadline_days=1)

    assert on_event.deadline_at(instant, "Europe/London") == at("2026-01-27T00:00", "Europe/London")
    assert on_event.deadline_at(instant, WARSAW) == at("2026-01-28T00:00", WARSAW)
