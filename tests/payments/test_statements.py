"""How many statements a payment costs, from the key to the answer, once everything is remembered."""

from datetime import timedelta

import pytest

from loyalty.access import guard
from loyalty.programs import queries as programs
from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.payments.checkout import ask, capture, hold, order, pay, refund, release
from tests.statements import statements

LATER = NOW + timedelta(days=2)


@pytest.fixture(autouse=True)
def member(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member with points in several lots, some of which lapse after a day; everything is remembered."""
    monkeypatch.setattr(guard, "REMEMBERED_SECONDS", 600.0)
    monkeypatch.setattr(programs, "FRESH_SECONDS", 600.0)
    it_is(monkeypatch, NOW)
    api.enrol("c-42")
    for days in (1, 90, 365):
        shop.configure_units(api, points=({"mode": "immediate"}, {"mode": "rolling", "days": days}))
        shop.adjust(api, 1_000)
    hold(api, 1, "p-0")
    order(api, 0, "A-0", None)


def test_a_quote_takes_three_and_so_does_a_hold(api: Api):
    with statements() as asked:
        ask(api, 10_000)
    with statements() as held:
        hold(api, 1_500)

    assert len(asked) == 3, asked
    assert len(held) == 3, held


def test_a_hold_takes_no_more_when_something_is_due_and_four_for_an_order(api: Api, monkeypatch: pytest.MonkeyPatch):
    it_is(monkeypatch, LATER)

    with statements() as sent:
        assert hold(api, 1_500, order_id="A-1").status_code == 201

    assert len(sent) == 4, sent


def test_a_capture_takes_three_and_four_for_an_order(api: Api, monkeypatch: pytest.MonkeyPatch):
    for name in ("p-1", "p-2", "p-3"):
        hold(api, 400, name, hold_seconds=5 * 86_400)

    with statements() as plain:
        capture(api, "p-1")
    it_is(monkeypatch, LATER)
    with statements() as named:
        assert capture(api, "p-2", points=300, order_id="A-1").status_code == 200
    with statements() as freed:
        release(api, "p-3")

    assert [len(sent) for sent in (plain, named, freed)] == [3, 4, 3], (plain, named, freed)


def test_a_refund_takes_six(api: Api):
    pay(api, 1_500)

    with statements() as sent:
        assert refund(api).status_code == 201

    assert len(sent) == 6, sent


def test_an_order_with_its_payment_takes_three(api: Api):
    hold(api, 1_500)

    with statements() as sent:
        assert order(api, 1_000).status_code == 201

    assert len(sent) == 3, sent


def test_with_a_ladder_a_budget_and_something_due_an_order_with_its_payment_takes_five(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    gift = {"code": "gift", "kind": "bonus", "points": 10, "caps": {"budget": 1000}}
    shop.publish_rules(api, {"points": "1", "when": "history.orders >= 0"}, gift)
    shop.publish_ladder(api, {"code": "bronze", "threshold": 0}, {"code": "silver", "threshold": 10_000})
    order(api, 0, "A-1", None)
    hold(api, 1_500, hold_seconds=5 * 86_400)
    it_is(monkeypatch, LATER)

    with statements() as sent:
        answer = order(api, 1_000, "A-2", placed_at=shop.at(LATER))

    assert answer.status_code == 201
    assert len(sent) == 5, sent


def test_a_return_of_an_order_with_a_payment_takes_one_more(api: Api):
    hold(api, 1_500)
    order(api, 1_500)
    order(api, 0, "A-2", None)
    shop.pay(api, 100, order_id="A-2")

    counts = []
    for order_id in ("A-2", "A-1"):
        with statements() as sent:
            assert shop.give_back(api, order_id, {"1": 1}, return_id=f"R-{order_id}").status_code == 201
        counts.append(len(sent))

    assert counts[1] - counts[0] <= 1, counts
