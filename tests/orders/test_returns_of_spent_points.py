"""Points spent on an order go back to the lots they came from; if a lot lapsed meanwhile, the receipt says so."""

from datetime import timedelta

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.shop import a_line, buckets, buy, give_back, lots, story, told

JUNE, JULY = "2026-06-01T00:00:00Z", "2026-07-01T00:00:00Z"


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member with 100 points to the end of May, and 100 to the end of June; orders earn nothing."""
    it_is(monkeypatch, NOW)
    api.enrol("c-42")
    shop.publish_rules(api)
    for dates in (["05-31"], ["06-30"]):
        shop.configure_units(api, points=({"mode": "immediate"}, {"mode": "calendar", "dates": dates}))
        shop.adjust(api, 100)


def test_points_go_back_to_their_lots_with_the_dates_they_had(api: Api):
    buy(api, "A-1", a_line("1", 5000), a_line("2", 5000), points_paid=1500)
    shop.pay(api, 150, order_id="A-1")
    assert lots(api) == [(50, JULY)]

    answer = give_back(api, "A-1", {"1": 1, "2": 1})

    assert answer.json["points"] == told(returned_to_member=150)
    assert answer.json["spent"] == [
        {"unit": "points", "outcome": "returned", "points": 50, "lot": 2, "expires_at": JULY},
        {"unit": "points", "outcome": "returned", "points": 100, "lot": 1, "expires_at": JUNE},
    ]
    assert lots(api) == [(100, JUNE), (100, JULY)]
    assert api.balance()["lifetime_spent"] == 0


def test_part_of_an_order_gives_its_part_back_and_the_rest_gives_the_rest(api: Api):
    buy(api, "A-1", a_line("1", 7000), a_line("2", 3000, quantity=3), discount=1000)
    shop.pay(api, 150, order_id="A-1")

    back = [
        give_back(api, "A-1", lines, return_id=f"R-{number}").json["points"]["returned_to_member"]
        for number, lines in enumerate([{"2": 1}, {"1": 1}, {"2": 2}])
    ]

    # A third of the second line cost 28.12 of 150.00, the first line 65.62; each sum is rounded down.
    assert back == [28, 65, 57]
    assert lots(api) == [(100, JUNE), (100, JULY)]


def test_what_lapses_last_goes_back_first(api: Api):
    buy(api, "A-1", a_line("1", 5000, quantity=2))
    shop.pay(api, 150, order_id="A-1")

    give_back(api, "A-1", {"1": 1})

    assert lots(api) == [(25, JUNE), (100, JULY)]


def test_the_order_may_be_named_when_the_points_are_held_or_when_they_are_captured(api: Api):
    for order_id in ("A-1", "A-2", "A-3"):
        buy(api, order_id)
    shop.hold(api, "h-1", 10, order_id="A-1")
    shop.capture(api, "h-1")
    shop.hold(api, "h-2", 20)
    shop.capture(api, "h-2", order_id="A-2")
    shop.hold(api, "h-3", 40, order_id="A-1")
    shop.capture(api, "h-3", order_id="A-3")

    back = [
        give_back(api, order_id, {"1": 1}, return_id=order_id).json["points"]["returned_to_member"]
        for order_id in ("A-1", "A-2", "A-3")
    ]

    assert back == [10, 20, 40]


def test_only_what_was_captured_goes_back(api: Api):
    buy(api, "A-1")
    shop.hold(api, "h-1", 123, order_id="A-1")
    shop.capture(api, "h-1", points=100)

    assert give_back(api, "A-1", {"1": 1}).json["points"] == told(returned_to_member=100)
    assert lots(api) == [(100, JUNE), (100, JULY)]


def test_points_that_are_only_held_stay_held(api: Api):
    buy(api, "A-1")
    shop.hold(api, "h-1", 100, order_id="A-1")

    assert give_back(api, "A-1", {"1": 1}).json["points"] == told()
    assert buckets(api) == {"available": 100, "held": 100}


def test_points_spent_on_other_orders_stay_spent(api: Api):
    buy(api, "A-1")
    buy(api, "A-2")
    shop.pay(api, 150, order_id="A-2")
    shop.pay(api, 20)

    assert give_back(api, "A-1", {"1": 1}).json["points"] == told()
    assert buckets(api) == {"available": 30}


def test_what_was_spent_goes_back_before_what_was_earned_is_taken(api: Api):
    shop.publish_rules(api, {"points": "1"})
    buy(api, "A-1")
    shop.pay(api, 300, order_id="A-1")

    answer = give_back(api, "A-1", {"1": 1})

    assert answer.json["points"] == told(reversed=100, returned_to_member=300)
    assert buckets(api) == {"available": 200}
    assert story(api)[-2:] == [("return_spent", 300), ("reverse", -100)]


def test_points_that_go_back_pay_what_is_owed(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    shop.publish_rules(api, {"points": "1"})
    buy(api, "A-1")
    buy(api, "A-2")
    shop.pay(api, 400, order_id="A-2")
    give_back(api, "A-1", {"1": 1})
    assert buckets(api) == {"debt": 100}

    answer = give_back(api, "A-2", {"1": 1}, return_id="R-2")

    assert answer.json["points"] == told(reversed=100, returned_to_member=400)
    assert buckets(api) == {"available": 200}


# The lot has lapsed meanwhile


@pytest.fixture
def in_june(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """150 were spent on A-1; the first lot lapsed since."""
    buy(api, "A-1", a_line("1", 5000, quantity=2))
    shop.pay(api, 150, order_id="A-1")
    it_is(monkeypatch, NOW + 95 * shop.A_DAY)  # the 4th of June


def test_points_of_a_lapsed_lot_live_for_another_thirty_days(api: Api, in_june: None):
    answer = give_back(api, "A-1", {"1": 2})

    assert answer.json["points"] == told(returned_to_member=150)
    assert [(back["outcome"], back["points"], back["expires_at"]) for back in answer.json["spent"]] == [
        ("returned", 50, JULY),
        ("extended", 100, "2026-07-05T00:00:00Z"),
    ]
    assert lots(api) == [(100, JULY), (100, "2026-07-05T00:00:00Z")]


def test_an_extended_lot_can_be_spent_and_given_back_once_more(api: Api, in_june: None):
    give_back(api, "A-1", {"1": 2})
    buy(api, "A-2", placed_at=shop.in_days(95))
    shop.pay(api, 200, order_id="A-2")

    answer = give_back(api, "A-2", {"1": 1}, return_id="R-2")

    assert [(back["outcome"], back["points"]) for back in answer.json["spent"]] == [
        ("returned", 100), ("returned", 100),
    ]  # fmt: skip
    assert lots(api) == [(100, JULY), (100, "2026-07-05T00:00:00Z")]


def test_points_of_a_lapsed_lot_are_forfeited_where_the_program_gives_no_grace(api: Api, in_june: None):
    shop.configure(api, returns={"policy": "clamp", "grace_days": 0})

    answer = give_back(api, "A-1", {"1": 2})

    assert answer.json["points"] == told(returned_to_member=50)
    assert answer.json["spent"][1] == {
        "unit": "points", "outcome": "forfeited", "points": 100, "lot": 1, "expires_at": None,
    }  # fmt: skip
    assert lots(api) == [(100, JULY)]


def test_what_was_forfeited_once_is_not_given_back_by_the_next_return(api: Api, in_june: None):
    shop.configure(api, returns={"policy": "clamp", "grace_days": 0})

    first = give_back(api, "A-1", {"1": 1})
    second = give_back(api, "A-1", {"1": 1}, return_id="R-2")

    assert first.json["points"] == told(returned_to_member=50)
    assert [(b["outcome"], b["points"]) for b in first.json["spent"]] == [("returned", 50), ("forfeited", 25)]
    assert second.json["points"] == told()
    assert [(b["outcome"], b["points"]) for b in second.json["spent"]] == [("forfeited", 75)]


@pytest.mark.parametrize(("moment", "outcome"), [(-1, "returned"), (0, "extended")])
def test_a_lot_has_lapsed_at_the_very_instant_of_its_expiry(
    api: Api, monkeypatch: pytest.MonkeyPatch, moment: int, outcome: str
):
    buy(api, "A-1")
    shop.pay(api, 100, order_id="A-1")
    it_is(monkeypatch, NOW.replace(month=6, hour=0) + timedelta(microseconds=moment))

    assert [back["outcome"] for back in give_back(api, "A-1", {"1": 1}).json["spent"]] == [outcome]
