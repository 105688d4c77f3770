"""Lapsed points brought back by hand, over HTTP: within a window, as a new lot, and no more than lapsed."""

from datetime import timedelta
from typing import Any

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.shop import adjust, buckets, lots, pointers, refused, reinstate, replayed, story

LAPSED = NOW.replace(day=12, hour=0)


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member whose 100 points lapsed on the 12th of March, after 30 were spent; it is the 21st."""
    it_is(monkeypatch, NOW)
    api.enrol("c-42")
    shop.configure_units(api, points=({"mode": "immediate"}, {"mode": "rolling", "days": 10}))
    adjust(api, 100)
    shop.pay(api, 30)
    it_is(monkeypatch, NOW + 20 * shop.A_DAY)


def test_lapsed_points_come_back_as_a_new_lot_that_names_the_old_one(api: Api):
    answer = reinstate(api, 1, reinstatement_id="re", reason="was ill", actor="Ada")

    assert answer.status_code == 201
    assert answer.json == {
        "reinstatement_id": "re", "lot": 5, "of_lot": 1, "unit": "points", "points": 70,
        "expires_at": "2026-04-21T00:00:00Z", "reason": "was ill", "actor": "Ada",
        "balance": {"available": 70, "pending": 0, "held": 0, "debt": 0},
    }  # fmt: skip
    entry = shop.entries(api)[-1]
    assert (entry["kind"], entry["points"], entry["reference"], entry["reason"]) == ("reinstate", 70, "1", "was ill")
    assert entry["detail"] == {"actor": "Ada"}
    assert lots(api) == [(70, "2026-04-21T00:00:00Z")]


def test_the_program_says_how_long_they_live_then(api: Api):
    shop.configure(api, reinstatement={"window_days": 90, "valid_days": 1})

    assert reinstate(api, 1).json["expires_at"] == "2026-03-23T00:00:00Z"


@pytest.mark.parametrize(("moment", "status"), [(-1, 201), (0, 422)])
def test_the_window_closes_at_the_end_of_its_last_day(
    api: Api, monkeypatch: pytest.MonkeyPatch, moment: int, status: int
):
    shop.configure(api, reinstatement={"window_days": 30, "valid_days": 30})
    it_is(monkeypatch, LAPSED + 31 * shop.A_DAY + timedelta(microseconds=moment))

    answer = reinstate(api, 1)

    assert answer.status_code == status
    if status == 422:
        assert (answer.json["code"], answer.json["lapsed_at"]) == ("reinstatement-too-late", shop.at(LAPSED))


def test_part_of_them_may_come_back_and_the_rest_later_and_no_more(api: Api):
    assert reinstate(api, 1, points=50).json["points"] == 50

    over = reinstate(api, 1, points=21)
    rest = reinstate(api, 1)

    assert refused(over) == (422, "nothing-to-reinstate")
    assert (over.json["required"], over.json["lapsed"]) == (21, 20)
    assert rest.json["points"] == 20
    assert refused(reinstate(api, 1)) == (422, "nothing-to-reinstate")
    assert buckets(api) == {"available": 70}


def test_a_lot_that_has_not_lapsed_has_nothing_to_bring_back(api: Api):
    adjust(api, 100)
    lot = shop.entries(api)[-1]["seq"]

    answer = reinstate(api, lot)

    assert refused(answer) == (422, "nothing-to-reinstate")
    assert answer.json["lapsed"] == 0
    assert refused(reinstate(api, lot, points=1)) == (422, "nothing-to-reinstate")


def test_points_that_came_back_and_lapsed_again_come_back_once_more_and_only_once(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    again = reinstate(api, 1).json["lot"]
    it_is(monkeypatch, NOW + 60 * shop.A_DAY)

    answer = reinstate(api, again)

    assert (answer.status_code, answer.json["of_lot"], answer.json["points"]) == (201, again, 70)
    assert refused(reinstate(api, again)) == (422, "nothing-to-reinstate")
    assert refused(reinstate(api, 1)) == (422, "nothing-to-reinstate")
    assert buckets(api) == {"available": 70}


def test_a_lot_that_a_merge_moved_comes_back_only_once(api: Api, monkeypatch: pytest.MonkeyPatch):
    adjust(api, 40)
    api.enrol("ada")
    shop.merge(api, "c-42", "ada")
    lot = shop.entries(api, "ada")[-1]["seq"]
    it_is(monkeypatch, NOW + 40 * shop.A_DAY)

    first = reinstate(api, lot, "ada")
    second = reinstate(api, lot, "ada")

    assert (first.status_code, first.json["points"]) == (201, 40)
    assert refused(second) == (422, "nothing-to-reinstate")
    assert buckets(api, "ada") == {"available": 40}


def test_what_a_return_took_is_not_brought_back(api: Api, monkeypatch: pytest.MonkeyPatch):
    shop.buy(api, "A-1", shop.a_line("1", 5000, quantity=2), placed_at=shop.in_days(20))
    lot = shop.entries(api)[-1]["seq"]
    shop.give_back(api, "A-1", {"1": 1})
    it_is(monkeypatch, NOW + 40 * shop.A_DAY)

    assert reinstate(api, lot).json["points"] == 50


def test_an_order_returned_after_its_points_were_brought_back_takes_them_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    shop.buy(api, "A-1", placed_at=shop.in_days(20))
    lot = shop.entries(api)[-1]["seq"]
    it_is(monkeypatch, NOW + 40 * shop.A_DAY)
    reinstate(api, lot, points=60)

    answer = shop.give_back(api, "A-1", {"1": 1})

    assert answer.json["points"] == shop.told(reversed=60, expired=40)
    assert buckets(api) == {}


def test_what_comes_back_pays_what_is_owed(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    shop.buy(api, "A-1", amount=3000, placed_at=shop.in_days(20))
    shop.pay(api, 30)
    shop.give_back(api, "A-1", {"1": 1})

    answer = reinstate(api, 1)

    assert answer.json["balance"] == {"available": 40, "pending": 0, "held": 0, "debt": 0}
    assert story(api)[-2:] == [("reinstate", 70), ("debt_paid", -30)]


# Again and at once


def test_the_same_reinstatement_again_is_answered_with_the_first_answer(api: Api):
    first = reinstate(api, 1, reinstatement_id="re")

    again = reinstate(api, 1, reinstatement_id="re")

    assert (again.status_code, again.data, replayed(again)) == (201, first.data, True)
    assert buckets(api) == {"available": 70}


@pytest.mark.parametrize("changed", [{"lot": 2}, {"points": 70}, {"reason": "x"}, {"actor": "Bob"}])
def test_the_same_id_with_other_content_is_a_conflict(api: Api, changed: dict[str, Any]):
    reinstate(api, 1, reinstatement_id="re")

    answer = reinstate(api, **{"lot": 1, "reinstatement_id": "re", **changed})

    assert (*refused(answer), answer.json["reinstatement_id"]) == (409, "idempotency-conflict", "re")


def test_of_six_reinstatements_at_once_one_wins(api: Api):
    answers = in_parallel(6, lambda number: reinstate(api, 1, reinstatement_id=f"re-at-once-{number}"))

    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 5
    assert buckets(api) == {"available": 70}


# Refused


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"reinstatement_id": "a b"}, "/reinstatement_id"),
        ({"lot": 0}, "/lot"),
        ({"lot": "1"}, "/lot"),
        ({"lot": None}, "/lot"),
        ({"points": 0}, "/points"),
        ({"points": 1.5}, "/points"),
        ({"reason": ""}, "/reason"),
        ({"reason": None}, "/reason"),
        ({"actor": ""}, "/actor"),
        ({"until": "2026-04-01"}, "/until"),
    ],
)
def test_a_reinstatement_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], at: str):
    assert pointers(reinstate(api, **{"lot": 1, **changed})) == [at]
    assert buckets(api) == {}


def test_a_lot_or_a_member_that_is_not_there_is_not_found(api: Api):
    missing = reinstate(api, 99)

    assert (*refused(missing), missing.json["lot"]) == (404, "lot-not-found", 99)
    assert refused(reinstate(api, 2)) == (404, "lot-not-found")  # an entry, but not one that opened a lot
    assert refused(reinstate(api, 1, "nobody")) == (404, "member-not-found")


def test_who_is_suspended_gets_points_back_and_who_is_closed_does_not(api: Api):
    api.post("/v1/members/c-42/suspend")
    assert reinstate(api, 1, points=10).status_code == 201

    api.post("/v1/members/c-42/close")
    assert refused(reinstate(api, 1)) == (422, "member-closed")
