"""A member's offers from the first look to the last day; and one who is in the holdout, and never notices."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.db.session import transaction
from loyalty.personalisation import expiring
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.personalisation.shelf import FIVE_OFF, Ranker, an_offer, codes, offers, one, publish, spent, step, told
from tests.shop import configure, in_days


@pytest.fixture(autouse=True)
def _ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)
    monkeypatch.setattr("loyalty.personalisation.ranking.rank", Ranker())


def voucher(api: Api, code: str, what: str, order_id: str) -> Any:
    """Use a voucher for an order of 40.00, or give it back."""
    wish = {"order_id": order_id, "customer_id": "c-42", "order_total": 4_000}
    return api.post(f"/v1/vouchers/{code}/{what}", wish if what == "redeem" else {"order_id": order_id})


def test_an_offer_is_seen_activated_used_given_back_and_used_again(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.enrol()
    publish(
        api,
        an_offer("coffee", promise=FIVE_OFF, activation="opt_in", budget_amount=1_000, caps={"ever": 1}),
        an_offer("tea", promise=FIVE_OFF, budget_amount=1_000),
        an_offer("milk"),
    )
    assert codes(api) == ["coffee", "milk", "tea"]
    coffee = one(api)

    # A look, a wish, an order that comes to nothing, and one that does not.
    step(api, coffee, "seen")
    code = step(api, coffee, "activate").json["voucher"]
    assert spent(api, "coffee") == spent(api, "tea") == 500
    assert voucher(api, code, "redeem", "A-1").json["discount"] == 500
    assert codes(api) == ["milk", "tea"], "once ever"
    assert voucher(api, code, "release", "A-1").status_code == 200
    assert codes(api) == ["coffee", "milk", "tea"]
    it_is(monkeypatch, NOW + timedelta(days=2))
    assert voucher(api, code, "redeem", "A-2").status_code == 201

    # No tea; and of milk, too, the last day comes.
    step(api, one(api, "tea"), "dismiss")
    assert spent(api, "tea") == 0
    it_is(monkeypatch, NOW + timedelta(days=28))
    with api.app.app_context(), transaction() as session:
        assert expiring.expire_program(session, api.program.program_id, now=NOW + timedelta(days=28)) == 1
    assert spent(api, "coffee") == 500

    assert codes(api) == ["milk", "tea"], "both may come again; coffee was once"
    assert offers(api)[0]["valid_to"] == in_days(56)
    of_coffee = ["seen", "activated", "redeemed", "reinstated", "redeemed"]
    assert told(api)[5:] == [
        *(f"offer.{what}" for what in (*of_coffee, "dismissed", "expired", "assigned", "activated", "assigned")),
        "offer.activated",
    ]


def test_whoever_is_in_the_holdout_notices_nothing_anywhere(api: Api):
    configure(api, holdout_percent=100)
    api.enrol()
    publish(api, an_offer("coffee", promise=FIVE_OFF), an_offer("tea"))

    assert api.get("/v1/members/c-42/offers").json["holdout"] is True

    assert api.get("/v1/members/c-42/vouchers").json["data"] == []
    timeline = api.get("/v1/members/c-42/timeline").json["data"]
    assert not [each for each in timeline if each["type"].startswith("offer")]
    assert told(api) == []
