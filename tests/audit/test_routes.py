"""Every change of configuration is told by the audit log: who, what, when, and how it was before and after."""

from itertools import count
from typing import Any

import pytest
from flask import Flask
from psycopg.errors import InsufficientPrivilege
from psycopg.rows import scalar_row

from loyalty.audit import queries
from loyalty.db.session import Session, transaction
from tests.api import Api
from tests.builders import NOW, a_key, a_program, reward_json
from tests.contract.test_openapi import operations
from tests.ladders import publish
from tests.rights import as_owner
from tests.shop import a_ladder, at

DRAFT = {"rules": [{"code": "base", "kind": "base", "priority": 1, "points_per_unit": 1}]}
A_MUG = reward_json(fulfilment="pool")
VOUCHERS = {"batch_id": "spring", "codes": ["MUG-2026"], "value": {"type": "discount_amount", "amount": 500}}
AN_OFFER = {"code": "tea", "title": "Points on tea", "promise": {"kind": "bonus_points", "value": 50}}
LADDER = a_ladder({"code": "bronze", "threshold": 0})


def log(api: Api, query: str = "") -> list[dict[str, Any]]:
    """The changes, newest first."""
    return api.get(f"/v1/admin/audit{query}").json["data"]


def key_id(api: Api) -> str:
    """The id of the shop's own key."""
    return api.get("/v1/admin/keys").json["data"][-1]["key_id"]


def newest(api: Api) -> tuple[str, str, Any, Any]:
    """The last change, which this shop's key made."""
    change = log(api)[0]
    assert change["actor"] == key_id(api)
    return change["action"], change["resource"], change["before"], change["after"]


def test_a_program_begins_with_those_who_made_it_at_the_command_line(api: Api):
    key, program = log(api)

    assert (key["action"], key["actor"], key["before"]) == ("key.created", "command line", None)
    assert (program["action"], program["resource"], program["before"]) == ("program.created", "program", None)
    assert program["after"]["currency"] == "EUR"
    assert program["after"]["units"]["points"]["expiry"]["months"] == 12
    assert program["at"] == "2026-03-01T12:00:00Z"


def test_a_change_of_settings_is_told_whole_before_and_after(api: Api):
    api.patch("/v1/admin/program", {"rounding": "ceil"}, headers={"If-Match": '"1"'})

    action, resource, before, after = newest(api)

    assert (action, resource) == ("program.changed", "program")
    assert (before["rounding"], after["rounding"]) == ("floor", "ceil")
    assert {**before, "rounding": "ceil"} == after


def test_a_draft_and_its_publication_are_told(api: Api):
    api.put("/v1/admin/earning-rules/draft", DRAFT)
    action, resource, before, after = newest(api)
    assert (action, resource, before) == ("earning-rules.drafted", "earning-rules/draft", None)
    assert after["rules"] == [{"code": "base", "kind": "base", "priority": 1, "points_per_unit": 1}]

    api.post("/v1/admin/earning-rules/publish")
    action, resource, before, after = newest(api)
    assert (action, resource) == ("earning-rules.published", "earning-rules")
    assert (before["version"], after["version"]) == (0, 1)
    assert after["rules"][0]["points_per_unit"] == 1


def test_a_ladder_is_told_as_a_draft_and_when_it_is_published(api: Api):
    api.put("/v1/admin/ladder/draft", LADDER)
    action, resource, before, after = newest(api)
    assert (action, resource, before) == ("ladder.drafted", "ladder/draft", None)
    assert after["tiers"] == [{"code": "bronze", "name": "Bronze", "threshold": 0}]

    api.post("/v1/admin/ladder/publish", {"members": "upgrades_only"})
    action, resource, before, after = newest(api)
    assert (action, resource, before) == ("ladder.published", "ladder", None)
    assert (after["version"], after["members"], after["basis"]) == (1, "upgrades_only", "spend")


def test_offers_are_told_as_a_draft_and_when_they_are_published_as_far_as_they_changed(api: Api):
    coffee = {**AN_OFFER, "code": "coffee", "title": "Points on coffee"}
    api.put("/v1/admin/offers/draft", {"offers": [AN_OFFER, coffee]})
    action, resource, before, after = newest(api)
    assert (action, resource, before) == ("offers.drafted", "offers/draft", None)
    assert [offer["code"] for offer in after["offers"]] == ["tea", "coffee"]

    api.post("/v1/admin/offers/publish")
    action, resource, before, after = newest(api)
    assert (action, resource, before) == ("offers.published", "offers", None)
    assert (after["version"], len(after["offers"])) == (1, 2)

    api.put("/v1/admin/offers/draft", {"offers": [{**AN_OFFER, "priority": 1}, coffee]})
    api.post("/v1/admin/offers/publish")
    _, _, before, after = newest(api)
    assert [(each["version"], each["offers"]) for each in (before, after)] == [
        (1, [AN_OFFER]),
        (2, [{**AN_OFFER, "priority": 1}]),
    ]


