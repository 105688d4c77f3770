"""`Idempotency-Key`: one request runs, its retries are given its answer, and a refusal leaves the key free."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from psycopg.rows import scalar_row
from werkzeug.test import TestResponse

from loyalty.db.session import dict_row, reading, transaction
from tests.api import Api
from tests.builders import a_key, a_program, order_json

KEYS = "/v1/admin/keys"
NEW_KEY = {"scopes": ["rewards:read"], "name": "till"}


def keyed(key: str) -> dict[str, dict[str, str]]:
    """The header, as an argument of a request."""
    return {"headers": {"Idempotency-Key": key}}


def keys_made(api: Api) -> int:
    """How many keys the program has besides the one that asks."""
    return len(api.get(KEYS).json["data"]) - 1


def refused(response: TestResponse, status: int, code: str) -> bool:
    """Whether a response is this refusal."""
    return (response.status_code, response.json["code"]) == (status, code)


def test_a_retry_is_given_the_first_answer(api: Api):
    first = api.post(KEYS, NEW_KEY, **keyed("k-1"))
    second = api.post(KEYS, NEW_KEY, **keyed("k-1"))

    assert (first.status_code, second.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.json == {**first.json, "secret": None}
    assert keys_made(api) == 1


def test_an_answer_that_holds_no_secret_is_given_again_byte_for_byte(api: Api):
    api.enrol("c-42")
    first = api.post("/v1/members/c-42/suspend", **keyed("k-1"))
    api.post("/v1/members/c-42/resume")

    second = api.post("/v1/members/c-42/suspend", **keyed("k-1"))

    assert second.get_data() == first.get_data()
    assert second.json["status"] == "suspended"
    assert api.get("/v1/members/c-42").json["status"] == "active"


def test_without_a_key_every_request_runs(api: Api):
    ids = {api.post(KEYS, NEW_KEY).json["key_id"] for _ in range(2)}

    assert len(ids) == 2


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda api: api.post(KEYS, {**NEW_KEY, "name": "other"}, **keyed("k-1")), id="another body"),
        pytest.param(lambda api: api.post(KEYS, **keyed("k-1")), id="no body"),
        pytest.param(lambda api: api.post(f"{KEYS}?x=1", NEW_KEY, **keyed("k-1")), id="another query"),
        pytest.param(lambda api: api.post("/v1/members/c-42/close", **keyed("k-1")), id="another address"),
    ],
)
def test_the_same_key_with_another_request_is_a_conflict(api: Api, other: Callable[[Api], TestResponse]):
    api.enrol("c-42")
    first = api.post(KEYS, NEW_KEY, **keyed("k-1"))

    assert refused(other(api), 409, "idempotency-conflict")

    assert keys_made(api) == 1
    assert api.get("/v1/members/c-42").json["status"] == "active"
    assert api.post(KEYS, NEW_KEY, **keyed("k-1")).json["key_id"] == first.json["key_id"]


def test_a_key_belongs_to_one_program(api: Api):
    with api.app.app_context(), transaction() as session:
        program = a_program(session)
        stranger = Api(api.app, program, a_key(session, program))
    ours = api.post(KEYS, NEW_KEY, **keyed("k-1"))

    theirs = stranger.post(KEYS, {**NEW_KEY, "name": "theirs"}, **keyed("k-1"))

    assert theirs.status_code == 201
    assert theirs.json["key_id"] != ours.json["key_id"]


def test_a_refused_request_leaves_the_key_free(api: Api):
    assert refused(api.post("/v1/members/c-42/suspend", **keyed("k-1")), 404, "member-not-found")
    assert refused(api.post(KEYS, {"scopes": ["everything"]}, **keyed("k-2")), 422, "invalid-request")
    api.enrol("c-42")

    again = api.post("/v1/members/c-42/suspend", **keyed("k-1"))
    other = api.post(KEYS, NEW_KEY, **keyed("k-2"))

    assert (again.status_code, other.status_code) == (200, 201)
    assert "Idempotent-Replayed" not in again.headers
    assert "Idempotent-Replayed" not in other.headers


def test_a_caller_without_the_scope_learns_nothing_of_a_key(api: Api):
    api.post(KEYS, NEW_KEY, **keyed("k-1"))
    with api.app.app_context(), transaction() as session:
        reader = api.as_key(a_key(session, api.program, "members", "orders", "rewards", "offers", "reports"))

    assert refused(reader.post(KEYS, NEW_KEY, **keyed("k-1")), 403, "scope-missing")
    assert refused(api.as_key(None).post(KEYS, NEW_KEY, **keyed("k-1")), 401, "unauthenticated")


def test_of_six_requests_at_once_one_runs_and_five_are_given_its_answer(api: Api):
    start = Barrier(6)

    def send(_number: int) -> TestResponse:
        start.wait(timeout=10)
        return api.post(KEYS, NEW_KEY, **keyed("k-1"))

    with ThreadPoolExecutor(6) as threads:
        responses = list(threads.map(send, range(6)))

    assert {response.status_code for response in responses} == {201}
    assert len({response.json["key_id"] for response in responses}) == 1
    assert sorted("Idempotent-Replayed" in response.headers for response in responses) == [False] + [True] * 5
    assert sum(response.json["secret"] is not None for response in responses) == 1
    assert keys_made(api) == 1


def test_a_retry_while_the_first_is_being_refused_runs_itself(api: Api):
    start = Barrier(6)

    def send(number: int) -> int:
        start.wait(timeout=10)
        path = "/v1/members/c-42/suspend" if number % 2 else "/v1/members/c-404/suspend"
        return api.post(path, **keyed("k-1")).status_code

    api.enrol("c-42")
    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(send, range(6)))

    assert statuses[1::2] == [200, 200, 200]
    assert set(statuses[0::2]) <= {404, 409}


def test_a_secret_is_in_one_answer_and_nowhere_in_the_database(api: Api):
    secret = api.post(KEYS, NEW_KEY, **keyed("k-1")).json["secret"]
    assert api.as_key(secret).get("/v1/rewards").status_code == 200

    with api.app.app_context(), reading() as session:
        tables = session.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", into=scalar_row)
        hits = {
            table: session.row(
                f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s OR t::text LIKE %s",
                (f"%{secret[-20:]}%", f"%{secret[-20:].encode().hex()}%"),
                into=scalar_row,
            )
            for table in tables
        }
        stored = session.row(
            "SELECT status, convert_from(body, 'UTF8') AS body FROM idempotency_keys WHERE program_id = %s",
            (api.program.program_id,),
            into=dict_row,
        )

    assert {"api_keys", "idempotency_keys"} <= set(tables)
    assert {table: count for table, count in hits.items() if count} == {}
    assert stored is not None
    assert stored["status"] == 201
    assert '"secret":null' in stored["body"]


@pytest.mark.parametrize("key", ["x", "x" * 255, "a key with spaces, 100% of it; 'quoted'", "ü" * 255])
def test_a_key_may_be_any_printable_text_up_to_its_length(api: Api, key: str):
    first = api.post(KEYS, NEW_KEY, **keyed(key))

    assert first.status_code == 201
    assert api.post(KEYS, NEW_KEY, **keyed(key)).json["key_id"] == first.json["key_id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "\x7f", "\x80"])
def test_any_other_key_is_refused(api: Api, key: str):
    response = api.post(KEYS, NEW_KEY, **keyed(key))

    assert refused(response, 422, "invalid-request")
    assert response.json["errors"][0]["pointer"] == "Idempotency-Key"
    assert keys_made(api) == 0


def test_what_needs_no_key_takes_no_notice_of_one(api: Api):
    for name in ("Ada", "Grace"):
        response = api.put("/v1/members/c-42", {"first_name": name}, **keyed("k-1"))
        assert response.json["first_name"] == name
    for order_id in ("A-1", "A-2"):
        assert api.post("/v1/orders", order_json(order_id=order_id), **keyed("k-1")).json["order_id"] == order_id
    assert api.post("/v1/members/search", {"email": "x@example.com"}, **keyed("k-1")).status_code == 200
    assert _stored(api) == 0


def _stored(api: Api) -> Any:
    with api.app.app_context(), reading() as session:
        where = (api.program.program_id,)
        return session.row("SELECT count(*) FROM idempotency_keys WHERE program_id = %s", where, into=scalar_row)
