"""Points that one member gives another, over HTTP: nothing is renewed, nothing is lost, debts are paid."""

from collections import Counter
from typing import Any

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.shop import adjust, buckets, lots, pointers, refused, replayed, story, transfer


@pytest.fixture(autouse=True)
def members(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada has 100 points for ten days and 100 for thirty; Bob has none, and to who is new points come for a year."""
    it_is(monkeypatch, NOW)
    api.enrol("ada")
    api.enrol("bob")
    for days in (10, 30, 365):
        shop.configure_units(api, points=({"mode": "immediate"}, {"mode": "rolling", "days": days}))
        if days < 365:
            adjust(api, 100, "ada")


def test_points_change_hands_and_keep_the_dates_on_which_they_lapse(api: Api):
    answer = transfer(api, 150, "ada", "bob", transfer_id="t-1", reason="wedding")

    assert answer.status_code == 201
    assert answer.json == {
        "transfer_id": "t-1", "from": "ada", "to": "bob", "unit": "points", "points": 150, "reason": "wedding",
        "balance": {"available": 50, "pending": 0, "held": 0, "debt": 0},
    }  # fmt: skip
    assert lots(api, "ada") == [(50, "2026-04-01T00:00:00Z")]
    assert lots(api, "bob") == [(100, "2026-03-12T00:00:00Z"), (50, "2026-04-01T00:00:00Z")]


def test_both_histories_name_the_transfer(api: Api):
    transfer(api, 150, "ada", "bob", transfer_id="t-1", reason="wedding")

    given, got = shop.entries(api, "ada")[-1], shop.entries(api, "bob")

    assert (given["kind"], given["points"], given["reference"], given["reason"]) == (
        "transfer_out", -150, "t-1", "wedding",
    )  # fmt: skip
    assert [(entry["kind"], entry["points"], entry["reference"]) for entry in got] == [
        ("transfer_in", 100, "t-1"), ("transfer_in", 50, "t-1"),
    ]  # fmt: skip


def test_what_is_given_was_not_earned_again_and_not_spent(api: Api):
    transfer(api, 150, "ada", "bob")

    for customer_id in ("ada", "bob"):
        balance = api.balance(customer_id)
        assert (balance["lifetime_earned"], balance["lifetime_spent"]) == (0, 0)


def test_points_given_there_and_back_are_not_renewed(api: Api):
    transfer(api, 200, "ada", "bob")
    transfer(api, 200, "bob", "ada")

    assert lots(api, "ada") == [(100, "2026-03-12T00:00:00Z"), (100, "2026-04-01T00:00:00Z")]
    assert lots(api, "bob") == []


def test_what_is_given_lapses_with_its_new_owner(api: Api, monkeypatch: pytest.MonkeyPatch):
    transfer(api, 150, "ada", "bob")
    it_is(monkeypatch, NOW + 20 * shop.A_DAY)

    assert buckets(api, "bob") == {"available": 50}
    assert story(api, "bob")[-1] == ("expire", -100)


def test_what_the_taker_owes_is_paid_first(api: Api):
    shop.configure(api, returns={"policy": "debt"})
    shop.buy(api, "A-1", amount=12_000, customer_id="bob")
    shop.pay(api, 120, "bob")
    shop.give_back(api, "A-1", {"1": 1})
    assert buckets(api, "bob") == {"debt": 120}

    transfer(api, 150, "ada", "bob")

    assert buckets(api, "bob") == {"available": 30}
    assert lots(api, "bob") == [(30, "2026-04-01T00:00:00Z")]
    assert story(api, "bob")[-4:] == [
        ("transfer_in", 100), ("debt_paid", -100), ("transfer_in", 50), ("debt_paid", -20),
    ]  # fmt: skip


def test_points_that_wait_or_are_held_stay(api: Api):
    shop.hold(api, "h-1", 150, "ada")
    shop.configure_units(api, points=({"mode": "delay", "days": 5}, {"mode": "never"}))
    shop.buy(api, "A-1", customer_id="ada")

    answer = transfer(api, 51, "ada", "bob")

    assert refused(answer) == (422, "insufficient-points")
    assert (answer.json["available"], answer.json["missing"]) == (50, 1)
    assert transfer(api, 50, "ada", "bob").status_code == 201
    assert buckets(api, "ada") == {"pending": 100, "held": 150}


def test_each_unit_is_given_by_itself(api: Api):
    terms = ({"mode": "immediate"}, {"mode": "never"})
    shop.configure_units(api, points=terms, miles=terms)
    adjust(api, 9, "ada", unit="miles")

    assert transfer(api, 9, "ada", "bob", unit="miles").json["balance"]["available"] == 0
    assert (buckets(api, "bob"), buckets(api, "bob", unit="miles")) == ({}, {"available": 9})


# Again and at once


def test_the_same_transfer_again_is_answered_with_the_first_answer(api: Api):
    first = transfer(api, 100, "ada", "bob", transfer_id="t-1")
    api.post("/v1/members/bob/close")

    again = transfer(api, 100, "ada", "bob", transfer_id="t-1")

    assert (again.status_code, again.data, replayed(again)) == (201, first.data, True)
    assert buckets(api, "ada") == {"available": 100}


@pytest.mark.parametrize(
    ("giver", "taker", "given"),
    [("ada", "bob", {"points": 101}), ("ada", "eve", {}), ("bob", "ada", {}), ("ada", "bob", {"reason": "x"})],
)
def test_the_same_id_with_other_content_is_a_conflict(api: Api, giver: str, taker: str, given: dict[str, Any]):
    api.enrol("eve")
    transfer(api, 100, "ada", "bob", transfer_id="t-1")

    answer = transfer(api, giver=giver, taker=taker, **{"points": 100, "transfer_id": "t-1", **given})

    assert (*refused(answer), answer.json["transfer_id"]) == (409, "idempotency-conflict", "t-1")
    assert (buckets(api, "ada"), buckets(api, "bob")) == ({"available": 100}, {"available": 100})


def test_transfers_both_ways_at_once_do_not_wait_for_each_other_in_a_circle(api: Api):
    adjust(api, 200, "bob")

    answers = in_parallel(12, lambda n: transfer(api, 10, *(("ada", "bob"), ("bob", "ada"))[n % 2]))

    assert [answer.status_code for answer in answers] == [201] * 12
    assert (buckets(api, "ada"), buckets(api, "bob")) == ({"available": 200}, {"available": 200})


def test_of_three_who_are_promised_the_same_points_at_once_one_gets_them(api: Api):
    for customer_id in ("c-1", "c-2", "c-3"):
        api.enrol(customer_id)

    answers = in_parallel(3, lambda number: transfer(api, 150, "ada", f"c-{number + 1}"))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 2}
    assert buckets(api, "ada") == {"available": 50}


# Refused


def test_points_are_given_to_somebody_else(api: Api):
    assert refused(transfer(api, 10, "ada", "ada")) == (422, "self-transfer")


@pytest.mark.parametrize(("giver", "taker"), [("nobody", "ada"), ("ada", "nobody"), ("nobody", "nowhere")])
def test_who_is_unknown_is_named(api: Api, giver: str, taker: str):
    answer = transfer(api, 10, giver, taker)

    assert (*refused(answer), answer.json["customer_id"]) == (404, "member-not-found", "nobody")


@pytest.mark.parametrize("who", ["ada", "bob"])
@pytest.mark.parametrize(("status", "code"), [("suspend", "member-suspended"), ("close", "member-closed")])
def test_both_are_active(api: Api, who: str, status: str, code: str):
    api.post(f"/v1/members/{who}/{status}")

    answer = transfer(api, 10, "ada", "bob")

    assert (*refused(answer), answer.json["customer_id"]) == (422, code, who)
    assert buckets(api, "ada") == {"available": 200}


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"transfer_id": "a b"}, "/transfer_id"),
        ({"transfer_id": None}, "/transfer_id"),
        ({"to": "a b"}, "/to"),
        ({"to": None}, "/to"),
        ({"points": 0}, "/points"),
        ({"points": -10}, "/points"),
        ({"points": "10"}, "/points"),
        ({"points": 10.0}, "/points"),
        ({"unit": ""}, "/unit"),
        ({"reason": ""}, "/reason"),
        ({"from": "ada"}, "/from"),
    ],
)
def test_a_transfer_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], at: str):
    wish = {"transfer_id": "t-1", "to": "bob", "points": 10, **changed}

    assert pointers(api.post("/v1/members/ada/transfers", wish)) == [at]
    assert buckets(api, "ada") == {"available": 200}


def test_a_unit_that_the_program_does_not_have_is_refused(api: Api):
    assert refused(transfer(api, 10, "ada", "bob", unit="miles")) == (422, "unit-unknown")
