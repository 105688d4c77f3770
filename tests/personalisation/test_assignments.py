"""What members do with offers, and what orders do with their vouchers."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.personalisation.shelf import (
    FIVE_OFF,
    an_offer,
    assignments,
    codes,
    offers,
    one,
    publish,
    spent,
    step,
    told,
)
from tests.shop import at, in_days, merge, replayed

pytestmark = pytest.mark.usefixtures("ranker")

LATER = NOW + timedelta(days=1)
OPT_IN = {"activation": "opt_in"}


@pytest.fixture
def shop(api: Api) -> Api:
    api.enrol()
    return api


def voucher(api: Api, customer_id: str = "c-42") -> dict[str, Any]:
    """The member's only voucher."""
    (found,) = api.get(f"/v1/members/{customer_id}/vouchers").json["data"]
    return found


def use(api: Api, code: str, what: str = "redeem", customer_id: str = "c-42") -> Any:
    """Use a voucher for an order, or give it back."""
    wish = {"order_id": "A-1", "customer_id": customer_id, "order_total": 300}
    return api.post(f"/v1/vouchers/{code}/{what}", wish if what == "redeem" else {"order_id": "A-1"})


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def test_an_offer_is_seen_then_activated(shop: Api, monkeypatch: pytest.MonkeyPatch):
    publish(shop, an_offer(**OPT_IN))
    offer = one(shop)
    assert (offer["status"], offer["activated_at"]) == ("assigned", None)

    it_is(monkeypatch, LATER)
    seen = step(shop, offer, "seen")

    assert seen.json == {
        "assignment_id": offer["assignment_id"], "offer": "coffee", "status": "seen", "at": at(LATER),
        "valid_to": in_days(28), "voucher": None,
    }  # fmt: skip
    assert one(shop)["status"] == "seen"
    assert step(shop, offer, "activate").json["status"] == "activated"
    assert one(shop)["activated_at"] == one(shop)["seen_at"] == at(LATER)
    assert told(shop) == ["offer.assigned", "offer.seen", "offer.activated"]


@pytest.mark.parametrize("what", ["seen", "activate", "dismiss"])
def test_what_is_done_again_is_answered_as_it_was(shop: Api, monkeypatch: pytest.MonkeyPatch, what: str):
    publish(shop, an_offer(**OPT_IN, promise=FIVE_OFF))
    offer = one(shop)
    first = step(shop, offer, what)
    before = told(shop)

    it_is(monkeypatch, NOW + timedelta(days=100))
    again = step(shop, offer, what)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.data == first.data
    assert (replayed(first), replayed(again)) == (False, True)
    assert told(shop) == before


def test_what_counts_from_the_beginning_can_be_seen(shop: Api):
    publish(shop, an_offer())

    assert step(shop, one(shop), "seen").status_code == 200
    assert (one(shop)["status"], one(shop)["seen_at"]) == ("activated", at(NOW))


def test_what_is_over_is_over(shop: Api, monkeypatch: pytest.MonkeyPatch):
    publish(shop, an_offer(**OPT_IN, days=7))
    offer = one(shop)

    it_is(monkeypatch, NOW + timedelta(days=7))

    for what in ("seen", "activate", "dismiss"):
        assert code(step(shop, offer, what)) == (422, "assignment-expired")
    assert code(shop.post("/v1/assignments/01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5/seen")) == (404, "assignment-not-found")


def test_what_is_dismissed_does_not_come_back_before_its_time(shop: Api, monkeypatch: pytest.MonkeyPatch):
    publish(shop, an_offer(days=7), an_offer("tea"))
    offer = one(shop)

    step(shop, offer, "dismiss")

    assert codes(shop) == ["tea"]
    assert code(shop.post(f"/v1/assignments/{offer['assignment_id']}/seen")) == (409, "assignment-dismissed")
    assert told(shop)[-1] == "offer.dismissed"
    it_is(monkeypatch, NOW + timedelta(days=7))
    assert codes(shop) == ["coffee", "tea"]


