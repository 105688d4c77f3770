"""`ETag` and `If-Match`: nobody overwrites a change that he has not seen."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from tests.api import Api
from tests.builders import reward_json

PROGRAM, REWARD, DRAFT = "/v1/admin/program", "/v1/admin/rewards/five-off", "/v1/admin/earning-rules/draft"
RULE = {"code": "base", "kind": "base", "priority": 1, "points_per_unit": 1}


def matching(etag: str) -> dict[str, Any]:
    """The header, as an argument of a request."""
    return {"headers": {"If-Match": etag}}


def change(api: Api, path: str, number: int, **kwargs: Any) -> Any:
    """Change a resource, so that one can tell who did."""
    if path == PROGRAM:
        return api.patch(path, {"name": f"Change {number}"}, **kwargs)
    body = {"rules": [{**RULE, "priority": number}]} if path == DRAFT else reward_json(name=f"Change {number}")
    return api.put(path, body, **kwargs)


@pytest.fixture(params=[PROGRAM, REWARD, DRAFT])
def path(request: pytest.FixtureRequest, api: Api) -> str:
    """A resource that exists."""
    if request.param != PROGRAM:
        change(api, request.param, 0)
    return str(request.param)


def test_a_change_of_the_version_that_was_read_is_made_and_named(api: Api, path: str):
    read = api.get(path)

    changed = change(api, path, 1, **matching(read.headers["ETag"]))

    assert read.headers["ETag"] == f'"{read.json["version"]}"'
    assert changed.status_code == 200
    assert changed.json["version"] == read.json["version"] + 1
    assert changed.headers["ETag"] == f'"{changed.json["version"]}"'
    assert api.get(path).json == changed.json


def test_a_change_of_an_older_version_is_refused_and_changes_nothing(api: Api, path: str):
    old = api.get(path).headers["ETag"]
    current = change(api, path, 1, **matching(old)).json

    late = change(api, path, 2, **matching(old))

    assert (late.status_code, late.json["code"]) == (412, "stale-version")
    assert (late.json["expected"], late.json["current"]) == (current["version"] - 1, current["version"])
    assert api.get(path).json == current


def test_a_change_that_names_no_version_is_refused(api: Api, path: str):
    before = api.get(path).json

    blind = change(api, path, 1)

    assert (blind.status_code, blind.json["code"]) == (428, "precondition-required")
    assert api.get(path).json == before


@pytest.mark.parametrize("etag", ['W/"{}"', "{}", ' "{}" '])
def test_a_version_may_be_named_a_little_carelessly(api: Api, path: str, etag: str):
    version = api.get(path).json["version"]

    assert change(api, path, 1, **matching(etag.format(version))).status_code == 200


@pytest.mark.parametrize(
    "etag",
    ["*", '""', '"', '"1', '1"', "-1", '"1.0"', '"1_0"', '"+1"', '"\xb2"', '"1", "2"', "x", "9" * 19, "9" * 5000],
)
def test_what_can_be_no_version_is_refused(api: Api, path: str, etag: str):
    before = api.get(path).json

    response = change(api, path, 1, **matching(etag))

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json["errors"]] == ["If-Match"]
    assert api.get(path).json == before


def test_a_version_that_never_was_is_stale(api: Api, path: str):
    assert change(api, path, 1, **matching('"999999999999999999"')).status_code == 412


def test_of_six_changes_of_one_version_one_is_made(api: Api, path: str):
    etag, start = api.get(path).headers["ETag"], Barrier(6)

    def send(number: int) -> int:
        start.wait(timeout=10)
        return int(change(api, path, number, **matching(etag)).status_code)

    with ThreadPoolExecutor(6) as threads:
        statuses = list(threads.map(send, range(1, 7)))

    assert sorted(statuses) == [200, 412, 412, 412, 412, 412]


def test_what_does_not_exist_yet_needs_no_version_and_refuses_a_wrong_one(api: Api):
    assert change(api, REWARD, 1, **matching('"1"')).status_code == 412
    assert api.get(REWARD).status_code == 404
    assert change(api, REWARD, 1).status_code == 201
