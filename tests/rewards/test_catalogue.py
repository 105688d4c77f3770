"""The catalogue over HTTP: what a reward must say, and that it is shown as it was written."""

from typing import Any

import pytest

from tests.api import Api
from tests.builders import reward_json

REWARD = "/v1/admin/rewards/a-reward"


WHOLE: dict[str, Any] = {
    "name": "Żółta kawa", "type": "custom", "points": 10**12, "points_by_tier": {"gold": 1}, "value": {},
    "stock": 10**9, "low_stock": 1, "limits": {"day": 1, "ever": 1_000_000}, "tiers": ["silver", "gold"],
    "segments": ["lapsed"],
    "early_access": False, "when": "history.orders >= 1", "valid_from": "2026-03-01T00:00:00Z",
    "valid_to": "2199-04-01T00:00:00Z", "fulfilment": "webhook", "voucher": {"valid_days": 1, "uses": 9},
    "description": "A bag.", "terms": "One a head.", "categories": ["coffee", "gifts"], "sort": -1_000_000,
    "images": [{"url": "https://example.com/a.png", "alt": "A bag"}, {"url": "http://example.com/b", "alt": ""}],
    "translations": {"pl": {"name": "Kawa"}, "pt-BR": {"terms": "Um"}},
}  # fmt: skip
PLAIN: dict[str, Any] = {
    "points_by_tier": {}, "value": {}, "stock": None, "low_stock": None, "limits": {}, "tiers": [], "segments": [],
    "early_access": True, "when": None, "valid_from": None, "valid_to": None, "fulfilment": "none",
    "voucher": {"valid_days": None, "uses": 1}, "description": None, "terms": None, "images": [], "categories": [],
    "sort": 0, "translations": {},
}  # fmt: skip
PUBLISHED = {"code": "a-reward", "version": 1, "status": "published", "drafted": False}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("discount_amount", {"amount": 500}),
        ("discount_percent", {"percent": 100}),
        ("free_product", {"sku": "KAFFEE-1"}),
        ("gift_card", {"amount": 1}),
        ("experience", {}),
        ("donation", {"amount": 250}),
        ("custom", {"amount": 1, "percent": 2, "sku": "three"}),
    ],
)
def test_a_reward_of_any_type_is_shown_as_it_was_written(api: Api, kind: str, value: dict[str, Any]):
    written = {**WHOLE, "type": kind, "value": value}

    answer = api.put(REWARD, written)

    assert answer.status_code == 201
    assert answer.json == {**PUBLISHED, **written}
    assert api.get(REWARD).json == answer.json
    assert api.get("/v1/admin/rewards").json == {"data": [answer.json], "next": None}


def test_everybody_sees_what_a_reward_says_of_itself_and_not_how_it_is_kept(api: Api):
    api.put(REWARD, WHOLE)

    (shown,) = api.get("/v1/rewards").json["data"]

    kept = {"low_stock", "early_access", "segments", "when", "voucher", "sort", "translations"}
    expected = {name: said for name, said in WHOLE.items() if name not in kept}
    assert shown == {"code": "a-reward", "version": 1, "currency": "EUR", **expected}


def test_what_is_left_out_is_the_default(api: Api):
    answer = api.put(REWARD, {"name": "Tour", "type": "experience", "points": 1})

    assert answer.json == {**PUBLISHED, **PLAIN, "name": "Tour", "type": "experience", "points": 1}


