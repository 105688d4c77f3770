"""When points become available and when they lapse, and settings as they are stored and read back."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.core import calendar
from loyalty.programs.domain import (
    EarnSettings,
    ExpectedRate,
    LiabilitySettings,
    PaySettings,
    Program,
    ReinstatementSettings,
    ReturnSettings,
    Stacking,
    UnitTerms,
    settings_from,
)
from loyalty.programs.terms import Activation, Expiry
from tests.builders import new_id

WARSAW = "Europe/Warsaw"

# Points are earned at instants of the last decades and the next; the zones jump at midnight, by half hours, or never.
instants = st.datetimes(datetime(2015, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from([
    "UTC", WARSAW, "America/New_York", "America/Santiago", "America/Havana", "Asia/Beirut", "Africa/Cairo",
    "Asia/Kolkata", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati", "Africa/Casablanca",
])  # fmt: skip

rounding = st.sampled_from([None, "month", "quarter", "half_year", "year"])
rolling = st.builds(
    Expiry, st.just("rolling"), st.integers(0, 800), st.integers(1, 60), st.integers(0, 5), rounding
) | st.builds(Expiry, st.just("rolling"), st.integers(1, 800), round_to=rounding)
some_dates = st.lists(
    st.sampled_from(["01-01", "02-28", "02-29", "03-31", "06-30", "10-25", "12-31"]), min_size=1, unique=True
)
dated = st.builds(lambda dates: Expiry("calendar", dates=tuple(dates)), some_dates)
delays = st.builds(Activation, st.just("delay"), st.integers(1, 400), st.integers(0, 24))


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def test_points_that_are_active_at_once_wait_for_nothing():
    assert Activation().matures_at(at("2026-03-01T12:00"), WARSAW) is None


@pytest.mark.parametrize(
    ("earned", "days", "months", "matures"),
    [
        ("2026-03-01T12:00", 14, 0, "2026-03-15T12:00"),
        ("2026-01-31T08:30", 0, 1, "2026-02-28T08:30"),
        ("2028-01-31T08:30", 0, 1, "2028-02-29T08:30"),
        ("2026-01-31T08:30", 1, 1, "2026-03-01T08:30"),  # months first, then days
        ("2026-12-31T23:59", 1, 0, "2027-01-01T23:59"),
        ("2026-03-28T12:00", 1, 0, "2026-03-29T12:00"),  # a day of 23 hours
        ("2026-10-24T12:00", 1, 0, "2026-10-25T12:00"),  # a day of 25 hours
        ("2026-03-01T12:00", 60, 0, "2026-04-30T12:00"),  # summer time has begun
        ("2026-03-28T02:30", 1, 0, "2026-03-29T03:30"),  # the clocks skip 02:30
    ],
)
def test_a_delay_keeps_the_time_of_day_on_the_wall(earned: str, days: int, months: int, matures: str):
    activation = Activation("delay", days=days, months=months)

    assert activation.matures_at(at(earned, WARSAW), WARSAW) == at(matures, WARSAW)


def test_a_delay_counts_the_days_of_the_zone_whichever_zone_the_instant_is_written_in():
    # In Warsaw it is 02:30 of 1 March already.
    matures = Activation("delay", months=1).matures_at(at("2026-02-28T20:30", "America/New_York"), WARSAW)

    assert matures == at("2026-04-01T02:30", WARSAW)


@pytest.mark.parametrize("fold", [0, 1])
def test_points_of_the_hour_that_comes_twice_mature_in_the_hour_they_were_earned(fold: int):
    earned = at("2026-10-25T02:30", WARSAW).replace(fold=fold)

    assert Activation("delay", days=1).matures_at(earned.astimezone(UTC), WARSAW) == at("2026-10-26T02:30", WARSAW)


@settings(deadline=None)
@given(delays, instants, zones)
def test_delayed_points_mature_later_than_they_were_earned(activation: Activation, earned: datetime, zone: str):
    matures = activation.matures_at(earned, zone)

    assert matures is not None
    assert matures > earned
    assert matures.tzinfo is UTC


def test_points_that_never_expire_have_no_expiry():
    assert Expiry().expires_at(at("2026-03-01T12:00"), WARSAW) is None


@pytest.mark.parametrize(
    ("available", "expiry", "gone"),
    [
        # The worked case: usable to the end of their last day, gone at 00:00 of the next.
        ("2026-01-25T10:00", Expiry("rolling", months=1), "2026-02-26T00:00"),
        ("2026-01-31T10:00", Expiry("rolling", months=1), "2026-03-01T00:00"),
        ("2028-01-31T10:00", Expiry("rolling", months=1), "2028-03-01T00:00"),
        ("2020-07-06T10:00", Expiry("rolling", months=12, round_to="month"), "2021-08-01T00:00"),
        # The length of the term.
        ("2026-03-01T10:00", Expiry("rolling", days=1), "2026-03-03T00:00"),
        ("2026-03-01T10:00", Expiry("rolling", days=30), "2026-04-01T00:00"),
        ("2026-03-01T10:00", Expiry("rolling", years=2), "2028-03-02T00:00"),
        ("2024-02-29T10:00", Expiry("rolling", years=1), "2025-03-01T00:00"),
        ("2024-02-29T10:00", Expiry("rolling", months=12), "2025-03-01T00:00"),
        ("2026-01-31T10:00", Expiry("rolling", months=1, days=1), "2026-03-02T00:00"),
        ("2026-01-31T10:00", Expiry("rolling", years=1, months=1), "2027-03-01T00:00"),
        # Rounded up to the end of a period.
        ("2026-01-31T10:00", Expiry("rolling", months=1, round_to="month"), "2026-03-01T00:00"),
        ("2026-02-01T10:00", Expiry("rolling", months=1, round_to="month"), "2026-04-01T00:00"),
        ("2026-02-01T10:00", Expiry("rolling", months=1, round_to="quarter"), "2026-04-01T00:00"),
        ("2026-03-01T10:00", Expiry("rolling", months=1, round_to="quarter"), "2026-07-01T00:00"),
        ("2026-03-01T10:00", Expiry("rolling", months=1, round_to="half_year"), "2026-07-01T00:00"),
        ("2026-07-01T10:00", Expiry("rolling", months=1, round_to="half_year"), "2027-01-01T00:00"),
        ("2026-03-01T10:00", Expiry("rolling", years=1, round_to="year"), "2028-01-01T00:00"),
        ("2026-12-31T10:00", Expiry("rolling", days=1, round_to="year"), "2028-01-01T00:00"),
        # Fixed dates: the next of them, today's still counts.
        ("2026-03-01T10:00", Expiry("calendar", dates=("12-31",)), "2027-01-01T00:00"),
        ("2026-12-31T23:59", Expiry("calendar", dates=("12-31",)), "2027-01-01T00:00"),
        ("2027-01-01T00:00", Expiry("calendar", dates=("12-31",)), "2028-01-01T00:00"),
        ("2026-07-01T10:00", Expiry("calendar", dates=("12-31", "06-30")), "2027-01-01T00:00"),
        ("2026-06-30T10:00", Expiry("calendar", dates=("12-31", "06-30")), "2026-07-01T00:00"),
        ("2026-11-01T10:00", Expiry("calendar", dates=("03-31", "06-30")), "2027-04-01T00:00"),
        ("2026-01-10T10:00", Expiry("calendar", dates=("02-29",)), "2026-03-01T00:00"),
        ("2028-01-10T10:00", Expiry("calendar", dates=("02-29",)), "2028-03-01T00:00"),
        ("2027-03-01T10:00", Expiry("calendar", dates=("02-29",)), "2028-03-01T00:00"),
    ],
)
def test_points_lapse_at_the_midnight_after_their_last_day(available: str, expiry: Expiry, gone: str):
    assert expiry.expires_at(at(available, WARSAW), WARSAW) == at(gone, WARSAW)


def test_the_last_day_is_that_of_the_zone_of_the_program():
    # 23:30 in London is 00:30 of the next day in Warsaw.
    instant = at("2026-01-25T23:30", "Europe/London")

    assert Expiry("rolling", months=1).expires_at(instant, "Europe/London") == at("2026-02-26T00:00", "Europe/London")
    assert Expiry("rolling", months=1).expires_at(instant, WARSAW) == at("2026-02-27T00:00", WARSAW)


def test_where_the_clocks_jump_over_midnight_points_lapse_with_the_jump():
    # In Santiago 6 September 2026 begins at 01:00.
    gone = Expiry("rolling", days=30).expires_at(at("2026-08-06T10:00", "America/Santiago"), "America/Santiago")

    assert gone == at("2026-09-06T01:00", "America/Santiago")


@settings(deadline=None)
@given(rolling | dated, instants, zones)
def test_points_lapse_later_than_they_became_available_and_at_a_midnight(
    expiry: Expiry, available: datetime, zone: str
):
    gone = expiry.expires_at(available, zone)

    assert gone is not None
    assert gone > available
    assert gone.tzinfo is UTC
    assert gone == calendar.midnight(calendar.local_date(gone, zone), zone)


@settings(deadline=None)
@given(rolling, instants, zones)
def test_rounding_never_shortens_a_term_and_lengthens_it_by_less_than_the_period(
    expiry: Expiry, available: datetime, zone: str
):
    rounded = expiry.expires_at(available, zone)
    exact = Expiry("rolling", expiry.days, expiry.months, expiry.years).expires_at(available, zone)

    assert rounded is not None
    assert exact is not None
    months = calendar.MONTHS_IN.get(expiry.round_to, 0) if expiry.round_to else 0
    assert exact <= rounded <= exact + timedelta(days=31 * months)


@settings(deadline=None)
@given(dated, instants, zones)
def test_dated_points_lapse_after_a_listed_date_and_live_through_none_before_it(
    expiry: Expiry, available: datetime, zone: str
):
    gone = expiry.expires_at(available, zone)

    assert gone is not None
    last = calendar.local_date(gone - timedelta(microseconds=1), zone)
    listed = {calendar.day_in_year(year, d) for year in range(available.year - 1, last.year + 1) for d in expiry.dates}
    assert last in listed
    assert not [day for day in listed if calendar.local_date(available, zone) <= day < last]


def test_a_program_without_settings_has_those_of_a_new_one():
    assert settings_from({}) == {}

    program = a_stored_program({})

    assert (program.rounding, program.auto_enrol, program.holdout_percent) == ("floor", False, 0)
    assert program.earn == EarnSettings("included", shipping=False, points_paid=False)
    assert program.stacking == Stacking("sum", "product")
    assert program.returns == ReturnSettings("clamp", 30)
    assert program.pay == PaySettings(1, 1, 0, 100, 1)
    assert program.units == {"points": UnitTerms(Activation("immediate"), Expiry("rolling", months=12))}


def test_settings_read_back_are_those_that_were_stored():
    chosen = {
        "auto_enrol": True,
        "rounding": "ceil",
        "holdout_percent": 5,
        "earn": EarnSettings("excluded", shipping=True, points_paid=True),
        "stacking": Stacking("best", "best"),
        "returns": ReturnSettings("debt", 7, 500),
        "reinstatement": ReinstatementSettings(7, 14),
        "pay": PaySettings(10, 3, 500, 50, 100),
        "liability": LiabilitySettings("0.008", (ExpectedRate("2026-01-01", "0.95", "Agreed with the auditors"),)),
        "units": {
            "points": UnitTerms(Activation("delay", 14, 1), Expiry("rolling", 1, 2, 3, "quarter")),
            "miles": UnitTerms(Activation(), Expiry("calendar", dates=("02-29", "12-31"))),
            "stars": UnitTerms(Activation("on_event", deadline_days=60), Expiry("inactivity", months=12)),
        },
    }

    stored = orjson.loads(orjson.dumps({name: plain(value) for name, value in chosen.items()}))

    assert settings_from(stored) == chosen


def test_settings_that_a_stored_document_leaves_out_are_those_of_a_new_program():
    program = a_stored_program({"earn": {"shipping": True}, "pay": {"points": 100}})

    assert program.earn == EarnSettings(shipping=True)
    assert program.pay == PaySettings(points=100)


def a_stored_program(stored: dict) -> Program:
    named = {"code": "p", "name": "P", "currency": "EUR", "time_zone": "UTC", "locale": "en", "sandbox": False}
    return Program(program_id=new_id(), version=1, config_version=1, **named, **settings_from(stored))


def plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value
