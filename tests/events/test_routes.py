"""The log over HTTP: oldest first, by type, page by page, and for one program alone."""

import pytest
from flask import Flask

from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import NOW, a_key, a_program
from tests.events.following import a_fact, facts, somebody, told

OUT = {"type": "reward.out_of_stock", "data": {"reward": "five-off"}}
HELD = {
    "redemption_id": "r-1", "reward": "five-off", "points": 25, "status": "held", "reason": None,
    "voucher_issued": False, "fulfilment": "none",
}  # fmt: skip


@pytest.fixture
def full(api: Api) -> Api:
    """A shop with seven facts, each told by a transaction of its own: first a member's, then of stocks."""
    stocks = [a_fact(2), a_fact(1), a_fact(**OUT)] * 2
    with api.app.app_context():
        with transaction() as session:
            fact = a_fact(member=somebody("c-42"), type="redemption.held", data=HELD)
            told(session, api.program.program_id, fact)
        for fact in stocks:
            with transaction() as session:
                told(session, api.program.program_id, fact)
    return api


def types(found) -> list[str]:
    return [fact["type"] for fact in found]


def test_the_log_is_told_oldest_first(full: Api):
    first, *others = facts(full)

    told_at = NOW.isoformat().replace("+00:00", "Z")
    assert {name: value for name, value in first.items() if name not in ("event_id", "cursor")} == {
        "type": "redemption.held",
        "version": 1,
        "customer_id": "c-42",
        "occurred_at": told_at,
        "recorded_at": told_at,
        "data": HELD,
    }
    assert types(others) == ["reward.stock_low", "reward.stock_low", OUT["type"]] * 2
    assert {fact["customer_id"] for fact in others} == {None}
    assert len({fact["event_id"] for fact in (first, *others)}) == 7


def test_one_type_is_told_alone(full: Api):
    assert types(facts(full, f"?type={OUT['type']}")) == [OUT["type"]] * 2
    assert facts(full, "?type=never.told") == []


@pytest.mark.parametrize("wanted", ["", "type=reward.stock_low&"])
def test_pages_are_the_log_in_pieces(full: Api, wanted: str):
    whole = facts(full, f"?{wanted}")

    pages, after = [], ""
    while True:
        page = full.get(f"/v1/events?{wanted}limit=2{after}").json
        pages += page["data"]
        after = f"&after={page['next']}"
        if page["next"] is None:
            break

    assert pages == whole


def test_whoever_keeps_the_cursor_of_the_last_fact_goes_on_after_it(full: Api):
    *_, third, last = facts(full)
    assert full.get(f"/v1/events?after={third['cursor']}").json == {"data": [last], "next": None}
    assert full.get(f"/v1/events?after={last['cursor']}").json == {"data": [], "next": None}

    with full.app.app_context(), transaction() as session:
        told(session, full.program.program_id, a_fact(8))

    assert [fact["data"]["remaining"] for fact in facts(full, f"?after={last['cursor']}")] == [8]


@pytest.mark.parametrize("query", ["after=nonsense", "after=WyJhIl0", "type=Nonsense", "type=a", "limit=0", "before=1"])
def test_a_question_that_makes_no_sense_is_refused(api: Api, query: str):
    response = api.get(f"/v1/events?{query}")

    assert (response.status_code, response.json["code"]) == (422, "invalid-request")


def test_the_log_of_another_program_is_not_shown(app: Flask, full: Api):
    with app.app_context(), transaction() as session:
        program = a_program(session)
        stranger = Api(app, program, a_key(session, program, "reports:read"))
    facts(full)

    assert facts(stranger) == []
    assert stranger.get(f"/v1/events?after={facts(full)[0]['cursor']}").json["data"] == []