def test_a_reward_is_told_with_what_was_left_of_it(api: Api):
    api.put("/v1/admin/rewards/five-off", reward_json(points=10, stock=3))
    assert newest(api)[:3] == ("reward.created", "rewards/five-off", None)
    api.enrol()
    api.post("/v1/members/c-42/adjustments", {"adjustment_id": "a", "points": 50, "reason": "gift"})
    api.post("/v1/members/c-42/redemptions", {"reward": "five-off", "redemption_id": "r-1"})

    api.put("/v1/admin/rewards/five-off", reward_json(points=20, stock=9), headers={"If-Match": '"1"'})

    action, _, before, after = newest(api)
    assert action == "reward.changed"
    assert (before["points"], before["left"], before["stock"]) == (10, 2, 3)
    assert (after["points"], after["left"], after["stock"]) == (20, 9, 9)


def test_keys_are_told_without_what_opens_anything(api: Api):
    made = api.post("/v1/admin/keys", {"scopes": ["orders"], "name": "Till"}).json
    action, resource, before, after = newest(api)
    assert (action, resource, before) == ("key.created", f"keys/{made['key_id']}", None)
    assert (after["name"], after["scopes"], after["prefix"]) == ("Till", ["orders"], made["prefix"])

    api.post(f"/v1/admin/keys/{made['key_id']}/revoke")
    action, _, before, after = newest(api)
    assert action == "key.revoked"
    assert (before["revoked_at"] is None, after["revoked_at"] is None) == (True, False)

    told = api.get("/v1/admin/audit?limit=200").get_data(as_text=True)
    assert made["secret"] not in told
    assert "hash" not in told
    assert api.key not in told


def test_revoking_what_is_revoked_changes_nothing_and_is_not_told(api: Api):
    made = api.post("/v1/admin/keys", {"scopes": ["orders"]}).json
    api.post(f"/v1/admin/keys/{made['key_id']}/revoke")
    before = log(api)

    api.post(f"/v1/admin/keys/{made['key_id']}/revoke")

    assert log(api) == before


def test_what_was_refused_is_not_told(api: Api):
    before = log(api)

    assert api.post("/v1/admin/earning-rules/publish").status_code in (409, 422)
    assert api.patch("/v1/admin/program", {"rounding": "ceil"}, headers={"If-Match": '"7"'}).status_code == 412

    assert log(api) == before


def test_the_log_is_read_by_resource_by_actor_and_page_by_page(api: Api):
    with api.app.app_context(), transaction() as session:
        other = api.as_key(a_key(session, api.program))
    api.put("/v1/admin/rewards/five-off", reward_json())
    other.put("/v1/admin/rewards/ten-off", reward_json())
    other.put("/v1/admin/rewards/five-off", reward_json(points=7), headers={"If-Match": '"1"'})
    mine = key_id(api)
    theirs = log(api)[0]["actor"]

    assert [c["action"] for c in log(api, "?resource=rewards/five-off")] == ["reward.changed", "reward.created"]
    assert [c["resource"] for c in log(api, f"?actor={theirs}")] == ["rewards/five-off", "rewards/ten-off"]
    assert [c["action"] for c in log(api, f"?actor={mine}&resource=rewards/five-off")] == ["reward.created"]
    assert log(api, "?actor=nobody") == []

    pages, after = [], ""
    for _ in range(10):
        page = api.get(f"/v1/admin/audit?limit=2{after}").json
        pages += page["data"]
        after = f"&after={page['next']}"
        if page["next"] is None:
            break
    assert pages == log(api)
    assert api.get("/v1/admin/audit?after=nonsense").status_code == 422


def test_the_log_of_another_program_is_not_shown(api: Api):
    with api.app.app_context(), transaction() as session:
        program = a_program(session)
        stranger = Api(api.app, program, a_key(session, program))
    stranger.put("/v1/admin/rewards/secret", reward_json())

    assert not [c for c in log(api) if c["resource"] == "rewards/secret"]


