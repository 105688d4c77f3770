"""Points that were held or spent go back to the lots they came from, with their expiry; and what lapsed meanwhile."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.rewards import desk
from tests.rewards.desk import cancel, confirm, hold, offer, redeem, status
from tests.shop import adjust, buckets, buy, configure, configure_units, lots, story
from tests.shop import cancel as cancel_order

Verb = Callable[[Api], Any]
AT_ONCE = {"mode": "immediate"}
A_DAY = 24 * 60 * 60


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.mark.parametrize("steps", [[redeem], [hold], [hold, confirm]])
def test_points_go_back_to_their_lots_with_their_expiry(api: Api, steps: list[Verb], monkeypatch: pytest.MonkeyPatch):
    configure_units(api, points=(AT_ONCE, {"mode": "never"}))
    desk.enrol(api)
    configure_units(api, points=(AT_ONCE, {"mode": "rolling", "days": 10}))
    adjust(api, 20)
    offer(api, points=30)
    before = lots(api)
    assert before == [(100, None), (20, "2026-03-12T00:00:00Z")]
    for step in steps:
        step(api)
    assert lots(api) == [(90, None)]
    it_is(monkeypatch, NOW + timedelta(minutes=10))

    cancel(api)

    assert lots(api) == before


@pytest.mark.parametrize(
    ("grace", "outcome", "available"),
    [(30, {"outcome": "extended", "points": 20, "expires_at": "2026-04-12T00:00:00Z"}, 100),
     (0, {"outcome": "forfeited", "points": 20, "expires_at": None}, 80)],
)  # fmt: skip
def test_points_whose_lot_lapsed_after_they_were_spent_live_on_for_the_grace_or_are_forfeited(
    api: Api, grace: int, outcome: dict[str, Any], available: int, monkeypatch: pytest.MonkeyPatch
):
    it_is(monkeypatch, NOW)
    configure(api, returns={"grace_days": grace})
    configure_units(api, points=(AT_ONCE, {"mode": "rolling", "days": 10}))
    desk.enrol(api, points=20)
    configure_units(api, points=(AT_ONCE, {"mode": "never"}))
    adjust(api, 80)
    offer(api, points=30)
    hold(api)
    confirm(api)
    it_is(monkeypatch, NOW + timedelta(days=11))

    answer = cancel(api)

    returned = {"outcome": "returned", "points": 10, "expires_at": None}
    assert sorted(answer.json["points_returned"], key=lambda each: -each["points"]) == [outcome, returned]
    assert answer.json["balance"]["available"] == available == buckets(api)["available"]


def test_held_points_that_lapse_meanwhile_can_be_spent_until_the_hold_ends(api: Api, monkeypatch: pytest.MonkeyPatch):
    it_is(monkeypatch, NOW)
    configure_units(api, points=(AT_ONCE, {"mode": "rolling", "days": 10}))
    desk.enrol(api)
    offer(api, points=30)
    a_day = 24 * 60 * 60
    for number in range(3):
        hold(api, f"r-{number}", seconds=7 * a_day)
    it_is(monkeypatch, NOW + timedelta(days=6))
    hold(api, "late", seconds=7 * a_day)  # of the ten that are left there are too few
    assert [buckets(api), status(api, "r-0")] == [{"available": 10, "held": 90}, "held"]
    for number in range(3):
        assert cancel(api, f"r-{number}").status_code == 200
    assert hold(api, "r-3", seconds=7 * a_day).status_code == 201
    assert hold(api, "r-4", seconds=7 * a_day).status_code == 201
    it_is(monkeypatch, NOW + timedelta(days=12))

    assert confirm(api, "r-3").status_code == 200
    assert cancel(api, "r-4").json["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 0}

    assert buckets(api) == {}
    assert [kind for kind, _ in story(api)][-4:] == ["expire", "redeem", "release", "expire"]


@pytest.mark.parametrize("steps", [[redeem], [hold], [hold, confirm]])
def test_points_that_come_back_pay_what_the_member_owes(api: Api, steps: list[Verb]):
    configure(api, returns={"policy": "debt"})
    api.enrol()
    buy(api, "A-1", amount=3000)
    offer(api, points=30)
    for step in steps:
        step(api)
    cancel_order(api, "A-1")
    adjust(api, 10)
    assert buckets(api)["debt"] == 20

    assert cancel(api).json["balance"] == {"available": 10, "pending": 0, "held": 0, "debt": 0}
