"""Vouchers made by hand, found again, and withdrawn."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.core import codes
from loyalty.core.ids import new_id
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.shop import at, pointers, refused, replayed
from tests.statements import statements
from tests.vouchers.builders import FIVE_OFF, a_voucher, ask, batch, redeem


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def log(api: Api) -> dict[str, Any]:
    return api.get("/v1/admin/audit").json["data"][0]


def test_so_many_vouchers_with_new_codes(api: Api):
    answer = batch(api, count=300, batch_id="spring", expires_at=at(NOW + timedelta(days=1)), uses_allowed=3)

    assert answer.status_code == 201
    assert (answer.json["batch_id"], answer.json["count"]) == ("spring", 300)
    assert len(set(answer.json["codes"])) == 300
    found = api.get("/v1/admin/vouchers?batch_id=spring&limit=200").json
    rest = api.get(f"/v1/admin/vouchers?batch_id=spring&limit=200&after={found['next']}").json
    assert rest["next"] is None
    assert sorted(v["code"] for v in found["data"] + rest["data"]) == sorted(answer.json["codes"])
    assert found["data"][0] == {
        "code": min(answer.json["codes"], key=codes.canonical), "status": "active", "value": FIVE_OFF, "bound": False,
        "uses": {"allowed": 3, "used": 0, "left": 3}, "per_customer": None, "issued_at": at(NOW), "valid_from": None,
        "expires_at": at(NOW + timedelta(days=1)), "voided_at": None, "void_reason": None, "origin": "batch",
        "batch_id": "spring", "redemption_id": None, "assignment_id": None, "customer_id": None,
    }  # fmt: skip


def test_the_same_batch_again_is_answered_as_before(api: Api):
    first = batch(api, count=3, batch_id="spring")

    again = batch(api, count=3, batch_id="spring")

    assert (again.status_code, again.get_data(), replayed(again)) == (201, first.get_data(), True)
    assert refused(batch(api, count=4, batch_id="spring")) == (409, "idempotency-conflict")
    assert len(api.get("/v1/admin/vouchers?batch_id=spring").json["data"]) == 3


def test_codes_that_are_brought_are_taken_as_they_are_written(api: Api):
    answer = batch(api, "Spring/2026", "frühling!", batch_id="spring")

    assert answer.json["codes"] == ["Spring/2026", "frühling!"]
    assert ask(api, "validate", "spring2026").json["code"] == "Spring/2026"
    # With its slash, too, as a client writes it into an address.
    for verb in ("validate", "redeem", "release"):
        assert ask(api, verb, "Spring%2F2026").json["code"] == "Spring/2026"
    assert api.get("/v1/vouchers/Spring%2F2026").json["status"] == "active"
    assert ask(api, "validate", "FRÜHLING").json["code"] == "frühling!"


def test_codes_that_are_there_or_listed_twice_are_named_and_nothing_is_taken_over(api: Api):
    a_voucher(api, "OLIVE-10")

    refusal = batch(api, "FRESH-1", "0l1ve.IO", "fresh 1", "FRESH-2", batch_id="spring")

    assert refused(refusal) == (422, "duplicate-codes")
    assert refusal.json["count"] == 2
    assert refusal.json["duplicates"] == [
        {"code": "0l1ve.IO", "line": 2, "reason": "known_already"},
        {"code": "fresh 1", "line": 3, "reason": "listed_twice", "same_as_line": 1},
    ]
    assert api.get("/v1/admin/vouchers?batch_id=spring").json["data"] == []
    assert refused(ask(api, "validate", "FRESH-2")) == (404, "voucher-not-found")
    # The id of what was refused is free, and so are its codes.
    assert batch(api, "FRESH-1", "FRESH-2", batch_id="spring").status_code == 201


def test_what_can_be_no_code_is_refused_by_its_place(api: Api):
    assert pointers(batch(api, "GOOD-1", " SPACE", "--A-B--", "TAB\tTAB")) == ["/codes/1", "/codes/2", "/codes/3"]
    assert pointers(batch(api, "GOOD-1", "abc", "x" * 65)) == ["/codes/1", "/codes/2"]


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"count": 0}, "/count"),
        ({"count": 10_001}, "/count"),
        ({"count": 1, "codes": ["SPRING"]}, "/count"),
        ({"codes": []}, "/codes"),
        ({"count": 1, "value": {"type": "discount_amount"}}, "/value/amount"),
        ({"count": 1, "value": {"type": "discount_percent", "percent": 101}}, "/value/percent"),
        ({"count": 1, "value": {"type": "free_lunch"}}, "/value/type"),
        ({"count": 1, "value": {"type": "custom", "amout": 5}}, "/value/amout"),
        ({"count": 1, "uses_allowed": 0}, "/uses_allowed"),
        ({"count": 1, "valid_from": at(NOW), "expires_at": at(NOW)}, "/expires_at"),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused_by_its_place(api: Api, given: dict[str, Any], pointer: str):
    answer = api.post("/v1/admin/vouchers", {"batch_id": "spring", "value": FIVE_OFF, **given})

    assert pointers(answer) == [pointer]


def test_a_batch_may_be_for_one_member(api: Api):
    assert refused(batch(api, customer_id="c-42")) == (404, "member-not-found")
    api.enrol("c-42")

    made = batch(api, count=2, batch_id="sorry", customer_id="c-42").json["codes"]

    assert {v["customer_id"] for v in api.get("/v1/admin/vouchers?batch_id=sorry").json["data"]} == {"c-42"}
    assert {v["code"] for v in api.get("/v1/members/c-42/vouchers").json["data"]} == set(made)
    api.post("/v1/members/c-42/suspend")
    assert refused(batch(api, customer_id="c-42")) == (422, "member-suspended")


def test_the_log_tells_of_a_batch_but_not_its_codes(api: Api):
    made = batch(api, count=5, batch_id="spring", per_customer=1).json["codes"]

    told = log(api)

    assert (told["action"], told["resource"], told["before"]) == ("vouchers.created", "vouchers/spring", None)
    assert (told["after"]["count"], told["after"]["per_customer"], told["after"]["value"]) == (5, 1, FIVE_OFF)
    assert not [code for code in made if code in str(told)]


def test_a_voucher_is_withdrawn_for_a_reason_which_the_log_tells(api: Api):
    code = a_voucher(api)

    answer = api.post("/v1/admin/vouchers/spring26/void", {"reason": "leaked"})

    assert (answer.json["status"], answer.json["void_reason"]) == ("void", "leaked")
    told = log(api)
    assert (told["action"], told["resource"]) == ("voucher.voided", f"vouchers/{code}")
    assert (told["before"]["status"], told["after"]["status"]) == ("active", "void")
    again = api.post("/v1/admin/vouchers/spring26/void", {"reason": "again"})
    assert again.json["void_reason"] == "leaked"
    assert log(api) == told
    assert refused(redeem(api, code)) == (422, "voucher-void")


def test_a_campaign_that_leaked_can_be_stopped_and_what_was_used_stands(api: Api):
    code = a_voucher(api, uses_allowed=None)
    redeem(api, code, "A-1")

    answer = api.post(f"/v1/admin/vouchers/{code}/void", {"reason": "leaked"})

    assert (answer.json["status"], answer.json["uses"]["used"]) == ("void", 1)
    assert replayed(redeem(api, code, "A-1"))
    assert refused(redeem(api, code, "A-2")) == (422, "voucher-void")
    assert ask(api, "release", code, "A-1").status_code == 200


def test_what_is_used_up_cannot_be_withdrawn(api: Api):
    code = a_voucher(api)
    redeem(api, code, "A-1")

    refusal = api.post(f"/v1/admin/vouchers/{code}/void", {"reason": "leaked"})

    assert refused(refusal) == (409, "voucher-used")
    assert (refusal.json["uses"], refusal.json["orders"]) == (1, ["A-1"])


def test_a_member_s_vouchers_are_listed_newest_first_by_what_they_are(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.enrol("c-42")
    given: dict[str, dict[str, Any]] = {
        "SPENT-1": {}, "ENDED-1": {"expires_at": at(NOW + timedelta(hours=1))},
        "LATER-1": {"valid_from": at(NOW + timedelta(days=9))}, "VOID-1": {}, "READY-1": {},
    }  # fmt: skip
    for number, (code, terms) in enumerate(given.items()):
        it_is(monkeypatch, NOW + timedelta(minutes=number))
        a_voucher(api, code, customer_id="c-42", **terms)
    redeem(api, "SPENT-1", customer_id="c-42")
    api.post("/v1/admin/vouchers/VOID-1/void", {"reason": "leaked"})
    it_is(monkeypatch, NOW + timedelta(days=1))

    def listed(query: str = "") -> list[str]:
        return [v["code"] for v in api.get(f"/v1/members/c-42/vouchers{query}").json["data"]]

    assert listed() == list(given)[::-1]
    states = {"active": "READY", "not_started": "LATER", "used": "SPENT", "expired": "ENDED", "void": "VOID"}
    assert {status: listed(f"?status={status}") for status in states} == {s: [f"{n}-1"] for s, n in states.items()}
    first = api.get("/v1/members/c-42/vouchers?limit=3").json
    assert [v["code"] for v in first["data"]] + listed(f"?limit=3&after={first['next']}") == listed()
    assert pointers(api.get("/v1/members/c-42/vouchers?status=lost")) == ["status"]
    assert pointers(api.get("/v1/members/c-42/vouchers?after=nonsense")) == ["after"]
    assert refused(api.get("/v1/members/nobody/vouchers")) == (404, "member-not-found")


def test_ten_thousand_codes_take_a_handful_of_statements(api: Api):
    uploaded = [f"{new_id().hex}-{number}" for number in range(10_000)]

    with statements() as sent:
        answer = batch(api, *uploaded)

    assert answer.json["count"] == 10_000
    assert len(sent) < 10, [statement[:60] for statement in sent]
