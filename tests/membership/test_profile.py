"""A member's profile over HTTP: every field as it was given, each cleared by null, each refused where it is wrong."""

from typing import Any

import pytest

from tests.api import Api
from tests.builders import NOW, order_json
from tests.clocks import it_is

MEMBER = "/v1/members/c-42"
PROFILE = {
    "email": "ada.lovelace+club@example.com",
    "phone": "+48221234567",
    "first_name": "Ada",
    "last_name": "Ząbkowska-Lovelace",
    "birth_date": "1985-02-28",
    "locale": "pt-BR",
    "attributes": {"vip": True, "size": 42, "tags": ["a", None], "deep": {"er": 1.5}},
    "consents": {"newsletter": "2026-03-01T10:00:00Z"},
}
EMPTY = {**dict.fromkeys(PROFILE), "attributes": {}, "consents": {}}


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def test_a_member_is_shown_as_it_was_told(api: Api):
    answer = api.put(MEMBER, {**PROFILE, "enrolled_at": "2020-02-29T00:00:00+02:00"})

    assert answer.status_code == 201
    shown = dict(answer.json)
    assert len(shown.pop("referral_code").replace("-", "")) == 10
    assert shown.pop("member_id")
    assert shown == {
        **PROFILE,
        "customer_id": "c-42",
        "status": "active",
        "enrolled_at": "2020-02-28T22:00:00Z",
        "tier": None,
        "balance": {"available": 0, "pending": 0, "held": 0, "debt": 0},
        "referred_by": None,
        "merged_into": None,
    }
    assert api.get(MEMBER).json == answer.json


def test_a_member_who_tells_nothing_enrols_now(api: Api):
    shown = api.put(MEMBER, {}).json

    assert shown["enrolled_at"] == "2026-03-01T12:00:00Z"
    assert {name: shown[name] for name in EMPTY} == EMPTY


@pytest.mark.parametrize("field", PROFILE)
def test_null_clears_one_field_and_leaves_the_others(api: Api, field: str):
    api.enrol(**PROFILE)

    shown = api.put(MEMBER, {field: None})

    assert shown.status_code == 200
    assert {name: shown.json[name] for name in PROFILE} == {**PROFILE, field: EMPTY[field]}


@pytest.mark.parametrize("field", PROFILE)
def test_one_field_is_changed_and_the_others_stay(api: Api, field: str):
    api.enrol()

    shown = api.put(MEMBER, {field: PROFILE[field]}).json

    assert {name: shown[name] for name in PROFILE} == {**EMPTY, field: PROFILE[field]}


def test_null_for_what_cannot_be_cleared_changes_nothing(api: Api):
    api.enrol("ada")
    first = api.enrol(referred_by="ada")

    assert api.enrol(referred_by=None, enrolled_at=None) == first


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "a@b"),
        ("email", "@example.com"),
        ("email", "ada@example.com\n"),
        ("email", "ada@exam\u0000ple.com"),
        ("email", 7),
        ("phone", "+0123456789"),
        ("phone", "+481234567890123456"),
        ("phone", "+48221234567\n"),
        ("phone", "+٤٨٢٢١٢٣٤٥٦٧"),
        ("first_name", "x" * 101),
        ("first_name", 7),
        ("last_name", ""),
        ("last_name", "a\u0007b"),
        ("birth_date", "2026-02-29"),
        ("birth_date", "2200-01-01"),
        ("birth_date", 19850228),
        ("locale", "PL"),
        ("locale", "pl\n"),
        ("attributes", "vip"),
        ("attributes", {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": 1}}}}}}}}}),
        ("consents", {"a\u0000": 1}),
        ("enrolled_at", "2200-01-01T00:00:00Z"),
        ("enrolled_at", "today"),
        ("referred_by", ""),
        ("referred_by", "x" * 65),
        ("customer_id", "c-43"),
        ("status", "closed"),
        ("member_id", "1"),
        ("balance", {"available": 1000}),
    ],
)
def test_a_field_that_is_wrong_is_refused_where_it_stands(api: Api, field: str, value: Any):
    before = api.enrol(**PROFILE)

    refused = api.put(MEMBER, {field: value})

    assert (refused.status_code, refused.json["code"]) == (422, "invalid-request")
    assert [error["pointer"] for error in refused.json["errors"]] == [f"/{field}"]
    assert api.get(MEMBER).json == before


def test_a_suspended_member_may_change_the_profile(api: Api):
    api.enrol()
    api.post(f"{MEMBER}/suspend")

    answer = api.put(MEMBER, {"first_name": "Ada"})

    assert (answer.status_code, answer.json["status"], answer.json["first_name"]) == (200, "suspended", "Ada")


def test_a_member_is_shown_with_what_it_holds_now(api: Api):
    api.enrol(email="ada@example.com")
    api.post("/v1/orders", order_json())

    held = {"available": 30, "pending": 0, "held": 0, "debt": 0}
    assert api.get(MEMBER).json["balance"] == held
    assert api.put(MEMBER, {}).json["balance"] == held
    assert api.post("/v1/members/search", {"email": "ada@example.com"}).json["data"][0]["balance"] == held
    assert api.post(f"{MEMBER}/suspend").json["balance"] == held


@pytest.mark.parametrize(
    ("contact", "pointer"),
    [
        ({}, "/"),
        ({"email": "a@example.com", "phone": "+48221234567"}, "/"),
        ({"email": None}, "/email"),
        ({"email": ""}, "/email"),
        ({"email": "x" * 255}, "/email"),
        ({"phone": 48221234567}, "/phone"),
        ({"customer_id": "c-42"}, "/customer_id"),
    ],
)
def test_a_search_names_either_an_address_or_a_phone(api: Api, contact: dict[str, Any], pointer: str):
    refused = api.post("/v1/members/search", contact)

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


@pytest.mark.parametrize("change", ["suspend", "resume", "close"])
def test_the_status_of_a_stranger_cannot_be_changed(api: Api, change: str):
    refused = api.post(f"/v1/members/nobody/{change}")

    assert (refused.status_code, refused.json["code"]) == (404, "member-not-found")
