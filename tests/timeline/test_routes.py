"""The timeline of a member: newest first, with those merged into it, by type; a page costs the same however long."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.rows import scalar_row

from loyalty.db.session import transaction
from loyalty.members import locks
from loyalty.timeline import queries
from tests.api import Api
from tests.builders import NOW, a_key, a_reward
from tests.events.following import a_fact, told
from tests.shop import configure, merge
from tests.statements import statements

POINTS = {"unit": "points", "points": 5}


@pytest.fixture(autouse=True)
def _always_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)


def happened(api: Api, *kinds: str, customer_id: str = "c-42", begin: int = 1, **data: Any) -> None:
    """Facts about a member, a minute apart, the first `begin` minutes from now."""
    with api.app.app_context(), transaction() as session:
        member = locks.lock_member(session, api.program.program_id, customer_id)
        for number, kind in enumerate(kinds, begin):
            at = NOW + timedelta(minutes=number)
            fact = a_fact(type=kind, member=member, occurred_at=at, data={**POINTS, **data})
            told(session, api.program.program_id, fact, now=at)


def timeline(api: Api, query: str = "", customer_id: str = "c-42") -> list[dict[str, Any]]:
    """What the timeline shows of facts told by these tests."""
    shown = api.get(f"/v1/members/{customer_id}/timeline{query}").json["data"]
    return [fact for fact in shown if not fact["type"].startswith("member.")]


def types(facts: list[dict[str, Any]]) -> list[str]:
    return [fact["type"] for fact in facts]


def in_pages(api: Api, query: str) -> Iterator[list[dict[str, Any]]]:
    after = ""
    while True:
        page = api.get(f"/v1/members/c-42/timeline?{query}{after}").json
        yield page["data"]
        if page["next"] is None:
            return
        after = f"&after={page['next']}"


def test_what_happened_is_told_newest_first_in_the_members_language(api: Api):
    api.enrol(locale="pl-PL")
    with api.app.app_context(), transaction() as session:
        a_reward(session, api.program, translations={"pl": {"name": "5 zniżki"}})
    happened(api, "points.earned", "redemption.confirmed", reward="five-off")

    last, first = timeline(api)

    assert (first["type"], first["version"], first["data"]) == ("points.earned", 1, {**POINTS, "reward": "five-off"})
    assert first["occurred_at"] == "2026-03-01T12:01:00Z"
    assert (first["summary"], last["summary"]) == ("Zdobyto 5 punktów.", "Wybrano tę nagrodę za 5 punktów: 5 zniżki.")


def test_who_has_no_language_reads_that_of_the_program(api: Api):
    configure(api, locale="fi")
    api.enrol()
    happened(api, "points.earned")

    assert timeline(api)[0]["summary"] == "Sait 5 pistettä."


def test_what_this_version_does_not_know_is_told_by_its_type(api: Api):
    api.enrol()
    happened(api, "moon.landed")

    assert timeline(api)[0]["summary"] == "moon.landed"


def test_the_history_of_who_was_merged_comes_along(api: Api):
    for number, customer_id in enumerate(("c-42", "c-43", "c-44"), 1):
        api.enrol(customer_id)
        happened(api, "points.earned", "points.expired", customer_id=customer_id, begin=number)
    merge(api, "c-44", "c-43")
    merge(api, "c-43", "c-42")

    whole = timeline(api, "?type=points")
    assert [fact["occurred_at"][14:16] for fact in whole] == ["04", "03", "03", "02", "02", "01"]
    assert [fact for page in in_pages(api, "type=points&limit=1") for fact in page] == whole
    assert len(timeline(api, "?type=points", customer_id="c-43")) == 4


def test_one_type_or_one_family_of_types_is_told_alone(api: Api):
    api.enrol()
    happened(api, "points.earned", "pointsmith.hired", "points.expired")

    assert types(timeline(api, "?type=points")) == ["points.expired", "points.earned"]
    assert types(timeline(api, "?type=points.earned")) == ["points.earned"]
    assert types(timeline(api, "?type=point")) == types(timeline(api, "?type=p_ints")) == []


@pytest.mark.parametrize("query", ["", "type=points&"])
@pytest.mark.parametrize("limit", [1, 2, 7])
def test_pages_are_the_timeline_in_pieces(api: Api, monkeypatch: pytest.MonkeyPatch, query: str, limit: int):
    # So few are looked at that pages come out short, and empty.
    monkeypatch.setattr(queries, "LOOKED_AT", max(3, limit))
    api.enrol()
    happened(api, "points.earned", *["order.confirmed"] * 7, "points.earned", "points.expired", order_id="A-1")
    whole = api.get(f"/v1/members/c-42/timeline?{query}limit=200").json["data"]

    pages = list(in_pages(api, f"{query}limit={limit}"))

    found = [fact for page in pages for fact in page]
    assert [each for each in types(found) if each != "member.enrolled"][:2] == ["points.expired", "points.earned"]
    assert found[: len(whole)] == whole
    assert types(found).count("points.earned") == 2
    assert len({fact["event_id"] for fact in found}) == len(found)
    assert all(len(page) <= limit for page in pages)


@pytest.mark.parametrize(
    "query", ["after=nonsense", "after=WyJhIl0", "type=Nonsense", "type=a.", "limit=0", "locale=pl"]
)
def test_a_question_that_makes_no_sense_is_refused(api: Api, query: str):
    api.enrol()

    response = api.get(f"/v1/members/c-42/timeline?{query}")

    assert (response.status_code, response.json["code"]) == (422, "invalid-request")


def test_a_cursor_that_names_no_instant_begins_anew(api: Api):
    api.enrol()
    happened(api, "points.earned")

    assert types(timeline(api, f"?after={queries.cursor(['yesterday', 'x'])}")) == ["points.earned"]


def test_nobody_has_no_timeline_and_it_takes_a_key_that_reads_members(api: Api):
    with api.app.app_context(), transaction() as session:
        reader = api.as_key(a_key(session, api.program, "members:read"))
        other = api.as_key(a_key(session, api.program, "reports:read"))
    api.enrol()

    assert api.get("/v1/members/c-0/timeline").json["code"] == "member-not-found"
    assert reader.get("/v1/members/c-42/timeline").status_code == 200
    assert other.get("/v1/members/c-42/timeline").json["code"] == "scope-missing"


MANY = """
INSERT INTO events (owner_id, occurred_at, event_id, program_id, type, version, customer_id, recorded_at, data)
SELECT %(member_id)s, timestamptz '2026-03-01 12:00Z' - interval '1 hour' * n, gen_random_uuid(), %(program_id)s,
    CASE WHEN n = 1200 THEN 'tier.changed' ELSE 'points.earned' END, 1, 'c-42', now(), '{"points": 1}'
