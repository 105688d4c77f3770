"""Paying with points over HTTP: quoted, held, captured or released, and read."""

from datetime import timedelta
from typing import Any

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.payments.checkout import ask, capture, hold, pay, payment, release
from tests.shop import adjust, at, buckets, configure, entries, lots, pointers, refused, replayed, story

CASE_11 = {"points": 1, "amount": 1, "min_points": 500, "max_percent": 50}


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member with 5000 points."""
    it_is(monkeypatch, NOW)
    api.enrol("c-42")
    adjust(api, 5_000)


def in_minutes(minutes: float) -> str:
    return at(NOW + timedelta(minutes=minutes))


# Quoted


def test_worked_case_11(api: Api):
    configure(api, pay=CASE_11)

    assert ask(api, 10_000, 1_000) == {
        "points": 1_000, "amount": 1_000, "max_points": 5_000, "reason": None, "currency": "EUR", "available": 5_000,
        "min_points": 500, "step": 1,
    }  # fmt: skip
    assert ask(api, 10_000, 10_000)["points"] == 5_000
    adjust(api, -4_300)
    assert ask(api, 10_000, 1_000)["points"] == 700


def test_a_quote_writes_nothing_and_knows_what_is_on_hold(api: Api):
    assert ask(api, 10_000)["points"] == 5_000
    before = story(api)
    shop.hold(api, "h-1", 4_000)

    found = ask(api, 10_000, 2_000)

    assert (found["points"], found["reason"], found["available"]) == (1_000, "insufficient_points", 1_000)
    assert story(api) == [*before, ("hold", -4_000)]


def test_a_quote_knows_what_has_lapsed_with_no_job_running(api: Api, monkeypatch: pytest.MonkeyPatch):
    it_is(monkeypatch, NOW + 400 * shop.A_DAY)

    assert ask(api, 10_000)["available"] == 0


def test_who_may_not_pay_gets_no_quote(api: Api):
    api.post("/v1/members/c-42/suspend")

    wanted = {"order_total": 10_000}
    assert refused(api.post("/v1/members/c-42/point-payments/quote", wanted)) == (422, "member-suspended")
    assert refused(api.post("/v1/members/c-99/point-payments/quote", wanted)) == (404, "member-not-found")


# Held


def test_held_points_are_kept_for_the_order(api: Api):
    answer = hold(api, 1_000, order_id="A-1", hold_seconds=60)

    assert answer.status_code == 201
    assert answer.json == {
        "payment_id": "p-1", "customer_id": "c-42", "status": "held", "order_id": "A-1", "order_total": 10_000,
        "points": 1_000, "amount": 1_000, "currency": "EUR", "captured_points": 0, "captured_amount": 0,
        "refunded_points": 0, "refunded_amount": 0, "given_back_points": 0, "held_at": at(NOW),
        "expires_at": in_minutes(1), "resolved_at": None,
        "balance": {"available": 4_000, "pending": 0, "held": 1_000, "debt": 0},
    }  # fmt: skip
    assert {**payment(api), "balance": answer.json["balance"]} == answer.json
    (*_, entry) = entries(api)
    assert (entry["kind"], entry["points"], entry["order_id"], entry["reason"]) == (
        "hold",
        -1_000,
        "A-1",
        "payment p-1",
    )
    assert entry["detail"]["amount"] == 1_000
    assert hold(api, 1, "p-2").json["expires_at"] == in_minutes(15)


def test_the_hold_of_a_payment_is_out_of_reach_of_the_holds_of_the_shop(api: Api):
    hold(api, 1_000)

    assert api.get("/v1/holds/p-1").status_code == 404
    assert shop.hold(api, "p-1", 100).status_code == 201
    assert shop.capture(api, "p-1").status_code == 200
    assert payment(api)["status"] == "held"


@pytest.mark.parametrize(
    ("settings", "wish", "code", "facts"),
    [
        (
            {}, {"points": 5_001}, "insufficient-points",
            {"required": 5_001, "available": 5_000, "missing": 1, "unit": "points"},
        ),
        (CASE_11, {"points": 5_001}, "payment-over-limit", {"max_points": 5_000, "max_percent": 50}),
        (CASE_11, {"points": 499}, "payment-below-minimum", {"min_points": 500}),
        ({"step": 100}, {"points": 550}, "payment-not-a-multiple", {"step": 100, "nearest": 500}),
        ({"points": 100, "amount": 1}, {"points": 150}, "payment-not-a-multiple", {"nearest": 100}),
        ({"max_percent": 0}, {"points": 100}, "payment-over-limit", {"max_points": 0}),
        ({}, {"points": 1, "order_total": 0}, "payment-over-limit", {"max_points": 0}),
    ],
)  # fmt: skip
def test_a_stale_quote_never_overdraws_nor_exceeds_a_limit(
    api: Api, settings: dict[str, Any], wish: dict[str, Any], code: str, facts: dict[str, Any]
):
    configure(api, pay=settings)

    answer = hold(api, **wish)

    assert refused(answer) == (422, code)
    assert {name: answer.json[name] for name in facts} == facts
    assert buckets(api) == {"available": 5_000}


def test_what_was_quoted_and_is_gone_is_refused(api: Api):
    points = ask(api, 10_000, 4_000)["points"]
    adjust(api, -2_000)

    assert refused(hold(api, points)) == (422, "insufficient-points")


def test_the_same_payment_again_is_answered_with_the_first_answer(api: Api):
    first = hold(api, 1_000)

    again = hold(api, 1_000)

    assert again.data == first.data
    assert replayed(again)
    assert buckets(api) == {"available": 4_000, "held": 1_000}
    assert refused(hold(api, 1_001)) == (409, "idempotency-conflict")
    api.enrol("c-43")
    assert refused(hold(api, 1_000, customer_id="c-43")) == (409, "idempotency-conflict")


def test_who_may_not_pay_holds_nothing(api: Api):
    assert refused(hold(api, 1, customer_id="c-99")) == (404, "member-not-found")
    api.post("/v1/members/c-42/suspend")
    assert refused(hold(api, 1)) == (422, "member-suspended")
    api.post("/v1/members/c-42/close")
    assert refused(hold(api, 1)) == (422, "member-closed")


@pytest.mark.parametrize(
    ("wish", "pointer"),
    [
        ({"points": 0}, "/points"),
        ({"points": 1.0}, "/points"),
        ({"points": 1, "order_total": -1}, "/order_total"),
        ({"points": 1, "payment_id": "a/b"}, "/payment_id"),
        ({"points": 1, "hold_seconds": 0}, "/hold_seconds"),
        ({"points": 1, "hold_seconds": 31 * 86_400 + 1}, "/hold_seconds"),
        ({"points": 1, "amount": 1}, "/amount"),
    ],
)
def test_what_is_wrong_is_pointed_at(api: Api, wish: dict[str, Any], pointer: str):
    assert pointers(hold(api, **wish)) == [pointer]


# Captured


def test_worked_case_12(api: Api):
    adjust(api, -4_877)
    hold(api, 123)

    answer = capture(api, points=100)

    assert answer.status_code == 200
    assert answer.json["balance"] == {"available": 23, "pending": 0, "held": 0, "debt": 0}
    assert story(api)[-3:] == [("hold", -123), ("redeem", -100), ("release", 23)]
    adjust(api, 77)
    shop.pay(api, 70)
    assert refused(hold(api, 50, "p-2")) == (422, "insufficient-points")


def test_a_captured_payment_says_what_it_was_captured_for(api: Api):
    configure(api, pay={"points": 100, "amount": 50, "step": 10})
    hold(api, 1_000)

    answer = capture(api, points=610, order_id="A-7")

    shown = {name: answer.json[name] for name in ("status", "amount", "captured_points", "captured_amount", "order_id")}
    assert shown == {
        "status": "captured", "amount": 500, "captured_points": 610, "captured_amount": 305, "order_id": "A-7",
    }  # fmt: skip
    assert {**payment(api), "balance": answer.json["balance"]} == answer.json
    redeemed = next(entry for entry in entries(api) if entry["kind"] == "redeem")
    assert (redeemed["points"], redeemed["order_id"]) == (-610, "A-7")
    assert redeemed["detail"] == {"amount": 305, "currency": "EUR"}


def test_what_points_are_worth_is_agreed_when_they_are_held(api: Api):
    configure(api, pay={"points": 1, "amount": 2, "step": 10})
    hold(api, 1_000)
    configure(api, pay={"points": 1, "amount": 1, "step": 7, "max_percent": 1})

    assert capture(api, points=500).json["captured_amount"] == 1_000


def test_only_a_part_that_is_a_multiple_is_captured(api: Api):
    configure(api, pay={"step": 100})
    hold(api, 1_000)

    answer = capture(api, points=250)

    assert refused(answer) == (422, "payment-not-a-multiple")
    assert answer.json["nearest"] == 200
    assert refused(capture(api, points=1_100)) == (422, "capture-exceeds-hold")
    assert capture(api).json["captured_points"] == 1_000


def test_a_second_resolution_names_the_first(api: Api):
    pay(api, 100, "p-1", order_id="A-1")
    hold(api, 100, "p-2")
    release(api, "p-2")

    for again in (capture(api, "p-1"), release(api, "p-1")):
        assert refused(again) == (409, "payment-resolved")
        assert (again.json["payment_status"], again.json["order_id"]) == ("captured", "A-1")
        assert again.json["resolved_at"] == at(NOW)
    for again in (capture(api, "p-2"), release(api, "p-2")):
        assert refused(again) == (409, "payment-resolved")
        assert again.json["payment_status"] == "released"
    assert buckets(api) == {"available": 4_900}


def test_with_a_key_of_its_own_a_capture_can_be_retried(api: Api):
    hold(api, 100)
    once = {"headers": {"Idempotency-Key": "k-1"}}

    first = api.post("/v1/point-payments/p-1/capture", {}, **once)
    again = api.post("/v1/point-payments/p-1/capture", {}, **once)

    assert first.data == again.data
    assert replayed(again)


def test_points_that_lapse_while_they_are_held_are_still_spent(api: Api, monkeypatch: pytest.MonkeyPatch):
    shop.configure_units(api, points=({"mode": "immediate"}, {"mode": "rolling", "days": 1}))
    adjust(api, 1_000)
    hold(api, 1_500, hold_seconds=5 * 86_400)
    it_is(monkeypatch, NOW + 3 * shop.A_DAY)

    answer = capture(api, points=1_200)

    # Those that lapse first were taken first; the rest is of the others.
    assert answer.json["balance"]["available"] == 4_800
    assert lots(api) == [(4_800, "2027-03-02T00:00:00Z")]


# Released, or over


def test_released_points_are_available_again(api: Api):
    hold(api, 1_000)

    answer = release(api)

    assert (answer.json["status"], answer.json["resolved_at"]) == ("released", at(NOW))
    assert {**payment(api), "balance": answer.json["balance"]} == answer.json
    assert buckets(api) == {"available": 5_000}


def test_a_payment_that_nobody_captured_in_time_has_expired(api: Api, monkeypatch: pytest.MonkeyPatch):
    hold(api, 1_000, hold_seconds=60)
    it_is(monkeypatch, NOW + timedelta(seconds=60))

    found = payment(api)
    assert (found["status"], found["resolved_at"]) == ("expired", in_minutes(1))
    for late in (capture(api), release(api)):
        assert refused(late) == (409, "payment-resolved")
        assert (late.json["payment_status"], late.json["resolved_at"]) == ("expired", in_minutes(1))
    assert buckets(api) == {"available": 5_000}
    assert hold(api, 5_000, "p-2").status_code == 201
    assert payment(api) == found


def test_what_is_under_way_ends_when_the_member_is_suspended(api: Api):
    hold(api, 100, "p-1")
    hold(api, 100, "p-2")
    api.post("/v1/members/c-42/suspend")

    assert capture(api, "p-1").status_code == 200
    assert release(api, "p-2").status_code == 200


def test_an_unknown_payment_is_not_found(api: Api):
    for answer in (api.get("/v1/point-payments/p-9"), capture(api, "p-9"), release(api, "p-9")):
        assert refused(answer) == (404, "payment-not-found")


# Listed


def test_payments_are_listed_newest_first(api: Api):
    for number in range(3):
        hold(api, 100 + number, f"p-{number}")
    capture(api, "p-1")
    path = "/v1/members/c-42/point-payments"

    page = api.get(f"{path}?limit=2").json
    rest = api.get(f"{path}?limit=2&after={page['next']}").json

    assert [(each["payment_id"], each["status"]) for each in page["data"] + rest["data"]] == [
        ("p-2", "held"), ("p-1", "captured"), ("p-0", "held"),
    ]  # fmt: skip
    assert rest["next"] is None
    assert page["data"][1] == payment(api, "p-1")
    assert refused(api.get("/v1/members/c-99/point-payments")) == (404, "member-not-found")


# Orders that were cancelled


def test_nothing_is_spent_on_an_order_that_was_cancelled(api: Api):
    hold(api, 100, "p-1", order_id="A-1")
    hold(api, 100, "p-2")
    shop.hold(api, "h-1", 100, order_id="A-1")
    shop.buy(api, "A-1")
    shop.cancel(api, "A-1")

    assert payment(api, "p-1")["status"] == "held"
    assert refused(capture(api, "p-1")) == (409, "order-cancelled")
    assert refused(capture(api, "p-2", order_id="A-1")) == (409, "order-cancelled")
    assert refused(hold(api, 100, "p-3", order_id="A-1")) == (409, "order-cancelled")
    assert refused(shop.capture(api, "h-1")) == (409, "order-cancelled")
    assert release(api, "p-1").status_code == 200
    assert capture(api, "p-2").status_code == 200