# What changes nothing of the configuration, though it is sent as a change would be.
ONLY_LOOKS = {
    "POST /v1/admin/config/diff",
    "POST /v1/admin/earning-rules/check",
    "POST /v1/admin/ladder/check",
    "POST /v1/admin/offers/check",
    "POST /v1/admin/offers/rehearse",
    "POST /v1/admin/offers/rehearsals/{rehearsal_id}/cancel",
    "POST /v1/admin/earning-rules/rehearse",
    "POST /v1/admin/earning-rules/rehearsals/{rehearsal_id}/cancel",
    "POST /v1/admin/ladder/rehearse",
    "POST /v1/admin/ladder/rehearsals/{rehearsal_id}/cancel",
    "POST /v1/admin/rewards/{code}/check",
    "POST /v1/admin/notification-templates/{kind}/{language}/check",
    "POST /v1/admin/notification-templates/{kind}/{language}/preview",
    "POST /v1/admin/webhooks/{webhook_id}/ping",
}


# Something that may be sent again.
A_DELIVERY = """
WITH given AS (UPDATE webhooks SET sequence = 1 WHERE program_id = %s RETURNING webhook_id, program_id)
INSERT INTO webhook_deliveries (webhook_id, sequence, owner_id, occurred_at, event_id, type, given_at, delivered_at)
SELECT webhook_id, 1, program_id, now(), gen_random_uuid(), 'points.earned', now(), now() FROM given
"""


def test_no_operation_of_an_administrator_is_forgotten(app: Flask):
    """Whoever adds an operation adds it here, with a request that changes something."""
    with app.app_context(), transaction() as session:
        program = a_program(session, sandbox=True)
        api = Api(app, program, a_key(session, program))
    made = api.post("/v1/admin/keys", {"scopes": ["orders"]}).json
    publish(api)
    numbers = count(1)
    hook = f"/v1/admin/webhooks/{api.post('/v1/admin/webhooks', {'url': 'https://shop.example/1'}).json['webhook_id']}"
    with app.app_context(), transaction() as session:
        session.run(A_DELIVERY, (program.program_id,))
    requests: dict[str, Any] = {
        "PATCH /v1/admin/program": lambda: api.patch(
            "/v1/admin/program", {"rounding": "ceil"}, headers={"If-Match": '"1"'}
        ),
        "PUT /v1/admin/earning-rules/draft": lambda: api.put("/v1/admin/earning-rules/draft", DRAFT),
        "POST /v1/admin/earning-rules/publish": lambda: api.post("/v1/admin/earning-rules/publish"),
        "PUT /v1/admin/ladder/draft": lambda: api.put("/v1/admin/ladder/draft", LADDER),
        "POST /v1/admin/ladder/publish": lambda: api.post("/v1/admin/ladder/publish"),
        "PUT /v1/admin/offers/draft": lambda: api.put("/v1/admin/offers/draft", {"offers": [AN_OFFER]}),
        "POST /v1/admin/offers/publish": lambda: api.post("/v1/admin/offers/publish"),
        "PUT /v1/admin/rewards/{code}": lambda: api.put(f"/v1/admin/rewards/r-{next(numbers)}", reward_json(stock=1)),
        "PUT /v1/admin/rewards/{code}/draft": lambda: api.put("/v1/admin/rewards/mug/draft", A_MUG),
        "POST /v1/admin/rewards/{code}/publish": lambda: api.post("/v1/admin/rewards/mug/publish"),
        "POST /v1/admin/rewards/{code}/stock": lambda: api.post("/v1/admin/rewards/r-1/stock", {"change": 5}),
        "POST /v1/admin/rewards/{code}/codes": lambda: api.post("/v1/admin/rewards/mug/codes", {"codes": ["MUG-1"]}),
        "POST /v1/admin/rewards/{code}/withdraw": lambda: api.post("/v1/admin/rewards/mug/withdraw"),
        "POST /v1/admin/vouchers": lambda: api.post("/v1/admin/vouchers", VOUCHERS),
        "POST /v1/admin/vouchers/{voucher_code}/void": lambda: api.post(
            "/v1/admin/vouchers/MUG-2026/void", {"reason": "printed twice"}
        ),
        "POST /v1/admin/keys": lambda: api.post("/v1/admin/keys", {"scopes": ["orders"]}),
        "POST /v1/admin/keys/{key_id}/revoke": lambda: api.post(f"/v1/admin/keys/{made['key_id']}/revoke"),
        "POST /v1/admin/config/import": lambda: api.post(
            "/v1/admin/config/import", {"format": 1, "program": {"name": "Imported"}}
        ),
        "POST /v1/admin/ladder/members": lambda: api.post(
            "/v1/admin/ladder/members", {"members": [{"customer_id": "c-42", "tier": "gold", "since": at(NOW)}]}
        ),
        "PUT /v1/admin/notification-templates/{kind}/{language}": lambda: api.put(
            "/v1/admin/notification-templates/points_matured/de", {"subject": "Punkte", "text": "Es gibt Punkte."}
        ),
        "DELETE /v1/admin/notification-templates/{kind}/{language}": lambda: api.call(
            "DELETE", "/v1/admin/notification-templates/points_matured/de"
        ),
        "PUT /v1/admin/notification-settings": lambda: api.put(
            "/v1/admin/notification-settings", {"expiring_days": [14]}
        ),
        "POST /v1/admin/messages/requeue": lambda: api.post(
            "/v1/admin/messages/requeue", {"channel": "email", "reason": "gave_up"}
        ),
        "POST /v1/admin/webhooks": lambda: api.post("/v1/admin/webhooks", {"url": "https://shop.example/2"}),
        "PATCH /v1/admin/webhooks/{webhook_id}": lambda: api.patch(
            hook, {"description": "Shop"}, headers={"If-Match": '"1"'}
        ),
        "POST /v1/admin/webhooks/{webhook_id}/rotate-secret": lambda: api.post(f"{hook}/rotate-secret"),
        "POST /v1/admin/webhooks/{webhook_id}/pause": lambda: api.post(f"{hook}/pause"),
        "POST /v1/admin/webhooks/{webhook_id}/resume": lambda: api.post(f"{hook}/resume"),
        "POST /v1/admin/webhooks/{webhook_id}/replay": lambda: api.post(f"{hook}/replay", {"from": 1}),
        "DELETE /v1/admin/webhooks/{webhook_id}": lambda: api.delete(hook),
        "POST /v1/admin/clock": lambda: api.post("/v1/admin/clock", {"now": "2150-01-01T00:00:00Z"}),
    }
    changing = {o.name for o in operations() if o.method != "get" and o.path.startswith("/v1/admin/")}
    assert changing - ONLY_LOOKS == set(requests)

    for name, send in requests.items():
        before = len(log(api, "?limit=200"))
        assert send().status_code in (200, 201), name
        after = log(api, "?limit=200")
        assert len(after) > before, f"{name} leaves no trace"
        assert after[0]["actor"] == key_id(api), f"{name} does not say who"


