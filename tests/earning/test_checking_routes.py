"""POST /v1/admin/earning-rules/check over HTTP, what it knows of the shop, and that publishing asks the same."""

from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.db.session import transaction
from loyalty.earning import queries
from tests.api import Api
from tests.builders import NOW, order_json
from tests.clocks import it_is
from tests.statements import statements

RULES = "/v1/admin/earning-rules"
CHECK = f"{RULES}/check"

BASE = {"code": "base", "kind": "base", "priority": 10, "points_per": {"amount": 100, "points": "1"}}
BROKEN = {**BASE, "skus": ["A"], "exclude_skus": ["A"]}


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def sell(api: Api, *lines: tuple[str, str | None], **given: Any) -> None:
    made = [
        {"line_id": str(number), "sku": sku, "quantity": 1, "unit_price": 100, **({"category": path} if path else {})}
        for number, (sku, path) in enumerate(lines)
    ]
    assert api.post("/v1/orders", order_json(customer_id=None, lines=made, **given)).status_code == 201


def codes(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.json
    return [(finding["code"], finding["pointer"]) for finding in answer.json["findings"]]


def test_without_a_body_the_draft_is_checked(api: Api):
    api.put(f"{RULES}/draft", {"rules": [BROKEN, {**BASE, "code": "b", "priority": 20, "min_basis": 1}]})

    answer = api.post(CHECK)

    assert codes(answer) == [("nothing-covered", "/rules/0/skus"), ("minor-units", "/rules/1/min_basis")]
    assert (answer.json["ok"], answer.json["errors"], answer.json["warnings"]) == (False, 1, 1)
    assert api.post(CHECK, {}).json == answer.json


def test_rules_that_are_sent_are_checked_and_not_stored(api: Api):
    answer = api.post(CHECK, {"rules": [BASE], "segments": []})

    assert answer.json == {"ok": True, "errors": 0, "warnings": 0, "findings": []}
    assert api.post(CHECK).json["code"] == "nothing-to-publish"
    assert api.get(f"{RULES}/draft").json["version"] == 0


def test_without_rules_and_without_a_draft_there_is_nothing_to_check(api: Api):
    answer = api.post(CHECK)

    assert (answer.status_code, answer.json["code"]) == (409, "nothing-to-publish")


def test_what_has_not_the_shape_of_a_draft_is_refused(api: Api):
    wrong = api.post(CHECK, {"rules": [{**BASE, "kind": "discount"}]})
    half = api.post(CHECK, {"segments": []})

    assert (wrong.status_code, wrong.json["errors"][0]["pointer"]) == (422, "/rules/0/kind")
    assert (half.status_code, half.json["errors"][0]["pointer"]) == (422, "/rules")


def test_only_an_admin_checks(api: Api):
    assert api.as_key(None).post(CHECK).status_code == 401


def test_publishing_refuses_what_the_check_calls_an_error_and_lets_warnings_through(api: Api):
    api.put(f"{RULES}/draft", {"rules": [BROKEN]})
    errors = api.post(CHECK).json["findings"]

    refused = api.post(f"{RULES}/publish", {})

    assert (refused.json["code"], refused.json["errors"]) == ("rules-invalid", errors)
    draft = api.get(f"{RULES}/draft")
    api.put(f"{RULES}/draft", {"rules": [{**BASE, "min_basis": 1}]}, headers={"If-Match": draft.headers["ETag"]})
    assert api.post(CHECK).json["warnings"] == 1
    assert api.post(f"{RULES}/publish", {}).status_code == 200


def test_what_was_sold_is_known_by_sku_category_and_channel(api: Api):
    sell(api, ("BEANS-1", "coffee > beans"), ("BAG-1", None), channel="web")
    rule = {**BASE, "skus": ["BEANS-1", "BEANS-2"], "categories": ["coffee", "tea"], "channels": ["web", "shop"]}

    answer = api.post(CHECK, {"rules": [rule]})

    expected = [("unknown-sku", "/rules/0/skus/1"), ("unknown-category", "/rules/0/categories/1")]
    assert codes(answer) == [*expected, ("unknown-channel", "/rules/0/channels/1")]
    assert answer.json["findings"][0]["detail"].endswith("Did you mean 'BEANS-1'?")


def test_nothing_is_said_of_goods_before_the_first_order_nor_because_of_other_programs(api: Api):
    assert codes(api.post(CHECK, {"rules": [{**BASE, "skus": ["X"]}]})) == []


def test_only_the_newest_orders_are_looked_at(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(queries, "ORDERS_READ", 2)
    for day, sku in ((1, "OLD"), (3, "NEW-2"), (2, "NEW-1")):
        sell(api, (sku, None), placed_at=f"2026-02-0{day}T10:00:00Z")

    answer = api.post(CHECK, {"rules": [{**BASE, "skus": ["NEW-1", "NEW-2", "OLD"]}]})

    assert codes(answer) == [("unknown-sku", "/rules/0/skus/2")]


def test_the_newest_orders_are_read_by_the_index_on_time(api: Api):
    sell(api, ("A", None))

    with api.app.app_context(), statements() as sent, transaction() as session:
        queries.known(session, api.program, now=NOW)
        session.run("SET LOCAL enable_seqscan = off")
        session.run("SET LOCAL enable_sort = off")
        plan = session.rows(f"EXPLAIN {queries._SOLD}", (api.program.program_id, 20_000), into=scalar_row)

    assert len([statement for statement in sent if "orders" in statement]) == 2
    assert "ix_orders_program_id_placed_at" in str(plan)


def test_a_thousand_findings_are_listed_and_all_are_counted(api: Api):
    names = {f"exclude_{kind}": [f"x{n}" for n in range(20)] for kind in ("skus", "categories")}
    sell(api, ("A", None))
    rules = [{**BASE, "code": f"r{n}", "priority": n, "skus": ["A"], **names} for n in range(60)]

    answer = api.post(CHECK, {"rules": rules}).json

    assert len(answer["findings"]) == 1000
    assert answer["warnings"] > 1000
