"""Orders over HTTP: recorded once, replayed for ever, refused with the reason."""

import pytest

from tests.api import Api
from tests.builders import order_json

LINE = {"line_id": "1", "sku": "KAFFEE-1", "unit_price": 1000}


def test_an_order_is_read_back_as_it_was_reported_with_what_it_earned(api: Api):
    api.enrol()
    order = order_json(shipping=490, discount=100, points_paid=50, channel="web", metadata={"till": 7})
    receipt = api.post("/v1/orders", order).json

    found = api.get(f"/v1/orders/{order['order_id']}").json

    assert {name: found[name] for name in order if name != "lines"} == {n: v for n, v in order.items() if n != "lines"}
    assert found["lines"] == [{**order["lines"][0], "discount": 0, "tax": 0}]
    assert (found["status"], found["points"], found["awards"]) == ("recorded", receipt["points"], receipt["awards"])


def test_a_receipt_names_the_rule_its_version_the_lines_and_the_dates(api: Api):
    api.enrol()
    receipt = api.post("/v1/orders", order_json(placed_at="2026-01-25T10:00:00Z")).json
    assert receipt["awards"] == [
        {
            "rule": {"code": "base", "version": 1},
            "unit": "points",
            "points": 30,
            "matures_at": None,
            "expires_at": "2027-01-26T00:00:00Z",
            "lines": [{"line_id": "1", "points": 30}],
            "reason": "1 per 1.00 EUR",
        }
    ]
    assert receipt["tier"] is None


def test_a_replay_is_the_first_answer_byte_for_byte_whatever_happened_since(api: Api):
    api.enrol()
    order = order_json()
    first = api.post("/v1/orders", order)
    api.post("/v1/orders", order_json())

    again = api.post("/v1/orders", order)

    assert (again.status_code, again.data) == (201, first.data)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert api.balance()["available"] == 60


def test_the_same_order_written_differently_is_the_same_order(api: Api):
    api.enrol()
    order = order_json(placed_at="2026-03-01T10:00:00Z")
    first = api.post("/v1/orders", order)
    reordered = dict(reversed(list({**order, "placed_at": "2026-03-01T11:00:00+01:00", "shipping": 0}.items())))
    assert api.post("/v1/orders", reordered).data == first.data


@pytest.mark.parametrize(
    "change",
    [
        {"placed_at": "2026-03-01T10:00:01Z"},
        {"customer_id": "c-43"},
        {"customer_id": None},
        {"lines": [LINE]},
        {"shipping": 1},
        {"discount": 1},
        {"points_paid": 1},
        {"channel": "web"},
        {"metadata": {"a": 1}},
    ],
)
def test_the_same_id_with_any_other_content_is_a_conflict_that_changes_nothing(api: Api, change):
    api.enrol()
    api.enrol("c-43")
    order = order_json()
    api.post("/v1/orders", order)

    refused = api.post("/v1/orders", {**order, **change})

    assert (refused.status_code, refused.json["code"]) == (409, "idempotency-conflict")
    assert refused.json["order_id"] == order["order_id"]
    assert (api.balance()["available"], api.balance("c-43")["available"]) == (30, 0)


def test_a_guests_order_is_kept_and_earns_nothing(api: Api):
    order = order_json()
    del order["customer_id"]

    receipt = api.post("/v1/orders", order)

    assert receipt.status_code == 201
    assert (receipt.json["customer_id"], receipt.json["awards"], receipt.json["balance"]) == (None, [], None)
    assert api.get(f"/v1/orders/{order['order_id']}").json["customer_id"] is None
    assert api.post("/v1/orders", order).headers["Idempotent-Replayed"] == "true"


def test_an_order_of_a_stranger_is_refused_and_its_id_stays_free(api: Api):
    order = order_json(customer_id="stranger")
    refused = api.post("/v1/orders", order)
    assert (refused.status_code, refused.json["code"]) == (404, "member-not-found")
    assert refused.json["customer_id"] == "stranger"
    assert api.get(f"/v1/orders/{order['order_id']}").json["code"] == "order-not-found"

    api.enrol("stranger")
    assert api.post("/v1/orders", order).status_code == 201


