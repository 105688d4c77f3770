"""Orders over HTTP: recorded once, answered with the first answer, refused with a pointer to what is wrong."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.api import Api
from tests.builders import NOW, order_json
from tests.clocks import it_is

ORDERS = "/v1/orders"
LINE = {"line_id": "1", "sku": "KAFFEE-1", "category": "coffee", "quantity": 2, "unit_price": 1500}


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def a_line_json(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in {**LINE, **given}.items() if value != "absent"}


def refused_at(response: Any) -> list[str]:
    assert response.status_code == 422, response.json
    assert response.json["code"] == "invalid-request"
    return [error["pointer"] for error in response.json["errors"]]


# Recorded


def test_an_order_is_answered_with_what_it_earned_and_what_the_member_holds(api: Api):
    api.enrol("c-42")
    api.post(ORDERS, order_json())

    answer = api.post(ORDERS, order_json(order_id="A-1001"))

    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer.headers
    assert answer.json == {
        "order_id": "A-1001",
        "customer_id": "c-42",
        "status": "recorded",
        "points": {"awarded": 30, "pending": 0, "available": 30},
        "awards": [
            {
                "rule": {"code": "base", "version": 1},
                "unit": "points",
                "points": 30,
                "matures_at": None,
                "expires_at": "2027-03-02T00:00:00Z",
                "lines": [{"line_id": "1", "points": 30}],
                "reason": "1 per 1.00 EUR",
            }
        ],
        "balance": {"available": 60, "pending": 0, "held": 0, "debt": 0},
        "tier": None,
    }


def test_an_order_is_read_as_it_was_reported_with_what_it_earned(api: Api):
    api.enrol("c-42")
    reported = order_json(
        order_id="A-1001", shipping=490, discount=100, points_paid=50, channel="web",
        metadata={"till": 7, "note": "żółć", "nested": {"a": [1, None, True]}},
        lines=[a_line_json(discount=10, tax=230), a_line_json(line_id="2", category=None, quantity="absent")],
    )  # fmt: skip
    receipt = api.post(ORDERS, reported).json

    answer = api.get(f"{ORDERS}/A-1001")

    assert answer.status_code == 200
    assert answer.json == {
        **reported,
        "lines": [
            {**LINE, "discount": 10, "tax": 230},
            {**LINE, "line_id": "2", "category": None, "quantity": 1, "discount": 0, "tax": 0},
        ],
        "status": "recorded",
        "recorded_at": "2026-03-01T12:00:00Z",
        "confirmed_at": None,
        "payment_id": None,
        "points": receipt["points"],
        "awards": receipt["awards"],
        "returned": [],
    }


def test_a_guest_order_is_kept_and_earns_nothing(api: Api):
    order = order_json(order_id="G-1")
    del order["customer_id"]

    answer = api.post(ORDERS, order)

    assert answer.status_code == 201
    assert (answer.json["customer_id"], answer.json["awards"], answer.json["balance"]) == (None, [], None)
    assert answer.json["points"] == {"awarded": 0, "pending": 0, "available": 0}
    assert api.get(f"{ORDERS}/G-1").json["lines"] == [{**LINE, "discount": 0, "tax": 0}]


def test_an_order_that_earns_nothing_is_recorded_all_the_same(api: Api):
    api.enrol("c-42")

    answer = api.post(ORDERS, order_json(lines=[a_line_json(unit_price=0)]))

    assert (answer.status_code, answer.json["awards"]) == (201, [])
    assert answer.json["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 0}


def test_an_order_may_have_a_thousand_lines_and_its_points_are_split_among_them(api: Api):
    api.enrol("c-42")
    lines = [a_line_json(line_id=f"{number:04}", quantity=1, unit_price=150) for number in range(1000)]

    answer = api.post(ORDERS, order_json(lines=lines))

    assert answer.json["points"]["awarded"] == 1500
    split = [line["points"] for line in answer.json["awards"][0]["lines"]]
    assert split == [2] * 500 + [1] * 500


def test_the_largest_amounts_are_exact(api: Api):
    api.enrol("c-42")

    answer = api.post(ORDERS, order_json(lines=[a_line_json(quantity=1, unit_price=10**12 - 1)]))

    assert answer.json["points"]["awarded"] == 10**10 - 1


def test_an_order_that_was_never_recorded_is_not_found(api: Api):
    answer = api.get(f"{ORDERS}/A-404")

    assert (answer.status_code, answer.json["code"], answer.json["order_id"]) == (404, "order-not-found", "A-404")


def test_every_character_that_an_id_may_have_works_in_a_path(api: Api):
    order_id = "Az09._:@+-" + "x" * 54
    api.enrol("c-42")

    assert api.post(ORDERS, order_json(order_id=order_id)).status_code == 201
    assert api.get(f"{ORDERS}/{order_id}").json["order_id"] == order_id


# Again


def test_the_same_order_again_is_answered_with_the_first_answer_byte_for_byte(api: Api):
    api.enrol("c-42")
    order = order_json()
    first = api.post(ORDERS, order)
    api.post(ORDERS, order_json())  # the balance has moved on since

    again = api.post(ORDERS, order)

    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert api.balance()["available"] == 60


def test_a_guest_order_again_is_answered_with_the_first_answer(api: Api):
    order = order_json(customer_id=None)
    first = api.post(ORDERS, order)
    del order["customer_id"]  # absent and null are the same guest

    again = api.post(ORDERS, order)

    assert (again.data, again.headers["Idempotent-Replayed"]) == (first.data, "true")


@pytest.mark.parametrize(
    "same",
    [
        {"placed_at": "2026-03-01T11:00:00+01:00"},
        {"placed_at": "2026-03-01T10:00:00.000Z"},
        {"placed_at": "2026-02-28T23:00:00-11:00"},
        {"shipping": 0, "discount": 0, "points_paid": 0, "channel": None, "metadata": {}},
        {"lines": [{**LINE, "discount": 0, "tax": 0}]},
        {"lines": [dict(reversed(LINE.items()))]},
    ],
)
def test_the_same_content_written_another_way_is_the_same_order(api: Api, same: dict[str, Any]):
    api.enrol("c-42")
    order = order_json()
    first = api.post(ORDERS, order)

    again = api.post(ORDERS, {**order, **same})

    assert (again.status_code, again.data, again.headers.get("Idempotent-Replayed")) == (201, first.data, "true")


def test_the_order_of_the_fields_does_not_matter(api: Api):
    api.enrol("c-42")
    order = order_json(metadata={"a": {"x": 1, "y": 2}, "b": 2})
    api.post(ORDERS, order)
    backwards = dict(reversed({**order, "metadata": {"b": 2, "a": {"y": 2, "x": 1}}}.items()))

    raw = {"data": json.dumps(backwards, sort_keys=False), "content_type": "application/json"}
    again = api.call("POST", ORDERS, **raw)

    assert again.headers.get("Idempotent-Replayed") == "true"


@pytest.mark.parametrize(
    "changed",
    [
        {"customer_id": "c-43"},
        {"customer_id": None},
        {"placed_at": "2026-03-01T10:00:01Z"},
        {"placed_at": "2026-03-01T10:00:00+01:00"},
        {"shipping": 1},
        {"discount": 1},
        {"points_paid": 1},
        {"channel": "web"},
        {"metadata": {"a": 1}},
        {"lines": [{**LINE, "line_id": "2"}]},
        {"lines": [{**LINE, "sku": "KAFFEE-2"}]},
        {"lines": [{**LINE, "category": None}]},
        {"lines": [{**LINE, "quantity": 3}]},
        {"lines": [{**LINE, "unit_price": 1501}]},
        {"lines": [{**LINE, "discount": 1}]},
        {"lines": [{**LINE, "tax": 1}]},
        {"lines": [LINE, {**LINE, "line_id": "2"}]},
    ],
)
def test_other_content_under_the_same_id_is_a_conflict_that_changes_nothing(api: Api, changed: dict[str, Any]):
    api.enrol("c-42")
    api.enrol("c-43")
    order = order_json()
    api.post(ORDERS, order)

    answer = api.post(ORDERS, {**order, **changed})

    assert (answer.status_code, answer.json["code"]) == (409, "idempotency-conflict")
    assert answer.json["order_id"] == order["order_id"]
    assert (api.balance("c-42")["available"], api.balance("c-43")["available"]) == (30, 0)


# Refused


def test_a_stranger_is_not_found_and_the_id_stays_free(api: Api):
    order = order_json(customer_id="c-7")

    answer = api.post(ORDERS, order)

    assert (answer.status_code, answer.json["code"], answer.json["customer_id"]) == (404, "member-not-found", "c-7")
    assert api.get(f"{ORDERS}/{order['order_id']}").status_code == 404
    api.enrol("c-7")
    again = api.post(ORDERS, order)
    assert again.status_code == 201
    assert "Idempotent-Replayed" not in again.headers


def test_a_stranger_is_enrolled_by_an_order_where_the_program_says_so(api: Api):
    api.patch("/v1/admin/program", {"auto_enrol": True}, headers={"If-Match": '"1"'})

    answer = api.post(ORDERS, order_json(customer_id="c-7"))

    assert (answer.status_code, answer.json["balance"]["available"]) == (201, 30)
    member = api.get("/v1/members/c-7").json
    assert (member["status"], member["enrolled_at"]) == ("active", "2026-03-01T12:00:00Z")
    assert api.post(ORDERS, order_json(customer_id="c-7")).json["balance"]["available"] == 60


def test_an_order_in_another_currency_is_refused(api: Api):
    api.enrol("c-42")

    answer = api.post(ORDERS, order_json(currency="USD"))

    assert (answer.status_code, answer.json["code"]) == (422, "currency-mismatch")
    assert (answer.json["currency"], answer.json["program_currency"]) == ("USD", "EUR")


def test_a_clock_may_run_five_minutes_ahead_and_no_more(api: Api):
    api.enrol("c-42")

    ahead = api.post(ORDERS, order_json(placed_at=(NOW + timedelta(minutes=5)).isoformat()))
    refused = api.post(ORDERS, order_json(placed_at=(NOW + timedelta(minutes=5, microseconds=1)).isoformat()))

    assert ahead.status_code == 201
    assert (refused.status_code, refused.json["code"]) == (422, "placed-in-future")
    assert refused.json["placed_at"] == "2026-03-01T12:05:00.000001Z"


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"order_id": ""}, "/order_id"),
        ({"order_id": "a b"}, "/order_id"),
        ({"order_id": "A/1"}, "/order_id"),
        ({"order_id": "A-1\n"}, "/order_id"),
        ({"order_id": "x" * 65}, "/order_id"),
        ({"order_id": 7}, "/order_id"),
        ({"order_id": None}, "/order_id"),
        ({"customer_id": "c 42"}, "/customer_id"),
        ({"customer_id": "ż"}, "/customer_id"),
        ({"currency": "eur"}, "/currency"),
        ({"currency": None}, "/currency"),
        ({"placed_at": "2026-03-01T10:00:00"}, "/placed_at"),
        ({"placed_at": "2026-03-01"}, "/placed_at"),
        ({"placed_at": "yesterday"}, "/placed_at"),
        ({"placed_at": 1772359200}, "/placed_at"),
        ({"placed_at": "1969-12-31T23:59:59Z"}, "/placed_at"),
        ({"placed_at": "2026-02-30T10:00:00Z"}, "/placed_at"),
        ({"lines": []}, "/lines"),
        ({"lines": None}, "/lines"),
        ({"lines": {}}, "/lines"),
        ({"lines": ["1"]}, "/lines/0"),
        ({"shipping": -1}, "/shipping"),
        ({"shipping": 4.9}, "/shipping"),
        ({"shipping": "490"}, "/shipping"),
        ({"shipping": True}, "/shipping"),
        ({"shipping": None}, "/shipping"),
        ({"shipping": 10**12 + 1}, "/shipping"),
        ({"discount": -1}, "/discount"),
        ({"discount": 3001}, "/discount"),
        ({"points_paid": -1}, "/points_paid"),
        ({"points_paid": 3001}, "/points_paid"),
        ({"points_paid": 3001, "shipping": 10, "discount": 10}, "/points_paid"),
        ({"channel": ""}, "/channel"),
        ({"channel": "x" * 65}, "/channel"),
        ({"channel": "a\u0000b"}, "/channel"),
        ({"metadata": []}, "/metadata"),
        ({"metadata": None}, "/metadata"),
        ({"metadata": {"a": "x" * 16_384}}, "/metadata"),
        ({"metadata": {"a": "\u0000"}}, "/metadata"),
        ({"metadata": {"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": {"9": 1}}}}}}}}}}, "/metadata"),
        ({"total": 3000}, "/total"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], pointer: str):
    api.enrol("c-42")

    assert refused_at(api.post(ORDERS, order_json(**changed))) == [pointer]
    assert api.balance()["lifetime_earned"] == 0


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"line_id": ""}, "/line_id"),
        ({"line_id": "x" * 65}, "/line_id"),
        ({"line_id": 2}, "/line_id"),
        ({"line_id": "absent"}, "/line_id"),
        ({"sku": ""}, "/sku"),
        ({"sku": None}, "/sku"),
        ({"category": ""}, "/category"),
        ({"category": "x" * 201}, "/category"),
        ({"quantity": 0}, "/quantity"),
        ({"quantity": -1}, "/quantity"),
        ({"quantity": 1.5}, "/quantity"),
        ({"quantity": "2"}, "/quantity"),
        ({"quantity": True}, "/quantity"),
        ({"quantity": 1_000_001}, "/quantity"),
        ({"unit_price": -1}, "/unit_price"),
        ({"unit_price": "absent"}, "/unit_price"),
        ({"unit_price": 10**12 + 1}, "/unit_price"),
        ({"unit_price": 10**12, "quantity": 2}, "/unit_price"),
        ({"discount": -1}, "/discount"),
        ({"discount": 3001}, "/discount"),
        ({"tax": -1}, "/tax"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], pointer: str):
    lines = [a_line_json(line_id="0"), a_line_json(**{"line_id": "1", **changed})]

    assert refused_at(api.post(ORDERS, order_json(lines=lines))) == [f"/lines/1{pointer}"]


@pytest.mark.parametrize(
    "lines",
    [
        [a_line_json(), a_line_json()],
        [a_line_json(line_id=str(number)) for number in range(1001)],
        [a_line_json(line_id=str(number), quantity=1, unit_price=10**12) for number in range(2)],
    ],
    ids=["the same line twice", "more than a thousand", "more than the largest amount"],
)
def test_lines_that_do_not_go_together_are_refused(api: Api, lines: list[Any]):
    assert refused_at(api.post(ORDERS, order_json(lines=lines))) == ["/lines"]


def test_all_mistakes_are_told_at_once(api: Api):
    answer = api.post(ORDERS, {"order_id": "a b", "lines": [{"line_id": "1"}], "total": 1})

    assert set(refused_at(answer)) == {
        "/order_id", "/currency", "/placed_at", "/lines/0/sku", "/lines/0/unit_price", "/total",
    }  # fmt: skip