def test_a_replacement_replaces_everything(api: Api):
    api.put(REWARD, reward_json(stock=5, valid_from="2026-03-01T00:00:00Z", valid_to="2026-04-01T00:00:00Z"))

    answer = api.put(REWARD, {"name": "Tour", "type": "experience", "points": 1}, headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert (answer.json["stock"], answer.json["valid_from"], answer.json["value"]) == (None, None, {})


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"name": None}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"type": None}, "/type"),
        ({"points": None}, "/points"),
        ({"points": -1}, "/points"),
        ({"points": 1.0}, "/points"),
        ({"points": 10**12 + 1}, "/points"),
        ({"value": None}, "/value"),
        ({"value": {"amount": 0}}, "/value/amount"),
        ({"value": {"amount": "5"}}, "/value/amount"),
        ({"value": {"amount": 5, "colour": "red"}}, "/value/colour"),
        ({"type": "discount_percent"}, "/value/percent"),
        ({"type": "discount_percent", "value": {"percent": 0}}, "/value/percent"),
        ({"type": "free_product"}, "/value/sku"),
        ({"type": "free_product", "value": {"sku": ""}}, "/value/sku"),
        ({"type": "gift_card", "value": {"amount": None}}, "/value/amount"),
        ({"stock": 1.5}, "/stock"),
        ({"stock": 10**9 + 1}, "/stock"),
        ({"valid_from": "2026-03-01"}, "/valid_from"),
        ({"valid_to": "never"}, "/valid_to"),
        ({"valid_from": "2026-03-01T00:00:00Z", "valid_to": "2026-03-01T00:00:00Z"}, "/valid_to"),
        ({"fulfilment": "pigeon"}, "/fulfilment"),
        ({"tiers": ["Gold"]}, "/tiers/0"),
        ({"points_by_tier": {"gold": 0}}, "/points_by_tier/gold"),
        ({"limits": {"month": 0}}, "/limits/month"),
        ({"low_stock": 0}, "/low_stock"),
        ({"early_access": "yes"}, "/early_access"),
        ({"voucher": {"uses": 0}}, "/voucher/uses"),
        ({"voucher": {"valid_days": 0}}, "/voucher/valid_days"),
        ({"images": [{"alt": "A bag"}]}, "/images/0/url"),
        ({"images": [{"url": "javascript:alert(1)"}]}, "/images/0/url"),
        ({"categories": [""]}, "/categories/0"),
        ({"sort": 1_000_001}, "/sort"),
        ({"translations": {"Polish": {"name": "Kawa"}}}, "/translations/Polish"),
        ({"translations": {"pl": {"points": 3}}}, "/translations/pl/points"),
        ({"code": "other"}, "/code"),
        ({"version": 1}, "/version"),
    ],
)
def test_a_reward_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], pointer: str):
    refused = api.put(REWARD, reward_json(**changed))

    assert (refused.status_code, refused.json["code"]) == (422, "invalid-request")
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert api.get("/v1/rewards").json["data"] == []


def test_what_says_nothing_may_be_said(api: Api):
    empty = {"points_by_tier": {}, "limits": {"ever": None}, "tiers": [], "when": None}

    assert api.put(REWARD, reward_json(**empty)).json["limits"] == {}


def test_the_catalogue_is_read_by_category_and_by_type_and_in_another_language(api: Api):
    api.put("/v1/admin/rewards/tea", reward_json(type="experience", value={}, categories=["tea", "gifts"]))
    api.put("/v1/admin/rewards/mug", reward_json(categories=["gifts"], translations={"pl": {"name": "Kubek"}}))

    def codes(**query: str) -> list[str]:
        return [reward["code"] for reward in api.get("/v1/rewards", query_string=query).json["data"]]

    assert codes(category="gifts") == ["mug", "tea"]
    assert codes(category="tea") == ["tea"]
    assert codes(category="gift") == []
    assert codes(type="experience") == ["tea"]
    assert codes(type="experience", category="tea") == ["tea"]
    assert api.get("/v1/rewards?type=car").status_code == 422
    names = [reward["name"] for reward in api.get("/v1/rewards?locale=pl-PL").json["data"]]
    assert names == ["Kubek", "5 off"]


def test_what_has_ended_is_not_in_the_catalogue_for_everybody_and_what_has_not_begun_is(api: Api):
    api.put("/v1/admin/rewards/over", reward_json(valid_to="2020-01-01T00:00:00Z"))
    api.put("/v1/admin/rewards/coming", reward_json(valid_from="2199-01-01T00:00:00Z"))

    assert [reward["code"] for reward in api.get("/v1/rewards").json["data"]] == ["coming"]
    assert [reward["code"] for reward in api.get("/v1/admin/rewards").json["data"]] == ["coming", "over"]


def test_a_condition_that_cannot_be_read_is_refused_with_where_it_goes_wrong(api: Api):
    refused = api.put(REWARD, reward_json(when="member.agee >= 18"))

    assert (refused.status_code, refused.json["code"]) == (422, "reward-invalid")
    assert {error["code"] for error in refused.json["errors"]} == {"condition-unknown-field"}
    assert api.get(REWARD).status_code == 404


@pytest.mark.parametrize("code", ["Five", "a b", "-a", "x" * 65, "ż"])
def test_a_code_has_small_letters_digits_and_dashes(api: Api, code: str):
    refused = api.put(f"/v1/admin/rewards/{code}", reward_json())

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == ["path"]


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"redemption_id": "a b"}, "/redemption_id"),
        ({"redemption_id": None}, "/redemption_id"),
        ({"reward": "Five"}, "/reward"),
        ({"reward": None}, "/reward"),
        ({"hold": "no"}, "/hold"),
        ({"hold_seconds": 60}, "/hold_seconds"),
        ({"points": 5}, "/points"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], pointer: str):
    api.enrol("c-42")

    refused = api.post("/v1/members/c-42/redemptions", {"reward": "five-off", "redemption_id": "r-1", **changed})

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def test_a_reward_is_found_under_its_own_code_alone(api: Api):
    api.put(REWARD, reward_json())

    answer = api.get("/v1/admin/rewards/a-rewar")

    assert (answer.status_code, answer.json["code"], answer.json["reward"]) == (404, "reward-not-found", "a-rewar")
