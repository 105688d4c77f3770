"""The configuration as one document: what is exported is imported as it was, all of it or nothing, once."""

from typing import Any

import pytest
from flask import Flask

from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import a_key, a_program, reward_json
from tests.shop import a_ladder, configure, configure_units, publish_ladder, publish_rules, refused

CONFIG = "/v1/admin/config"
BRONZE = {"code": "bronze", "threshold": 0}
CALENDAR = {"mode": "calendar", "dates": ["06-30", "12-31"]}


@pytest.fixture
def other(app: Flask) -> Api:
    """Another program, in another currency and zone."""
    with app.app_context(), transaction() as session:
        program = a_program(session, currency="PLN", time_zone="Europe/Warsaw")
        return Api(app, program, a_key(session, program))


@pytest.fixture
def rich(api: Api) -> Api:
    """A shop that has configured something of everything."""
    rates = [{"from": "2026-01-01", "rate": "0.95", "reason": "Agreed with the auditors"}]
    liability = {"value_per_point": "0.008", "redemption_rate": rates}
    configure(api, name="Rich", rounding="half_up", earn={"shipping": True}, pay={"points": 10}, liability=liability)
    configure_units(
        api,
        points=({"mode": "delay", "days": 14}, {"mode": "rolling", "months": 12, "round_to": "month"}),
        miles=({"mode": "on_event", "deadline_days": 60}, CALENDAR),
    )
    publish_rules(
        api,
        {"points": "1.50", "categories": ["coffee"], "valid_from": "2026-01-01T00:00:00+01:00", "channels": ["web"]},
        {"points_per_unit": 3, "unit": "miles", "expiry": CALENDAR, "min_basis": 100, "exclude_skus": ["x"]},
    )
    publish_ladder(api, BRONZE, {"code": "gold", "threshold": 50_000, "benefits": {"multiplier": "1.50"}})
    api.put("/v1/admin/rewards/five-off", reward_json(points=10, stock=1000, valid_to="2199-01-01T00:00:00Z"))
    api.put("/v1/admin/rewards/mug", reward_json(type="free_product", value={"sku": "MUG"}, fulfilment="none"))
    return api


def export(api: Api) -> dict[str, Any]:
    """The configuration."""
    return api.get(CONFIG).json


def audited(api: Api) -> list[str]:
    """What was changed, newest first."""
    return [change["action"] for change in api.get("/v1/admin/audit?limit=200").json["data"]]


def apply(api: Api, document: dict[str, Any]) -> dict[str, Any]:
    """Import a document."""
    answer = api.post(f"{CONFIG}/import", document)
    assert answer.status_code == 200, answer.json
    return answer.json


def test_a_new_program_exports_what_it_began_with(api: Api):
    document = export(api)

    assert document["format"] == 1
    assert document["program"]["rounding"] == "floor"
    assert "version" not in document["program"]
    assert document["earning_rules"] == {
        "rules": [{"code": "base", "kind": "base", "priority": 10, "unit": "points",
                   "points_per": {"amount": 100, "points": "1"}}],
        "segments": [],
    }  # fmt: skip
    assert document["rewards"] == []
    assert "ladder" not in document


def test_what_is_exported_changes_nothing_where_it_came_from(rich: Api):
    document, before = export(rich), audited(rich)

    assert rich.post(f"{CONFIG}/diff", document).json == {"changes": [], "kept": []}
    assert apply(rich, document) == {"changes": [], "kept": []}

    assert audited(rich) == before
    assert rich.get("/v1/admin/earning-rules").json["version"] == 1
    assert export(rich) == document


def test_another_program_becomes_as_the_document_says_but_keeps_its_currency_zone_and_code(rich: Api, other: Api):
    document, before = export(rich), export(other)
    expected = other.post(f"{CONFIG}/diff", document).json

    assert apply(other, document) == expected

    after = export(other)
    own = {name: before["program"][name] for name in ("code", "currency", "time_zone")}
    assert own["currency"] == "PLN"
    assert after == {**document, "program": {**document["program"], **own}}
    assert other.post(f"{CONFIG}/diff", document).json["changes"] == []


def test_importing_again_publishes_and_audits_nothing(rich: Api, other: Api):
    document = export(rich)
    apply(other, document)
    told = audited(other)
    etag = other.get("/v1/admin/program").headers["ETag"]

    assert apply(other, document)["changes"] == []

    assert audited(other) == told
    assert other.get("/v1/admin/program").headers["ETag"] == etag
    assert [rules["version"] for rules in other.get("/v1/admin/earning-rules/versions").json["data"]] == [1, 0]
    assert other.get("/v1/admin/rewards/mug").json["version"] == 1


