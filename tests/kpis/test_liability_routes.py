"""The liability of a shop in which things happen: it agrees with the ledger, to the point."""

import pytest

from tests.api import Api
from tests.builders import order_json
from tests.shop import configure, publish_rules

LIABILITY = "/v1/reports/liability?from=2026-03-01&to=2027-01-01&granularity=year&reconcile=yes"


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop where points were earned, given by hand, spent and taken back."""
    publish_rules(api, {"points_per_unit": 1})
    api.enrol(enrolled_at="2026-02-01T09:00:00Z")
    assert api.post("/v1/orders", order_json()).status_code == 201
    by_hand = {"points": 500, "reason": "sorry", "adjustment_id": "adj-1"}
    assert api.post("/v1/members/c-42/adjustments", by_hand).status_code == 201
    return api


def test_what_was_counted_is_what_accounts_hold(shop: Api):
    held = shop.get("/v1/members/c-42/balance").json

    said = shop.get(LIABILITY).json

    assert said["totals"]["reconciled"] is True
    assert said["totals"]["closing"] == held["available"] + held["pending"] + held["held"] > 500
    assert (said["totals"]["adjusted"], said["totals"]["difference"]) == (500, 0)
    assert said["sections"]["reconciliation"][0]["ledger"] == said["totals"]["closing"]


def test_nobody_adds_up_accounts_unless_it_is_asked_for(shop: Api):
    said = shop.get(LIABILITY.replace("yes", "no")).json

    assert (said["totals"]["reconciled"], said["sections"]["reconciliation"][0]["ledger"]) == (None, None)


def test_a_rate_set_by_hand_is_what_the_books_expect(shop: Api):
    rates = [{"from": "2026-01-01", "rate": "0.95", "reason": "Agreed with the auditors"}]
    configure(shop, liability={"value_per_point": "0.008", "redemption_rate": rates})
    # Whoever writes knows the settings at once; who reads may lag behind by a second.
    assert shop.post("/v1/orders", order_json()).status_code == 201

    said = shop.get(LIABILITY).json

    assert (said["totals"]["redemption_rate"], said["totals"]["value_per_point"]) == (0.95, 0.8)
    assert said["sections"]["estimate"][0]["reason"] == "Agreed with the auditors"
    assert said["totals"]["money_deferred"] > 0
    lines = said["sections"]["journal"]
    assert sum(line["debit"] for line in lines) == sum(line["credit"] for line in lines) > 0
