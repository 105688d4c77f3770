from datetime import UTC, date, datetime

import pytest

from loyalty.core.errors import InvalidRequest
from loyalty.kpis.asking import before, local_day
from loyalty.kpis.reports.participation import REPORT
from tests.kpis.life import a_program, asked_of, on


def test_without_days_it_is_the_last_twelve_months_up_to_and_with_today():
    asked = asked_of(REPORT)

    assert (asked.first, asked.last) == (on("2025-08-01"), on("2026-07-02"))
    assert len(asked.periods) == 12


def test_today_is_what_it_is_in_the_zone_of_the_program():
    asked = asked_of(REPORT, a_program(time_zone="Pacific/Kiritimati"))

    assert asked.last == on("2026-07-03")


@pytest.mark.parametrize(
    ("instant", "starts", "ends"),
    [
        ("2026-03-01T00:00:00+01:00", "2026-03-01", "2026-03-01"),
        ("2026-02-28T23:30:00+00:00", "2026-03-01", "2026-03-02"),
        ("2026-03-01T00:00:01+01:00", "2026-03-01", "2026-03-02"),
    ],
)
def test_an_instant_is_the_day_it_lies_in_and_what_ends_within_a_day_ends_with_it(instant, starts, ends):
    moment = datetime.fromisoformat(instant).astimezone(UTC)

    assert local_day(moment, "Europe/Warsaw") == on(starts)
    assert local_day(moment, "Europe/Warsaw", ends=True) == on(ends)


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"first": "2026-03-01", "last": "2026-03-01"}, "to"),
        ({"first": "2026-03-02", "last": "2026-03-01"}, "to"),
        ({"first": "2000-01-01", "last": "2026-03-01"}, "from"),
        ({"first": "2020-01-01", "last": "2026-03-01", "granularity": "day"}, "granularity"),
        ({"tier": "gold", "channel": "web"}, "channel"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(wanted, pointer):
    with pytest.raises(InvalidRequest) as refused:
        asked_of(REPORT, **wanted)

    assert [error["pointer"] for error in refused.value.facts["errors"]] == [pointer]


def test_the_time_before_is_asked_the_same():
    earlier = before(asked_of(REPORT, first="2026-03-01", last="2026-04-01", tier="gold", granularity="week"))

    assert (earlier.first, earlier.last) == (date(2026, 1, 29), on("2026-03-01"))
    assert earlier.filters == {"tier": "gold"}
    assert earlier.periods[0].label == "2026-W05"
