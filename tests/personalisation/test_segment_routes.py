"""Segments as a shop reads them, and what it can do with them: in rules, rewards and announcements."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.db.session import transaction
from loyalty.earning.segments import BUILT_IN_CODES
from loyalty.notifications import announcing
from loyalty.programs import queries as programs
from tests.api import Api
from tests.builders import NOW, order_json
from tests.clocks import it_is
from tests.learning.habits import bought, features_follow, learnt, member_id_of, sweep
from tests.shop import adjust, at, buy, publish_rules, refused
from tests.statements import statements

BASE = {"code": "base", "points": "1", "priority": 1}
WELCOME_BACK = {"code": "welcome-back", "kind": "bonus", "points": 500, "priority": 2}


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop with a member."""
    it_is(monkeypatch, NOW)
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)
    api.enrol()
    return api


def put_reward(api: Api, code: str = "five-off", **given: Any) -> Any:
    reward = {"name": "5 off", "type": "discount_amount", "points": 100, "value": {"amount": 500}, "fulfilment": "code"}
    return api.put(f"/v1/admin/rewards/{code}", {**reward, **given})


def awarded(answer: dict[str, Any]) -> dict[str, int]:
    """What each rule gave."""
    return {award["rule"]["code"]: award["points"] for award in answer["awards"]}


def test_every_program_has_segments(shop: Api):
    told = shop.get("/v1/admin/segments").json

    assert {each["code"] for each in told["data"]} == BUILT_IN_CODES
    assert all(each["built_in"] and each["description"] and each["when"] for each in told["data"])
    assert (told["counting"], told["next"]) == (None, None)
    assert shop.get("/v1/admin/segments/at_risk").json == {
        "code": "at_risk", "name": "At risk", "built_in": True, "size": 0, "counted_at": None,
        **{name: each[name] for each in told["data"] if each["code"] == "at_risk" for name in ("when", "description")},
    }  # fmt: skip


def test_what_is_not_there_is_not_found(shop: Api):
    assert refused(shop.get("/v1/admin/segments/regulars")) == (404, "segment-not-found")
    assert refused(shop.get("/v1/admin/segments/regulars/members")) == (404, "segment-not-found")


def test_members_are_listed_page_by_page(shop: Api):
    for number in range(3):
        shop.enrol(f"m-{number}")
    sweep(shop)

    first = shop.get("/v1/admin/segments/never_bought/members?limit=3").json
    rest = shop.get(f"/v1/admin/segments/never_bought/members?limit=3&after={first['next']}").json

    assert [each["customer_id"] for each in first["data"]] == ["c-42", "m-0", "m-1"]
    assert ([each["customer_id"] for each in rest["data"]], rest["next"]) == (["m-2"], None)
    assert shop.get("/v1/admin/segments/never_bought").json["size"] == 4
    assert shop.get("/v1/admin/segments/never_bought/members?after=nonsense").status_code == 422


def test_reading_a_page_is_the_same_few_statements_whatever_is_in_it(shop: Api):
    sweep(shop)
    with statements() as few:
        shop.get("/v1/admin/segments/never_bought/members")
    for number in range(5):
        shop.enrol(f"m-{number}")
    sweep(shop, NOW + timedelta(days=1))

    with statements() as many:
        shop.get("/v1/admin/segments/never_bought/members")

    assert len(many) == len(few)


def test_rules_are_for_segments_that_every_program_has(shop: Api):
    publish_rules(shop, BASE, {**WELCOME_BACK, "segments": ["at_risk"]})
    bought(shop, 100)

    receipt = buy(shop, "A-1").json

    assert awarded(receipt) == {"base": 100, "welcome-back": 500}


def test_a_rule_for_a_segment_that_nobody_knows_is_refused(shop: Api):
    rules = [{**WELCOME_BACK, "segments": ["atrisk"]}]

    found = shop.post("/v1/admin/earning-rules/check", {"rules": rules}).json["findings"]

    (told,) = (each for each in found if each["code"] == "unknown-segment")
    assert "Did you mean 'at_risk'?" in told["detail"]


def test_an_order_is_explained_by_what_features_said_when_it_was_judged(shop: Api):
    publish_rules(shop, BASE, {**WELCOME_BACK, "when": "features.redemptions > 2"})
    learnt(shop, 40, 20, redeemed=2)
    buy(shop, "A-1")
    before = shop.get("/v1/orders/A-1/explanation").json
    learnt(shop, 40, 20, redeemed=3)
    buy(shop, "A-2")

    assert shop.get("/v1/orders/A-1/explanation").json == before
    (told,) = before["refused"]
    assert told["values"] == {"features.redemptions": 2}
    assert awarded(shop.get("/v1/orders/A-2/explanation").json) == {"base": 100, "welcome-back": 500}


