"""What orders make of a tier, and are told of it."""

import json
from datetime import timedelta

import pytest

from loyalty.core.answers import Answer
from loyalty.db.session import transaction
from loyalty.orders import service as orders
from loyalty.tiers import reading
from tests import builders, shop
from tests.api import Api
from tests.builders import NOW, order_json
from tests.clocks import it_is
from tests.ladders import a_tier, evaluations, pin, publish, recorded, standing, tier
from tests.shop import at, buy, in_days
from tests.statements import statements

HISTORY = """
INSERT INTO tier_days (member_id, day, ladder_version, spend, points, orders)
SELECT member_id, (%s::timestamptz - n * interval '1 day')::date, 0, 0, 0, 1
FROM members, generate_series(1, 1000) n WHERE program_id = %s
"""
FORGET = "DELETE FROM tier_days d USING members m WHERE m.member_id = d.member_id AND program_id = %s AND spend = 0"


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.mark.parametrize(
    ("before", "amount", "changed_from", "code"),
    [
        (0, 6000, None, "bronze"),
        (0, 15_000, "bronze", "silver"),
        (0, 25_000, "bronze", "gold"),
        (8000, 3000, "bronze", "silver"),
        (18_000, 3000, "silver", "gold"),
    ],
)
def test_an_order_lifts_at_once_and_may_skip_levels(
    api: Api, before: int, amount: int, changed_from: str | None, code: str
):
    publish(api)
    api.enrol()
    if before:
        buy(api, "A-0", amount=before)

    answer = buy(api, "A-1", amount=amount).json

    assert answer["tier"] == {"code": code, "changed_from": changed_from}
    assert tier(api) == code


def test_without_a_ladder_nothing_is_told_of_tiers(api: Api):
    api.enrol()

    assert buy(api, "A-1").json["tier"] is None
    assert recorded(api, "tier_standings") == []


def test_what_was_bought_before_there_was_a_ladder_counts(api: Api):
    api.enrol()
    buy(api, "A-1", amount=8000)
    publish(api)

    assert buy(api, "A-2", amount=2000).json["tier"] == {"code": "silver", "changed_from": "bronze"}


def test_an_order_is_judged_by_the_tier_held_before_it(api: Api):
    publish(api)
    api.enrol()

    assert buy(api, "A-1", amount=20_000).json["points"]["awarded"] == 200
    assert buy(api, "A-2").json["points"]["awarded"] == 200


@pytest.mark.parametrize("amount", [3000, 15_000, 25_000])
def test_a_preview_says_what_recording_then_answers_and_writes_nothing(api: Api, amount: int):
    publish(api)
    api.enrol()
    buy(api, "A-0", amount=10_000)
    order = order_json(order_id="A-1", placed_at=at(NOW), lines=[shop.a_line("1", amount)])
    tables = ("tier_standings", "tier_days", "tier_periods", "tier_evaluations")
    before = [recorded(api, table) for table in tables]

    preview = api.post("/v1/orders/preview", order).json

    assert [recorded(api, table) for table in tables] == before
    told = api.post("/v1/orders", order).json
    assert {name: preview[name] for name in ("tier", "points", "awards", "balance")} == {
        name: told[name] for name in ("tier", "points", "awards", "balance")
    }


def test_a_late_order_is_judged_by_the_tier_of_then(api: Api):
    publish(api)
    api.enrol()
    buy(api, "A-1", amount=20_000)

    late = buy(api, "A-2", placed_at=in_days(-10)).json

    assert late["points"]["awarded"] == 100
    assert late["tier"] == {"code": "gold", "changed_from": None}
    assert [e["cause"] for e in evaluations(api)] == ["enrolled", "order", "order"]


@pytest.mark.parametrize("hours", [1, 30])
def test_an_order_placed_before_a_pin_does_not_undo_it(api: Api, hours: int):
    publish(api)
    api.enrol()
    pin(api, "gold")

    late = buy(api, "A-1", placed_at=at(NOW - timedelta(hours=hours))).json

    assert (late["points"]["awarded"], late["tier"]) == (100, {"code": "gold", "changed_from": None})
    assert [e["cause"] for e in evaluations(api)] == ["enrolled", "pinned", "order"]


def test_a_late_order_counts_on_its_own_day(api: Api, monkeypatch: pytest.MonkeyPatch):
    publish(api)
    api.enrol()

    late = buy(api, "A-1", amount=10_000, placed_at=in_days(-100)).json

    assert late["tier"] == {"code": "silver", "changed_from": "bronze"}
    assert standing(api)["tier_since"] == NOW - timedelta(days=100)
    it_is(monkeypatch, NOW + timedelta(days=266))
    assert tier(api) == "bronze"


