"""Vouchers at the checkout: asked about, used, given back."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg.rows import dict_row

from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.shop import at, merge, refused, replayed
from tests.vouchers.builders import FIVE_OFF, a_voucher, ask, redeem, why_not

A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def state(api: Api, code: str) -> tuple[str, Any]:
    """What a voucher is, and how often it was used."""
    found = api.get(f"/v1/vouchers/{code}").json
    return found["status"], found["uses"]["used"]


def test_a_voucher_is_validated_redeemed_and_given_back(api: Api):
    code = a_voucher(api)

    told = ask(api, "validate", code, order_total=3490).json
    assert told == {
        "code": code, "valid": True, "value": FIVE_OFF, "discount": 500, "uses": {"allowed": 1, "used": 0, "left": 1},
        "valid_from": None, "expires_at": None, "reasons": [],
    }  # fmt: skip
    used = redeem(api, code, customer_id="c-42", order_total=3490)
    assert (used.status_code, used.json) == (201, {
        "code": code, "order_id": "A-1", "customer_id": "c-42", "order_total": 3490, "value": FIVE_OFF,
        "discount": 500, "uses": {"allowed": 1, "used": 1, "left": 0}, "redeemed_at": at(NOW),
    })  # fmt: skip
    assert state(api, code) == ("used", 1)
    back = ask(api, "release", code)
    uses = {"allowed": 1, "used": 0, "left": 1}
    assert (back.status_code, back.json) == (
        200, {"code": code, "order_id": "A-1", "uses": uses, "released_at": at(NOW)}
    )  # fmt: skip
    assert state(api, code) == ("active", 0)


def test_validating_writes_nothing(api: Api):
    code = a_voucher(api)
    rows = "SELECT * FROM vouchers WHERE program_id = %s"

    def stored() -> list[Any]:
        with api.app.app_context(), transaction() as session:
            return session.rows(rows, (api.program.program_id,), into=dict_row)

    before = stored()
    ask(api, "validate", code)
    ask(api, "validate", "NOBODYS")

    assert stored() == before


@pytest.mark.parametrize(
    ("value", "total", "discount"),
    [
        ({"type": "discount_amount", "amount": 500}, 3490, 500),
        ({"type": "discount_amount", "amount": 500}, 499, 499),
        ({"type": "discount_amount", "amount": 500}, 0, 0),
        ({"type": "discount_amount", "amount": 500}, None, None),
        ({"type": "discount_percent", "percent": 10}, 3490, 349),
        ({"type": "discount_percent", "percent": 15}, 3390, 509),  # 508.5: half goes up
        ({"type": "discount_percent", "percent": 15}, 3389, 508),  # 508.35
        ({"type": "discount_percent", "percent": 100}, 3490, 3490),
        ({"type": "free_product", "sku": "MUG"}, 3490, None),
        ({"type": "gift_card", "amount": 500}, 3490, None),
    ],
)
def test_what_a_voucher_takes_off_an_order(api: Api, value: dict[str, Any], total: int | None, discount: int | None):
    code = a_voucher(api, value=value)

    assert ask(api, "validate", code, order_total=total).json["discount"] == discount
    assert redeem(api, code, order_total=total).json["discount"] == discount


@pytest.mark.parametrize("typed", ["spring-26", "SPRING 26", "spr1ng26", "sprLng.26", "%20sPRiNG--26%20"])
def test_a_code_is_read_as_it_was_meant(api: Api, typed: str):
    a_voucher(api, "SPRING-26")

    assert ask(api, "validate", typed).json["code"] == "SPRING-26"
    assert redeem(api, typed).json["code"] == "SPRING-26"
    assert replayed(redeem(api, "SPRING-26"))


@pytest.mark.parametrize("code", ["NOBODYS", "-", "%00", "x" * 500, "%F0%9F%8E%81", "' OR 1=1 --"])
def test_what_is_no_code_is_not_found_whatever_its_shape(api: Api, code: str):
    assert refused(api.get(f"/v1/vouchers/{code}")) == (404, "voucher-not-found")
    for verb in ("validate", "redeem", "release"):
        assert refused(ask(api, verb, code)) == (404, "voucher-not-found")


def test_the_same_order_again_is_answered_as_before_and_another_total_is_refused(api: Api):
    code = a_voucher(api)
    first = redeem(api, code, order_total=100)

    again = redeem(api, code, order_total=100)

    assert (again.status_code, again.get_data()) == (201, first.get_data())
    assert replayed(again)
    assert not replayed(first)
    assert refused(redeem(api, code, order_total=200)) == (409, "idempotency-conflict")
    assert state(api, code) == ("used", 1)


def test_a_release_can_be_repeated_and_then_the_order_may_redeem_again(api: Api):
    code = a_voucher(api)
    redeem(api, code)
    first = ask(api, "release", code)

    again = ask(api, "release", code)

    assert replayed(again)
    assert again.get_data() == first.get_data()
    assert refused(ask(api, "release", code, order_total=5)) == (409, "idempotency-conflict")
    anew = redeem(api, code, order_total=100)
    assert (anew.status_code, replayed(anew), anew.json["order_total"]) == (201, False, 100)
    assert not replayed(ask(api, "release", code))
    assert redeem(api, code, "A-2").status_code == 201


def test_what_was_never_redeemed_cannot_be_released(api: Api):
    code = a_voucher(api)
    redeem(api, code)

    assert refused(ask(api, "release", code, "A-2")) == (409, "voucher-not-redeemed")


def test_a_voucher_is_used_as_often_as_it_may_be(api: Api):
    code = a_voucher(api, uses_allowed=2)
    redeem(api, code, "A-1")
    redeem(api, code, "A-2")

    third = redeem(api, code, "A-3")

    assert refused(third) == (422, "voucher-used-up")
    assert (third.json["allowed"], third.json["used"]) == (2, 2)
    assert why_not(api, code, order_id="A-3") == ["voucher-used-up"]
    # An order that uses it already is not in its own way.
    assert why_not(api, code, order_id="A-2") == []
    ask(api, "release", code, "A-1")
    assert redeem(api, code, "A-3").status_code == 201


def test_a_voucher_without_end_has_nothing_left_to_count(api: Api):
    code = a_voucher(api, uses_allowed=None)

    for number in range(3):
        told = redeem(api, code, f"A-{number}").json

    assert told["uses"] == {"allowed": None, "used": 3, "left": None}


def test_a_voucher_is_valid_from_one_instant_to_another(api: Api, monkeypatch: pytest.MonkeyPatch):
    code = a_voucher(api, valid_from=at(NOW + A_DAY), expires_at=at(NOW + 2 * A_DAY))
    instants = {
        NOW + A_DAY - timedelta(microseconds=1): ("not_started", "voucher-not-started", at(NOW + A_DAY)),
        NOW + 2 * A_DAY: ("expired", "voucher-expired", at(NOW + 2 * A_DAY)),
    }
    for instant, (status, why, fact) in instants.items():
        it_is(monkeypatch, instant)
        assert why_not(api, code) == [why]
        refusal = redeem(api, code)
        assert refused(refusal) == (422, why)
        assert fact in (refusal.json.get("valid_from"), refusal.json.get("expires_at"))
        assert state(api, code)[0] == status

    for instant in (NOW + A_DAY, NOW + 2 * A_DAY - timedelta(microseconds=1)):
        it_is(monkeypatch, instant)
        assert redeem(api, code).status_code == 201
        ask(api, "release", code)


def test_a_bound_voucher_is_for_its_member_alone_and_nobody_learns_whose_it_is(api: Api):
    api.enrol("c-42")
    api.enrol("c-43")
    code = a_voucher(api, customer_id="c-42")

    for given in ({}, {"customer_id": "c-43"}, {"customer_id": "c-unknown"}):
        assert why_not(api, code, **given) == ["voucher-bound-to-another"]
        refusal = redeem(api, code, **given)
        assert refused(refusal) == (422, "voucher-bound-to-another")
        assert "c-42" not in refusal.get_data(as_text=True)
    assert "c-42" not in api.get(f"/v1/vouchers/{code}").get_data(as_text=True)

    assert redeem(api, code, customer_id="c-42").status_code == 201


def test_a_free_voucher_is_for_anybody_but_no_member_who_is_suspended_or_gone(api: Api):
    code = a_voucher(api, uses_allowed=None)
    for customer_id, verb, why in (("c-1", "suspend", "member-suspended"), ("c-2", "close", "member-closed")):
        api.enrol(customer_id)
        api.post(f"/v1/members/{customer_id}/{verb}")
        assert why_not(api, code, customer_id=customer_id) == [why]
        assert refused(redeem(api, code, customer_id, customer_id=customer_id)) == (422, why)

    assert redeem(api, code, "A-1", customer_id="no-member").status_code == 201
    assert redeem(api, code, "A-2").status_code == 201


def test_each_customer_uses_a_voucher_only_so_often(api: Api):
    code = a_voucher(api, uses_allowed=None, per_customer=1)
    assert redeem(api, code, "A-1", customer_id="c-1").status_code == 201

    refusal = redeem(api, code, "A-2", customer_id="c-1")
    assert refused(refusal) == (422, "voucher-customer-limit")
    assert (refusal.json["limit"], refusal.json["used"]) == (1, 1)
    assert why_not(api, code, order_id="A-2", customer_id="c-1") == ["voucher-customer-limit"]
    assert why_not(api, code, order_id="A-1", customer_id="c-1") == []
    # Who does not say who they are could come again and again.
    assert refused(redeem(api, code, "A-3")) == (422, "voucher-customer-limit")

    assert redeem(api, code, "A-4", customer_id="c-2").status_code == 201
    ask(api, "release", code, "A-1")
    assert redeem(api, code, "A-2", customer_id="c-1").status_code == 201


def test_the_vouchers_of_a_merged_member_are_those_of_who_stays(api: Api):
    for customer_id in ("c-1", "c-2", "c-3"):
        api.enrol(customer_id)
    code = a_voucher(api, customer_id="c-1", uses_allowed=None, per_customer=1)
    redeem(api, code, "A-1", customer_id="c-1")
    merge(api, "c-1", "c-2")
    merge(api, "c-2", "c-3")

    refusal = redeem(api, code, "A-2", customer_id="c-1")
    assert (refused(refusal), refusal.json["merged_into"]) == ((422, "member-closed"), "c-2")
    # What was used before counts, so no limit is escaped by a second membership.
    assert refused(redeem(api, code, "A-2", customer_id="c-3")) == (422, "voucher-customer-limit")
    ask(api, "release", code, "A-1")
    assert redeem(api, code, "A-2", customer_id="c-3").status_code == 201
    assert [v["code"] for v in api.get("/v1/members/c-3/vouchers").json["data"]] == [code]
    assert api.get("/v1/members/c-1/vouchers").json["data"] == []


def test_every_reason_is_told_at_once(api: Api):
    code = a_voucher(api, expires_at=at(NOW), uses_allowed=2, per_customer=1, customer_id=None)
    api.post(f"/v1/admin/vouchers/{code}/void", {"reason": "leaked"})

    told = ask(api, "validate", code, order_total=100).json

    assert [r["code"] for r in told["reasons"]] == ["voucher-void", "voucher-expired", "voucher-customer-limit"]
    assert told["reasons"][1]["expires_at"] == at(NOW)
    assert refused(redeem(api, code)) == (422, "voucher-void")


def test_a_voucher_of_a_reward_is_used_like_any_other(api: Api):
    api.enrol()
    api.put("/v1/admin/rewards/five-off", {
        "name": "5 off", "type": "discount_amount", "points": 10, "value": {"amount": 500}, "fulfilment": "code",
    })  # fmt: skip
    api.post("/v1/members/c-42/adjustments", {"adjustment_id": "a", "points": 50, "reason": "gift"})
    told = api.post("/v1/members/c-42/redemptions", {"reward": "five-off", "redemption_id": "r-1"}).json["voucher"]

    assert set(told) == {"code", "value", "expires_at"}
    assert redeem(api, told["code"], customer_id="c-42", order_total=2000).json["discount"] == 500
    (listed,) = api.get("/v1/members/c-42/vouchers").json["data"]
    assert (listed["redemption_id"], listed["status"], listed["origin"]) == ("r-1", "used", "reward")
