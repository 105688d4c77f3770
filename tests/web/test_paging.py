"""Lists: a ceiling, a cursor that only the list itself can make, and pages that stand still while the list grows."""

import base64
from typing import Any
from uuid import uuid4

import orjson
import pytest
from flask import Flask

from loyalty.core.errors import InvalidRequest
from loyalty.db.paging import LIMIT_DEFAULT, LIMIT_MAX, Page, Window, cursor, page
from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import a_key, a_program, order_json, reward_json

REWARDS, KEYS = "/v1/rewards", "/v1/admin/keys"
ENTRIES, LOTS = "/v1/members/c-42/entries", "/v1/members/c-42/lots"
LISTS = {REWARDS: "code", KEYS: "key_id", ENTRIES: "seq", LOTS: "lot"}

each_list = pytest.mark.parametrize("path", LISTS)


@pytest.fixture(scope="module")
def full(app: Flask) -> Api:
    """A shop with seven of everything, for whoever only reads."""
    with app.app_context(), transaction() as session:
        program = a_program(session)
        shop = Api(app, program, a_key(session, program))
    return stocked(shop)


@pytest.fixture
def growing(api: Api) -> Api:
    """Such a shop, for whoever adds to it."""
    return stocked(api)


def stocked(api: Api) -> Api:
    """The shop, with seven of everything."""
    api.enrol("c-42")
    for number in range(7):
        add(api, number)
    return api


def add(api: Api, number: int) -> None:
    """One more of everything. Rewards are listed by code, so these come in the middle and at both ends."""
    api.put(f"/v1/admin/rewards/r{number * 5 % 7}-{number}", reward_json())
    api.post(KEYS, {"scopes": ["offers"]})
    assert api.post("/v1/orders", order_json(order_id=f"A-{number}-{uuid4().hex}")).status_code == 201


def ids(api: Api, path: str, **query: Any) -> list[Any]:
    """The ids on one page."""
    return [row[LISTS[path]] for row in api.get(path, query_string=query).json["data"]]


def walk(api: Api, path: str, limit: int) -> list[list[Any]]:
    """Every page, by following `next`, which must not lead in a circle."""
    pages, query = [], {"limit": limit}
    for _ in range(20):
        answer = api.get(path, query_string=query).json
        pages.append([row[LISTS[path]] for row in answer["data"]])
        if answer["next"] is None:
            return pages
        query = {"limit": limit, "after": answer["next"]}
    pytest.fail(f"the list has no end: {pages}")


@each_list
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 200])
def test_pages_of_any_size_make_up_the_whole_list(full: Api, path: str, limit: int):
    whole = ids(full, path)

    pages = walk(full, path, limit)

    assert [row for rows in pages for row in rows] == whole
    assert len(set(whole)) == len(whole) >= 7
    assert all(len(rows) == limit for rows in pages[:-1])
    assert 0 < len(pages[-1]) <= limit, "a full last page has no next"


@each_list
def test_the_order_of_a_list_is_its_documented_one(full: Api, path: str):
    whole = ids(full, path)

    assert whole == sorted(whole, reverse=path != REWARDS)


@each_list
def test_rows_that_arrive_while_someone_reads_move_nothing(growing: Api, path: str):
    before = ids(growing, path)
    first = growing.get(path, query_string={"limit": 3}).json

    add(growing, 9)
    rest = ids(growing, path, limit=200, after=first["next"])

    seen = [row[LISTS[path]] for row in first["data"]] + rest
    assert [row for row in seen if row in before] == before
    assert len(set(seen)) == len(seen)


@each_list
@pytest.mark.parametrize("limit", ["0", "201", "-1", "1.5", "ten", "", "true", "1e2", "99999999999999999999"])
def test_a_limit_out_of_bounds_is_refused(full: Api, path: str, limit: str):
    response = full.get(path, query_string={"limit": limit})

    assert response.status_code == 422
    assert [error["pointer"] for error in response.json["errors"]] == ["limit"]


