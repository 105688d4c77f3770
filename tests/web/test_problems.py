"""Every error leaves as a problem document, says what is wrong and where, and nothing of what is inside."""

import re
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import orjson
import psycopg
import pytest
import structlog
from flask import Flask
from werkzeug.test import TestResponse

from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.core.ids import new_id
from loyalty.db.session import db, dict_row, reading, transaction
from loyalty.web.arguments import ERRORS_MAX
from loyalty.web.fields import JSON_BYTES_MAX
from tests.api import Api
from tests.builders import order_json, reward_json

MEMBER = "/v1/members/c-42"
ORDERS = "/v1/orders"


def refused(response: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem document of a response, which has the status and the code."""
    assert response.mimetype == "application/problem+json", response.get_data()[:200]
    problem: dict[str, Any] = response.json
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code), problem
    assert problem["type"] == f"/problems/{code}"
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"] == response.request.path
    assert problem["request_id"] == response.headers["X-Request-Id"]
    return problem


def pointers(response: TestResponse) -> list[str]:
    """Where the mistakes are."""
    return [error["pointer"] for error in refused(response, 422, "invalid-request")["errors"]]


def send(api: Api, body: bytes | str, content_type: str | None = "application/json") -> TestResponse:
    """POST raw bytes as an order."""
    return api.call("POST", ORDERS, data=body, content_type=content_type)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{", id="cut off"),
        pytest.param("{'a': 1}", id="other quotes"),
        pytest.param('{"a": 1,}', id="a comma too many"),
        pytest.param('{"a": 1} {"b": 2}', id="two documents"),
        pytest.param('{"a": NaN}', id="not a number"),
        pytest.param('{"a": 1e999}', id="infinity"),
        pytest.param(b'{"a": "\xff"}', id="bytes that are no UTF-8"),
        pytest.param('{"a": "ü"}'.encode("latin-1"), id="another encoding"),
        pytest.param('{"a": "ü"}'.encode("utf-16"), id="a wider encoding"),
        pytest.param('{"a": "\\ud800"}', id="half a character"),
        pytest.param("[" * 100_000, id="a hundred thousand brackets"),
        pytest.param("\x00", id="a NUL"),
    ],
)
def test_what_is_not_json_is_a_malformed_request(api: Api, body: bytes | str):
    refused(send(api, body), 400, "malformed-request")


@pytest.mark.parametrize("body", ["[]", "1", '"x"', "null", "true", "[{}]"])
def test_what_is_json_but_no_object_has_the_wrong_shape(api: Api, body: str):
    assert pointers(send(api, body)) == ["/"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", None])
def test_a_body_of_another_media_type_is_refused(api: Api, content_type: str | None):
    refused(send(api, orjson.dumps(order_json()), content_type), 415, "unsupported-media-type")


def test_json_may_say_that_it_is_utf_8(api: Api):
    api.enrol()
    assert send(api, orjson.dumps(order_json()), "application/json; charset=utf-8").status_code == 201


def test_no_body_is_an_empty_object(api: Api):
    assert set(pointers(send(api, b"", None))) == {"/order_id", "/currency", "/placed_at", "/lines"}


@pytest.fixture(scope="module")
def made() -> Iterator[Callable[[str], Flask]]:
    """Makes applications with settings of their own, and disposes of them."""
    apps: list[Flask] = []

    def make(url: str, **settings: Any) -> Flask:
        apps.append(create_app(Settings(database_url=url.replace("postgresql:", "postgresql+psycopg:"), **settings)))
        return apps[-1]

    yield make
    for app in apps:
        with app.app_context():
            db.engine.dispose()


def test_a_request_that_is_too_large_is_not_read(api: Api, made: Any, database_url: str):
    small = Api(made(database_url, body_max_bytes=1000), api.program, api.key)
    body = orjson.dumps(order_json(metadata={"note": "x" * 1000}))

    refused(send(small, body), 413, "too-large")

    small.enrol()
    assert send(small, orjson.dumps(order_json())).status_code == 201


def test_a_request_that_turns_out_to_be_too_large_is_not_read_either(api: Api, made: Any, database_url: str):
    small = made(database_url, body_max_bytes=1000)

    response = small.test_client().post(
        ORDERS,
        input_stream=BytesIO(orjson.dumps(order_json(metadata={"note": "x" * 1000}))),
        content_type="application/json",
        headers={"Authorization": f"Bearer {api.key}"},
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""},
    )

    refused(response, 413, "too-large")


@pytest.mark.parametrize("path", ["/", "/v2/orders", "/v1/orders/", "/v1/members/c-42/nothing", "/docs/../etc/passwd"])
def test_an_address_where_nothing_lives(api: Api, path: str):
    refused(api.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", ORDERS, "OPTIONS, POST"),
        ("GET", "/v1/members/c-42/close", "OPTIONS, POST"),
        ("POST", "/v1/rewards", "GET, HEAD, OPTIONS"),
        ("PROPFIND", MEMBER, "GET, HEAD, OPTIONS, PUT"),
    ],
)
def test_a_method_that_an_address_does_not_have(api: Api, method: str, path: str, allowed: str):
    response = api.call(method, path)

    refused(response, 405, "method-not-allowed")
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize("customer_id", ["a%00b", "a%20b", "x" * 65, "%C3%BC", "%FF", "a%0A", "a;b", "<script>"])
def test_an_id_in_an_address_that_can_be_none(api: Api, customer_id: str):
    assert pointers(api.get(f"/v1/members/{customer_id}")) == ["path"]


def test_a_number_in_an_address_that_nothing_has(api: Api):
    assert api.get(f"/v1/admin/earning-rules/versions/{10**24}").status_code == 404


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"colour": "red"}, "/colour"),
        ({"a/b~c": 1}, "/a~1b~0c"),
        ({"": 1}, "/"),
        ({"lines": [{**order_json()["lines"][0], "colour": "red"}]}, "/lines/0/colour"),
        ({"lines": [order_json()["lines"][0], {"line_id": "2", "sku": "x"}]}, "/lines/1/unit_price"),
        ({"lines": []}, "/lines"),
        ({"lines": {"0": {}}}, "/lines"),
        ({"lines": [7]}, "/lines/0"),
        ({"order_id": None}, "/order_id"),
        ({"customer_id": ""}, "/customer_id"),
        ({"customer_id": "x\n"}, "/customer_id"),
        ({"currency": "eur"}, "/currency"),
        ({"metadata": []}, "/metadata"),
    ],
)
def test_a_mistake_is_named_by_its_place(api: Api, changed: dict[str, Any], pointer: str):
    assert pointers(api.post(ORDERS, order_json(**changed))) == [pointer]


def test_a_caller_with_a_thousand_mistakes_is_told_the_first_hundred(api: Api):
    lines = [{"line_id": str(number), "sku": "x", "unit_price": -1} for number in range(150)]

    found = pointers(api.post(ORDERS, order_json(lines=lines)))

    assert ERRORS_MAX == 100
    assert found == [f"/lines/{number}/unit_price" for number in range(100)]


def test_what_is_refused_changes_nothing(api: Api):
    api.enrol()
    api.post(ORDERS, order_json(order_id="A-1", colour="red"))

    refused(api.get(f"{ORDERS}/A-1"), 404, "order-not-found")
    assert api.balance()["available"] == 0


@pytest.mark.parametrize(
    "value", [3.9, 3.0, "7", "", True, False, None, [1], {}, 10**12 + 1, 10**18, 10**30, -1, 1e300]
)
def test_a_number_is_a_whole_number_within_bounds_and_nothing_like_it(api: Api, value: Any):
    line = {"line_id": "1", "sku": "x", "unit_price": 1}

    assert pointers(api.post(ORDERS, order_json(lines=[{**line, "unit_price": value}]))) == ["/lines/0/unit_price"]
    assert pointers(api.post(ORDERS, order_json(shipping=value))) == ["/shipping"]


def test_what_a_line_costs_stays_within_bounds_too(api: Api):
    line = {"line_id": "1", "sku": "x", "unit_price": 10**12, "quantity": 1_000_000}

    assert pointers(api.post(ORDERS, order_json(lines=[line]))) == ["/lines/0/unit_price"]


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x1b", "\x7f"])
def test_control_characters_are_refused_wherever_a_text_may_stand(api: Api, character: str):
    text = f"a{character}b"
    line = order_json()["lines"][0]

    assert pointers(api.put(MEMBER, {"first_name": text})) == ["/first_name"]
    assert pointers(api.post(ORDERS, order_json(lines=[{**line, "sku": text}]))) == ["/lines/0/sku"]
    assert pointers(api.post(ORDERS, order_json(metadata={text: 1}))) == ["/metadata"]
    assert pointers(api.post(ORDERS, order_json(metadata={"a": [{"b": text}]}))) == ["/metadata"]
    assert pointers(api.put(MEMBER, {"attributes": {"a": text}})) == ["/attributes"]
    assert pointers(api.get(f"{MEMBER}/balance?unit=%{ord(character):02x}")) == ["unit"]


def test_other_characters_come_back_as_they_were_sent(api: Api):
    text = "Zoë 'Ω' \"🛒\" \\ \t %s {} -- ; DROP TABLE members"

    assert api.enrol(first_name=text, attributes={text: [text]})["first_name"] == text
    assert api.get(MEMBER).json["attributes"] == {text: [text]}


def nested(levels: int) -> dict[str, Any]:
    """An object of so many levels, itself included, with something in the last."""
    inner: dict[str, Any] = {"a": 1}
    for _ in range(levels - 1):
        inner = {"a": inner}
    return inner


def test_free_json_has_a_size_and_a_depth(api: Api):
    fits, too_large = ({"a": "x" * (16_384 - 8 + more)} for more in (0, 1))
    assert len(orjson.dumps(fits)) == JSON_BYTES_MAX == 16_384

    assert api.enrol(attributes=fits)["attributes"] == fits
    assert api.enrol(attributes=nested(8))["attributes"] == nested(8)
    for refused_one in (too_large, nested(9), nested(200), nested(900)):
        assert pointers(api.put(MEMBER, {"attributes": refused_one})) == ["/attributes"]


def test_a_field_of_a_feature_to_come_is_refused_at_any_depth(api: Api):
    path = "/v1/admin/rewards/five-off"

    assert pointers(api.put(path, reward_json(when=nested(900)))) == ["/when"]


@pytest.mark.parametrize(
    "instant",
    [
        "2026-03-01T10:00:00",
        "2026-03-01",
        "2026-02-30T10:00:00Z",
        "2026-03-01T25:00:00Z",
        "yesterday",
        "",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-03-01T10:00:00+25:00",
        1772359200,
        None,
    ],
)
def test_an_instant_has_an_offset_and_lies_in_our_time(api: Api, instant: Any):
    assert pointers(api.post(ORDERS, order_json(placed_at=instant))) == ["/placed_at"]


def test_an_instant_is_the_same_in_every_offset(api: Api):
    api.enrol()
    api.post(ORDERS, order_json(order_id="A-1", placed_at="2026-03-01T15:30:00+05:30"))

    assert api.get(f"{ORDERS}/A-1").json["placed_at"] == "2026-03-01T10:00:00Z"


@pytest.mark.parametrize(
    ("query", "parameter"), [("limit=x", "limit"), ("colour=red", "colour"), ("limit=2&colour=red", "colour")]
)
def test_a_query_is_held_to_its_shape(api: Api, query: str, parameter: str):
    assert pointers(api.get(f"/v1/rewards?{query}")) == [parameter]


@pytest.mark.parametrize("given", ["abcdefgh", "A-b_c.d:e-123", "x" * 128])
def test_a_well_formed_request_id_comes_back(api: Api, given: str):
    assert api.get("/v1/rewards", headers={"X-Request-Id": given}).headers["X-Request-Id"] == given
    assert refused(api.get("/nowhere", headers={"X-Request-Id": given}), 404, "not-found")["request_id"] == given


@pytest.mark.parametrize("given", ["", "short", "x" * 129, "with spaces in it", "quote\"quote'", "ünïcödé-id"])
def test_any_other_request_id_is_replaced(api: Api, given: str):
    ids = {api.get("/v1/rewards", headers={"X-Request-Id": given}).headers["X-Request-Id"] for _ in range(2)}

    assert len(ids) == 2
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", request_id) for request_id in ids)


SECRET = "the password is tangerine"


@pytest.fixture(scope="module")
def broken(made: Any, database_url: str) -> Flask:
    """An application with views that nobody foresaw."""
    app: Flask = made(database_url, lock_timeout_ms=100)

    def fails() -> None:
        raise RuntimeError(SECRET)

    def asks_nonsense() -> None:
        with reading() as session:
            session.rows(f"SELECT '{SECRET}'::int", into=dict_row)

    def breaks_a_rule() -> None:
        with transaction() as session:
            session.run("INSERT INTO api_keys SELECT (api_keys).* FROM api_keys LIMIT 1")

    for view in (fails, asks_nonsense, breaks_a_rule):
        app.add_url_rule(f"/{view.__name__}", view_func=view)
    return app


@pytest.mark.parametrize("path", ["/fails", "/asks_nonsense", "/breaks_a_rule"])
def test_what_nobody_foresaw_is_logged_and_not_told(broken: Flask, api: Api, path: str):
    with structlog.testing.capture_logs() as logged:
        response = broken.test_client().get(path, headers={"X-Request-Id": "request-1234"})

    problem = refused(response, 500, "internal-error")
    assert not re.search(r"tangerine|Error|psycopg|SELECT|api_keys|Traceback|\.py", response.get_data(as_text=True))
    assert problem["request_id"] == "request-1234"
    assert [(entry["log_level"], entry["request_id"]) for entry in logged] == [("error", "request-1234")]
    assert api.get("/v1/rewards").status_code == 200


def test_a_database_that_is_gone_is_answered_as_unavailable(made: Any):
    app = made("postgresql://nobody:tangerine@127.0.0.1:1/nowhere")
    request = {"headers": {"Authorization": "Bearer loy_" + "A" * 43}}

    for path in ("/v1/rewards", "/readyz"):
        response = app.test_client().get(path, **request)
        refused(response, 503, "unavailable")
        assert response.headers["Retry-After"] == "1"
        assert not re.search(r"tangerine|127\.0\.0\.1|psycopg|refused", response.get_data(as_text=True))
    assert app.test_client().get("/healthz").json == {"status": "ok"}


def test_a_database_that_came_back_is_found_again(made: Any, api: Api, database_url: str):
    other = Api(made(database_url), api.program, api.key)
    assert other.get("/v1/rewards").status_code == 200
    with other.app.app_context(), reading() as session:
        pid = session.driver.info.backend_pid
    with psycopg.connect(database_url, autocommit=True) as operator:
        operator.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    assert [other.get("/v1/rewards").status_code for _ in range(3)] == [200, 200, 200]


def test_a_member_locked_for_too_long_is_worth_another_try(broken: Flask, api: Api):
    member_id = api.enrol()["member_id"]
    with api.app.app_context(), transaction() as session:
        session.run("SELECT 1 FROM members WHERE member_id = %s FOR UPDATE", (member_id,))
        began = time.monotonic()
        response = Api(broken, api.program, api.key).post(f"{MEMBER}/suspend")
        waited_seconds = time.monotonic() - began

    refused(response, 503, "unavailable")
    assert response.headers["Retry-After"] == "1"
    assert 0.1 <= waited_seconds < 5, "a lock is waited for less long than a statement may take"
    assert api.get(MEMBER).json["status"] == "active"


def test_a_schema_that_is_not_the_one_of_this_code_is_not_ready(made: Any, api: Api, database_url: str):
    name = f"unmigrated_{new_id().hex}"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        app = made(urlsplit(database_url)._replace(path=f"/{name}").geturl())

        assert "loyalty migrate" in refused(app.test_client().get("/readyz"), 503, "unavailable")["detail"]

        with app.app_context():
            db.engine.dispose()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert api.as_key(None).get("/readyz").json == {"status": "ready"}
