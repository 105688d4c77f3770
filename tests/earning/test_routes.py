"""Earning rules over HTTP: the draft, publishing, versions, and by which of them an order is judged."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from loyalty.core import clock
from tests.api import Api
from tests.builders import NOW, order_json
from tests.clocks import it_is

RULES = "/v1/admin/earning-rules"
DRAFT = f"{RULES}/draft"
PUBLISH = f"{RULES}/publish"
A_DAY = timedelta(days=1)

BASE = {"code": "base", "kind": "base", "priority": 10, "points_per": {"amount": 100, "points": "1"}}


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def rule_json(code: str = "base", *, points: str = "1", priority: int = 10, **given: Any) -> dict[str, Any]:
    return {**BASE, "code": code, "priority": priority, "points_per": {"amount": 100, "points": points}, **given}


def put_draft(api: Api, *rules: dict[str, Any]) -> Any:
    return api.put(DRAFT, {"rules": list(rules)}, headers={"If-Match": api.get(DRAFT).headers["ETag"]})


def publish(api: Api, *rules: dict[str, Any], **wanted: Any) -> Any:
    assert put_draft(api, *rules).status_code == 200
    return api.post(PUBLISH, wanted)


def versions(answer: Any) -> dict[str, int]:
    return {rule["code"]: rule["version"] for rule in answer.json["rules"]}


def earned(api: Api, placed_at: str = "2026-03-01T10:00:00Z") -> dict[str, int]:
    """By rule and version, what an order of 30.00 earns."""
    answer = api.post("/v1/orders", order_json(placed_at=placed_at))
    assert answer.status_code == 201, answer.json
    return {f"{a['rule']['code']}@{a['rule']['version']}": a["points"] for a in answer.json["awards"]}


def refused_at(response: Any) -> list[str]:
    assert response.status_code == 422, response.json
    return [error["pointer"] for error in response.json["errors"]]


def test_a_new_program_earns_one_point_per_1_00(api: Api):
    answer = api.get(RULES)

    assert answer.json["rules"] == [{**BASE, "unit": "points", "version": 1}]
    assert (answer.json["version"], answer.json["effective_from"], answer.headers["ETag"]) == (0, None, '"0"')


def test_the_draft_nobody_has_begun_shows_the_rules_in_force(api: Api):
    assert api.get(DRAFT).json == {"version": 0, "rules": [{**BASE, "unit": "points"}], "segments": []}


def test_a_draft_changes_nothing_until_it_is_published(api: Api):
    api.enrol("c-42")

    draft = put_draft(api, rule_json(points="5"))

    assert (draft.json["version"], draft.headers["ETag"]) == (1, '"1"')
    assert api.get(DRAFT).json == draft.json
    assert api.get(RULES).json["version"] == 0
    assert earned(api) == {"base@1": 30}


def test_a_draft_that_is_begun_is_replaced_only_from_its_own_version(api: Api):
    put_draft(api, rule_json(points="2"))
    put_draft(api, rule_json(points="3"))

    without = api.put(DRAFT, {"rules": []})
    stale = api.put(DRAFT, {"rules": []}, headers={"If-Match": '"1"'})

    assert (without.status_code, without.json["code"]) == (428, "precondition-required")
    assert (stale.status_code, stale.json["code"], stale.json["current"]) == (412, "stale-version", 2)
    assert api.get(DRAFT).json["rules"][0]["points_per"]["points"] == "3"


def test_the_first_draft_needs_no_version(api: Api):
    assert api.put(DRAFT, {"rules": [rule_json()]}).status_code == 200


def test_publishing_puts_the_draft_in_force_and_empties_it(api: Api):
    answer = publish(api, rule_json("new", points="2"))

    assert answer.status_code == 200
    assert (answer.json["version"], versions(answer)) == (1, {"new": 1})
    assert answer.json["published_at"] == "2026-03-01T12:00:00Z"
    assert api.get(RULES).json == answer.json
    assert api.get(DRAFT).json["rules"] == [{**rule_json("new", points="2"), "unit": "points"}]
    assert api.post(PUBLISH, {}).json["code"] == "nothing-to-publish"


def test_the_version_of_a_draft_moves_on_after_it_was_published(api: Api):
    published = put_draft(api, rule_json()).headers["ETag"]
    api.post(PUBLISH, {})

    again = api.put(DRAFT, {"rules": []}, headers={"If-Match": published})

    assert (again.status_code, again.json["code"]) == (412, "stale-version")


def test_without_a_draft_there_is_nothing_to_publish(api: Api):
    answer = api.post(PUBLISH, {})

    assert (answer.status_code, answer.json["code"]) == (409, "nothing-to-publish")


def test_the_version_of_a_rule_moves_only_when_the_rule_changed(api: Api):
    assert versions(publish(api, rule_json(), rule_json("b", priority=20))) == {"base": 1, "b": 1}

    second = publish(api, rule_json(), rule_json("b", priority=20, categories=["food"]))
    third = publish(api, rule_json(points="2"), rule_json("b", priority=20, categories=["food"]))

    assert (second.json["version"], versions(second)) == (2, {"base": 1, "b": 2})
    assert (third.json["version"], versions(third)) == (3, {"base": 2, "b": 2})


def test_the_same_rule_written_another_way_is_the_same_rule(api: Api):
    spelled_out = rule_json(
        points="1.0", categories=[], skus=[], exclude_categories=[], exclude_skus=[], channels=[], min_basis=0,
        unit="points", activation=None, expiry=None, valid_from=None, valid_to=None, points_per_unit=None,
    )  # fmt: skip

    assert versions(publish(api, spelled_out)) == {"base": 1}


def test_a_rule_that_comes_back_changed_has_a_version_no_other_rule_ever_had(api: Api):
    publish(api, rule_json("spring", points="2"))
    publish(api, rule_json("summer"))

    answer = publish(api, rule_json("spring", points="3"))

    assert versions(answer) == {"spring": 2}


def test_a_rule_that_comes_back_as_it_was_has_the_version_it_had(api: Api):
    publish(api, rule_json("spring", points="2"))
    publish(api, rule_json("spring", points="3"))
    publish(api, rule_json("summer"))

    assert versions(publish(api, rule_json("spring", points="3"))) == {"spring": 2}


def test_every_published_version_stays_readable(api: Api):
    publish(api, rule_json(points="2"))
    publish(api, rule_json(points="3"))

    listed = api.get(f"{RULES}/versions").json

    assert [published["version"] for published in listed["data"]] == [2, 1, 0]
    assert listed["next"] is None
    for published in listed["data"]:
        assert api.get(f"{RULES}/versions/{published['version']}").json == published
    assert api.get(f"{RULES}/versions/3").json["code"] == "rule-set-not-found"


def test_rules_that_take_long_to_check_come_into_force_once_they_were_checked(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    publish(api, rule_json(points="2"))
    monkeypatch.setattr(clock, "stopwatch", lambda: lambda: timedelta(milliseconds=300))

    answer = publish(api, rule_json(points="3"))

    assert answer.json["effective_from"] == "2026-03-01T12:00:00.550000Z"


def test_a_set_is_scheduled_then_in_force_then_archived(api: Api, monkeypatch: pytest.MonkeyPatch):
    def statuses() -> list[tuple[int, str]]:
        return [(each["version"], each["status"]) for each in api.get(f"{RULES}/versions").json["data"]]

    publish(api, rule_json(points="2"))
    publish(api, rule_json(points="3"), effective_from="2026-05-01T00:00:00Z")
    # Comes into force before version 2, which then never will.
    publish(api, rule_json(points="4"), effective_from="2026-04-01T00:00:00Z")
    publish(api, rule_json(points="5"), effective_from="2026-06-01T00:00:00Z")

    assert statuses() == [(4, "scheduled"), (3, "scheduled"), (2, "archived"), (1, "in_force"), (0, "archived")]

    it_is(monkeypatch, datetime(2026, 5, 2, tzinfo=UTC))
    assert statuses()[:3] == [(4, "scheduled"), (3, "in_force"), (2, "archived")]


def test_a_rule_is_shown_as_it_was_written(api: Api):
    rule = rule_json(
        points="1.25", categories=["a > b"], skus=["A"], exclude_categories=["c"], exclude_skus=["B"], channels=["web"],
        min_basis=500, activation={"mode": "delay", "days": 3}, expiry={"mode": "calendar", "dates": ["12-31"]},
        valid_from="2026-01-01T00:00:00Z", valid_to="2026-12-31T00:00:00Z",
    )  # fmt: skip

    assert put_draft(api, rule).json["rules"] == [{**rule, "unit": "points"}]
    assert api.post(PUBLISH, {}).json["rules"] == [{**rule, "unit": "points", "version": 2}]


@pytest.mark.parametrize(
    ("rules", "pointers"),
    [
        ([rule_json("a"), rule_json("b")], ["/rules/0/priority", "/rules/1/priority"]),
        ([rule_json("a"), rule_json("a", priority=20)], ["/rules/0/code", "/rules/1/code"]),
        (
            [rule_json("a", priority=1), rule_json("b", priority=2), rule_json("c", priority=1)],
            ["/rules/0/priority", "/rules/2/priority"],
        ),
    ],
)
def test_ties_are_refused_when_they_are_to_be_published(api: Api, rules: list[Any], pointers: list[str]):
    answer = publish(api, *rules)

    assert refused_at(answer) == pointers
    assert answer.json["code"] == "rules-invalid"
    assert api.get(RULES).json["version"] == 0
    assert len(api.get(DRAFT).json["rules"]) == len(rules)


def test_the_first_set_is_in_force_from_the_beginning_of_time(api: Api):
    api.enrol("c-42")

    answer = publish(api, rule_json(points="2"))

    assert answer.json["effective_from"] is None
    assert earned(api, "1999-12-31T23:59:59Z") == {"base@2": 60}


def test_a_later_set_is_in_force_from_the_moment_it_is_published(api: Api):
    api.enrol("c-42")
    publish(api, rule_json(points="2"))

    answer = publish(api, rule_json(points="3"))

    assert answer.json["effective_from"] == "2026-03-01T12:00:00.250000Z"
    assert earned(api, "2026-03-01T11:59:59Z") == {"base@2": 60}


def test_the_first_set_is_in_force_from_now_where_orders_were_judged_without_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    api.enrol("c-42")
    earned(api)

    answer = publish(api, rule_json(points="2"))

    it_is(monkeypatch, NOW + timedelta(minutes=1))
    assert answer.json["effective_from"] == "2026-03-01T12:00:00.250000Z"
    assert earned(api, "2026-03-01T12:00:00Z") == {"base@1": 30}
    assert earned(api, answer.json["effective_from"]) == {"base@2": 60}


def test_an_order_placed_before_the_rules_came_into_force_is_judged_by_their_predecessors(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    api.enrol("c-42")
    publish(api, rule_json(points="2"))
    publish(api, rule_json(points="3"), effective_from="2026-03-02T00:00:00Z")
    assert earned(api) == {"base@2": 60}

    it_is(monkeypatch, NOW + A_DAY)

    assert earned(api, "2026-03-01T23:59:59Z") == {"base@2": 60}
    assert earned(api, "2026-03-02T00:00:00Z") == {"base@3": 90}


def test_rules_that_are_still_to_come_are_not_those_in_force(api: Api, monkeypatch: pytest.MonkeyPatch):
    publish(api, rule_json(points="2"))
    coming = publish(api, rule_json(points="3"), effective_from="2026-03-02T00:00:00Z").json
    assert (coming["version"], api.get(RULES).json["version"]) == (2, 1)

    it_is(monkeypatch, NOW + A_DAY)

    assert api.get(RULES).json == {**coming, "status": "in_force"}


def test_rules_published_later_replace_those_that_were_to_come(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.enrol("c-42")
    publish(api, rule_json(points="2"), effective_from="2026-03-02T00:00:00Z")
    publish(api, rule_json(points="3"))

    it_is(monkeypatch, NOW + 2 * A_DAY)

    assert earned(api, "2026-03-03T00:00:00Z") == {"base@3": 90}


def test_rules_cannot_come_into_force_in_the_past(api: Api):
    put_draft(api, rule_json(points="2"))

    answer = api.post(PUBLISH, {"effective_from": "2026-03-01T11:59:59Z"})

    assert (answer.status_code, answer.json["code"]) == (422, "effective-from-past")
    assert api.get(RULES).json["version"] == 0
    assert api.post(PUBLISH, {"effective_from": "2026-03-01T12:00:00Z"}).status_code == 200


def test_an_order_from_a_clock_that_runs_ahead_is_judged_by_the_rules_of_now(api: Api):
    api.enrol("c-42")
    publish(api, rule_json(points="2"), effective_from="2026-03-01T12:03:00Z")

    assert earned(api, "2026-03-01T12:04:00Z") == {"base@1": 30}


def test_no_rules_at_all_earn_nothing(api: Api):
    api.enrol("c-42")

    publish(api)

    assert earned(api) == {}


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"code": "Base!"}, "code"),
        ({"code": None}, "code"),
        ({"kind": "discount"}, "kind"),
        ({"kind": "multiplier"}, "factor"),
        ({"factor": "2"}, "factor"),
        ({"priority": -1}, "priority"),
        ({"priority": "1"}, "priority"),
        ({"points_per": None}, "points_per"),
        ({"points_per_unit": 5}, "points_per"),
        ({"points_per": {"amount": 0, "points": "1"}}, "points_per/amount"),
        ({"points_per": {"amount": 100, "points": 1}}, "points_per/points"),
        ({"points_per": {"amount": 100, "points": "0"}}, "points_per/points"),
        ({"points_per": {"amount": 100, "points": "-1"}}, "points_per/points"),
        ({"points_per": {"amount": 100, "points": "1e3"}}, "points_per/points"),
        ({"points_per": {"amount": 100, "points": "0.0000001"}}, "points_per/points"),
        ({"points_per": {"amount": 100, "points": "1000001"}}, "points_per/points"),
        ({"points_per": {"points": "1"}}, "points_per/amount"),
        ({"categories": ["a", ""]}, "categories/1"),
        ({"skus": "A"}, "skus"),
        ({"channels": [None]}, "channels/0"),
        ({"min_basis": -1}, "min_basis"),
        ({"unit": "Miles!"}, "unit"),
        ({"activation": {"mode": "delay"}}, "activation/days"),
        ({"expiry": {"mode": "rolling"}}, "expiry/months"),
        ({"valid_from": "2026-03-01"}, "valid_from"),
        ({"valid_from": "2026-03-02T00:00:00Z", "valid_to": "2026-03-02T00:00:00Z"}, "valid_to"),
        ({"version": 3}, "version"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], pointer: str):
    answer = put_draft(api, rule_json("good"), {**rule_json("bad"), **changed})

    assert refused_at(answer) == [f"/rules/1/{pointer}"]


def test_a_rule_in_a_unit_that_the_program_does_not_have_is_refused_when_it_is_published(api: Api):
    put_draft(api, rule_json("good"), rule_json("bad", priority=20, unit="miles"))

    answer = api.post(PUBLISH, {})

    assert answer.json["code"] == "rules-invalid"
    assert refused_at(answer) == ["/rules/1/unit"]
    assert api.get(RULES).json["version"] == 0


def test_a_rule_may_give_any_unit_of_the_program(api: Api):
    api.enrol("c-42")
    terms = {"activation": {"mode": "immediate"}, "expiry": {"mode": "never"}}
    api.patch("/v1/admin/program", {"units": {"miles": terms}}, headers={"If-Match": '"1"'})
    publish(api, rule_json(), rule_json("miles", priority=20, points="3", unit="miles"))

    assert earned(api) == {"base@1": 30, "miles@1": 90}
    assert api.get("/v1/members/c-42/balance?unit=miles").json["available"] == 90
    assert api.balance()["available"] == 30


@pytest.mark.parametrize(
    ("name", "empty"),
    [
        ("tiers", []),
        ("activity", None),
        ("when", None),
        ("caps", {"per_order": None, "per_member": {"day": None}, "budget": None}),
        ("limits", {"ever": None}),
        ("cooldown_days", 0),
    ],
)
def test_a_field_that_says_nothing_may_be_left_out(api: Api, name: str, empty: Any):
    assert put_draft(api, rule_json(**{name: empty})).json["rules"] == [{**rule_json(), "unit": "points"}]
