"""Confirming an order: the points that waited for it become available, and their time begins to run."""

from datetime import timedelta

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.shop import a_line, buckets, buy, confirm, give_back, in_days, pointers, refused, replayed, story, told

DEADLINE = NOW.replace(day=12, hour=0)  # ten days after the first of March, to the end of the day


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    api.enrol("c-42")
    shop.configure_units(api, points=({"mode": "on_event", "deadline_days": 10}, {"mode": "rolling", "days": 30}))


def test_points_wait_for_the_order_to_be_confirmed(api: Api):
    receipt = buy(api, "A-1")

    assert receipt.json["points"] == {"awarded": 100, "pending": 100, "available": 0}
    assert (receipt.json["awards"][0]["matures_at"], receipt.json["awards"][0]["expires_at"]) == (None, None)
    assert buckets(api) == {"pending": 100}
    lot = api.get("/v1/members/c-42/lots").json["data"][0]
    assert (lot["matures_at"], lot["deadline_at"], lot["expires_at"]) == (None, shop.at(DEADLINE), None)


def test_a_confirmation_makes_them_available_and_their_time_begins_to_run(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1")
    it_is(monkeypatch, NOW + 5 * shop.A_DAY)

    answer = confirm(api, "A-1")

    assert answer.status_code == 200
    assert answer.json == {
        "order_id": "A-1", "status": "confirmed", "points": {"matured": 100},
        "balance": {"available": 100, "pending": 0, "held": 0, "debt": 0},
    }  # fmt: skip
    assert shop.lots(api) == [(100, "2026-04-06T00:00:00Z")]
    assert api.balance()["expiring"] == [{"points": 100, "at": "2026-04-06T00:00:00Z"}]
    order = api.get("/v1/orders/A-1").json
    assert (order["status"], order["confirmed_at"]) == ("confirmed", in_days(5))


def test_a_confirmation_may_be_told_later_than_it_happened(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1")
    it_is(monkeypatch, NOW + 5 * shop.A_DAY)

    confirm(api, "A-1", confirmed_at=in_days(2))

    entry = shop.entries(api)[-1]
    assert (entry["kind"], entry["occurred_at"], entry["recorded_at"]) == ("mature", in_days(2), in_days(5))
    assert shop.lots(api) == [(100, "2026-04-03T00:00:00Z")]
    assert buckets(api, as_of=in_days(1)) == {"pending": 100}
    assert buckets(api, as_of=in_days(3)) == {"available": 100}
    assert buckets(api, as_of=in_days(3), known_at=in_days(4)) == {"pending": 100}


@pytest.mark.parametrize(("moment", "left"), [(-1, 100), (0, 0)])
def test_points_are_cancelled_when_the_confirmation_has_not_come_by_the_end_of_the_last_day(
    api: Api, monkeypatch: pytest.MonkeyPatch, moment: int, left: int
):
    buy(api, "A-1")
    it_is(monkeypatch, DEADLINE + timedelta(microseconds=moment))

    answer = confirm(api, "A-1")

    assert (answer.status_code, answer.json["points"]) == (200, {"matured": left})
    assert buckets(api) == ({"available": left} if left else {})


def test_what_was_not_confirmed_in_time_says_so_in_the_history(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1")
    it_is(monkeypatch, DEADLINE + shop.A_DAY)

    entry = shop.entries(api)[-1]

    assert (entry["kind"], entry["points"], entry["reason"]) == ("reverse", -100, "not confirmed in time")
    assert entry["occurred_at"] == shop.at(DEADLINE)
    assert api.balance()["lifetime_earned"] == 0


def test_a_confirmation_that_came_in_time_counts_though_it_is_told_too_late(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1")
    it_is(monkeypatch, DEADLINE + 3 * shop.A_DAY)

    answer = confirm(api, "A-1", confirmed_at=shop.at(DEADLINE - timedelta(seconds=1)))

    assert answer.json["points"] == {"matured": 100}
    assert shop.lots(api) == [(100, "2026-04-11T00:00:00Z")]


def test_a_confirmation_told_so_late_that_the_points_have_lapsed_since_says_so(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    buy(api, "A-1")
    it_is(monkeypatch, NOW + 60 * shop.A_DAY)

    answer = confirm(api, "A-1", confirmed_at=in_days(2))

    assert (answer.json["points"]["matured"], buckets(api)) == (100, {})
    assert story(api) == [("earn", 100), ("mature", 100), ("expire", -100)]


def test_without_a_deadline_points_wait_as_long_as_it_takes(api: Api, monkeypatch: pytest.MonkeyPatch):
    shop.configure_units(api, points=({"mode": "on_event"}, {"mode": "never"}))
    buy(api, "A-1")
    it_is(monkeypatch, NOW + 3650 * shop.A_DAY)
    assert buckets(api) == {"pending": 100}

    assert confirm(api, "A-1").json["points"] == {"matured": 100}


def test_confirming_twice_is_answered_with_the_first_answer(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1")
    first = confirm(api, "A-1")
    it_is(monkeypatch, NOW + shop.A_DAY)

    again = confirm(api, "A-1")

    assert (again.status_code, again.data, replayed(again)) == (200, first.data, True)
    assert api.get("/v1/orders/A-1").json["confirmed_at"] == shop.at(NOW)


def test_an_order_confirmed_six_times_at_once_is_confirmed_once(api: Api):
    buy(api, "A-1")

    answers = in_parallel(6, lambda _: confirm(api, "A-1"))

    assert {answer.status_code for answer in answers} == {200}
    assert story(api) == [("earn", 100), ("mature", 100)]


def test_only_the_points_of_the_order_that_is_confirmed_become_available(api: Api):
    buy(api, "A-1", amount=3000)
    buy(api, "A-2", amount=5000)

    assert confirm(api, "A-2").json["points"] == {"matured": 50}
    assert buckets(api) == {"available": 50, "pending": 30}


def test_confirming_an_order_whose_points_do_not_wait_changes_no_points(api: Api):
    shop.configure_units(api, points=({"mode": "delay", "days": 14}, {"mode": "never"}))
    buy(api, "A-1")

    answer = confirm(api, "A-1")

    assert (answer.json["points"], answer.json["status"]) == ({"matured": 0}, "confirmed")
    assert buckets(api) == {"pending": 100}


def test_what_came_back_before_the_confirmation_does_not_become_available(api: Api):
    buy(api, "A-1", a_line("1", 2500, quantity=4))
    assert give_back(api, "A-1", {"1": 1}).json["points"] == told(reversed=25)

    assert confirm(api, "A-1").json["points"] == {"matured": 75}
    assert give_back(api, "A-1", {"1": 3}, return_id="R-2").json["points"] == told(reversed=75)
    assert buckets(api) == {}


def test_what_was_never_confirmed_is_owed_by_nobody(api: Api, monkeypatch: pytest.MonkeyPatch):
    shop.configure(api, returns={"policy": "debt", "grace_days": 30})
    buy(api, "A-1", a_line("1", 5000, quantity=2))
    it_is(monkeypatch, DEADLINE)
    shop.adjust(api, 500)

    assert give_back(api, "A-1", {"1": 2}).json["points"] == told(expired=100)
    assert buckets(api) == {"available": 500}


def test_points_that_become_available_pay_what_is_owed(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    buy(api, "A-1")
    confirm(api, "A-1")
    shop.pay(api, 100)
    give_back(api, "A-1", {"1": 1})
    buy(api, "A-2")
    assert buckets(api) == {"pending": 100, "debt": 100}

    answer = confirm(api, "A-2")

    assert (answer.json["points"], answer.json["balance"]["debt"]) == ({"matured": 100}, 0)
    assert buckets(api) == {}


def test_each_unit_has_its_own_activation(api: Api):
    at_once, never = {"mode": "immediate"}, {"mode": "never"}
    shop.configure_units(api, points=({"mode": "on_event"}, never), miles=(at_once, never))
    shop.publish_rules(api, {"points": "1"}, {"points": "2", "unit": "miles"})
    buy(api, "A-1")
    assert (buckets(api), buckets(api, unit="miles")) == ({"pending": 100}, {"available": 200})

    assert confirm(api, "A-1").json["points"] == {"matured": 100}
    assert (buckets(api), buckets(api, unit="miles")) == ({"available": 100}, {"available": 200})


def test_a_guests_order_is_confirmed_and_nobody_has_any_points(api: Api):
    buy(api, "G-1", customer_id=None)

    answer = confirm(api, "G-1")

    assert (answer.json["status"], answer.json["points"], answer.json["balance"]) == ("confirmed", {"matured": 0}, None)
    assert replayed(confirm(api, "G-1"))


@pytest.mark.parametrize("status", ["suspend", "close"])
def test_orders_of_a_suspended_or_closed_member_are_confirmed_all_the_same(api: Api, status: str):
    buy(api, "A-1")
    api.post(f"/v1/members/c-42/{status}")

    assert confirm(api, "A-1").json["points"] == {"matured": 100}


def test_an_order_is_not_confirmed_before_it_was_placed_nor_in_the_future(api: Api):
    buy(api, "A-1")

    assert refused(confirm(api, "A-1", confirmed_at=shop.at(NOW - timedelta(seconds=1)))) == (422, "before-order")
    assert refused(confirm(api, "A-1", confirmed_at=shop.at(NOW + timedelta(minutes=6)))) == (422, "dated-in-future")
    assert confirm(api, "A-1", confirmed_at=shop.at(NOW + timedelta(minutes=5))).status_code == 200
    assert api.get("/v1/orders/A-1").json["confirmed_at"] == shop.at(NOW)


def test_a_confirmation_that_makes_no_sense_is_refused_where_it_stands(api: Api):
    buy(api, "A-1")

    assert pointers(confirm(api, "A-1", confirmed_at="soon")) == ["/confirmed_at"]
    assert pointers(confirm(api, "A-1", by="courier")) == ["/by"]
    assert refused(confirm(api, "A-404")) == (404, "order-not-found")