def test_the_limit_has_a_default_and_a_ceiling():
    assert (LIMIT_DEFAULT, LIMIT_MAX) == (50, 200)
    assert Window() == Window(50, None)


def sealed(value: Any) -> str:
    """A cursor of our own making."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


FORGED = {
    "nothing": "",
    "words": "the second page please",
    "another alphabet": "ąęß",
    "percent signs": "%00%ff",
    "half a cursor": sealed(["five-off"])[:-3],
    "no list": sealed("five-off"),
    "an object": sealed({"code": "five-off"}),
    "an empty list": sealed([]),
    "too long a list": sealed(["five-off", 1]),
    "null": sealed([None]),
    "a flag": sealed([True]),
    "a fraction": sealed([1.5]),
    "a list in a list": sealed([["five-off"]]),
    "a number no database holds": sealed([2**63]),
    "a smaller one": sealed([-(2**63)]),
    "a number that is a fraction to JSON": base64.urlsafe_b64encode(b"[99999999999999999999999]").decode(),
    "bytes that are no text": base64.urlsafe_b64encode(b"\xff\xfe\x00").decode(),
    "a deep nest": base64.urlsafe_b64encode(b"[" * 3000).decode(),
}


@each_list
@pytest.mark.parametrize("after", FORGED.values(), ids=FORGED.keys())
def test_a_forged_cursor_is_refused(full: Api, path: str, after: str):
    response = full.get(path, query_string={"after": after})

    assert response.status_code == 422, response.json
    assert [error["pointer"] for error in response.json["errors"]] == ["after"]


PLAUSIBLE = {
    "a text that no row has": sealed(["zzz"]),
    "a statement": sealed(["' OR 1=1; --"]),
    "a very long text": sealed(["x" * 50_000]),
    "a number that no row has": sealed([2**63 - 1]),
    "less than nothing": sealed([-5]),
    "another list's": sealed([str(uuid4())]),
}


@each_list
@pytest.mark.parametrize("after", PLAUSIBLE.values(), ids=PLAUSIBLE.keys())
def test_a_cursor_that_might_be_one_breaks_nothing(full: Api, path: str, after: str):
    whole = ids(full, path)

    response = full.get(path, query_string={"after": after})

    assert response.status_code in (200, 422)
    shown = [row[LISTS[path]] for row in response.json.get("data", ())]
    assert shown == whole[len(whole) - len(shown) :], "a cursor skips rows, it changes neither order nor content"


@pytest.mark.parametrize("text", ["\x00", "five\x00off"])
def test_a_cursor_with_a_character_that_no_row_can_hold_is_refused(full: Api, text: str):
    response = full.get(REWARDS, query_string={"after": sealed([text])})

    assert response.status_code == 422, response.json


@each_list
def test_a_cursor_of_one_program_shows_nothing_of_it_in_another(full: Api, api: Api, path: str):
    after = full.get(path, query_string={"limit": 1}).json["next"]
    api.enrol("c-42")

    shown = ids(api, path, after=after)

    assert after is not None
    assert shown == (ids(api, KEYS) if path == KEYS and shown else [])
    assert not set(shown) & set(ids(full, path))


def test_a_page_tells_that_there_is_more_by_the_extra_row():
    rows = [1, 2, 3]

    assert page(rows, Window(2), lambda row: [row]) == Page([1, 2], cursor([2]))
    assert page(rows, Window(3), lambda row: [row]) == Page([1, 2, 3], None)
    assert page([], Window(3), lambda row: [row]) == Page([], None)


def test_a_cursor_gives_back_the_key_that_it_was_made_of():
    assert Window(1, cursor(["a>b", 7])).position(str, int) == ["a>b", 7]
    assert Window(1).position(str) is None
    with pytest.raises(InvalidRequest):
        Window(1, cursor([7])).position(str)
