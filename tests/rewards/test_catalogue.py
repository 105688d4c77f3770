"""The catalogue over HTTP: what a reward must say, and that it is shown as it was written."""

from typing import Any

import pytest

from tests.api import Api
from tests.builders import reward_json

REWARD = "/v1/admin/rewards/a-reward"


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
    written = {
        "name": "Żółta kawa", "type": kind, "points": 10**12, "value": value, "stock": 10**9, "fulfilment": "none",
        "valid_from": "2026-03-01T00:00:00Z", "valid_to": "2026-04-01T00:00:00Z",
    }  # fmt: skip

    answer = api.put(REWARD, written)

    assert answer.status_code == 201
    assert answer.json == {"code": "a-reward", "version": 1, **written}
    assert api.get(REWARD).json == answer.json
    assert api.get("/v1/rewards").json == {"data": [answer.json], "next": None}


def test_what_is_left_out_is_the_default(api: Api):
    answer = api.put(REWARD, {"name": "Tour", "type": "experience", "points": 1})

    assert answer.json == {
        "code": "a-reward", "version": 1, "name": "Tour", "type": "experience", "points": 1, "value": {}, "stock": None,
        "valid_from": None, "valid_to": None, "fulfilment": "none",
    }  # fmt: skip


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
        ({"fulfilment": "pool"}, "/fulfilment"),
        ({"tiers": ["gold"]}, "/tiers"),
        ({"points_by_tier": {"gold": 50}}, "/points_by_tier"),
        ({"code": "other"}, "/code"),
        ({"version": 1}, "/version"),
    ],
)
def test_a_reward_that_makes_no_sense_is_refused_where_it_stands(api: Api, changed: dict[str, Any], pointer: str):
    refused = api.put(REWARD, reward_json(**changed))

    assert (refused.status_code, refused.json["code"]) == (422, "invalid-request")
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]
    assert api.get("/v1/rewards").json["data"] == []


def test_what_is_still_to_come_may_be_left_empty(api: Api):
    empty = {"points_by_tier": {}, "limits": {"ever": None}, "tiers": [], "when": None}

    assert api.put(REWARD, reward_json(**empty)).status_code == 201


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
        ({"hold": True}, "/hold"),
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
