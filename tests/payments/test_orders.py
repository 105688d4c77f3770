"""Orders that name their payment: what they say was paid is what is captured, in the order's own transaction."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.core.answers import Answer
from loyalty.core.errors import DomainError
from loyalty.core.ids import fingerprint
from loyalty.db.session import transaction
from loyalty.orders.domain import PaidOrder
from loyalty.orders.service import record_orders
from tests import shop
from tests.api import Api
from tests.builders import NOW, a_line, an_order, order_json
from tests.clocks import it_is
from tests.payments.checkout import capture, hold, order, pay, payment, release
from tests.shop import adjust, buckets, configure, configure_units, entries, refused, replayed, story


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member with 5000 points; orders earn a point for each 1.00 that is not paid with points."""
    it_is(monkeypatch, NOW)
    api.enrol("c-42")
    adjust(api, 5_000)


def the_order_is_not_there(api: Api, order_id: str = "A-1") -> bool:
    return api.get(f"/v1/orders/{order_id}").status_code == 404


def test_recording_an_order_captures_its_payment(api: Api):
    hold(api, 2_000)

    answer = order(api, 2_000)

    assert answer.status_code == 201
    assert answer.json["points"]["awarded"] == 80
    assert answer.json["balance"] == {"available": 3_080, "pending": 0, "held": 0, "debt": 0}
    found = payment(api)
    assert (found["status"], found["order_id"], found["captured_points"]) == ("captured", "A-1", 2_000)
    assert story(api)[1:] == [("hold", -2_000), ("earn", 80), ("redeem", -2_000)]
    assert {entry["order_id"] for entry in entries(api)[2:]} == {"A-1"}
    assert api.get("/v1/orders/A-1").json["payment_id"] == "p-1"
    assert replayed(order(api, 2_000))


def test_a_part_of_the_payment_is_captured_and_the_rest_released(api: Api):
    configure(api, pay={"points": 1, "amount": 2, "step": 50})
    hold(api, 2_000)

    assert order(api, 3_000).json["balance"]["available"] == 3_500 + 70
    found = payment(api)
    assert (found["amount"], found["captured_points"], found["captured_amount"]) == (4_000, 1_500, 3_000)
    assert story(api)[-1] == ("release", 500)


@pytest.mark.parametrize("points_paid", [0, 1, 1_999, 2_050, 4_001, 5_000])
def test_what_the_order_says_was_paid_must_be_a_whole_part_of_the_payment(api: Api, points_paid: int):
    configure(api, pay={"points": 1, "amount": 2, "step": 50})
    hold(api, 2_000)

    answer = order(api, points_paid)

    assert refused(answer) == (422, "points-paid-mismatch")
    assert (answer.json["expected"], answer.json["given"]) == (4_000, points_paid)
    assert the_order_is_not_there(api)
    assert buckets(api) == {"available": 3_000, "held": 2_000}
    assert order(api, 4_000).status_code == 201


def test_an_order_may_name_a_payment_that_was_captured_for_it_before(api: Api):
    pay(api, 2_000, order_id="A-1")

    assert refused(order(api, 1_999)) == (422, "points-paid-mismatch")
    assert order(api, 2_000).json["balance"]["available"] == 3_080
    assert story(api)[1:] == [("hold", -2_000), ("redeem", -2_000), ("earn", 80)]
    assert payment(api)["captured_points"] == 2_000


@pytest.mark.parametrize("before", [{"order_id": "A-9"}, {}])
def test_a_payment_that_was_captured_for_something_else_pays_no_second_time(api: Api, before: dict[str, str]):
    pay(api, 2_000, **before)

    answer = order(api, 2_000)

    assert refused(answer) == (409, "payment-resolved")
    assert (answer.json["payment_status"], answer.json["order_id"]) == ("captured", before.get("order_id"))
    assert the_order_is_not_there(api)


def test_one_payment_pays_for_one_order(api: Api):
    hold(api, 2_000)
    order(api, 1_000)

    answer = order(api, 1_000, "A-2")

    assert refused(answer) == (409, "payment-resolved")
    assert answer.json["order_id"] == "A-1"


def test_the_order_says_which_order_it_is_whatever_the_hold_expected(api: Api):
    hold(api, 2_000, order_id="cart-77")

    assert order(api, 2_000).status_code == 201
    assert payment(api)["order_id"] == "A-1"


def test_a_payment_that_was_released_or_is_over_pays_for_nothing(api: Api, monkeypatch: pytest.MonkeyPatch):
    hold(api, 100, "p-1")
    release(api, "p-1")
    hold(api, 100, "p-2", hold_seconds=60)
    it_is(monkeypatch, NOW + timedelta(minutes=1))

    for payment_id, status in (("p-1", "released"), ("p-2", "expired")):
        answer = order(api, 100, payment_id=payment_id)
        assert refused(answer) == (409, "payment-resolved")
        assert answer.json["payment_status"] == status
    assert order(api, 0, payment_id=None).status_code == 201


def test_the_payment_of_somebody_else_is_not_there(api: Api):
    api.enrol("c-43")
    hold(api, 100)

    for whose in ({"customer_id": "c-43"}, {"customer_id": None}, {"payment_id": "p-9"}):
        assert refused(order(api, 100, **{"payment_id": "p-1", **whose})) == (404, "payment-not-found")
    assert the_order_is_not_there(api)
    assert payment(api)["status"] == "held"
    assert order(api, 100).status_code == 201