# Three actors and two resources, in such a way that a-0 never changed r-1: looking for that is looking at everything,
# unless an index knows both.
MANY = """
INSERT INTO audit_log (program_id, audit_id, at, actor, action, resource)
SELECT %s, ('01931f3e-7c1a-7d2b-9f00-' || lpad(to_hex(n), 12, '0'))::uuid, now(), 'a-' || n %% 3, 'x',
       'rewards/r-' || CASE WHEN n %% 3 = 0 THEN 0 ELSE n %% 2 END
FROM generate_series(1, 20000) n
"""
FILTERS = ({}, {"actor": "a-1"}, {"resource": "rewards/r-1"}, {"actor": "a-0", "resource": "rewards/r-1"})


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_a_page_costs_the_same_in_a_long_log_whatever_it_is_filtered_by(session: Session, filters: dict[str, str]):
    program_id = a_program(session).program_id
    as_owner(session)
    session.run(MANY, (program_id,))
    session.run("ANALYZE audit_log")
    statement = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {queries._page(tuple(filters))}"
    parameters = {"program_id": program_id, "before": queries.LAST_ID, "limit": 51, **filters}

    (told,) = session.rows(statement, parameters, into=scalar_row)

    pages_read = told[0]["Plan"]["Shared Hit Blocks"] + told[0]["Plan"]["Shared Read Blocks"]
    assert pages_read < 100, told


def test_the_log_only_grows(app: Flask, api: Api):
    for change in (
        "UPDATE audit_log SET actor = 'me'",
        "DELETE FROM audit_log",
        "UPDATE program_versions SET version = 9",
    ):
        with app.app_context(), pytest.raises(InsufficientPrivilege), transaction() as session:
            session.run(change)
