"""Members over HTTP: enrolled, changed, found, suspended, closed."""

import pytest

from tests.api import Api
from tests.builders import NOW, order_json, reward_json
from tests.clocks import it_is


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def test_a_put_enrols_with_201_and_changes_with_200(api: Api):
    first = api.put("/v1/members/c-42", {"first_name": "Ada"})
    second = api.put("/v1/members/c-42", {"last_name": "Lovelace"})

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json["status"] == "active"
    assert first.json["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 0}
    assert first.json["tier"] is None
    assert second.json == {**first.json, "last_name": "Lovelace"}
    assert api.get("/v1/members/c-42").json == second.json


def test_what_is_absent_stays_and_null_takes_away(api: Api):
    api.enrol(email="ada@example.com", phone="+48221234567", attributes={"vip": True})
    changed = api.enrol(phone=None, attributes=None)
    assert (changed["email"], changed["phone"], changed["attributes"]) == ("ada@example.com", None, {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "not an address"),
        ("email", f"{'a' * 250}@example.com"),
        ("phone", "0221234567"),
        ("phone", "+48 22 123"),
        ("first_name", ""),
        ("first_name", "A\u0000"),
        ("last_name", "x" * 101),
        ("birth_date", "1899-12-31"),
        ("birth_date", "31.12.1999"),
        ("locale", "polski"),
        ("attributes", ["a"]),
        ("attributes", {"a": "\u0007"}),
        ("consents", {"a": "x" * 20_000}),
        ("enrolled_at", "2026-03-01T10:00:00"),
        ("enrolled_at", "1969-12-31T23:59:59Z"),
        ("referred_by", 7),
        ("unheard_of", "x"),
    ],
)
def test_a_wrong_field_is_refused_by_its_pointer_and_nobody_is_enrolled(api: Api, field, value):
    refused = api.put("/v1/members/c-42", {field: value})
    assert (refused.status_code, refused.json["code"]) == (422, "invalid-request")
    assert refused.json["errors"][0]["pointer"].startswith(f"/{field}")
    assert api.get("/v1/members/c-42").status_code == 404


def test_every_character_that_an_id_may_have_works_in_a_path(api: Api):
    customer_id = "Aa0._:@+-" + "x" * 55
    api.enrol(customer_id)
    assert api.get(f"/v1/members/{customer_id}").json["customer_id"] == customer_id


@pytest.mark.parametrize("customer_id", ["a%20b", "a%2Fb", "ż", "x" * 65, "a%00b", "a%0A"])
def test_an_id_with_other_characters_is_refused_with_the_rule(api: Api, customer_id):
    refused = api.put(f"/v1/members/{customer_id}", {})
    assert refused.status_code in (404, 422)
    if refused.status_code == 422:
        assert "1 to 64" in refused.json["detail"]


def test_a_member_names_who_referred_him_by_code_or_by_customer_id(api: Api):
    ada = api.enrol("ada")
    by_code = api.enrol("bob", referred_by=ada["referral_code"].lower().replace("-", " "))
    by_id = api.enrol("cyd", referred_by="ada")
    assert (by_code["referred_by"], by_id["referred_by"]) == ("ada", "ada")


@pytest.mark.parametrize(("referrer", "code"), [("nobody", "referrer-not-found"), ("c-42", "self-referral")])
def test_an_unknown_referrer_and_oneself_are_refused(api: Api, referrer: str, code: str):
    refused = api.put("/v1/members/c-42", {"referred_by": referrer})
    assert (refused.status_code, refused.json["code"]) == (422, code)
    assert api.get("/v1/members/c-42").status_code == 404


def test_when_and_through_whom_someone_enrolled_cannot_be_changed(api: Api):
    api.enrol("ada")
    api.enrol(enrolled_at="2020-01-01T00:00:00Z")

    assert api.put("/v1/members/c-42", {"enrolled_at": "2020-01-01T01:00:00+01:00"}).status_code == 200
    for change in ({"enrolled_at": "2021-01-01T00:00:00Z"}, {"referred_by": "ada"}):
        refused = api.put("/v1/members/c-42", change)
        assert (refused.status_code, refused.json["code"]) == (409, "enrolment-fixed")


def test_members_are_found_by_email_in_any_case_and_by_phone(api: Api):
    api.enrol("c-1", email="Ada@Example.com", phone="+48221234567")
    api.enrol("c-2", email="ada@example.com")

    def found(**contact):
        return [m["customer_id"] for m in api.post("/v1/members/search", contact).json["data"]]

    assert found(email="ADA@example.COM") == ["c-1", "c-2"]
    assert found(phone="+48221234567") == ["c-1"]
    assert found(email="nobody@example.com") == []
    assert api.post("/v1/members/search", {}).status_code == 422
    assert api.post("/v1/members/search", {"email": "a@b.c", "phone": "1"}).status_code == 422


def test_a_suspended_member_earns_and_redeems_nothing_until_resumed(api: Api):
    api.enrol()
    api.put("/v1/admin/rewards/five-off", reward_json(points=10))
    api.post("/v1/orders", order_json())

    assert api.post("/v1/members/c-42/suspend").json["status"] == "suspended"
    order = api.post("/v1/orders", order_json(order_id="later"))
    wish = {"reward": "five-off", "redemption_id": "r-1"}
    assert (order.status_code, order.json["code"]) == (422, "member-suspended")
    assert api.post("/v1/members/c-42/redemptions", wish).json["code"] == "member-suspended"

    assert api.post("/v1/members/c-42/resume").json["status"] == "active"
    assert api.post("/v1/orders", order_json(order_id="later")).status_code == 201
    assert api.post("/v1/members/c-42/redemptions", wish).status_code == 201


def test_a_closed_member_keeps_the_history_and_earns_nothing(api: Api):
    api.enrol()
    first = order_json()
    receipt = api.post("/v1/orders", first)

    assert api.post("/v1/members/c-42/close").json["status"] == "closed"
    assert api.post("/v1/orders", order_json(order_id="later")).json["code"] == "member-closed"
    assert api.balance()["available"] == 30
    assert len(api.get("/v1/members/c-42/entries").json["data"]) == 1
    again = api.post("/v1/orders", first)
    assert (again.data, again.headers["Idempotent-Replayed"]) == (receipt.data, "true")


def test_closing_is_for_good_and_closing_twice_changes_nothing(api: Api):
    api.enrol()
    closed = api.post("/v1/members/c-42/close").json
    assert api.post("/v1/members/c-42/close").json == closed
    for change in ("suspend", "resume"):
        assert api.post(f"/v1/members/c-42/{change}").json["code"] == "member-closed"
    assert api.put("/v1/members/c-42", {"first_name": "Ada"}).json["code"] == "member-closed"


def test_a_member_of_another_program_is_not_there(api: Api):
    assert api.get("/v1/members/c-42").status_code == 404
    for path in ("suspend", "resume", "close"):
        assert api.post(f"/v1/members/c-42/{path}").json["code"] == "member-not-found"