def test_a_voucher_comes_with_activation_and_goes_with_dismissal(shop: Api):
    publish(shop, an_offer(**OPT_IN, promise=FIVE_OFF, budget_amount=900))
    offer = one(shop)
    assert spent(shop, "coffee") == 0

    activated = step(shop, offer, "activate").json

    assert activated["voucher"] == one(shop)["voucher"] == voucher(shop)["code"]
    assert spent(shop, "coffee") == 500
    step(shop, offer, "dismiss")
    assert voucher(shop)["status"] == "void"
    assert spent(shop, "coffee") == 0


def test_nobody_activates_what_has_nothing_left(shop: Api):
    publish(shop, an_offer(**OPT_IN, promise=FIVE_OFF, budget_amount=900))
    shop.enrol("c-43")
    mine, yours = one(shop), one(shop, customer_id="c-43")

    step(shop, yours, "activate")

    assert code(step(shop, mine, "activate")) == (422, "offer-budget-exhausted")
    assert one(shop)["status"] == "assigned"
    assert spent(shop, "coffee") == 500


def test_an_order_that_uses_the_voucher_redeems_the_offer(shop: Api):
    publish(shop, an_offer(promise=FIVE_OFF, budget_amount=900))
    offer = one(shop)

    assert use(shop, offer["voucher"]).json["discount"] == 300

    (row,) = assignments(shop)
    assert (row["status"], row["order_id"], row["amount"]) == ("redeemed", "A-1", 300)
    assert code(step(shop, offer, "dismiss")) == (409, "assignment-redeemed")
    assert told(shop)[-1] == "offer.redeemed"
    assert spent(shop, "coffee") == 500, "what it might have cost"


def test_a_voucher_that_is_given_back_opens_its_offer_again(shop: Api):
    publish(shop, an_offer(promise=FIVE_OFF))
    offer = one(shop)
    use(shop, offer["voucher"])

    assert use(shop, offer["voucher"], "release").status_code == 200

    (row,) = assignments(shop)
    assert (row["status"], row["order_id"], row["closed_at"]) == ("activated", None, None)
    assert one(shop)["assignment_id"] == offer["assignment_id"]
    assert told(shop)[-1] == "offer.reinstated"


def test_caps_count_what_was_redeemed(shop: Api, monkeypatch: pytest.MonkeyPatch):
    publish(shop, an_offer(promise=FIVE_OFF, caps={"month": 1}))
    use(shop, one(shop)["voucher"])

    assert codes(shop) == []
    it_is(monkeypatch, NOW + timedelta(days=31))
    assert codes(shop) == ["coffee"]


def test_percent_come_to_no_more_than_was_said(shop: Api):
    publish(shop, an_offer(promise={"kind": "discount_percent", "value": "50", "most": 100}, budget_amount=150))

    offer = one(shop)

    assert offer["promise"] == {"kind": "discount_percent", "value": 50, "most": 100}
    assert use(shop, offer["voucher"]).json["discount"] == 100
    assert spent(shop, "coffee") == 100


def test_a_product_is_given_by_a_voucher(shop: Api):
    publish(shop, an_offer(promise={"kind": "free_product", "value": "2", "sku": "MUG-1"}))

    assert offers(shop)[0]["promise"] == {"kind": "free_product", "value": 2, "sku": "MUG-1"}
    assert voucher(shop)["value"] == {"type": "free_product", "sku": "MUG-1", "quantity": 2}


def test_suspended_members_activate_nothing(shop: Api):
    publish(shop, an_offer(**OPT_IN))
    offer = one(shop)
    shop.post("/v1/members/c-42/suspend", {})

    assert code(step(shop, offer, "activate")) == (422, "member-suspended")


def test_offers_of_who_becomes_another_one_are_over_and_count_for_who_stays(shop: Api):
    publish(shop, an_offer(promise=FIVE_OFF, caps={"ever": 1}), an_offer("tea", promise=FIVE_OFF))
    shop.enrol("c-43")
    coffee, tea = offers(shop)
    use(shop, coffee["voucher"])

    assert merge(shop, "c-42", "c-43").status_code == 200

    assert [(row["status"], row["closed_at"]) for row in assignments(shop)] == [("redeemed", NOW), ("expired", NOW)]
    assert told(shop)[-1] == "offer.expired"
    assert code(step(shop, tea, "seen")) == (422, "assignment-expired")
    assert codes(shop, "c-43") == [], "the cap is used up, and tea comes back when it would have ended"
    assert use(shop, tea["voucher"], customer_id="c-43").status_code == 201
