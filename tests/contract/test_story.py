"""The examples of the contract, sent as they stand: a shop's first days."""

from datetime import UTC, datetime

import pytest

from loyalty.db.session import transaction
from loyalty.rewards.examples import NEW_REWARD
from tests.api import Api
from tests.clocks import it_is
from tests.contract.test_openapi import Operation, operations
from tests.contract.validator import contract
from tests.ladders import publish

# Every example that can be sent, in the order of a shop's first days; If-Match where there is something to change.
STORY = [
    ("PUT", "/v1/members/{customer_id}", {}),
    ("POST", "/v1/members/search", {}),
    ("POST", "/v1/admin/ladder/members", {}),
    ("POST", "/v1/members/{customer_id}/tier/pin", {}),
    ("POST", "/v1/members/{customer_id}/tier/unpin", {}),
    ("PUT", "/v1/admin/rewards/{code}", {}),
    ("PUT", "/v1/admin/rewards/{code}", {"If-Match": '"1"'}),
    ("POST", "/v1/admin/rewards/{code}/stock", {}),
    ("PUT", "/v1/admin/rewards/{code}/draft", {}),
    ("POST", "/v1/orders/preview", {}),
    ("POST", "/v1/orders", {}),
    ("POST", "/v1/activities/preview", {}),
    ("POST", "/v1/activities", {}),
    ("POST", "/v1/feedback", {}),
    ("POST", "/v1/members/{customer_id}/redemptions", {}),
    ("POST", "/v1/redemptions/{redemption_id}/fulfil", {}),
    ("POST", "/v1/redemptions/{redemption_id}/cancel", {}),
    ("POST", "/v1/admin/rewards/{code}/codes", {}),
    ("POST", "/v1/admin/vouchers", {}),
    ("POST", "/v1/vouchers/{voucher_code}/validate", {}),
    ("POST", "/v1/vouchers/{voucher_code}/redeem", {}),
    ("POST", "/v1/vouchers/{voucher_code}/release", {}),
    ("POST", "/v1/admin/vouchers/{voucher_code}/void", {}),
    ("POST", "/v1/members/{customer_id}/reinstatements", {}),
    ("POST", "/v1/members/{customer_id}/adjustments", {}),
    ("POST", "/v1/members/{customer_id}/transfers", {}),
    ("POST", "/v1/members/{customer_id}/holds", {}),
    ("POST", "/v1/holds/{hold_id}/capture", {}),
    ("POST", "/v1/members/{customer_id}/point-payments/quote", {}),
    ("POST", "/v1/members/{customer_id}/point-payments", {}),
    ("POST", "/v1/point-payments/{payment_id}/capture", {}),
    ("POST", "/v1/point-payments/{payment_id}/refund", {}),
    ("POST", "/v1/orders/{order_id}/confirm", {}),
    ("POST", "/v1/orders/{order_id}/returns", {}),
    ("PUT", "/v1/admin/notification-settings", {}),
    ("PUT", "/v1/members/{customer_id}/preferences", {}),
    ("POST", "/v1/admin/messages/requeue", {}),
    ("POST", "/v1/members/{customer_id}/merge", {}),
    ("PATCH", "/v1/admin/program", {"If-Match": '"1"'}),
    ("PUT", "/v1/admin/earning-rules/draft", {}),
    ("POST", "/v1/admin/earning-rules/check", {}),
    ("POST", "/v1/admin/earning-rules/rehearse", {}),
    ("POST", "/v1/admin/earning-rules/publish", {}),
    ("PUT", "/v1/admin/ladder/draft", {}),
    ("POST", "/v1/admin/ladder/check", {}),
    ("POST", "/v1/admin/ladder/publish", {}),
    ("POST", "/v1/admin/ladder/rehearse", {}),
    ("PUT", "/v1/admin/offers/draft", {}),
    ("POST", "/v1/admin/offers/check", {}),
    ("POST", "/v1/admin/offers/publish", {}),
    ("POST", "/v1/admin/offers/rehearse", {}),
    ("PUT", "/v1/admin/notification-templates/{kind}/{language}", {}),
    ("POST", "/v1/admin/notification-templates/{kind}/{language}/check", {}),
    ("POST", "/v1/admin/notification-templates/{kind}/{language}/preview", {}),
    ("POST", "/v1/admin/config/diff", {}),
    ("POST", "/v1/admin/config/import", {}),
    ("POST", "/v1/admin/keys", {}),
    ("POST", "/v1/admin/webhooks", {}),
    ("PATCH", "/v1/admin/webhooks/{webhook_id}", {"If-Match": '"1"'}),
    ("POST", "/v1/admin/webhooks/{webhook_id}/rotate-secret", {}),
    ("POST", "/v1/admin/webhooks/{webhook_id}/replay", {}),
    ("POST", "/v1/admin/clock", {}),
]


