"""Cancelling an order: the return of all that has not come back yet, once."""

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.shop import a_line, buckets, buy, cancel, confirm, give_back, refused, replayed, story, told


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    api.enrol("c-42")


def test_a_cancelled_order_gives_everything_back_and_takes_everything_back(api: Api):
    buy(api, "A-1")
    shop.pay(api, 60, order_id="A-1")

    answer = cancel(api, "A-1")

    assert answer.status_code == 200
    assert answer.json == {
        "order_id": "A-1",
        "status": "cancelled",
        "points": told(reversed=100, returned_to_member=60),
        "lines": [{"line_id": "1", "quantity": 1, "points": 100}],
        "awards": [
            {
                "rule": {"code": "base", "version": 1}, "unit": "points", "reversed": 100, "expired": 0, "debt": 0,
                "forgiven": 0,
            }
        ],
        "spent": [
            {"unit": "points", "outcome": "returned", "points": 60, "lot": 1, "expires_at": "2027-03-02T00:00:00Z"}
        ],
        "balance": {"available": 0, "pending": 0, "held": 0, "debt": 0},
        "tier": None,
    }  # fmt: skip
    order = api.get("/v1/orders/A-1").json
    assert (order["status"], order["returned"]) == ("cancelled", [{"line_id": "1", "quantity": 1}])
    assert shop.entries(api)[-1]["reason"] == "order cancelled"


def test_cancelling_after_partial_returns_ends_exactly_at_the_full_reversal(api: Api):
    buy(api, "A-1", a_line("1", 350, quantity=3), a_line("2", 999))
    give_back(api, "A-1", {"1": 1})
    give_back(api, "A-1", {"1": 1}, return_id="R-2")

    answer = cancel(api, "A-1")

    assert [(line["line_id"], line["quantity"]) for line in answer.json["lines"]] == [("1", 1), ("2", 1)]
    assert sum(points for _, points in story(api)) == 0
    assert buckets(api) == {}


def test_cancelling_what_came_back_already_takes_nothing_more(api: Api):
    buy(api, "A-1")
    give_back(api, "A-1", {"1": 1})

    answer = cancel(api, "A-1")

    assert (answer.json["points"], answer.json["lines"], answer.json["status"]) == (told(), [], "cancelled")
    assert story(api) == [("earn", 100), ("reverse", -100)]


def test_cancelling_twice_is_answered_with_the_first_answer(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1")
    first = cancel(api, "A-1")
    buy(api, "A-2")
    it_is(monkeypatch, NOW + shop.A_DAY)

    again = cancel(api, "A-1")

    assert (again.status_code, again.data, replayed(again)) == (200, first.data, True)
    assert buckets(api) == {"available": 100}


def test_an_order_cancelled_six_times_at_once_is_cancelled_once(api: Api):
    buy(api, "A-1")

    answers = in_parallel(6, lambda _: cancel(api, "A-1"))

    assert {answer.status_code for answer in answers} == {200}
    assert sorted(map(replayed, answers)) == [False] + [True] * 5
    assert story(api) == [("earn", 100), ("reverse", -100)]


def test_nothing_comes_back_of_a_cancelled_order(api: Api):
    buy(api, "A-1")
    cancel(api, "A-1")

    answer = give_back(api, "A-1", {"1": 1})

    assert refused(answer) == (409, "order-cancelled")
    assert answer.json["order_id"] == "A-1"


def test_a_return_from_before_the_cancellation_is_still_answered_as_it_was(api: Api):
    buy(api, "A-1", a_line("1", 1000, quantity=2))
    first = give_back(api, "A-1", {"1": 1})
    cancel(api, "A-1")

    again = give_back(api, "A-1", {"1": 1})

    assert (again.status_code, again.data, replayed(again)) == (201, first.data, True)


def test_points_that_wait_are_cancelled_with_the_order(api: Api):
    shop.configure_units(api, points=({"mode": "on_event", "deadline_days": 30}, {"mode": "never"}))
    buy(api, "A-1")

    assert cancel(api, "A-1").json["points"] == told(reversed=100)
    assert buckets(api) == {}
    assert refused(confirm(api, "A-1")) == (409, "order-cancelled")


def test_a_confirmed_order_may_be_cancelled(api: Api):
    shop.configure_units(api, points=({"mode": "on_event"}, {"mode": "never"}))
    buy(api, "A-1")
    confirm(api, "A-1")

    assert cancel(api, "A-1").json["points"] == told(reversed=100)
    order = api.get("/v1/orders/A-1").json
    assert (order["status"], order["confirmed_at"]) == ("cancelled", shop.at(NOW))


def test_a_guests_order_is_cancelled_and_nobody_has_any_points(api: Api):
    buy(api, "G-1", customer_id=None)

    answer = cancel(api, "G-1")

    assert (answer.status_code, answer.json["status"], answer.json["balance"]) == (200, "cancelled", None)
    assert answer.json["lines"] == [{"line_id": "1", "quantity": 1, "points": 0}]
    assert replayed(cancel(api, "G-1"))


@pytest.mark.parametrize("status", ["suspend", "close"])
def test_orders_of_a_suspended_or_closed_member_are_cancelled_all_the_same(api: Api, status: str):
    buy(api, "A-1")
    api.post(f"/v1/members/c-42/{status}")

    assert cancel(api, "A-1").json["points"] == told(reversed=100)


def test_an_order_that_nobody_recorded_is_not_there(api: Api):
    answer = cancel(api, "A-404")

    assert refused(answer) == (404, "order-not-found")
    assert "Record the order first" in answer.json["detail"]


@pytest.mark.parametrize("body", [{"lines": [{"line_id": "1", "quantity": 1}]}, {"reason": "torn"}])
def test_a_cancellation_of_some_lines_is_refused_and_not_taken_for_one_of_all(api: Api, body: dict[str, object]):
    buy(api, "A-1")

    answer = api.post("/v1/orders/A-1/cancel", body)

    assert shop.pointers(answer) == [f"/{name}" for name in body]
    assert buckets(api) == {"available": 100}


def test_a_cancellation_and_returns_at_once_take_everything_once(api: Api):
    buy(api, "A-1", a_line("1", 1000, quantity=4))

    def act(number: int) -> int:
        if number == 0:
            return cancel(api, "A-1").status_code
        return give_back(api, "A-1", {"1": 1}, return_id=f"R-{number}").status_code

    statuses = in_parallel(4, act)

    assert statuses[0] == 200
    assert set(statuses[1:]) <= {201, 409}
    assert sum(points for _, points in story(api)) == 0