FROM generate_series(1, 5000) n
"""


@pytest.fixture
def member_id(api: Api) -> UUID:
    """A member to whom much has happened."""
    api.enrol()
    with api.app.app_context(), transaction() as session:
        member_id = locks.lock_member(session, api.program.program_id, "c-42").member_id
        session.run(MANY, {"program_id": api.program.program_id, "member_id": member_id})
    return member_id


@pytest.mark.parametrize(("wanted", "looked_at"), [(None, 4), ("tier.changed", 500)])
def test_a_page_looks_at_so_many_facts_however_many_there_are(
    api: Api, member_id: UUID, wanted: str | None, looked_at: int
):
    at, event_id = queries._END
    where = {"member_id": member_id, "type": wanted, "at": at, "id": event_id, "limit": 4, "looked_at": looked_at}
    where |= queries._LEFT_OUT
    with api.app.app_context(), transaction() as session:
        # Whether the key can give the rows in this order is not left to what the planner believes of a new table.
        session.run("SET LOCAL enable_sort = off")
        plan = "\n".join(session.rows(f"EXPLAIN (ANALYZE) {queries._PAGE}", where, into=scalar_row))

    assert re.search(rf"Index Scan Backward using pk_events on events e .*rows={looked_at}(\.00)? loops=1", plan), plan
    assert "Seq Scan on events" not in plan


def test_a_page_takes_a_statement_beside_those_of_any_question_about_a_member(api: Api, member_id: UUID):
    timeline(api)
    with statements() as sent:
        assert len(timeline(api, "?limit=200")) >= 199

    # The key, the member, the page; the version of the configuration, which is looked at once a second.
    assert len(sent) <= 4


def test_what_is_rare_is_found_page_by_page(api: Api, member_id: UUID):
    pages = list(in_pages(api, "type=tier"))

    assert [len(page) for page in pages] == [0, 0, 1, *[0] * 8]
