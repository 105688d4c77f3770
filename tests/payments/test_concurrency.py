"""Payments that meet: real threads, real connections, real commits."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from loyalty.db.session import transaction
from loyalty.ledger.settlement import settle_program
from loyalty.payments import service
from loyalty.payments.errors import PaymentResolved
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.payments.checkout import capture, hold, order, payment, refund, release
from tests.shop import adjust, buckets, cancel, publish_rules, replayed, story


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member with 100 points; orders earn nothing."""
    it_is(monkeypatch, NOW)
    api.enrol("c-42")
    publish_rules(api)
    adjust(api, 100)


def codes(answers: list[Any]) -> Counter[str]:
    """How often which answer was given."""
    return Counter(str(answer.json.get("code", answer.status_code)) for answer in answers)


def test_worked_case_14_of_two_parallel_payments_of_all_points_one_wins(api: Api):
    answers = in_parallel(2, lambda number: hold(api, 100, f"p-{number}"))

    assert codes(answers) == {"201": 1, "insufficient-points": 1}
    assert buckets(api) == {"held": 100}


def test_the_same_payment_held_six_times_at_once_is_held_once(api: Api):
    answers = in_parallel(6, lambda _: hold(api, 60))

    assert Counter(map(replayed, answers)) == {True: 5, False: 1}
    assert len({answer.data for answer in answers}) == 1
    assert buckets(api) == {"available": 40, "held": 60}


def test_of_a_capture_and_a_release_at_once_one_happens_and_the_other_names_it(api: Api):
    for number in range(5):
        name = f"p-{number}"
        hold(api, 10, name)

        answers = in_parallel(2, lambda which, name=name: (capture, release)[which](api, name))

        assert codes(answers) == {"200": 1, "payment-resolved": 1}
        won = next(answer for answer in answers if answer.status_code == 200).json["status"]
        lost = next(answer for answer in answers if answer.status_code == 409).json["payment_status"]
        assert won == lost == payment(api, name)["status"]


def test_of_six_captures_at_once_one_happens(api: Api):
    hold(api, 60)

    assert codes(in_parallel(6, lambda _: capture(api))) == {"200": 1, "payment-resolved": 5}
    assert buckets(api) == {"available": 40}


def test_a_payment_that_times_out_while_it_is_captured_has_one_outcome(api: Api):
    then = NOW + timedelta(seconds=60)
    seen = Counter[str]()
    for number in range(6):
        name = f"p-{number}"
        hold(api, 10, name, hold_seconds=60)

        def meet(which: int, name: str = name) -> str:
            with api.app.app_context(), transaction() as session:
                if which:
                    settle_program(session, api.program.program_id, now=then)
                    return ""
                try:
                    given = {"points": None, "order_id": None, "now": then - timedelta(microseconds=1)}
                    service.capture_payment(session, api.program.program_id, name, **given)
                except PaymentResolved as refusal:
                    return str(refusal.facts["payment_status"])
                return "captured"

        seen[in_parallel(2, meet)[0]] += 1

    assert sum(seen.values()) == 6
    assert set(seen) <= {"captured", "expired"}
    assert buckets(api).get("available", 0) + 10 * seen["captured"] + buckets(api).get("held", 0) == 100
    assert Counter(kind for kind, _ in story(api))["redeem"] == seen["captured"]


def test_of_six_orders_that_name_one_payment_at_once_one_is_recorded(api: Api):
    hold(api, 60)

    answers = in_parallel(6, lambda number: order(api, 60, f"A-{number}"))

    assert codes(answers) == {"201": 1, "payment-resolved": 5}
    assert buckets(api) == {"available": 40}
    won = next(answer.json["order_id"] for answer in answers if answer.status_code == 201)
    assert payment(api)["order_id"] == won


def test_the_same_order_with_its_payment_six_times_at_once_is_recorded_once(api: Api):
    hold(api, 60)

    answers = in_parallel(6, lambda _: order(api, 60))

    assert Counter(map(replayed, answers)) == {True: 5, False: 1}
    assert [kind for kind, _ in story(api)] == ["adjust", "hold", "redeem"]


def test_refunds_and_a_cancellation_at_once_give_back_no_more_than_was_captured(api: Api):
    hold(api, 60)
    order(api, 60)

    answers = in_parallel(5, lambda number: cancel(api, "A-1") if number == 2 else refund(api, 25))

    assert codes(answers)["200"] == 1
    assert set(codes(answers)) <= {"200", "201", "refund-exceeds-payment"}
    assert payment(api)["given_back_points"] == 60
    assert buckets(api) == {"available": 100}