def test_an_import_is_told_by_the_audit_log_as_a_whole_and_in_its_parts(rich: Api, other: Api):
    before, document = export(other), export(rich)

    apply(other, document)

    newest, *parts = other.get("/v1/admin/audit").json["data"]
    assert (newest["action"], newest["resource"]) == ("configuration.imported", "config")
    assert (newest["before"], newest["after"]) == (before, export(other))
    actions = {part["action"] for part in parts if part["actor"] == newest["actor"]}
    assert actions == {
        "program.changed", "earning-rules.drafted", "earning-rules.published", "ladder.drafted", "ladder.published",
        "reward.created",
    }  # fmt: skip


def test_a_difference_is_named_by_a_pointer_into_the_document(rich: Api):
    document = export(rich)
    document["program"]["earn"]["tax"] = "added"
    document["earning_rules"]["rules"][0]["points_per"]["points"] = "2"
    del document["earning_rules"]["rules"][1]
    document["rewards"][0]["points"] = 20
    document["rewards"].append({"code": "new", **reward_json()})

    found = rich.post(f"{CONFIG}/diff", document).json["changes"]

    assert [(change["path"], change["action"]) for change in found] == [
        ("/program/earn/tax", "change"),
        ("/earning_rules/rules/0/points_per/points", "change"),
        ("/earning_rules/rules/1", "remove"),
        ("/rewards/0/points", "change"),
        ("/rewards/2", "add"),
    ]
    assert (found[0]["before"], found[0]["after"]) == ("included", "added")
    assert (found[2]["before"]["code"], found[2]["after"]) == ("rule-1", None)
    assert (found[4]["before"], found[4]["after"]["code"]) == (None, "new")


def test_two_ways_of_saying_the_same_are_no_difference(rich: Api):
    document = export(rich)
    document["earning_rules"]["rules"].reverse()
    document["rewards"].reverse()
    document["earning_rules"]["rules"][0] |= {"valid_to": None, "categories": []}
    document["earning_rules"]["rules"][1]["valid_from"] = "2025-12-31T23:00:00Z"

    assert rich.post(f"{CONFIG}/diff", document).json["changes"] == []


def test_what_the_document_does_not_name_stays(rich: Api):
    before = export(rich)

    assert apply(rich, {"format": 1}) == {"changes": [], "kept": []}
    changed = apply(rich, {"format": 1, "program": {"rounding": "ceil"}})

    assert [change["path"] for change in changed["changes"]] == ["/program/rounding"]
    assert export(rich) == {**before, "program": {**before["program"], "rounding": "ceil"}}


def test_a_reward_that_is_not_named_stays_and_is_named_as_kept(rich: Api):
    document = export(rich)
    document["rewards"] = [reward for reward in document["rewards"] if reward["code"] == "mug"]

    assert rich.post(f"{CONFIG}/diff", document).json == {"changes": [], "kept": ["five-off"]}
    assert apply(rich, document) == {"changes": [], "kept": ["five-off"]}
    assert rich.get("/v1/admin/rewards/five-off").status_code == 200


def test_what_is_left_of_a_stock_is_not_configuration(rich: Api):
    rich.enrol()
    rich.post("/v1/members/c-42/adjustments", {"adjustment_id": "a", "points": 50, "reason": "gift"})
    rich.post("/v1/members/c-42/redemptions", {"reward": "five-off", "redemption_id": "r-1"})
    document = export(rich)
    assert document["rewards"][0]["stock"] == 1000

    def left() -> int:
        return rich.get("/v1/admin/rewards/five-off").json["stock"]

    apply(rich, document)
    assert left() == 999
    document["rewards"][0]["name"] = "Five off"
    apply(rich, document)
    assert left() == 999
    document["rewards"][0]["stock"] = 500
    apply(rich, document)
    assert left() == 500
    document["rewards"][0]["stock"] = None
    apply(rich, document)
    assert left() is None


def test_a_mistake_is_named_by_a_pointer_into_the_document_and_nothing_is_changed(rich: Api):
    document, told = export(rich), audited(rich)
    document["program"]["rounding"] = "up"
    document["earning_rules"]["rules"][0]["points_per"]["amount"] = 0
    document["rewards"][1]["points"] = -1
    document["colour"] = "blue"

    for path in (f"{CONFIG}/diff", f"{CONFIG}/import"):
        refused = rich.post(path, document)
        assert (refused.status_code, refused.json["code"]) == (422, "invalid-request")
        assert {error["pointer"] for error in refused.json["errors"]} == {
            "/program/rounding", "/earning_rules/rules/0/points_per/amount", "/rewards/1/points", "/colour",
        }  # fmt: skip
    assert audited(rich) == told


