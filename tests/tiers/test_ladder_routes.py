"""The ladder over HTTP: the draft, the check, publishing, versions, and what is told of moving members."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.rows import dict_row

from loyalty.core import clock
from loyalty.db.session import transaction
from loyalty.programs import queries as programs
from loyalty.tiers import queries
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.shop import a_ladder, at, buy, publish_ladder, refused
from tests.shop import pointers as refused_at

LADDER = "/v1/admin/ladder"
DRAFT = f"{LADDER}/draft"
CHECK = f"{LADDER}/check"
PUBLISH = f"{LADDER}/publish"
A_DAY = timedelta(days=1)

BRONZE = {"code": "bronze", "threshold": 0}
SILVER = {"code": "silver", "threshold": 20_000}
EMPTY = {
    "version": 0, "basis": "spend", "window": {"mode": "lifetime"}, "validity": {"mode": "forever"},
    "downgrade": "none", "grace": {"days": 0, "round_to": None}, "tiers": [],
}  # fmt: skip


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def put_draft(api: Api, *tiers: dict[str, Any], **given: Any) -> Any:
    etag = api.get(DRAFT).headers["ETag"]
    return api.put(DRAFT, a_ladder(*tiers or (BRONZE, SILVER), **given), headers={"If-Match": etag})


def publish(api: Api, *tiers: dict[str, Any], **wanted: Any) -> Any:
    assert put_draft(api, *tiers).status_code == 200
    return api.post(PUBLISH, wanted)


def codes(answer: Any) -> list[tuple[str, str]]:
    assert answer.status_code == 200, answer.json
    return [(finding["code"], finding["pointer"]) for finding in answer.json["findings"]]


def test_a_new_program_has_no_ladder(api: Api):
    assert refused(api.get(LADDER)) == (404, "ladder-not-found")
    assert refused(api.get(f"{LADDER}/versions/1")) == (404, "ladder-not-found")
    assert api.get(f"{LADDER}/versions").json == {"data": [], "next": None}
    assert api.get(f"{LADDER}/moves").json == {"data": [], "next": None}


def test_the_draft_nobody_has_begun_has_no_tiers_where_there_is_no_ladder(api: Api):
    answer = api.get(DRAFT)

    assert (answer.json, answer.headers["ETag"]) == (EMPTY, '"0"')


def test_the_draft_nobody_has_begun_shows_the_ladder_in_force(api: Api):
    published = publish(api).json

    draft = api.get(DRAFT).json

    assert {name: draft[name] for name in EMPTY if name != "version"} == {
        name: published[name] for name in EMPTY if name != "version"
    }
    assert [tier["code"] for tier in draft["tiers"]] == ["bronze", "silver"]


def test_a_draft_changes_nothing_until_it_is_published(api: Api):
    draft = put_draft(api)

    assert (draft.json["version"], draft.headers["ETag"]) == (1, '"1"')
    assert api.get(DRAFT).json == draft.json
    assert api.get(LADDER).status_code == 404


def test_a_draft_that_is_begun_is_replaced_only_from_its_own_version(api: Api):
    put_draft(api)
    put_draft(api, BRONZE)

    assert refused(api.put(DRAFT, a_ladder(BRONZE))) == (428, "precondition-required")
    assert refused(api.put(DRAFT, a_ladder(BRONZE), headers={"If-Match": '"1"'})) == (412, "stale-version")
    assert len(api.get(DRAFT).json["tiers"]) == 1


def test_a_ladder_is_shown_as_it_was_written(api: Api):
    benefits = {
        "multiplier": "1.5", "expiry": {"mode": "rolling", "months": 24, "round_to": "month"},
        "perks": ["Free shipping"], "early_access_hours": 48,
    }  # fmt: skip
    gold = {
        "code": "gold", "name": "Gold", "threshold": 50_000, "benefits": benefits, "description": "The best.",
        "color": "#D4AF37", "icon": "https://shop.example/gold.svg",
        "translations": {"pl": {"name": "Złoty", "description": "Najlepszy.", "perks": ["Darmowa dostawa"]}},
    }  # fmt: skip
    bronze = {
        "code": "bronze", "name": "Bronze", "threshold": 0,
        "benefits": {"multiplier": "1", "expiry": None, "perks": []}, "translations": {"pl": {"name": "Brąz"}},
    }  # fmt: skip
    written = {
        "basis": "points_earned", "window": {"mode": "rolling", "months": 12, "days": 1},
        "validity": {"mode": "months", "months": 6}, "downgrade": "one_step",
        "grace": {"days": 30, "round_to": "month"}, "tiers": [bronze, gold],
    }  # fmt: skip

    assert api.put(DRAFT, written).json == {**written, "version": 1}
    assert written.items() <= api.post(PUBLISH, {}).json.items()
    assert written.items() <= api.get(LADDER).json.items()


def test_the_same_ladder_written_another_way_is_the_same_ladder(api: Api):
    shortest = put_draft(api).json
    spelled_out = deepcopy(a_ladder(BRONZE, SILVER, grace=None))
    spelled_out["window"] |= {"months": 0, "days": None}
    spelled_out["validity"] |= {"months": None}
    nothing = {"multiplier": "1.00", "expiry": None, "perks": [], "early_access_hours": 0}
    spelled_out["tiers"][0] |= {
        "benefits": nothing, "description": None, "color": None, "icon": None, "translations": {"pl": {}},
    }  # fmt: skip
    spelled_out["tiers"][1]["benefits"] = None

    answer = api.put(DRAFT, spelled_out, headers={"If-Match": '"1"'})

    assert answer.json == {**shortest, "version": 2}


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"basis": "visits"}, "/basis"),
        ({"window": {"mode": "rolling"}}, "/window/months"),
        ({"window": {"mode": "lifetime", "months": 12}}, "/window/months"),
        ({"window": {"mode": "calendar_year", "days": 3}}, "/window/days"),
        ({"window": {"mode": "rolling", "months": 1201}}, "/window/months"),
        ({"window": {"mode": "rolling", "years": 1}}, "/window/years"),
        ({"window": None}, "/window"),
        ({"validity": {"mode": "months"}}, "/validity/months"),
        ({"validity": {"mode": "months", "months": 0}}, "/validity/months"),
        ({"validity": {"mode": "forever", "months": 12}}, "/validity/months"),
        ({"validity": {"mode": "months", "months": "12"}}, "/validity/months"),
        ({"downgrade": None}, "/downgrade"),
        ({"grace": {"days": -1}}, "/grace/days"),
        ({"grace": {"days": 1.0}}, "/grace/days"),
        ({"grace": {"round_to": "year"}}, "/grace/round_to"),
        ({"tiers": []}, "/tiers"),
        ({"tiers": [{"code": f"t{n}", "name": "T", "threshold": n} for n in range(51)]}, "/tiers"),
        ({"version": 1}, "/version"),
    ],
)
def test_a_ladder_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], pointer: str):
    assert refused_at(api.put(DRAFT, {**a_ladder(BRONZE), **changed})) == [pointer]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"code": "Gold!"}, "code"),
        ({"name": ""}, "name"),
        ({"threshold": -1}, "threshold"),
        ({"threshold": True}, "threshold"),
        ({"threshold": 10**12 + 1}, "threshold"),
        ({"color": "gold"}, "color"),
        ({"color": "#D4AF3"}, "color"),
        ({"benefits": {"multiplier": "0.9"}}, "benefits/multiplier"),
        ({"benefits": {"multiplier": "100.1"}}, "benefits/multiplier"),
        ({"benefits": {"multiplier": 2}}, "benefits/multiplier"),
        ({"benefits": {"expiry": {"mode": "rolling"}}}, "benefits/expiry/months"),
        ({"benefits": {"perks": ["", "A"]}}, "benefits/perks/0"),
        ({"benefits": {"early_access_hours": 8761}}, "benefits/early_access_hours"),
        ({"benefits": {"discount": 5}}, "benefits/discount"),
        ({"translations": {"Polish": {}}}, "translations/Polish"),
        ({"translations": {"pl": {"title": "Złoty"}}}, "translations/pl/title"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_tier_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], pointer: str):
    ladder = {**a_ladder(), "tiers": [{"name": "Bad", **SILVER, **changed}]}

    assert refused_at(api.put(DRAFT, ladder)) == [f"/tiers/0/{pointer}"]


def test_what_is_missing_is_named(api: Api):
    assert refused_at(api.put(DRAFT, {})) == ["/basis", "/window", "/validity", "/downgrade", "/tiers"]


def test_publishing_puts_the_draft_in_force_and_empties_it(api: Api):
    answer = publish(api, members="upgrades_only")

    assert (answer.status_code, answer.json["version"], answer.json["status"]) == (200, 1, "in_force")
    assert (answer.json["members"], answer.json["published_at"]) == ("upgrades_only", at(NOW))
    assert api.get(LADDER).json == answer.json
    assert api.get(LADDER).headers["ETag"] == '"1"'
    assert refused(api.post(PUBLISH, {})) == (409, "nothing-to-publish")


def test_the_first_ladder_is_in_force_from_the_beginning_of_time_whatever_was_bought_before(api: Api):
    api.enrol()
    buy(api, "A-1")

    assert publish(api).json["effective_from"] is None


def test_a_first_ladder_may_also_begin_at_an_instant_and_until_then_there_is_none(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    answer = publish(api, effective_from=at(NOW + A_DAY))

    assert (answer.json["status"], answer.json["effective_from"]) == ("scheduled", at(NOW + A_DAY))
    assert api.get(LADDER).status_code == 404
    it_is(monkeypatch, NOW + A_DAY)
    assert api.get(LADDER).json["version"] == 1


def test_a_later_ladder_is_in_force_a_moment_after_it_was_checked(api: Api, monkeypatch: pytest.MonkeyPatch):
    publish(api)
    monkeypatch.setattr(clock, "stopwatch", lambda: lambda: timedelta(milliseconds=300))

    assert publish(api, BRONZE).json["effective_from"] == "2026-03-01T12:00:00.550000Z"


def test_a_ladder_cannot_come_into_force_in_the_past(api: Api):
    assert refused(publish(api, effective_from=at(NOW - A_DAY))) == (422, "effective-from-past")
    assert api.get(f"{LADDER}/versions").json["data"] == []


def test_a_ladder_is_scheduled_then_in_force_then_archived(api: Api, monkeypatch: pytest.MonkeyPatch):
    def statuses() -> list[tuple[int, str]]:
        listed = api.get(f"{LADDER}/versions").json["data"]
        assert [api.get(f"{LADDER}/versions/{each['version']}").json for each in listed] == listed
        return [(each["version"], each["status"]) for each in listed]

    publish(api)
    publish(api, effective_from="2026-05-01T00:00:00Z")
    # Comes into force before version 2, which then never will.
    publish(api, effective_from="2026-04-01T00:00:00Z")
    publish(api, effective_from="2026-06-01T00:00:00Z")

    assert statuses() == [(4, "scheduled"), (3, "scheduled"), (2, "archived"), (1, "in_force")]

    it_is(monkeypatch, datetime(2026, 5, 2, tzinfo=UTC))
    assert statuses() == [(4, "scheduled"), (3, "in_force"), (2, "archived"), (1, "archived")]


def test_members_are_judged_by_the_ladder_that_is_shown_as_in_force(api: Api, monkeypatch: pytest.MonkeyPatch):
    publish(api)
    publish(api, BRONZE, effective_from=at(NOW + 2 * A_DAY))
    publish(api, BRONZE, SILVER, {"code": "gold", "threshold": 30_000}, effective_from=at(NOW + A_DAY))

    for days in range(4):
        it_is(monkeypatch, NOW + days * A_DAY)
        with api.app.app_context(), transaction() as session:
            program = programs.load(session, api.program.program_id)
            counts = queries.ladders(session, program).at(NOW + days * A_DAY)
        assert counts is not None
        assert counts.version == api.get(LADDER).json["version"] == (3 if days else 1)


@pytest.mark.parametrize(
    ("tiers", "pointers"),
    [
        ([SILVER], ["/tiers/0/threshold"]),
        ([BRONZE, BRONZE], ["/tiers/0/code", "/tiers/1/code", "/tiers/0/threshold", "/tiers/1/threshold"]),
        ([BRONZE, {**SILVER, "threshold": 5}, {"code": "gold", "threshold": 3}], ["/tiers/2/threshold"]),
    ],
)
def test_what_the_check_calls_an_error_is_refused_when_it_is_to_be_published(
    api: Api, tiers: list[dict[str, Any]], pointers: list[str]
):
    answer = publish(api, *tiers)

    assert refused_at(answer) == pointers
    assert answer.json["code"] == "ladder-invalid"
    assert answer.json["errors"] == [f for f in api.post(CHECK).json["findings"] if f["level"] == "error"]
    assert api.get(LADDER).status_code == 404
    assert len(api.get(DRAFT).json["tiers"]) == len(tiers)


def test_without_a_body_the_draft_is_checked(api: Api):
    assert refused(api.post(CHECK)) == (409, "nothing-to-publish")
    put_draft(api, SILVER)

    answer = api.post(CHECK)

    assert codes(answer) == [("lowest-not-zero", "/tiers/0/threshold"), ("idle-downgrade", "/downgrade")]
    assert (answer.json["ok"], answer.json["errors"], answer.json["warnings"]) == (False, 1, 1)
    assert api.post(CHECK, {}).json == answer.json


def test_a_ladder_that_is_sent_is_checked_whole_and_not_stored(api: Api):
    assert codes(api.post(CHECK, a_ladder(BRONZE, downgrade="none"))) == []
    assert refused_at(api.post(CHECK, {"basis": "spend"})) == ["/window", "/validity", "/downgrade", "/tiers"]
    assert api.get(DRAFT).json == EMPTY


def test_the_check_knows_the_tiers_in_force(api: Api):
    publish(api)

    answer = api.post(CHECK, a_ladder(BRONZE, {**SILVER, "code": "silber"}, downgrade="none"))

    assert codes(answer) == [("tier-gone", "/tiers")]
    assert answer.json["findings"][0]["detail"].endswith("Did you mean 'silber'?")


def test_the_check_of_earning_rules_knows_the_tiers_in_force(api: Api, monkeypatch: pytest.MonkeyPatch):
    rule = {"code": "b", "kind": "base", "priority": 1, "points_per_unit": 1, "tiers": ["silver", "gold"]}

    def unknown() -> list[tuple[str, str]]:
        return codes(api.post("/v1/admin/earning-rules/check", {"rules": [rule]}))

    tiers = [("unknown-tier", "/rules/0/tiers/0"), ("unknown-tier", "/rules/0/tiers/1")]
    assert unknown() == tiers
    publish(api)
    assert unknown() == tiers[1:]
    publish(api, BRONZE, {"code": "gold", "threshold": 9}, effective_from=at(NOW + A_DAY))
    assert unknown() == tiers[1:]
    it_is(monkeypatch, NOW + A_DAY)
    assert unknown() == tiers[:1]


def test_publishing_puts_moving_the_members_into_the_queue(api: Api):
    publish(api)
    publish(api, members="at_validity_end", effective_from=at(NOW + A_DAY))

    moves = api.get(f"{LADDER}/moves").json["data"]

    not_begun = {
        "status": "queued", "members_done": 0, "members_total": None, "up": 0, "down": 0, "started_at": None,
        "finished_at": None,
    }  # fmt: skip
    assert moves == [
        {"version": 2, "members": "at_validity_end", "effective_from": at(NOW + A_DAY), **not_begun},
        {"version": 1, "members": "now", "effective_from": at(NOW), **not_begun},
    ]
    with api.app.app_context(), transaction() as session:
        jobs = session.rows(
            "SELECT task_name, args FROM procrastinate_jobs WHERE task_name = 'tiers.move'", (), into=dict_row
        )
    assert {"task_name": "tiers.move", "args": {"timestamp": 0}} in jobs


def test_a_move_that_has_begun_is_running_until_it_is_done(api: Api):
    publish(api)

    for column, status in (("started_at", "running"), ("finished_at", "done")):
        with api.app.app_context(), transaction() as session:
            session.run(f"UPDATE ladder_moves SET {column} = %s WHERE program_id = %s", (NOW, api.program.program_id))
        assert api.get(f"{LADDER}/moves").json["data"][0]["status"] == status


def test_publishing_again_under_the_same_key_publishes_once(api: Api):
    put_draft(api)
    key = {"headers": {"Idempotency-Key": "k-1"}}

    first = api.post(PUBLISH, {"members": "now"}, **key)

    assert api.post(PUBLISH, {"members": "now"}, **key).json == first.json
    assert refused(api.post(PUBLISH, {"members": "upgrades_only"}, **key)) == (409, "idempotency-conflict")
    assert len(api.get(f"{LADDER}/versions").json["data"]) == 1


def test_members_are_moved_in_one_of_three_ways(api: Api):
    put_draft(api)

    assert refused_at(api.post(PUBLISH, {"members": "later"})) == ["/members"]
    assert api.post(PUBLISH).json["members"] == "now"


def test_only_an_admin_reads_and_writes_the_ladder(api: Api):
    assert api.as_key(None).get(LADDER).status_code == 401


def test_a_shop_of_the_tests_gets_a_ladder_that_is_in_force_at_once(api: Api):
    publish_ladder(api, BRONZE)

    second = publish_ladder(api, BRONZE, SILVER, members="upgrades_only", basis="orders")

    assert api.get(LADDER).json == second
    assert (second["basis"], second["members"], second["tiers"][1]["name"]) == ("orders", "upgrades_only", "Silver")