def _redeem_another(api: Api) -> dict[str, str]:
    """What was fulfilled can no longer be cancelled."""
    wish = {"reward": "five-off", "redemption_id": "r-1002"}
    assert api.post("/v1/members/c-42/redemptions", wish).status_code == 201
    return {"redemption_id": "r-1002"}


def _give_codes(api: Api) -> dict[str, str]:
    """Codes are for a reward that gives some."""
    assert api.put("/v1/admin/rewards/mug", {**NEW_REWARD, "stock": None, "fulfilment": "pool"}).status_code == 201
    return {"code": "mug"}


def _deliver_much(api: Api) -> dict[str, str]:
    """What is sent again was given and has arrived."""
    with api.app.app_context(), transaction() as session:
        session.run("UPDATE webhooks SET sequence = 1200 WHERE program_id = %s", (api.program.program_id,))
        session.run(
            """INSERT INTO webhook_deliveries (
                   webhook_id, sequence, owner_id, occurred_at, event_id, type, given_at, delivered_at)
               SELECT webhook_id, 1, program_id, now(), gen_random_uuid(), 'points.earned', now(), now()
               FROM webhooks WHERE program_id = %s""",
            (api.program.program_id,),
        )
    return {}


# When vouchers are valid, and when points have lapsed.
AT = {
    "/v1/admin/vouchers": datetime(2026, 3, 8, tzinfo=UTC),
    "/v1/members/{customer_id}/reinstatements": datetime(2027, 3, 10, tzinfo=UTC),
}
# What has to happen first, and what the address names then.
BEFORE = {
    "/v1/redemptions/{redemption_id}/cancel": _redeem_another,
    "/v1/admin/rewards/{code}/codes": _give_codes,
    "/v1/admin/webhooks/{webhook_id}/replay": _deliver_much,
}


def test_every_example_can_be_sent_as_it_stands(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.enrol("c-43")
    publish(api)
    with api.app.app_context(), transaction() as session:  # where everything can be tried
        session.run("UPDATE programs SET sandbox = true WHERE program_id = %s", (api.program.program_id,))
    made: dict[str, str] = {}
    for method, template, headers in STORY:
        if template in AT:
            it_is(monkeypatch, AT[template])
        item = contract()["paths"][template]
        filled = {p["name"]: p["example"] for p in item.get("parameters", ())} | made
        filled |= BEFORE[template](api) if template in BEFORE else {}
        body = item[method.lower()]["requestBody"]["content"]["application/json"]["example"]

        response = api.call(method, template.format(**filled), json=body, headers=headers)

        assert response.status_code in (200, 201, 202), (method, template, response.json)
        if template == "/v1/admin/vouchers":
            made["voucher_code"] = response.json["codes"][0]
        if template == "/v1/admin/webhooks":
            made["webhook_id"] = response.json["webhook_id"]
    assert api.get("/v1/members/search-me-not").status_code == 404
    assert {(method, path) for method, path, _ in STORY} == {
        (o.method.upper(), o.path) for o in operations() if "requestBody" in o.spec and says_something(o)
    }


def says_something(operation: Operation) -> bool:
    """Whether a body has anything to say, and is JSON: forms are sent by people."""
    return operation.spec["requestBody"]["content"].get("application/json", {"example": {}})["example"] != {}