@pytest.mark.parametrize("document", [{}, {"format": 2}, {"format": 1, "rewards": [reward_json()]}])
def test_a_document_of_another_shape_is_refused(api: Api, document: dict[str, Any]):
    assert api.post(f"{CONFIG}/import", document).status_code == 422


def test_a_reward_is_named_once(api: Api):
    twice = [{"code": "five-off", **reward_json()}] * 2

    refused = api.post(f"{CONFIG}/diff", {"format": 1, "rewards": twice})

    assert [error["pointer"] for error in refused.json["errors"]] == ["/rewards/0/code", "/rewards/1/code"]


def test_rules_that_contradict_each_other_are_refused_and_the_settings_stay_too(api: Api):
    before, told = export(api), audited(api)
    rule = {"code": "base", "kind": "base", "priority": 1, "points_per_unit": 1}
    document = {
        "format": 1,
        "program": {"rounding": "ceil"},
        "earning_rules": {"rules": [rule, {**rule, "priority": 2}]},
        "rewards": [{"code": "five-off", **reward_json()}],
    }

    refused = api.post(f"{CONFIG}/import", document)

    assert (refused.status_code, refused.json["code"]) == (422, "rules-invalid")
    assert refused.json["errors"][0]["pointer"] == "/earning_rules/rules/0/code"
    assert (export(api), audited(api)) == (before, told)


def test_rules_may_give_a_unit_that_the_same_document_adds(api: Api):
    unit = {"activation": {"mode": "immediate"}, "expiry": {"mode": "never"}}
    rule = {"code": "fly", "kind": "base", "priority": 1, "points_per_unit": 1, "unit": "miles"}
    rules = {"format": 1, "earning_rules": {"rules": [rule]}}

    refused = api.post(f"{CONFIG}/import", rules)
    assert refused.json["errors"][0]["pointer"] == "/earning_rules/rules/0/unit"

    apply(api, {**rules, "program": {"units": {"miles": unit}}})
    assert api.get("/v1/admin/earning-rules").json["rules"][0]["unit"] == "miles"


def test_a_draft_that_someone_has_begun_is_left_to_them(api: Api):
    mine = {"code": "mine", "kind": "base", "priority": 1, "points_per_unit": 9}
    api.put("/v1/admin/earning-rules/draft", {"rules": [mine]})
    theirs = {"code": "theirs", "kind": "base", "priority": 1, "points_per_unit": 1}

    apply(api, {"format": 1, "earning_rules": {"rules": [theirs]}})

    assert [rule["code"] for rule in api.get("/v1/admin/earning-rules").json["rules"]] == ["theirs"]
    assert [rule["code"] for rule in api.get("/v1/admin/earning-rules/draft").json["rules"]] == ["mine"]


def test_a_ladder_is_imported_for_the_members_there_are_and_its_differences_are_named(rich: Api, other: Api):
    document = export(rich)
    assert [change["path"] for change in apply(other, document)["changes"]].count("/ladder") == 1
    document["ladder"]["tiers"][1] |= {"threshold": 60_000, "benefits": {"multiplier": "2", "perks": ["Gift"]}}

    changed = apply(other, document)

    assert [change["path"] for change in changed["changes"]] == [
        "/ladder/tiers/1/threshold", "/ladder/tiers/1/benefits/multiplier", "/ladder/tiers/1/benefits/perks",
    ]  # fmt: skip
    in_force = other.get("/v1/admin/ladder").json
    assert (in_force["version"], in_force["members"], in_force["tiers"][1]["threshold"]) == (2, "now", 60_000)
    assert apply(other, document)["changes"] == []


def test_two_ways_of_saying_the_same_ladder_are_no_difference(rich: Api):
    document = export(rich)
    del document["ladder"]["grace"]
    document["ladder"]["tiers"][0]["benefits"] = None
    document["ladder"]["tiers"][1]["benefits"] = {"multiplier": "1.5"}

    assert rich.post(f"{CONFIG}/diff", document).json["changes"] == []


@pytest.mark.parametrize("nothing", [{}, {"ladder": None}])
def test_a_document_without_a_ladder_takes_none_away(rich: Api, nothing: dict[str, Any]):
    before = export(rich)

    assert rich.post(f"{CONFIG}/diff", {"format": 1, **nothing}).json["changes"] == []
    assert apply(rich, {"format": 1, **nothing})["changes"] == []
    assert export(rich) == before


def test_a_ladder_that_cannot_be_published_is_refused_where_it_stands_in_the_document(api: Api):
    ladder = a_ladder({**BRONZE, "threshold": 5})

    answer = api.post(f"{CONFIG}/import", {"format": 1, "program": {"rounding": "ceil"}, "ladder": ladder})

    assert refused(answer) == (422, "ladder-invalid")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/ladder/tiers/0/threshold"]
    assert export(api)["program"]["rounding"] == "floor"


