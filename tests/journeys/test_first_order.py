"""A shop's first day: enrol, sell, show, redeem."""

from tests.api import Api
from tests.builders import order_json, reward_json


def test_an_order_earns_points_that_a_redemption_turns_into_a_voucher(api: Api):
    api.enrol("c-42", first_name="Ada", email="ada@example.com")
    api.put("/v1/admin/rewards/five-off", reward_json(points=25))

    order = api.post("/v1/orders", order_json(order_id="A-1001"))
    assert order.status_code == 201
    assert order.json["points"] == {"awarded": 30, "pending": 0, "available": 30}

    redemption = api.post("/v1/members/c-42/redemptions", {"reward": "five-off", "redemption_id": "r-1"})
    assert redemption.status_code == 201
    assert redemption.json["voucher"]["value"] == {"type": "discount_amount", "amount": 500}
    assert redemption.json["balance"]["available"] == 5

    assert api.balance()["available"] == 5
    entries = api.get("/v1/members/c-42/entries").json["data"]
    assert [(e["kind"], e["points"], e["available_after"]) for e in entries] == [("redeem", -25, 5), ("earn", 30, 30)]