def test_features_cost_an_order_no_statement(shop: Api):
    publish_rules(shop, BASE, {**WELCOME_BACK, "when": "history.orders > 99"})
    buy(shop, "A-1")
    with statements() as few:
        buy(shop, "A-2")
    publish_rules(shop, BASE, {**WELCOME_BACK, "segments": ["champions"], "when": "features.active_percent > 101"})
    learnt(shop, 40, 20)
    buy(shop, "A-3")

    with statements() as sent:
        buy(shop, "A-4")

    assert len(sent) == len(few)


def test_a_preview_knows_what_the_order_will_know(shop: Api):
    publish_rules(shop, BASE, {**WELCOME_BACK, "when": "features.usual_gap_days == 20"})
    learnt(shop, 40, 20)
    order = order_json(order_id="A-1", placed_at=at(NOW))

    foreseen = shop.post("/v1/orders/preview", order).json

    assert foreseen["awards"] == shop.post("/v1/orders", order).json["awards"]
    assert set(awarded(foreseen)) == {"base", "welcome-back"}


def test_a_reward_is_for_the_members_of_its_segments(shop: Api):
    assert put_reward(shop, segments=["lapsed", "redeemers"]).status_code == 201
    adjust(shop, 200)
    wish = {"redemption_id": "r-1", "reward": "five-off"}

    (told,) = shop.get("/v1/members/c-42/rewards").json["data"]
    away = shop.post("/v1/members/c-42/redemptions", wish)

    # Members are not told what their shop thinks of them.
    assert [(reason["code"], reason["detail"]) for reason in told["reasons"]] == [
        ("not_in_segment", "You do not meet the conditions of this reward.")
    ]
    assert "lapsed" not in str(told)
    assert refused(away) == (422, "not-in-segment")
    assert away.json["segments"] == ["lapsed", "redeemers"]

    learnt(shop, 40, 20, redeemed=1)
    assert shop.get("/v1/members/c-42/rewards").json["data"][0]["available"]
    assert shop.post("/v1/members/c-42/redemptions", wish).status_code == 201


def test_a_reward_follows_the_segments_that_are_in_force(shop: Api):
    put_reward(shop, segments=["regulars"])
    adjust(shop, 200)
    assert not shop.get("/v1/members/c-42/rewards").json["data"][0]["available"]

    etag = shop.get("/v1/admin/earning-rules/draft").headers["ETag"]
    segments = [{"code": "regulars", "name": "Regulars", "when": "history.orders >= 0"}]
    rule = {"code": "base", "kind": "base", "priority": 1, "points_per": {"amount": 100, "points": "1"}}
    draft = {"rules": [rule], "segments": segments}
    shop.put("/v1/admin/earning-rules/draft", draft, headers={"If-Match": etag})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("loyalty.earning.service.LEAD", timedelta(0))
        shop.post("/v1/admin/earning-rules/publish", {})

    assert shop.get("/v1/members/c-42/rewards").json["data"][0]["available"]


def test_a_reward_for_a_segment_that_is_not_there_is_warned_of(shop: Api):
    reward = {"name": "5 off", "type": "custom", "points": 100, "segments": ["lapsd"]}
    shop.put("/v1/admin/rewards/mug/draft", reward, headers={"If-Match": '"0"'})

    (found,) = shop.post("/v1/admin/rewards/mug/check", {}).json["findings"]

    assert (found["level"], found["code"], found["pointer"]) == ("warning", "unknown-segment", "/segments/0")


def test_new_rewards_are_announced_to_the_members_of_their_segments(shop: Api):
    shop.enrol("c-43")
    bought(shop, 1, customer_id="c-43")
    put_reward(shop, segments=["one_time"])

    with shop.app.app_context(), transaction() as session:
        program = programs.load(session, shop.program.program_id)
        reward = announcing.catalogues.catalogue(session, program).rewards["five-off"]
        everybody = [(member_id_of(session, shop, each), NOW) for each in ("c-42", "c-43")]
        told = announcing._in_segments(session, program, reward, everybody, now=NOW)

    assert told == [everybody[1][0]]


def test_the_context_of_conditions_shows_features(shop: Api):
    features_follow(shop)
    told = shop.get("/v1/admin/rule-context").json

    assert all("features" in scope["variables"] for scope in told["scopes"])
    (features,) = (each for each in told["variables"] if each["name"] == "features")
    assert {field["type"] for field in features["fields"]} == {"int"}
