"""How many statements a request sends to the database, from the key to the answer, once everything is remembered."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.access import guard
from loyalty.programs import queries as programs
from tests.api import Api
from tests.builders import NOW, order_json, reward_json
from tests.clocks import it_is
from tests.statements import statements

LATER = NOW + timedelta(days=3)


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop that remembers everything, with a member whose first points lapse after two days."""
    monkeypatch.setattr(guard, "REMEMBERED_SECONDS", 600.0)
    monkeypatch.setattr(programs, "FRESH_SECONDS", 600.0)
    it_is(monkeypatch, NOW)
    terms = {"activation": {"mode": "immediate"}, "expiry": {"mode": "rolling", "days": 1}}
    api.patch("/v1/admin/program", {"units": {"points": terms}}, headers={"If-Match": '"1"'})
    api.put("/v1/admin/rewards/five-off", reward_json(points=10, stock=9))
    api.enrol("c-42")
    api.post("/v1/orders", order_json(placed_at=NOW.isoformat()))
    redeem(api, "r-0")
    return api


def redeem(api: Api, redemption_id: str) -> Any:
    return api.post("/v1/members/c-42/redemptions", {"reward": "five-off", "redemption_id": redemption_id})


def test_a_balance_takes_one_statement(shop: Api):
    with statements() as sent:
        assert shop.balance()["available"] == 20

    assert len(sent) == 1, sent


def test_a_balance_takes_two_statements_when_something_is_due(shop: Api, monkeypatch: pytest.MonkeyPatch):
    it_is(monkeypatch, LATER)

    with statements() as sent:
        assert shop.balance()["available"] == 0

    assert len(sent) == 2, sent


def test_an_order_takes_three_statements(shop: Api):
    with statements() as sent:
        answer = shop.post("/v1/orders", order_json())

    assert answer.json["balance"]["available"] == 50
    assert len(sent) == 3, sent


def test_an_order_takes_three_statements_also_when_something_is_due(shop: Api, monkeypatch: pytest.MonkeyPatch):
    it_is(monkeypatch, LATER)

    with statements() as sent:
        answer = shop.post("/v1/orders", order_json(placed_at=LATER.isoformat()))

    assert answer.json["balance"]["available"] == 30
    assert len(sent) == 3, sent


def test_an_order_seen_before_takes_two_statements(shop: Api):
    order = order_json()
    shop.post("/v1/orders", order)

    with statements() as sent:
        shop.post("/v1/orders", order)

    assert len(sent) == 2, sent


def test_a_guest_order_takes_two_statements(shop: Api):
    with statements() as sent:
        shop.post("/v1/orders", order_json(customer_id=None))

    assert len(sent) == 2, sent


def test_a_redemption_takes_six_statements(shop: Api):
    with statements() as sent:
        assert redeem(shop, "r-1").status_code == 201

    assert len(sent) <= 6, sent
