"""Who is in which segment: listed as if each were asked one by one, after what they did, and after time went by."""

import random
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from psycopg.errors import UndefinedColumn
from psycopg.rows import tuple_row

from loyalty.db.session import transaction
from loyalty.earning.belonging import belonging
from loyalty.features.domain import Cuts
from loyalty.learning import segmenting
from loyalty.programs import queries as programs
from tests.api import Api
from tests.builders import NOW, a_key, a_program
from tests.clocks import it_is
from tests.learning.habits import (
    A_DAY,
    bought,
    count,
    features_follow,
    follow,
    in_segments,
    learnt,
    member_id_of,
    members,
    sizes,
    sweep,
)
from tests.shop import buy, publish_ladder
from tests.statements import statements

CUTS = Cuts(as_of=NOW, recency=(5, 20, 60, 200), visits=(0.2, 0.5, 1.0, 2.0), worth=(500, 5_000, 10_000, 20_000))


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop with a member."""
    it_is(monkeypatch, NOW)
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)
    api.enrol()
    return api


def own_segments(api: Api, **conditions: str) -> None:
    """Publish segments of the program's own."""
    etag = api.get("/v1/admin/earning-rules/draft").headers["ETag"]
    rule = {"code": "base", "kind": "base", "priority": 1, "points_per": {"amount": 100, "points": "1"}}
    segments = [{"code": code, "name": code.title(), "when": when} for code, when in conditions.items()]
    answer = api.put(
        "/v1/admin/earning-rules/draft", {"rules": [rule], "segments": segments}, headers={"If-Match": etag}
    )
    assert answer.status_code == 200, answer.json
    with mock.patch("loyalty.earning.service.LEAD", timedelta(0)):
        assert api.post("/v1/admin/earning-rules/publish", {}).status_code == 200


def some_members(api: Api, number: int) -> list[str]:
    """Members who bought when chance had it."""
    chance = random.Random(number)
    customers = [f"m-{n}" for n in range(number)]
    for customer_id in customers:
        api.enrol(customer_id)
        if days_ago := [chance.randrange(400) for _ in range(chance.randrange(6))]:
            cents = chance.choice([100, 5_000, 20_000])
            bought(api, *days_ago, customer_id=customer_id, cents=cents, redeemed=chance.randrange(2))
    return customers


def one_by_one(api: Api, customer_id: str, now: Any = NOW) -> set[str]:
    """The segments of a member who is asked alone."""
    with api.app.app_context(), transaction() as session:
        program = programs.load(session, api.program.program_id)
        member_id = member_id_of(session, api, customer_id)
        return set(belonging(session, program, [(member_id, NOW)], now=now)[member_id])


def test_the_lists_name_whom_each_segment_has_asked_one_by_one(shop: Api):
    publish_ladder(shop, {"code": "basic", "threshold": 0}, {"code": "gold", "threshold": 10_000})
    own_segments(shop, basics='member.tier == "basic"', regulars="history.orders >= 3")
    customers = [*some_members(shop, 25), "c-42"]
    count(shop, CUTS)

    sweep(shop, limit=7)

    expected = {customer_id: one_by_one(shop, customer_id) for customer_id in customers}
    assert {customer_id: in_segments(shop, customer_id) for customer_id in customers} == expected
    assert sizes(shop) == {
        code: n for code in sorted(set().union(*expected.values()))
        if (n := sum(code in found for found in expected.values()))
    }  # fmt: skip
    assert {"never_bought", "active", "lapsed", "high_value", "basics", "regulars"} <= set(sizes(shop))


def test_time_takes_members_from_one_segment_to_another(shop: Api):
    bought(shop, 1)
    sweep(shop)
    assert in_segments(shop) == {"new", "one_time", "active"}

    assert sweep(shop, NOW + timedelta(hours=23)) == []
    sweep(shop, NOW + 70 * A_DAY)

    assert in_segments(shop) == {"one_time", "at_risk"}
    assert sizes(shop) == {"one_time": 1, "at_risk": 1}


def test_since_is_when_it_was_found_and_stays(shop: Api):
    bought(shop, 1)
    sweep(shop)
    sweep(shop, NOW + 2 * A_DAY)

    page = shop.get("/v1/admin/segments/one_time/members").json

    assert page == {"data": [{"customer_id": "c-42", "since": "2026-03-01T12:00:00Z"}], "next": None}


def test_an_order_takes_a_member_along_once_features_know_of_it(shop: Api):
    sweep(shop)
    assert in_segments(shop) == {"never_bought"}
    buy(shop, "A-1")
    # Features have not come so far.
    assert follow(shop) == 0

    learnt(shop, 0)
    features_follow(shop)
    assert follow(shop) > 0

    assert in_segments(shop) == {"new", "one_time", "active"}
    assert sizes(shop) == {"new": 1, "one_time": 1, "active": 1}
    assert follow(shop) == 0


def test_facts_are_not_followed_further_than_features_have_come(shop: Api):
    sweep(shop)
    buy(shop, "A-1")
    features_follow(shop)
    shop.enrol("c-43")

    follow(shop)

    assert in_segments(shop) == {"one_time", "active"}  # by the history, which needs no features
    assert in_segments(shop, "c-43") == set()


