"""Returns that are repeated, meet others, or concern somebody who is not an active member."""

from collections import Counter

import pytest

from loyalty.db.session import transaction
from tests import shop
from tests.api import Api
from tests.builders import NOW, a_key, a_program
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.shop import a_line, buckets, buy, give_back, refused, replayed, story, told


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    api.enrol("c-42")


# Again


def test_the_same_return_again_is_answered_with_the_first_answer_byte_for_byte(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    buy(api, "A-1", a_line("1", 1000, quantity=3))
    first = give_back(api, "A-1", {"1": 1})
    give_back(api, "A-1", {"1": 2}, return_id="R-2")
    it_is(monkeypatch, NOW + 400 * shop.A_DAY)

    again = give_back(api, "A-1", {"1": 1})

    assert (again.status_code, again.data, replayed(again)) == (201, first.data, True)
    assert api.get("/v1/orders/A-1").json["returned"] == [{"line_id": "1", "quantity": 3}]


@pytest.mark.parametrize(
    "changed", [{"lines": {"1": 2}}, {"lines": {"2": 1}}, {"lines": {"1": 1, "2": 1}}, {"returned_at": shop.at(NOW)}]
)
def test_the_same_id_with_other_content_is_a_conflict_that_changes_nothing(api: Api, changed: dict[str, object]):
    buy(api, "A-1", a_line("1", 1000, quantity=3), a_line("2", 1000))
    give_back(api, "A-1", {"1": 1})

    answer = give_back(api, "A-1", **{"lines": {"1": 1}, **changed})

    assert refused(answer) == (409, "idempotency-conflict")
    assert answer.json["return_id"] == "R-1"
    assert buckets(api) == {"available": 30}


def test_the_same_lines_in_another_order_are_the_same_return(api: Api):
    buy(api, "A-1", a_line("1", 1000), a_line("2", 1000))
    first = give_back(api, "A-1", {"1": 1, "2": 1})

    again = give_back(api, "A-1", {"2": 1, "1": 1})

    assert (again.status_code, again.data, replayed(again)) == (201, first.data, True)


def test_the_id_of_a_return_belongs_to_one_order(api: Api):
    buy(api, "A-1")
    buy(api, "A-2")
    give_back(api, "A-1", {"1": 1})

    answer = give_back(api, "A-2", {"1": 1})

    assert refused(answer) == (409, "idempotency-conflict")
    assert buckets(api) == {"available": 100}


def test_a_refused_return_leaves_its_id_free(api: Api):
    buy(api, "A-1")
    assert refused(give_back(api, "A-1", {"1": 2})) == (422, "over-return")

    assert give_back(api, "A-1", {"1": 1}).status_code == 201


def test_returns_may_arrive_in_another_order_than_they_happened(api: Api, monkeypatch: pytest.MonkeyPatch):
    buy(api, "A-1", a_line("1", 1000, quantity=2))
    it_is(monkeypatch, NOW + 3 * shop.A_DAY)

    later = give_back(api, "A-1", {"1": 1}, return_id="R-2", returned_at=shop.in_days(2))
    earlier = give_back(api, "A-1", {"1": 1}, return_id="R-1", returned_at=shop.in_days(1))

    assert (later.json["points"], earlier.json["points"]) == (told(reversed=10), told(reversed=10))
    assert buckets(api) == {}


# At once


def test_six_equal_returns_at_once_are_one_return_and_five_replays(api: Api):
    buy(api, "A-1", a_line("1", 1000, quantity=6))

    answers = in_parallel(6, lambda _: give_back(api, "A-1", {"1": 1}))

    assert [answer.status_code for answer in answers] == [201] * 6
    assert Counter(map(replayed, answers)) == {False: 1, True: 5}
    assert len({answer.data for answer in answers}) == 1
    assert story(api) == [("earn", 60), ("reverse", -10)]


def test_of_two_returns_of_the_last_unit_at_once_one_wins(api: Api):
    buy(api, "A-1")

    answers = in_parallel(2, lambda number: give_back(api, "A-1", {"1": 1}, return_id=f"R-{number}"))

    assert sorted(answer.status_code for answer in answers) == [201, 422]
    assert story(api) == [("earn", 100), ("reverse", -100)]


def test_returns_of_different_units_at_once_all_count(api: Api):
    buy(api, "A-1", a_line("1", 350, quantity=6))

    answers = in_parallel(6, lambda number: give_back(api, "A-1", {"1": 1}, return_id=f"R-{number}"))

    assert [answer.status_code for answer in answers] == [201] * 6
    assert sum(answer.json["points"]["reversed"] for answer in answers) == 21
    assert buckets(api) == {}


def test_six_equal_returns_of_a_guest_at_once_are_one_return(api: Api):
    buy(api, "G-1", a_line("1", 1000, quantity=6), customer_id=None)

    answers = in_parallel(6, lambda _: give_back(api, "G-1", {"1": 1}))

    assert Counter((answer.status_code, replayed(answer)) for answer in answers) == {(201, False): 1, (201, True): 5}
    assert api.get("/v1/orders/G-1").json["returned"] == [{"line_id": "1", "quantity": 1}]


# Guests, the suspended and the closed


def test_a_guest_returns_lines_and_nobody_has_any_points(api: Api):
    buy(api, "G-1", a_line("1", 1000, quantity=2), customer_id=None)

    answer = give_back(api, "G-1", {"1": 1})

    assert answer.status_code == 201
    assert answer.json == {
        "return_id": "R-1", "order_id": "G-1", "points": told(),
        "lines": [{"line_id": "1", "quantity": 1, "points": 0}], "awards": [], "spent": [], "balance": None,
        "tier": None,
    }  # fmt: skip
    assert refused(give_back(api, "G-1", {"1": 2}, return_id="R-2")) == (422, "over-return")
    assert replayed(give_back(api, "G-1", {"1": 1}))


@pytest.mark.parametrize("status", ["suspend", "close"])
def test_what_a_suspended_or_closed_member_returns_is_taken_back_all_the_same(api: Api, status: str):
    buy(api, "A-1", a_line("1", 5000, quantity=2))
    api.post(f"/v1/members/c-42/{status}")

    answer = give_back(api, "A-1", {"1": 1})

    assert (answer.status_code, answer.json["points"]) == (201, told(reversed=50))
    assert buckets(api) == {"available": 50}


def test_a_program_does_not_see_the_orders_of_another(api: Api):
    buy(api, "A-1")
    with api.app.app_context(), transaction() as session:
        program = a_program(session)
        other = Api(api.app, program, a_key(session, program))

    assert refused(give_back(other, "A-1", {"1": 1})) == (404, "order-not-found")
    assert buckets(api) == {"available": 100}