def test_a_hold_of_the_shop_is_no_payment(api: Api):
    shop.hold(api, "h-1", 100)

    assert refused(order(api, 100, payment_id="h-1")) == (404, "payment-not-found")
    assert refused(order(api, 100, payment_id="payment/h-1")) == (422, "invalid-request")


def test_a_program_may_insist_on_the_payment(api: Api):
    assert order(api, 100, "A-0", None).status_code == 201
    configure(api, pay={"require_payment": True})

    for given in ({}, {"customer_id": None}):
        answer = order(api, 100, "A-1", None, **given)
        assert refused(answer) == (422, "payment-missing")
        assert answer.json["points_paid"] == 100
    assert the_order_is_not_there(api)
    assert order(api, 0, "A-1", None).status_code == 201
    hold(api, 100)
    assert order(api, 100, "A-2").status_code == 201


def test_a_preview_says_what_recording_would_and_captures_nothing(api: Api):
    hold(api, 2_000)
    wish = order_json(
        order_id="A-1", lines=[shop.a_line("1", 5_000), shop.a_line("2", 5_000)], points_paid=1_500,
        payment_id="p-1", placed_at=shop.at(NOW),
    )  # fmt: skip

    foreseen = api.post("/v1/orders/preview", wish).json

    assert payment(api)["status"] == "held"
    wrong = api.post("/v1/orders/preview", {**wish, "points_paid": 2_001})
    assert refused(wrong) == (422, "points-paid-mismatch")
    told = order(api, 1_500).json
    assert {name: foreseen[name] for name in told if name != "status"} == {
        name: told[name] for name in told if name != "status"
    }


def test_orders_of_a_batch_that_are_refused_for_their_payment_leave_no_trace(api: Api):
    hold(api, 1_000, "p-1")
    hold(api, 1_000, "p-2")
    api.enrol("c-43")
    adjust(api, 500, "c-43")
    hold(api, 500, "p-3", "c-43")
    wishes = {"A-1": ("p-1", 1_000), "A-2": ("p-1", 1_000), "A-3": ("p-2", 999), "A-4": ("p-3", 500), "A-5": ("p-2", 1)}
    orders = [_paid(order_id, *wish) for order_id, wish in wishes.items()]
    orders += [an_order(order_id="A-6"), _paid("A-7", "p-9", 1, customer_id="c-43")]

    with api.app.app_context(), transaction() as session:
        outcomes = record_orders(session, api.program.program_id, orders, now=NOW)

    said = {name: None if isinstance(outcome, Answer) else outcome.code for name, outcome in outcomes.items()}
    assert said == {
        "A-1": None, "A-2": "payment-resolved", "A-3": None, "A-4": "payment-not-found", "A-5": "payment-resolved",
        "A-6": None, "A-7": "payment-not-found",
    }  # fmt: skip
    assert isinstance(outcomes["A-2"], DomainError)
    assert outcomes["A-2"].facts["order_id"] == "A-1"
    assert payment(api, "p-2")["captured_points"] == 999
    assert order(api, 0, "A-2", None).status_code == 201
    assert payment(api, "p-3")["status"] == "held"


def _paid(order_id: str, payment_id: str, points_paid: int, **given: Any) -> PaidOrder:
    named = {"order_id": order_id, "points_paid": points_paid, "lines": (a_line(10_000),), "placed_at": NOW}
    return PaidOrder(**{"customer_id": "c-42", "currency": "EUR", "payment_id": payment_id, **named, **given})


def test_what_lapsed_while_it_was_held_and_is_not_needed_is_gone(api: Api, monkeypatch: pytest.MonkeyPatch):
    shop.publish_rules(api)
    adjust(api, -5_000)
    configure_units(api, points=({"mode": "immediate"}, {"mode": "rolling", "days": 1}))
    adjust(api, 100)
    hold(api, 100, hold_seconds=5 * 86_400)
    it_is(monkeypatch, NOW + 3 * shop.A_DAY)

    assert order(api, 60).json["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 0}
    assert story(api)[-3:] == [("redeem", -60), ("release", 40), ("expire", -40)]


def test_an_order_that_comes_late_keeps_alive_what_its_payment_was_held_of(api: Api, monkeypatch: pytest.MonkeyPatch):
    configure_units(api, points=({"mode": "immediate"}, {"mode": "inactivity", "days": 10}))
    adjust(api, 100)
    adjust(api, -5_000)
    it_is(monkeypatch, NOW + 9 * shop.A_DAY)
    hold(api, 60, hold_seconds=5 * 86_400)
    it_is(monkeypatch, NOW + 12 * shop.A_DAY)

    answer = order(api, 50, placed_at=shop.in_days(9.5))

    assert answer.status_code == 201
    assert answer.json["balance"]["available"] == 40 + 10 + 99
    assert payment(api)["captured_points"] == 50


def test_an_order_without_a_payment_has_the_fingerprint_it_always_had(api: Api):
    placed = an_order(order_id="A-1")
    with api.app.app_context(), transaction() as session:
        record_orders(session, api.program.program_id, [placed], now=NOW)
        kept = session.row(
            "SELECT fingerprint FROM natural_keys WHERE program_id = %s AND kind = 'order'",
            (api.program.program_id,), into=scalar_row,
        )  # fmt: skip

    named = {name: getattr(placed, name) for name in type(placed).__dataclass_fields__}
    assert "payment_id" not in named
    assert kept == fingerprint(placed)


def test_a_capture_after_the_order_is_not_needed_and_refused(api: Api):
    hold(api, 100)
    order(api, 100)

    assert refused(capture(api)) == (409, "payment-resolved")
    assert refused(release(api)) == (409, "payment-resolved")