def test_who_leaves_is_in_no_segment(shop: Api):
    shop.enrol("c-43")
    bought(shop, 1)
    sweep(shop)
    shop.post("/v1/members/c-42/merge", {"into": "c-43"})
    features_follow(shop)

    follow(shop)

    assert in_segments(shop) == set()
    assert "c-43" in members(shop, "one_time")
    assert sizes(shop) == {"one_time": 1, "active": 1}


def test_before_the_first_look_nothing_is_done_twice(shop: Api):
    features_follow(shop)
    assert follow(shop) > 0
    assert sizes(shop) == {}

    sweep(shop)
    assert sizes(shop) == {"never_bought": 1}


def test_new_rules_are_asked_at_once_and_what_they_drop_is_empty(shop: Api):
    own_segments(shop, everybody="history.orders >= 0")
    sweep(shop)
    assert sizes(shop) == {"never_bought": 1, "everybody": 1}

    own_segments(shop, never_bought="history.orders == 1")
    assert len(sweep(shop)) == 1

    assert sizes(shop) == {}
    assert shop.get("/v1/admin/segments/everybody").status_code == 404
    with shop.app.app_context(), transaction() as session:
        where = (shop.program.program_id,)
        found = session.rows("SELECT segment FROM segment_members WHERE program_id = %s", where, into=tuple_row)
    assert found == []


def test_a_new_count_is_looked_at_at_once(shop: Api):
    bought(shop, 3, 2, 1)
    sweep(shop)
    assert "champions" not in in_segments(shop)

    count(shop, CUTS)
    assert len(sweep(shop)) == 1

    assert {"champions", "high_value"} <= in_segments(shop)


def test_a_look_that_is_cut_off_goes_on_where_it_was(shop: Api):
    some_members(shop, 9)
    with pytest.raises(UndefinedColumn), mock.patch.object(segmenting, "_MOVE", "SELECT nothing, %s, %s, %s"):
        sweep(shop, limit=4)
    assert sizes(shop) == {}
    with shop.app.app_context(), transaction() as session:
        assert segmenting.sweep_program(session, shop.program.program_id, now=NOW, limit=4) == 5
    told = shop.get("/v1/admin/segments").json
    assert told["counting"] == {"begun_at": "2026-03-01T12:00:00Z", "done": 4, "total": 10}
    assert {each["counted_at"] for each in told["data"]} == {None}

    assert sweep(shop, limit=4) == [5, 3]

    told = shop.get("/v1/admin/segments").json
    assert (told["counting"], {each["counted_at"] for each in told["data"]}) == (None, {"2026-03-01T12:00:00Z"})


def test_rules_that_change_in_the_middle_begin_the_look_anew(shop: Api):
    some_members(shop, 5)
    with pytest.raises(UndefinedColumn), mock.patch.object(segmenting, "_END", "SELECT nothing, %s, %s, %s"):
        sweep(shop, limit=4)
    own_segments(shop, everybody="history.orders >= 0")

    sweep(shop, limit=4)

    assert sizes(shop)["everybody"] == 6


def test_two_workers_do_not_look_at_one_program_at_once(shop: Api):
    sweep(shop)
    tomorrow, program_id = NOW + A_DAY, shop.program.program_id
    with shop.app.app_context(), transaction() as session:
        assert segmenting.sweep_program(session, program_id, now=tomorrow) == 2
        with transaction() as other:
            assert segmenting.sweep_program(other, program_id, now=tomorrow) == 0


def test_the_job_looks_at_every_program_there_is(shop: Api):
    for _ in range(1_000):
        with shop.app.app_context(), transaction() as session:
            if not segmenting.sweep_batch(session, now=NOW):
                break

    assert sizes(shop) == {"never_bought": 1}


def test_a_sandbox_goes_by_its_own_clock(shop: Api):
    with shop.app.app_context(), transaction() as session:
        program = a_program(session, sandbox=True)
        sandbox = Api(shop.app, program, a_key(session, program))
    sandbox.enrol()
    bought(sandbox, 1)
    sweep(sandbox)
    sandbox.post("/v1/admin/clock", {"now": "2026-06-01T12:00:00Z"})

    sweep(sandbox)

    assert in_segments(sandbox) == {"one_time", "at_risk"}


def test_a_batch_takes_the_same_few_statements_however_many_members(shop: Api):
    some_members(shop, 2)
    sweep(shop)
    with statements() as few:
        sweep(shop, NOW + 2 * A_DAY)
    some_members(shop, 20)

    with statements() as many:
        sweep(shop, NOW + 4 * A_DAY)

    assert len(many) == len(few)


def test_what_is_read_and_written_is_found_by_indexes(shop: Api):
    some_members(shop, 3)
    sweep(shop)
    program_id = shop.program.program_id
    asked = {
        "program_id": program_id, "now": NOW, "asked": "{}", "members": "{}", "segments": "{}", "a_day": A_DAY,
        "code": "new", "after": program_id, "limit": 3,
    }  # fmt: skip
    with shop.app.app_context(), transaction() as session:
        session.run("SET LOCAL enable_seqscan = off")
        session.run("SET LOCAL plan_cache_mode = force_custom_plan")
        plan = "\n".join(row[0] for row in session.rows(f"EXPLAIN {segmenting._RECORD}", asked, into=tuple_row))
    assert "ix_segment_members_program_id_member_id" in plan
    assert "Seq Scan on segment_members" not in plan
