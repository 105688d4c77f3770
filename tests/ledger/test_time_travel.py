"""What a member held, was thought to hold, and will hold, over HTTP, against a replay of the whole history."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.shop import adjust, at, buckets, buy, give_back, in_days, pointers, refused

NEVER, AT_ONCE = {"mode": "never"}, {"mode": "immediate"}
DELAY = {"mode": "delay", "days": 2}
BUCKETS = ("available", "pending", "held", "debt")


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member whose points mature after two days and live for ten more."""
    it_is(monkeypatch, NOW)
    api.enrol("c-42")
    shop.configure_units(api, points=(DELAY, {"mode": "rolling", "days": 10}))


def balance(api: Api, **query: str) -> dict[str, Any]:
    answer = api.get("/v1/members/c-42/balance", query_string=query)
    assert answer.status_code == 200, answer.json
    return answer.json


# The past


def test_a_balance_of_the_past_is_as_it_was(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1")
    it_is(monkeypatch, NOW + 3 * shop.A_DAY)
    shop.pay(api, 30)
    it_is(monkeypatch, NOW + 20 * shop.A_DAY)
    adjust(api, 5)

    seen = {day: buckets(api, as_of=in_days(day)) for day in (-1, 0, 1.99, 2, 2.99, 3, 11, 13, 20)}

    assert seen == {
        -1: {},
        0: {"pending": 100},
        1.99: {"pending": 100},
        2: {"available": 100},
        2.99: {"available": 100},
        3: {"available": 70},
        11: {"available": 70},
        13: {},
        20: {"available": 5},
    }
    assert balance(api, as_of=in_days(1))["as_of"] == in_days(1)


def test_the_past_is_the_same_whether_or_not_anybody_wrote_it_down(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1")
    it_is(monkeypatch, NOW + 30 * shop.A_DAY)
    days = [0, 1, 2, 5, 12, 12.5, 13, 29]

    before = [balance(api, as_of=in_days(day)) for day in days]
    adjust(api, 5)

    assert [balance(api, as_of=in_days(day)) for day in days] == before


def test_a_balance_of_the_past_says_what_was_to_mature_and_to_lapse(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1")
    it_is(monkeypatch, NOW + shop.A_DAY)
    buy(api, "A-2", amount=5000, placed_at=in_days(1))
    it_is(monkeypatch, NOW + 4 * shop.A_DAY)
    shop.pay(api, 30)
    it_is(monkeypatch, NOW + 40 * shop.A_DAY)
    adjust(api, 1)

    first, third, fifth = (balance(api, as_of=in_days(day)) for day in (1, 2.5, 5))

    soon = [{"points": 100, "at": in_days(2)}, {"points": 50, "at": in_days(3)}]
    late = [{"points": 100, "at": "2026-03-14T00:00:00Z"}, {"points": 50, "at": "2026-03-15T00:00:00Z"}]
    assert (first["maturing"], first["expiring"]) == (soon, late)
    assert (third["maturing"], third["expiring"]) == (soon[1:], late)
    assert (fifth["maturing"], fifth["expiring"]) == ([], [{**late[0], "points": 70}, late[1]])


def test_when_a_confirmation_would_come_was_not_known_before_it_came(api: Api, monkeypatch: pytest.MonkeyPatch):
    shop.configure_units(api, points=({"mode": "on_event"}, {"mode": "rolling", "days": 10}))
    buy(api, "A-1")
    before = balance(api, as_of=in_days(0))
    it_is(monkeypatch, NOW + 5 * shop.A_DAY)
    shop.confirm(api, "A-1", confirmed_at=in_days(3))

    assert (before["pending"], before["maturing"], before["expiring"]) == (100, [], [])
    assert balance(api, as_of=in_days(0)) == before
    assert balance(api, as_of=in_days(4), known_at=in_days(4))["expiring"] == []
    assert balance(api, as_of=in_days(4))["expiring"] == [{"points": 100, "at": "2026-03-15T00:00:00Z"}]


def test_points_on_hold_were_on_hold(api: Api, monkeypatch: pytest.MonkeyPatch):
    adjust(api, 100)
    shop.hold(api, "h-1", 60, hold_seconds=3600)
    it_is(monkeypatch, NOW + 5 * shop.A_DAY)
    adjust(api, 1)

    assert buckets(api, as_of=in_days(0)) == {"available": 40, "held": 60}
    assert buckets(api, as_of=in_days(1)) == {"available": 100}


# What was known


def test_an_order_that_was_told_later_counts_from_its_date_and_was_not_known_before(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    buy(api, "A-1")
    it_is(monkeypatch, NOW + 5 * shop.A_DAY)
    buy(api, "A-2", amount=5000, placed_at=in_days(1))
    it_is(monkeypatch, NOW + 6 * shop.A_DAY)

    told_later = {
        (as_of, known_at): buckets(api, as_of=in_days(as_of), known_at=in_days(known_at))
        for as_of, known_at in [(1, 1), (1, 4.99), (1, 5), (4, 4), (4, 5), (5, 5), (6, 6)]
    }

    assert told_later == {
        (1, 1): {"pending": 100},
        (1, 4.99): {"pending": 100},
        (1, 5): {"pending": 150},
        (4, 4): {"available": 100},
        (4, 5): {"available": 150},
        (5, 5): {"available": 150},
        (6, 6): {"available": 150},
    }
    assert buckets(api, as_of=in_days(1)) == {"pending": 150}


def test_what_was_known_of_the_latest_instant_is_asked_by_known_at_alone(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1")
    it_is(monkeypatch, NOW + 5 * shop.A_DAY)
    buy(api, "A-2", placed_at=in_days(1))

    answer = balance(api, known_at=in_days(4))

    assert (answer["available"], answer["as_of"]) == (100, in_days(4))


def test_a_return_was_not_known_before_it_was_told(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1")
    it_is(monkeypatch, NOW + 5 * shop.A_DAY)
    give_back(api, "A-1", {"1": 1})

    assert buckets(api, as_of=in_days(4)) == {"available": 100}
    assert buckets(api, as_of=in_days(5)) == {}


def test_what_was_expected_at_a_time_is_not_kept(api: Api):
    buy(api, "A-1")

    answer = api.get("/v1/members/c-42/balance", query_string={"as_of": in_days(2), "known_at": in_days(1)})

    assert refused(answer) == (422, "as-of-after-known-at")
    assert "not later than known_at" in answer.json["detail"] or "must not be later" in answer.json["detail"]


@pytest.mark.parametrize("name", ["as_of", "known_at"])
@pytest.mark.parametrize("value", ["yesterday", "2026-03-01", "2026-03-01T12:00:00", "", "1969-12-31T23:59:59Z"])
def test_a_time_that_is_none_is_refused(api: Api, name: str, value: str):
    assert pointers(api.get("/v1/members/c-42/balance", query_string={name: value})) == [name]


# The future


def test_a_balance_of_the_future_is_what_will_be_if_nothing_else_happens(api: Api, monkeypatch: pytest.MonkeyPatch):
    adjust(api, 100)
    buy(api, "A-1")
    shop.hold(api, "h-1", 60, hold_seconds=3600)

    foretold = {day: balance(api, as_of=in_days(day)) for day in (0, 0.04, 0.05, 2, 10.4, 10.5, 12.4, 12.5, 5000)}

    shown = {day: {name: n for name in BUCKETS if (n := told[name])} for day, told in foretold.items()}
    assert shown == {
        0: {"available": 40, "pending": 100, "held": 60},
        0.04: {"available": 40, "pending": 100, "held": 60},
        0.05: {"available": 100, "pending": 100},
        2: {"available": 200},
        10.4: {"available": 200},
        10.5: {"available": 100},
        12.4: {"available": 100},
        12.5: {},
        5000: {},
    }
    for day, told in foretold.items():
        it_is(monkeypatch, NOW + day * shop.A_DAY)
        assert balance(api) == told


def test_the_future_says_what_is_still_to_come_then(api: Api):
    buy(api, "A-1")

    assert balance(api, as_of=in_days(1))["maturing"] == [{"points": 100, "at": in_days(2)}]
    assert balance(api, as_of=in_days(2))["maturing"] == []
    assert balance(api, as_of=in_days(3))["expiring"] == [{"points": 100, "at": "2026-03-14T00:00:00Z"}]
    assert balance(api, as_of="2026-03-14T00:00:00Z")["expiring"] == []


def test_a_debt_will_be_paid_when_points_mature(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    shop.configure_units(api, points=(AT_ONCE, NEVER))
    buy(api, "A-1")
    shop.pay(api, 100)
    give_back(api, "A-1", {"1": 1})
    shop.configure_units(api, points=(DELAY, NEVER))
    buy(api, "A-2", amount=15_000)

    assert buckets(api) == {"pending": 150, "debt": 100}
    assert buckets(api, as_of=in_days(2)) == {"available": 50}


def test_points_that_nobody_confirms_or_stirs_will_be_gone(api: Api):
    shop.configure_units(
        api,
        points=({"mode": "on_event", "deadline_days": 3}, NEVER),
        miles=(AT_ONCE, {"mode": "inactivity", "days": 5}),
    )
    shop.publish_rules(api, {"points": "1"}, {"points": "1", "unit": "miles"})
    buy(api, "A-1")

    gone = {
        day: (buckets(api, as_of=in_days(day)), buckets(api, unit="miles", as_of=in_days(day))) for day in (3, 4, 6)
    }

    assert gone == {3: ({"pending": 100}, {"available": 100}), 4: ({}, {"available": 100}), 6: ({}, {})}


# The calendar of the place


@pytest.mark.parametrize(
    ("given_at", "expiry", "gone"),
    [
        ("2026-03-28T12:00:00Z", {"days": 1}, "2026-03-29T22:00:00Z"),  # the 29th has 23 hours
        ("2026-10-24T12:00:00Z", {"days": 1}, "2026-10-25T23:00:00Z"),  # the 25th has 25
        ("2026-03-28T23:30:00Z", {"months": 1}, "2026-04-29T22:00:00Z"),  # the 29th already, in Warsaw
        ("2026-09-25T12:00:00Z", {"months": 1}, "2026-10-25T23:00:00Z"),
        ("2028-01-31T12:00:00Z", {"months": 1}, "2028-02-29T23:00:00Z"),
        ("2028-02-29T12:00:00Z", {"years": 1}, "2029-02-28T23:00:00Z"),
        ("2028-02-29T12:00:00Z", {"years": 4}, "2032-02-29T23:00:00Z"),
    ],
)
def test_points_are_there_to_the_end_of_their_last_day_and_gone_at_midnight(
    api: Api, monkeypatch: pytest.MonkeyPatch, given_at: str, expiry: dict[str, int], gone: str
):
    shop.configure(api, time_zone="Europe/Warsaw")
    shop.configure_units(api, points=(AT_ONCE, {"mode": "rolling", **expiry}))
    it_is(monkeypatch, datetime.fromisoformat(given_at))
    adjust(api, 100)
    end = datetime.fromisoformat(gone)

    assert balance(api)["expiring"] == [{"points": 100, "at": gone}]
    assert buckets(api, as_of=at(end - timedelta(microseconds=1))) == {"available": 100}
    assert buckets(api, as_of=gone) == {}
    it_is(monkeypatch, end + shop.A_DAY)
    adjust(api, 1)
    assert buckets(api, as_of=at(end - timedelta(microseconds=1))) == {"available": 100}
    assert buckets(api, as_of=gone) == {}


def test_a_delay_ends_at_the_same_time_of_day_whatever_the_clocks_did(api: Api, monkeypatch: pytest.MonkeyPatch):
    shop.configure(api, time_zone="Europe/Warsaw")
    shop.configure_units(api, points=({"mode": "delay", "days": 1}, NEVER))
    for order_id, placed_at in (("A-1", "2026-03-28T12:00:00Z"), ("A-2", "2026-10-24T12:00:00Z")):
        it_is(monkeypatch, datetime.fromisoformat(placed_at))
        buy(api, order_id, placed_at=placed_at)

    assert buckets(api, as_of="2026-03-29T10:59:59Z") == {"pending": 100}
    assert buckets(api, as_of="2026-03-29T11:00:00Z") == {"available": 100}
    assert buckets(api, as_of="2026-10-25T12:59:59Z") == {"available": 100, "pending": 100}
    assert buckets(api, as_of="2026-10-25T13:00:00Z") == {"available": 200}


# A long history


def test_a_long_history_is_read_at_any_instant_as_a_full_replay_has_it(api: Api, monkeypatch: pytest.MonkeyPatch):
    live_through(api, monkeypatch, Random(7))
    history = shop.entries(api)
    assert len(history) > 200

    steps = replayed_steps(history)
    days = sorted({entry["occurred_at"] for entry in history})
    chance = Random(11)
    asked = [*chance.sample(days, 60), days[0], days[-1], in_days(-1)]
    asked += [at(datetime.fromisoformat(day) + timedelta(microseconds=chance.choice([-1, 1]))) for day in asked[:20]]

    for instant in asked:
        expected = {name: sum(step[name] for when, step in steps if when <= instant_of(instant)) for name in BUCKETS}
        answer = balance(api, as_of=instant)
        assert {name: answer[name] for name in BUCKETS} == expected, instant
        expected_lists = [balance(api, as_of=instant)[name] for name in ("maturing", "expiring")]
        assert sum(coming["points"] for coming in expected_lists[0]) == expected["pending"], instant
        assert sum(coming["points"] for coming in expected_lists[1]) == expected["pending"] + expected["available"]


def test_what_was_shown_through_a_long_history_is_what_was_known_then(api: Api, monkeypatch: pytest.MonkeyPatch):
    shown = live_through(api, monkeypatch, Random(8))

    for told in shown:
        known = balance(api, as_of=told["as_of"], known_at=told["as_of"])
        assert {name: known[name] for name in told} == told


def live_through(api: Api, monkeypatch: pytest.MonkeyPatch, chance: Random) -> list[dict[str, Any]]:
    """A hundred and ten steps of orders, some told late, payments, returns and holds; the balances shown meanwhile."""
    shop.configure(api, returns={"policy": "debt"})
    now, placed, shown = NOW, [], []
    for number in range(110):
        now += timedelta(hours=chance.randint(1, 30))
        it_is(monkeypatch, now)
        what = chance.choice(["buy", "buy", "late", "pay", "pay", "hold", "return"])
        if what in ("buy", "late"):
            when = now - timedelta(hours=chance.randint(1, 200)) if what == "late" else now
            buy(api, f"A-{number}", amount=100 * chance.randint(1, 90), placed_at=at(when))
            placed.append(f"A-{number}")
        elif what == "return" and placed:
            give_back(api, placed.pop(chance.randrange(len(placed))), {"1": 1}, return_id=f"R-{number}")
        elif points := api.balance()["available"]:
            spend = chance.randint(1, points)
            shop.hold(api, f"h-{number}", spend, hold_seconds=chance.randint(60, 200_000))
            if what == "pay":
                shop.capture(api, f"h-{number}", points=chance.randint(1, spend))
        shown.append(balance(api))
    return shown


def replayed_steps(history: list[dict[str, Any]]) -> list[tuple[datetime, dict[str, int]]]:
    """When each entry took effect, and what it did to each bucket."""
    steps, before = [], 0
    for entry in history:
        kind, points, available = entry["kind"], entry["points"], entry["available_after"] - before
        before = entry["available_after"]
        waited = {"earn": points - available, "reverse": points - available, "mature": -points}.get(kind, 0)
        held = -points if kind in ("hold", "release") else points - available if kind == "redeem" else 0
        debt = {"debt": -points, "debt_paid": points}.get(kind, 0)
        step = {"available": available, "pending": waited, "held": held, "debt": debt}
        steps.append((instant_of(entry["occurred_at"]), step))
    return steps


def instant_of(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
