"""What an order would earn, and why one earned what it did."""

from datetime import timedelta
from typing import Any

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW, order_json
from tests.clocks import it_is

PREVIEW = "/v1/orders/preview"
A_DAY = timedelta(days=1)

BASE = {"code": "base", "points": "1"}
DOUBLE_TEA = {"code": "tea", "kind": "multiplier", "factor": "2", "categories": ["tea"]}
FROM_50 = {"code": "from-50", "kind": "bonus", "points": 25, "min_basis": 5000}
FIRST = {"code": "first", "kind": "bonus", "points": 100, "milestone": {"first": 1}}
CLUB = {"code": "club", "kind": "bonus", "points": 10, "when": "member.attributes.club == 'A'"}
MONTHLY = {"code": "monthly", "kind": "bonus", "points": 30, "caps": {"per_member": {"month": 40}, "budget": 100}}
ALL = [BASE, DOUBLE_TEA, FROM_50, FIRST, CLUB, MONTHLY]


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.fixture
def store(api: Api) -> Api:
    """A shop with all these rules and a member of club A."""
    publish(api, *ALL)
    api.enrol("c-42", attributes={"club": "A"}, birth_date="1990-03-05")
    return api


def publish(api: Api, *rules: dict[str, Any]) -> None:
    shop.publish_rules(api, *[dict(rule) for rule in rules])


def preview(api: Api, **order: Any) -> Any:
    answer = api.post(PREVIEW, order_json(**order))
    assert answer.status_code == 200, answer.json
    return answer.json


def why(told: Any, code: str) -> Any:
    """What is told of a rule that gave nothing."""
    return next(each for each in told["refused"] if each["rule"]["code"] == code)


def explanation(api: Api, order_id: str) -> Any:
    answer = api.get(f"/v1/orders/{order_id}/explanation")
    assert answer.status_code == 200, answer.json
    return answer.json


ORDERS = [
    pytest.param({}, id="an-order"),
    pytest.param({"lines": [shop.a_line("1", 3000, category="tea > green"), shop.a_line("2", 2499)]}, id="with-tea"),
    pytest.param({"lines": [shop.a_line("1", 6000)], "discount": 999}, id="with-a-discount"),
    pytest.param({"lines": [shop.a_line("1", 0)]}, id="of-nothing"),
    pytest.param({"customer_id": None}, id="of-a-guest"),
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("orders_before", [0, 1, 2, 3])
def test_a_preview_is_the_record_that_follows_it(store: Api, order: dict[str, Any], orders_before: int):
    for number in range(orders_before):
        shop.buy(store, f"before-{number}")
    new = order_json(order_id="A-1", placed_at="2026-03-01T12:00:00Z", **order)

    previewed = preview(store, **new)
    recorded = store.post("/v1/orders", new).json

    refused = previewed.pop("refused")
    assert (previewed.pop("status"), previewed.pop("rules_version")) == ("preview", 1)
    assert {**recorded, "status": "preview"} == {**previewed, "status": "preview"}
    assert explanation(store, "A-1")["refused"] == refused
    assert {each["rule"]["code"] for each in [*recorded["awards"], *refused]} == {rule["code"] for rule in ALL}


def test_a_preview_writes_nothing(store: Api):
    before = store.balance()

    for _ in range(3):
        preview(store, order_id="A-1")

    assert store.balance() == before
    assert store.get("/v1/orders/A-1").status_code == 404
    assert store.get("/v1/members/c-42/entries").json["data"] == []


def test_it_says_which_condition_refused_with_what_it_saw_and_what_would_make_it(store: Api):
    shop.buy(store, "A-1", amount=100)

    told = preview(store, lines=[shop.a_line("1", 4580, category="coffee")])

    assert why(told, "from-50") == {
        "rule": {"code": "from-50", "version": 1},
        "condition": "min_basis",
        "detail": "The rule needs 50.00 EUR of its goods, and there are 45.80 EUR: 4.20 EUR more would make it.",
        "values": {"basis": 4580, "min_basis": 5000},
        "missing": {"basis": 420},
    }
    assert why(told, "first")["values"] == {"order_number": 2, "first": 1}
    assert why(told, "tea")["condition"] == "lines"
    assert why(told, "tea")["values"]["categories"] == ["coffee"]


def test_a_comparison_says_how_much_is_missing(api: Api):
    publish(
        api, BASE, {"code": "loyal", "kind": "bonus", "points": 5, "when": "history.orders >= 3 && order.basis > 4000"}
    )
    api.enrol()

    told = why(preview(api, lines=[shop.a_line("1", 4000)]), "loyal")

    assert told["values"] == {"history.orders": 0, "order.basis": 4000}
    assert told["missing"] == {"history.orders": 3, "order.basis": 1}


def test_a_condition_that_fails_is_visible_and_costs_only_its_rule(api: Api):
    publish(api, BASE, {"code": "adults", "kind": "bonus", "points": 5, "when": "member.age >= 18"})
    api.enrol()

    told = shop.buy(api, "A-1").json

    assert [award["rule"]["code"] for award in told["awards"]] == ["base"]
    refused = why(explanation(api, "A-1"), "adults")
    assert refused["detail"] == "The condition could not be evaluated: member.age has no value (null)."
    assert b'loyalty_rule_failures_total{rule="adults"}' in api.get("/metrics").get_data()


def test_an_explanation_stays_what_it_was_whatever_comes_later(store: Api):
    shop.buy(store, "A-1", amount=3000)
    before = explanation(store, "A-1")

    shop.buy(store, "A-2")
    store.enrol("c-42", attributes={"club": "B"}, birth_date="1991-01-01")
    publish(store, {"code": "base", "points": "9"})
    shop.give_back(store, "A-1", {"1": 1})

    assert explanation(store, "A-1") == before


def test_a_cap_tells_what_it_cut_and_when_there_is_room_again(store: Api):
    shop.buy(store, "A-1")
    cut = next(a for a in shop.buy(store, "A-2").json["awards"] if a["rule"]["code"] == "monthly")
    assert (cut["points"], cut["cut"]) == (10, {"cap": "month", "limit": 40, "room": 10, "points": 30})

    told = why(preview(store), "monthly")

    assert told["condition"] == "caps"
    assert told["missing"] == {"at": "2026-04-01T00:00:00Z"}


def test_a_preview_is_refused_as_the_record_would_be(store: Api):
    assert store.post(PREVIEW, order_json(customer_id="nobody")).json["code"] == "member-not-found"
    assert store.post(PREVIEW, order_json(currency="PLN")).json["code"] == "currency-mismatch"
    assert store.post(PREVIEW, order_json(placed_at="2026-03-02T12:00:00Z")).json["code"] == "placed-in-future"
    store.post("/v1/members/c-42/suspend")
    assert store.post(PREVIEW, order_json()).json["code"] == "member-suspended"


def test_a_customer_whom_the_order_would_enrol_sees_what_a_newcomer_gets(store: Api):
    shop.configure(store, auto_enrol=True)

    told = preview(store, customer_id="new", lines=[shop.a_line("1", 1000)])

    assert {award["rule"]["code"]: award["points"] for award in told["awards"]} == {
        "base": 10,
        "first": 100,
        "monthly": 30,
    }
    assert store.get("/v1/members/new").status_code == 404


def test_an_order_that_was_never_recorded_cannot_be_explained(api: Api):
    assert api.get("/v1/orders/A-404/explanation").json["code"] == "order-not-found"