def test_a_program_may_enrol_customers_at_their_first_order(api: Api):
    api.patch("/v1/admin/program", {"auto_enrol": True}, headers={"If-Match": '"1"'})
    receipt = api.post("/v1/orders", order_json(customer_id="new"))
    assert receipt.json["balance"]["available"] == 30
    assert api.get("/v1/members/new").json["status"] == "active"


def test_an_order_in_another_currency_is_refused(api: Api):
    api.enrol()
    refused = api.post("/v1/orders", order_json(currency="PLN"))
    assert (refused.status_code, refused.json["code"]) == (422, "currency-mismatch")
    assert (refused.json["currency"], refused.json["program_currency"]) == ("PLN", "EUR")


def test_an_order_dated_in_the_future_is_refused(api: Api):
    api.enrol()
    refused = api.post("/v1/orders", order_json(placed_at="2190-01-01T00:00:00Z"))
    assert (refused.status_code, refused.json["code"]) == (422, "placed-in-future")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"order_id": "a b"}, "/order_id"),
        ({"order_id": "x" * 65}, "/order_id"),
        ({"order_id": "ok\n"}, "/order_id"),
        ({"currency": "eur"}, "/currency"),
        ({"placed_at": "2026-03-01T10:00:00"}, "/placed_at"),
        ({"placed_at": "yesterday"}, "/placed_at"),
        ({"placed_at": "0001-01-01T00:00:00+14:00"}, "/placed_at"),
        ({"lines": []}, "/lines"),
        ({"lines": {}}, "/lines"),
        ({"lines": [7]}, "/lines/0"),
        ({"lines": [{**LINE, "quantity": 0}]}, "/lines/0/quantity"),
        ({"lines": [{**LINE, "quantity": 3.9}]}, "/lines/0/quantity"),
        ({"lines": [{**LINE, "quantity": "7"}]}, "/lines/0/quantity"),
        ({"lines": [{**LINE, "quantity": True}]}, "/lines/0/quantity"),
        ({"lines": [{**LINE, "quantity": 10**30}]}, "/lines/0/quantity"),
        ({"lines": [{**LINE, "unit_price": -1}]}, "/lines/0/unit_price"),
        ({"lines": [{**LINE, "unit_price": 10**12, "quantity": 2}]}, "/lines/0/unit_price"),
        ({"lines": [{**LINE, "discount": 1001}]}, "/lines/0/discount"),
        ({"lines": [{**LINE, "colour": "red"}]}, "/lines/0/colour"),
        ({"lines": [LINE, LINE]}, "/lines"),
        ({"lines": [{k: v for k, v in LINE.items() if k != "sku"}]}, "/lines/0/sku"),
        ({"discount": 3001}, "/discount"),
        ({"points_paid": 3001}, "/points_paid"),
        ({"shipping": "490"}, "/shipping"),
        ({"metadata": {"a": {"b": [["\u0000"]]}}}, "/metadata"),
        ({"unheard_of": 1}, "/unheard_of"),
    ],
)
def test_a_wrong_order_is_refused_by_its_pointer_and_changes_nothing(api: Api, change, pointer):
    api.enrol()
    refused = api.post("/v1/orders", order_json(**change))
    assert (refused.status_code, refused.json["code"]) == (422, "invalid-request")
    assert pointer in {error["pointer"] for error in refused.json["errors"]}
    assert api.balance()["available"] == 0


def test_every_mistake_is_named_at_once(api: Api):
    refused = api.post("/v1/orders", {"order_id": "a b", "lines": [{"line_id": "", "sku": 1}]})
    pointers = {error["pointer"] for error in refused.json["errors"]}
    assert pointers >= {"/order_id", "/currency", "/placed_at", "/lines/0/line_id", "/lines/0/sku"}


def test_a_thousand_lines_are_one_order(api: Api):
    api.enrol()
    lines = [{"line_id": str(n), "sku": f"s-{n}", "unit_price": 350} for n in range(1_000)]
    receipt = api.post("/v1/orders", order_json(lines=lines)).json
    assert receipt["points"]["awarded"] == 3_500
    assert sum(line["points"] for line in receipt["awards"][0]["lines"]) == 3_500
    too_many = [*lines, {"line_id": "one more", "sku": "s", "unit_price": 1}]
    assert api.post("/v1/orders", order_json(lines=too_many)).json["errors"][0]["pointer"] == "/lines"
