"""The worked cases that the program promises about points, as a shop sees them.

What an order earns is worked in tests/earning/test_domain.py; returns (earned 150 and spent 100; 17 and 43 of 60; a
rule that changed) in tests/orders/test_returns.py; an order posted six times at once in
tests/orders/test_concurrency.py; two redemptions of the same points at once in tests/rewards/test_concurrency.py.
"""

from datetime import datetime, timedelta

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW, reward_json
from tests.clocks import it_is
from tests.shop import adjust, buckets, buy, lots, refused, story

AT_ONCE, NEVER = {"mode": "immediate"}, {"mode": "never"}


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    api.enrol("c-42")


def until(api: Api, last_day: str) -> None:
    """From now on, points live to the end of a day (MM-DD)."""
    shop.configure_units(api, points=(AT_ONCE, {"mode": "calendar", "dates": [last_day]}))


def test_what_lapses_in_january_is_spent_before_what_lapses_in_june_whatever_came_first(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    it_is(monkeypatch, datetime.fromisoformat("2026-06-15T12:00:00Z"))
    until(api, "05-31")
    adjust(api, 100)
    until(api, "12-31")
    adjust(api, 100)

    shop.pay(api, 100)

    assert lots(api) == [(100, "2027-06-01T00:00:00Z")]


def test_fifty_less_a_return_of_eighty_plus_a_hundred_are_seventy_in_one_lot(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    buy(api, "A-1", amount=8000)
    shop.pay(api, 80)
    adjust(api, 50)

    returned = shop.give_back(api, "A-1", {"1": 1})
    assert returned.json["points"] == shop.told(reversed=50, debt=30)
    assert buckets(api) == {"debt": 30}
    buy(api, "A-2")

    assert buckets(api) == {"available": 70}
    assert [remaining for remaining, _ in lots(api)] == [70]
    assert story(api)[-2:] == [("earn", 100), ("debt_paid", -30)]


def test_eighty_cannot_be_redeemed_with_fifty(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    api.put("/v1/admin/rewards/kettle", reward_json(points=80))
    adjust(api, 50)

    answer = api.post("/v1/members/c-42/redemptions", {"reward": "kettle", "redemption_id": "r-1"})

    assert refused(answer) == (422, "insufficient-points")
    assert (answer.json["required"], answer.json["available"], answer.json["missing"]) == (80, 50, 30)
    assert buckets(api) == {"available": 50}


def test_when_a_lot_lapses_of_which_eighty_were_spent_only_the_rest_of_it_is_gone(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    until(api, "03-31")
    adjust(api, 100)
    shop.pay(api, 80)
    shop.configure_units(api, points=(AT_ONCE, NEVER))
    adjust(api, 50)
    it_is(monkeypatch, NOW + 60 * shop.A_DAY)

    assert buckets(api) == {"available": 50}
    assert story(api)[-1] == ("expire", -20)


@pytest.mark.parametrize(
    ("earned_at", "expiry", "gone_at"),
    [
        ("2026-01-25T10:00:00Z", {"months": 1}, "2026-02-26T00:00:00Z"),
        ("2026-01-31T10:00:00Z", {"months": 1}, "2026-03-01T00:00:00Z"),
        ("2028-01-31T10:00:00Z", {"months": 1}, "2028-03-01T00:00:00Z"),
        ("2020-07-06T10:00:00Z", {"months": 12, "round_to": "month"}, "2021-08-01T00:00:00Z"),
    ],
)
def test_a_month_is_a_month_of_the_calendar_and_points_last_to_the_end_of_its_last_day(
    api: Api, monkeypatch: pytest.MonkeyPatch, earned_at: str, expiry: dict[str, object], gone_at: str
):
    shop.configure_units(api, points=(AT_ONCE, {"mode": "rolling", **expiry}))
    it_is(monkeypatch, datetime.fromisoformat(earned_at))
    receipt = buy(api, "A-1", placed_at=earned_at)
    gone = datetime.fromisoformat(gone_at)

    assert receipt.json["awards"][0]["expires_at"] == gone_at
    it_is(monkeypatch, gone - timedelta(microseconds=1))
    assert buckets(api) == {"available": 100}
    assert shop.hold(api, "h-1", 1, hold_seconds=1).status_code == 201
    shop.release(api, "h-1")
    it_is(monkeypatch, gone)
    assert buckets(api) == {}
    assert refused(shop.hold(api, "h-2", 1)) == (422, "insufficient-points")


def test_of_123_on_hold_100_are_captured_and_23_released(api: Api):
    adjust(api, 123)
    shop.hold(api, "h-1", 123)

    answer = shop.capture(api, "h-1", points=100)

    assert answer.json["balance"] == {"available": 23, "pending": 0, "held": 0, "debt": 0}
    assert story(api)[-2:] == [("redeem", -100), ("release", 23)]


def test_with_a_hundred_of_which_seventy_are_spent_fifty_cannot_be_held(api: Api):
    adjust(api, 100)
    shop.pay(api, 70)

    answer = shop.hold(api, "h-1", 50)

    assert refused(answer) == (422, "insufficient-points")
    assert (answer.json["available"], answer.json["missing"]) == (30, 20)
