"""Points given or taken by hand, over HTTP: each with a reason and an actor."""

from typing import Any

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.shop import adjust, buckets, lots, pointers, refused, replayed, story


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    api.enrol("c-42")


def test_what_is_given_lives_by_the_terms_of_its_unit_and_can_be_spent_at_once(api: Api):
    shop.configure_units(api, points=({"mode": "delay", "days": 14}, {"mode": "rolling", "days": 10}))

    answer = adjust(api, 100, adjustment_id="adj", reason="parcel lost", actor="Ada")

    assert answer.status_code == 201
    assert answer.json == {
        "adjustment_id": "adj", "points": 100, "unit": "points", "reason": "parcel lost", "actor": "Ada",
        "balance": {"available": 100, "pending": 0, "held": 0, "debt": 0},
    }  # fmt: skip
    assert lots(api) == [(100, "2026-03-12T00:00:00Z")]


def test_the_history_says_why_and_by_whom(api: Api):
    adjust(api, 100, adjustment_id="adj-a", reason="parcel lost", actor="Ada")
    adjust(api, -40, adjustment_id="adj-b", reason="found again")

    given, taken = shop.entries(api)

    assert (given["kind"], given["points"], given["reason"], given["reference"]) == (
        "adjust", 100, "parcel lost", "adj-a",
    )  # fmt: skip
    assert given["detail"] == {"actor": "Ada"}
    assert (taken["kind"], taken["points"], taken["reason"], taken["available_after"]) == (
        "adjust", -40, "found again", 60,
    )  # fmt: skip
    assert taken["detail"]["actor"].startswith("key ")


def test_what_is_given_or_taken_by_hand_was_neither_earned_nor_spent(api: Api):
    adjust(api, 100)
    adjust(api, -40)

    balance = api.balance()
    assert (balance["lifetime_earned"], balance["lifetime_spent"]) == (0, 0)


def test_what_lapses_first_is_taken_first(api: Api):
    for days in (30, 10, 20):
        shop.configure_units(api, points=({"mode": "immediate"}, {"mode": "rolling", "days": days}))
        adjust(api, 100)

    adjust(api, -150)

    assert lots(api) == [(100, "2026-04-01T00:00:00Z"), (50, "2026-03-22T00:00:00Z")]


def test_no_more_is_taken_than_is_there(api: Api):
    adjust(api, 100)

    answer = adjust(api, -101)

    assert refused(answer) == (422, "insufficient-points")
    assert (answer.json["required"], answer.json["available"], answer.json["missing"]) == (101, 100, 1)
    assert story(api) == [("adjust", 100)]


def test_what_is_given_pays_what_is_owed_first(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    shop.buy(api, "A-1")
    shop.pay(api, 100)
    shop.give_back(api, "A-1", {"1": 1})

    part = adjust(api, 30)
    rest = adjust(api, 100)

    assert part.json["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 70}
    assert rest.json["balance"] == {"available": 30, "pending": 0, "held": 0, "debt": 0}
    assert story(api)[-4:] == [("adjust", 30), ("debt_paid", -30), ("adjust", 100), ("debt_paid", -70)]


def test_each_unit_is_adjusted_by_itself(api: Api):
    terms = ({"mode": "immediate"}, {"mode": "never"})
    shop.configure_units(api, points=terms, miles=terms)

    answer = adjust(api, 7, unit="miles")

    assert (answer.json["unit"], answer.json["balance"]["available"]) == ("miles", 7)
    assert (buckets(api), buckets(api, unit="miles")) == ({}, {"available": 7})
    assert refused(adjust(api, 7, unit="stars")) == (422, "unit-unknown")


# Again


def test_the_same_adjustment_again_is_answered_with_the_first_answer(api: Api):
    first = adjust(api, 100, adjustment_id="adj")
    adjust(api, 5)

    again = adjust(api, 100, adjustment_id="adj")

    assert (again.status_code, again.data, replayed(again)) == (201, first.data, True)
    assert buckets(api) == {"available": 105}


@pytest.mark.parametrize("changed", [{"points": 101}, {"points": -100}, {"reason": "another"}, {"actor": "Bob"}])
def test_the_same_id_with_other_content_is_a_conflict(api: Api, changed: dict[str, Any]):
    adjust(api, 100, adjustment_id="adj")

    answer = adjust(api, **{"points": 100, "adjustment_id": "adj", **changed})

    assert (*refused(answer), answer.json["adjustment_id"]) == (409, "idempotency-conflict", "adj")
    assert buckets(api) == {"available": 100}


def test_an_adjustment_repeated_with_another_key_is_the_same_adjustment(api: Api):
    first = adjust(api, 100, adjustment_id="adj")
    other_key = api.post("/v1/admin/keys", {"scopes": ["members:write"]}).json["secret"]

    again = adjust(api.as_key(other_key), 100, adjustment_id="adj")

    assert (again.status_code, again.data, replayed(again)) == (201, first.data, True)


def test_the_id_of_an_adjustment_belongs_to_one_member(api: Api):
    api.enrol("c-43")
    adjust(api, 100, adjustment_id="adj")

    assert refused(adjust(api, 100, "c-43", adjustment_id="adj")) == (409, "idempotency-conflict")


def test_a_refused_adjustment_leaves_its_id_free(api: Api):
    assert refused(adjust(api, -1, adjustment_id="adj")) == (422, "insufficient-points")

    assert adjust(api, 1, adjustment_id="adj").status_code == 201


def test_of_six_who_take_the_same_hundred_at_once_one_wins(api: Api):
    adjust(api, 100)

    answers = in_parallel(6, lambda number: adjust(api, -100, adjustment_id=f"take-{number}"))

    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 5
    assert buckets(api) == {}


# Refused


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"adjustment_id": "a b"}, "/adjustment_id"),
        ({"adjustment_id": None}, "/adjustment_id"),
        ({"points": 0}, "/points"),
        ({"points": 1.0}, "/points"),
        ({"points": True}, "/points"),
        ({"points": None}, "/points"),
        ({"points": 10**12 + 1}, "/points"),
        ({"points": -(10**12) - 1}, "/points"),
        ({"reason": ""}, "/reason"),
        ({"reason": None}, "/reason"),
        ({"reason": "x" * 501}, "/reason"),
        ({"actor": ""}, "/actor"),
        ({"actor": "x" * 201}, "/actor"),
        ({"unit": None}, "/unit"),
        ({"expires_at": "2026-04-01T00:00:00Z"}, "/expires_at"),
    ],
)
def test_an_adjustment_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], at: str):
    assert pointers(adjust(api, **{"points": 1, **changed})) == [at]
    assert story(api) == []


@pytest.mark.parametrize("missing", ["adjustment_id", "points", "reason"])
def test_an_adjustment_needs_an_id_points_and_a_reason(api: Api, missing: str):
    wish = {"adjustment_id": "adj", "points": 1, "reason": "goodwill"}
    del wish[missing]

    assert pointers(api.post("/v1/members/c-42/adjustments", wish)) == [f"/{missing}"]


def test_who_is_suspended_can_be_adjusted_and_who_is_closed_or_unknown_cannot(api: Api):
    api.post("/v1/members/c-42/suspend")
    assert adjust(api, 100).status_code == 201

    api.post("/v1/members/c-42/close")
    assert refused(adjust(api, 100)) == (422, "member-closed")
    assert refused(adjust(api, -100)) == (422, "member-closed")
    assert refused(adjust(api, 100, "nobody")) == (404, "member-not-found")