def test_a_reward_that_cannot_be_published_is_refused_where_it_stands_in_the_document(api: Api):
    wrong = {"code": "wrong", **reward_json(fulfilment="pool", stock=5)}
    document = {"format": 1, "program": {"rounding": "ceil"}, "rewards": [{"code": "right", **reward_json()}, wrong]}

    answer = api.post(f"{CONFIG}/import", document)

    assert refused(answer) == (422, "reward-invalid")
    assert [error["pointer"] for error in answer.json["errors"]] == ["/rewards/1/stock"]
    assert (export(api)["rewards"], export(api)["program"]["rounding"]) == ([], "floor")


def test_a_reward_draft_that_someone_has_begun_is_left_to_them(rich: Api):
    rich.put("/v1/admin/rewards/mug/draft", reward_json(name="Begun"))
    document = export(rich)
    document["rewards"][1]["name"] = "Imported"

    apply(rich, document)

    assert rich.get("/v1/admin/rewards/mug").json["name"] == "Imported"
    assert rich.get("/v1/admin/rewards/mug/draft").json["name"] == "Begun"


def test_a_ladder_draft_that_someone_has_begun_is_left_to_them(api: Api):
    api.put("/v1/admin/ladder/draft", a_ladder({**BRONZE, "code": "mine"}))

    apply(api, {"format": 1, "ladder": a_ladder({**BRONZE, "code": "theirs"})})

    assert [tier["code"] for tier in api.get("/v1/admin/ladder").json["tiers"]] == ["theirs"]
    assert [tier["code"] for tier in api.get("/v1/admin/ladder/draft").json["tiers"]] == ["mine"]


def test_rules_that_are_imported_overrule_what_was_scheduled(api: Api):
    rule = {"code": "base", "kind": "base", "priority": 1, "points_per_unit": 1}
    api.put("/v1/admin/earning-rules/draft", {"rules": [rule]})
    api.post("/v1/admin/earning-rules/publish", {"effective_from": "2199-01-01T00:00:00Z"})
    document = export(api)
    assert document["earning_rules"]["rules"][0]["priority"] == 10  # those in force, not those to come

    document["earning_rules"]["rules"][0]["priority"] = 11
    apply(api, document)

    assert api.get("/v1/admin/earning-rules").json["version"] == 2
    assert api.post(f"{CONFIG}/diff", document).json["changes"] == []


def test_nothing_secret_is_exported(rich: Api):
    told = rich.get(CONFIG).get_data(as_text=True)

    assert "loy_" not in told
    assert "key" not in told


def test_what_is_published_is_exported_by_code_without_drafts_and_what_was_withdrawn(api: Api):
    for number in (3, 1, 2):
        api.put(f"/v1/admin/rewards/r-{number}", reward_json())
    api.post("/v1/admin/rewards/r-2/withdraw")
    api.put("/v1/admin/rewards/r-3/draft", reward_json(name="Not yet"))
    api.put("/v1/admin/rewards/r-4/draft", reward_json())

    assert [(reward["code"], reward["name"]) for reward in export(api)["rewards"]] == [
        ("r-1", "5 off"),
        ("r-3", "5 off"),
    ]


def test_a_reward_is_imported_with_everything_that_can_be_said_of_one(api: Api, other: Api):
    written = {
        "points_by_tier": {"gold": 20}, "stock": 7, "low_stock": 2, "limits": {"day": 1, "ever": 3},
        "tiers": ["silver", "gold"], "early_access": False, "when": "history.orders >= 1", "sort": -3,
        "valid_from": "2026-03-01T00:00:00Z", "valid_to": "2199-01-01T00:00:00Z",
        "voucher": {"valid_days": 90, "uses": 2}, "description": "Off your next order.", "terms": "Not on gift cards.",
        "images": [{"url": "https://example.com/five.png", "alt": "A five"}], "categories": ["discounts", "new"],
        "translations": {"pl": {"name": "5 zł taniej", "terms": "Nie na karty."}},
    }  # fmt: skip
    assert api.put("/v1/admin/rewards/five-off", reward_json(**written)).status_code == 201

    apply(other, {"format": 1, "rewards": export(api)["rewards"]})

    assert export(other)["rewards"] == export(api)["rewards"]
    assert other.get("/v1/admin/rewards/five-off").json == api.get("/v1/admin/rewards/five-off").json
    assert {name: export(api)["rewards"][0][name] for name in written} == written
    assert api.post(f"{CONFIG}/diff", {"format": 1, "rewards": export(other)["rewards"]}).json["changes"] == []
