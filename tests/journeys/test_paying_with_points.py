"""A customer pays a part with points: asked, held, ordered, partly refunded, and all of it sent back in the end."""

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.payments.checkout import ask, hold, order, payment, refund
from tests.shop import adjust, buckets, configure, give_back, story

# 100 points are worth 1.00; in steps of 100, at least 500, at most half of the order.
TERMS = {"points": 100, "amount": 100, "min_points": 500, "max_percent": 50, "step": 100, "require_payment": True}


def test_points_that_paid_for_an_order_come_back_with_it_and_not_one_too_many(
    api: Api, monkeypatch: pytest.MonkeyPatch
):
    it_is(monkeypatch, NOW)
    configure(api, pay=TERMS)
    api.enrol("c-42")
    adjust(api, 3_250)

    quoted = ask(api, 10_000)
    assert (quoted["points"], quoted["amount"], quoted["max_points"]) == (3_200, 3_200, 5_000)
    assert hold(api, quoted["points"]).status_code == 201
    assert buckets(api) == {"available": 50, "held": 3_200}

    # One article is missing: less is paid with points, and the rest is free again.
    recorded = order(api, 3_000)
    assert recorded.status_code == 201
    assert recorded.json["balance"]["available"] == 250 + 70
    assert payment(api)["status"] == "captured"

    # A goodwill refund, then the first line, then the second.
    assert refund(api, 1_000).json["amount"] == 1_000
    assert give_back(api, "A-1", {"1": 1}).json["points"]["returned_to_member"] == 500
    assert give_back(api, "A-1", {"2": 1}, return_id="R-2").json["points"]["returned_to_member"] == 1_500

    assert buckets(api) == {"available": 3_250}
    assert sum(points for kind, points in story(api) if kind in ("redeem", "return_spent")) == 0
    assert shop.cancel(api, "A-1").json["points"]["returned_to_member"] == 0
    assert payment(api)["given_back_points"] == 3_000