def test_the_first_order_of_a_batch_lifts_the_tier_that_the_second_is_judged_by(api: Api):
    publish(api)
    api.enrol()
    batch = [builders.an_order(builders.a_line(20_000)), builders.an_order(builders.a_line(10_000))]

    with api.app.app_context(), transaction() as session:
        told = orders.record_orders(session, api.program.program_id, batch, now=NOW)

    answers = [json.loads(each.body) for each in told.values() if isinstance(each, Answer)]
    assert [answer["points"]["awarded"] for answer in answers] == [200, 200]
    assert [answer["tier"] for answer in answers] == [
        {"code": "gold", "changed_from": "bronze"},
        {"code": "gold", "changed_from": None},
    ]


def test_orders_count_and_points_count_where_the_ladder_says_so(api: Api):
    publish(api, basis="orders", tiers=[a_tier("new", 0), a_tier("regular", 2)])
    api.enrol()

    assert buy(api, "A-1", amount=1).json["tier"] == {"code": "new", "changed_from": None}
    assert buy(api, "A-2", amount=1).json["tier"] == {"code": "regular", "changed_from": "new"}


def test_activities_count_by_the_points_that_they_give_until_they_are_cancelled(api: Api):
    shop.publish_rules(api, {"points": "1"}, shop.a_bonus("review", 60))
    publish(api, basis="points_earned", tiers=[a_tier("bronze", 0), a_tier("silver", 100, "2")])
    api.enrol()

    assert shop.report(api, "review-1").json["tier"] == {"code": "bronze", "changed_from": None}
    assert shop.report(api, "review-2").json["tier"] == {"code": "silver", "changed_from": "bronze"}
    cancelled = api.post("/v1/activities/review-1/cancel").json
    assert cancelled["tier"] == {"code": "bronze", "changed_from": "silver"}


def test_what_a_clock_that_runs_ahead_says_of_tomorrow_counts_today_and_comes_back_today(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    publish(api, window={"mode": "calendar_year"})
    api.enrol()
    new_year = NOW.replace(month=1, day=1, hour=0)
    it_is(monkeypatch, new_year - timedelta(minutes=1))
    buy(api, "A-1", placed_at=at(new_year + timedelta(minutes=1)))
    it_is(monkeypatch, new_year + timedelta(days=1))

    assert shop.give_back(api, "A-1", {"1": 1}).json["tier"] == {"code": "bronze", "changed_from": "silver"}

    assert [(d["day"].year, d["spend"]) for d in recorded(api, "tier_days")] == [(2025, 0)]


def test_an_order_under_a_ladder_takes_four_statements(api: Api):
    publish(api)
    api.enrol()
    buy(api, "A-0")

    with statements() as sent:
        buy(api, "A-1")

    assert len(sent) <= 4, sent


def test_with_rules_about_the_member_a_budget_and_something_due_it_takes_five(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    gift = {"code": "gift", "kind": "bonus", "points": 10, "caps": {"budget": 1000}}
    shop.publish_rules(api, {"points": "1", "when": "history.orders >= 0"}, gift)
    shop.configure_units(api, points=({"mode": "delay", "days": 1}, {"mode": "never"}))
    publish(api)
    api.enrol()
    pin(api, "gold", in_days(1))
    buy(api, "A-0")
    it_is(monkeypatch, NOW + timedelta(days=2))

    with statements() as sent:
        told = buy(api, "A-1", placed_at=in_days(2))

    assert told.json["points"]["available"] >= 0
    assert len(sent) <= 5, sent


def test_reading_a_member_costs_one_statement_more_for_the_tier(api: Api):
    api.enrol()
    api.get("/v1/members/c-42")
    with statements() as without:
        api.get("/v1/members/c-42")
    publish(api)
    api.get("/v1/members/c-42")

    with statements() as sent:
        api.get("/v1/members/c-42")

    assert len(sent) <= len(without) + 1, sent


@pytest.mark.parametrize(
    ("window", "most"), [({"mode": "rolling", "months": 1}, 33), ({"mode": "lifetime"}, 1)], ids=["rolling", "lifetime"]
)
def test_an_order_reads_no_more_days_than_the_window_holds(
    api: Api, monkeypatch: pytest.MonkeyPatch, window: dict[str, object], most: int
):
    publish(api, window=window)
    api.enrol()
    buy(api, "A-0")
    with api.app.app_context(), transaction() as session:
        session.run(HISTORY, (NOW, api.program.program_id))
        # As it would be, had they been counted one by one.
        session.run("UPDATE tier_standings SET orders = orders + 1000 WHERE program_id = %s", (api.program.program_id,))
    seen: list[int] = []
    read = reading._standing

    def noting(row: dict[str, object], *rest: object) -> object:
        seen.append(len(row.get("days") or ()))
        return read(row, *rest)

    monkeypatch.setattr(reading, "_standing", noting)
    buy(api, "A-1")

    monkeypatch.undo()
    with api.app.app_context(), transaction() as session:
        session.run(FORGET, (api.program.program_id,))
        session.run("UPDATE tier_standings SET orders = orders - 1000 WHERE program_id = %s", (api.program.program_id,))
    assert seen
    assert max(seen) <= most
