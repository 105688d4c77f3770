"""A year in seconds: points of a sandbox wait, mature, and lapse, as its clock is moved."""

from datetime import timedelta

import pytest
from flask import Flask

from loyalty.activities import birthdays, referrals
from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import NOW, a_key, a_program, order_json
from tests.clocks import it_is
from tests.shop import publish_rules

TERMS = {
    "units": {
        "points": {"activation": {"mode": "delay", "days": 14}, "expiry": {"mode": "rolling", "months": 12}},
    }
}


@pytest.fixture
def sandbox(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop with a program to try things in, on the first of March."""
    it_is(monkeypatch, NOW)
    with app.app_context(), transaction() as session:
        program = a_program(session, sandbox=True, settings=TERMS)
        return Api(app, program, a_key(session, program))


def move(api: Api, to: str) -> dict[str, object]:
    """Let it be another time."""
    response = api.post("/v1/admin/clock", {"now": to})
    assert response.status_code == 200, response.json
    return response.json


def test_points_wait_mature_and_lapse_as_the_clock_is_moved(sandbox: Api):
    sandbox.enrol()
    sandbox.enrol("c-43")
    bought = sandbox.post("/v1/orders", order_json(placed_at="2026-03-01T10:00:00Z")).json
    assert bought["points"] == {"awarded": 30, "pending": 30, "available": 0}
    assert bought["awards"][0]["matures_at"] == "2026-03-15T10:00:00Z"

    assert move(sandbox, "2026-03-15T09:59:59Z")["settled"] == 0
    assert (sandbox.balance()["pending"], sandbox.balance()["available"]) == (30, 0)

    moved = move(sandbox, "2026-03-15T10:00:00Z")
    assert moved["settled"] == 1
    assert (sandbox.balance()["pending"], sandbox.balance()["available"]) == (0, 30)
    (expiring,) = sandbox.balance()["expiring"]
    assert expiring["at"] == "2027-03-16T00:00:00Z"

    move(sandbox, "2027-03-15T23:59:59.999999Z")
    assert sandbox.balance()["available"] == 30
    move(sandbox, "2027-03-16T00:00:00Z")
    assert sandbox.balance()["available"] == 0

    entries = sandbox.get("/v1/members/c-42/entries").json["data"]
    assert [(entry["kind"], entry["points"], entry["occurred_at"]) for entry in entries] == [
        ("expire", -30, "2027-03-16T00:00:00Z"),
        ("mature", 30, "2026-03-15T10:00:00Z"),
        ("earn", 30, "2026-03-01T10:00:00Z"),
    ]
    assert sandbox.get("/v1/ledger/verification").json["findings"] == []


def test_whatever_happens_then_happens_at_the_time_of_the_sandbox(sandbox: Api, monkeypatch: pytest.MonkeyPatch):
    move(sandbox, "2027-06-01T00:00:00Z")
    it_is(monkeypatch, NOW + timedelta(hours=2))  # time flows on

    assert sandbox.get("/v1/admin/clock").json["now"] == "2027-06-01T02:00:00Z"
    assert sandbox.enrol()["enrolled_at"] == "2027-06-01T02:00:00Z"
    assert sandbox.balance()["as_of"] == "2027-06-01T02:00:00Z"
    order = sandbox.post("/v1/orders", order_json(placed_at="2027-06-01T02:00:00Z"))
    assert order.json["awards"][0]["matures_at"] == "2027-06-15T02:00:00Z"
    assert sandbox.post("/v1/orders", order_json(placed_at="2027-06-01T02:06:00Z")).status_code == 422
    assert sandbox.get("/v1/admin/audit").json["data"][0]["at"] == "2027-06-01T00:00:00Z"
    assert sandbox.get("/v1/ledger/verification").json["findings"] == []


def test_rules_that_take_effect_next_year_can_be_tried_today(sandbox: Api):
    sandbox.enrol()
    rule = {"code": "base", "kind": "base", "priority": 1, "points_per_unit": 7}
    sandbox.put("/v1/admin/earning-rules/draft", {"rules": [rule]})
    sandbox.post("/v1/admin/earning-rules/publish", {"effective_from": "2027-01-01T00:00:00Z"})
    before = sandbox.post("/v1/orders", order_json(placed_at="2026-03-01T12:00:00Z")).json

    move(sandbox, "2027-01-02T00:00:00Z")
    after = sandbox.post("/v1/orders", order_json(placed_at="2027-01-01T12:00:00Z")).json

    assert (before["points"]["awarded"], after["points"]["awarded"]) == (30, 14)


def test_birthdays_and_thanks_come_by_the_clock_of_the_sandbox(sandbox: Api):
    gifts = [{"code": kind, "kind": "bonus", "points": 50, "activity": kind} for kind in ("birthday", "referral")]
    publish_rules(sandbox, *gifts, {"points": "1"})
    sandbox.enrol("ada", birth_date="1990-06-02")
    sandbox.enrol("bob", referred_by="ada")
    move(sandbox, "2027-06-02T12:00:00Z")
    sandbox.post("/v1/orders", order_json(customer_id="bob", placed_at="2027-06-02T12:00:00Z"))

    with sandbox.app.app_context(), transaction() as session:
        birthdays.keep_batch(session, now=NOW)
        referrals.thank_batch(session, now=NOW)

    entries = sandbox.get("/v1/members/ada/entries").json["data"]
    assert {(entry["rule"]["code"], entry["occurred_at"]) for entry in entries if entry["kind"] == "earn"} == {
        ("birthday", "2027-06-02T00:00:00Z"),
        ("referral", "2027-06-02T12:00:00Z"),
    }
