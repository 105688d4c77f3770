"""What belongs to one program is not there for another: this walks the URL map, too."""

import re
from typing import Any

import pytest
from flask import Flask

from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import NOW, a_key, a_program, activity_json, order_json, reward_json
from tests.contract.routes import ROUTES, UUID, Route
from tests.notifications.written import a_message
from tests.personalisation.offering import publish as publish_offers
from tests.personalisation.shelf import an_offer, assignments, give
from tests.rehearsals.asking import ask_for_one_of_each
from tests.shop import at, publish_ladder


@pytest.fixture
def stranger(app: Flask) -> Api:
    """Another shop with an admin key, in another program."""
    with app.app_context(), transaction() as session:
        program = a_program(session)
        return Api(app, program, a_key(session, program))


TEMPLATES = "/v1/admin/notification-templates/"


@pytest.fixture
def full(api: Api) -> Api:
    """A shop with something of everything."""
    tiers = [{"code": code, "threshold": at} for code, at in (("bronze", 0), ("silver", 10_000), ("gold", 20_000))]
    publish_ladder(api, *tiers)
    api.enrol("c-42", email="ada@example.com")
    api.enrol("c-43")
    api.post("/v1/members/c-42/tier/pin", {"tier": "silver", "until": None, "reason": "goodwill"})
    api.put("/v1/admin/rewards/five-off", reward_json(points=10, stock=5))
    api.put("/v1/admin/rewards/five-off/draft", reward_json(points=10, stock=5))
    api.post("/v1/orders", order_json(order_id="A-1001"))
    api.post("/v1/activities", activity_json(activity_id="review-1001"))
    answer = {"feedback_id": "fb-1001", "customer_id": "c-42", "kind": "nps", "score": 9, "answered_at": at(NOW)}
    assert api.post("/v1/feedback", answer).status_code == 201
    api.post("/v1/members/c-42/redemptions", {"reward": "five-off", "redemption_id": "r-1001"})
    api.post("/v1/members/c-42/holds", {"hold_id": "h-1001", "points": 5})
    batch = {"batch_id": "b-1001", "codes": ["SPRING-1001"], "value": {"type": "custom"}, "uses_allowed": None}
    assert api.post("/v1/admin/vouchers", batch).status_code == 201
    assert api.post("/v1/vouchers/SPRING-1001/redeem", {"order_id": "A-1001"}).status_code == 201
    api.post("/v1/members/c-42/point-payments", {"payment_id": "pp-1001", "order_total": 3000, "points": 5})
    draft = {"rules": [{"code": "base", "kind": "base", "priority": 1, "points_per_unit": 1}]}
    draft["segments"] = [{"code": "regulars", "name": "Regulars", "when": "history.orders >= 5"}]
    api.put("/v1/admin/earning-rules/draft", draft)
    assert api.post("/v1/admin/earning-rules/publish").json["version"] == 1
    ask_for_one_of_each(api)
    assert publish_offers(api, an_offer(activation="opt_in")).json["version"] == 1
    give(api)
    words = {"subject": "Punkte", "text": "Punkte: {{ points }}"}
    assert api.put(f"{TEMPLATES}points_earned/de", words).status_code == 201
    a_message(api)
    # Nobody is there, which a ping says without asking far.
    for _ in range(2):
        assert api.post("/v1/admin/webhooks", {"url": "https://nobody.invalid/hook"}).status_code == 201
    return api


def _of(full: Api, route: Route) -> str:
    """The address of something that the full shop has."""
    if "/webhooks/" in route.path:
        return route.path.replace(UUID, full.get("/v1/admin/webhooks").json["data"][0]["webhook_id"])
    if "/assignments/" in route.path:
        return route.path.replace(UUID, str(assignments(full)[0]["assignment_id"]))
    if "/rehearsals/" in route.path:
        listed = full.get(route.path.partition(f"/{UUID}")[0]).json["data"]
        return route.path.replace(UUID, listed[0]["rehearsal_id"])
    if "/inbox/" in route.path:
        newest = full.get("/v1/members/c-42/inbox").json["data"][0]
        return route.path.replace("x-1", "c-42").replace(UUID, newest["message_id"])
    key_id = full.get("/v1/admin/keys").json["data"][0]["key_id"]
    named = {"members": "c-42", "orders": "A-1001", "redemptions": "r-1001", "rewards": "five-off", "holds": "h-1001"}
    named |= {"activities": "review-1001", "vouchers": "SPRING-1001", "point-payments": "pp-1001"}
    named |= {"segments": "regulars", "feedback": "fb-1001"}
    if route.path.startswith(TEMPLATES):
        return route.path.replace("x-1/x-1", "points_earned/de")
    path = re.sub(r"/([\w-]+)/x-1", lambda found: f"/{found[1]}/{named[found[1]]}", route.path)
    return path.replace(UUID, key_id)


# What concerns every program alike: nothing is looked up that could be another's.
EVERYBODYS = {f"/v1/admin/notification-templates/x-1/x-1/{what}" for what in ("check", "preview")}
WITH_IDS = [
    r for r in ROUTES
    if ("x-1" in r.path or UUID in r.path or r.path.endswith("/1")) and r.path not in EVERYBODYS
]  # fmt: skip


# What a request must say to be understood, by the last word of its address; by the first, too, where that matters.
BODIES: dict[str, Any] = {
    "redemptions": {"reward": "five-off", "redemption_id": "r-2"},
    "holds": {"hold_id": "h-2", "points": 5},
    "point-payments": {"payment_id": "pp-2", "order_total": 3000, "points": 5},
    "quote": {"order_total": 3000},
    "refund": {"refund_id": "rf-2"},
    "adjustments": {"adjustment_id": "a-2", "points": 5, "reason": "goodwill"},
    "reinstatements": {"reinstatement_id": "b-2", "lot": 1, "reason": "goodwill"},
    "transfers": {"transfer_id": "t-2", "to": "c-43", "points": 5},
    "merge": {"into": "c-43"},
    "pin": {"tier": "gold", "until": None, "reason": "goodwill"},
    "unpin": {"reason": "goodwill"},
    "validate": {"order_id": "A-1002"},
    "redeem": {"order_id": "A-1002"},
    "vouchers/release": {"order_id": "A-1001"},
    "void": {"reason": "leaked"},
    "stock": {"change": 1},
    "codes": {"codes": ["GIFT-2001"]},
    "replay": {"from": 1},
    "returns": {"return_id": "ret-2", "lines": [{"line_id": "1", "quantity": 1}]},
}


# What ours are refused, for what they are by then.
AS_THE_STORY_GOES = {
    "nothing-to-reinstate",
    "holds-open",
    "redemption-resolved",
    "no-pool",
    "voucher-used",
    "payment-not-captured",
    "replay-unknown",
    "precondition-required",
}


@pytest.mark.parametrize("route", [pytest.param(r, id=f"{r.method} {r.path}") for r in WITH_IDS if r.method != "PUT"])
def test_what_belongs_to_another_program_is_not_there(full: Api, stranger: Api, route: Route):
    path = _of(full, route)
    words = path.split("/")
    told = BODIES.get(f"{words[2]}/{words[-1]}", BODIES.get(words[-1]))
    body = {} if told is None else {"json": told}
    stranger.enrol("c-43")

    response = stranger.call(route.method, path, **body)

    assert response.status_code == 404, response.json
    answer = full.call(route.method, path, **body)
    # Ours is found, even where the story so far lets it be refused.
    assert answer.status_code in (200, 201) or answer.json["code"] in AS_THE_STORY_GOES


@pytest.mark.parametrize("path", ["/v1/members/c-42", "/v1/admin/rewards/five-off"])
def test_two_programs_may_use_the_same_ids_and_do_not_notice(full: Api, stranger: Api, path: str):
    before = full.get(path).json
    body = reward_json(name="Theirs") if "rewards" in path else {"first_name": "Theirs"}

    assert stranger.put(path, body).status_code == 201

    assert full.get(path).json == before
    assert "Theirs" in stranger.get(path).json.values()


def test_what_one_program_does_to_a_customer_another_does_not_feel(
    full: Api, stranger: Api, monkeypatch: pytest.MonkeyPatch
):
    # The story before has published a ladder, which a read may not have noticed for a second.
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)
    before, balance = full.get("/v1/members/c-42").json, full.balance()["available"]
    stranger.enrol("c-42")
    stranger.put("/v1/admin/rewards/five-off", reward_json(points=1))

    assert stranger.post("/v1/orders", order_json(order_id="A-1001")).json["points"]["awarded"] == 30
    assert (
        stranger.post("/v1/members/c-42/redemptions", {"reward": "five-off", "redemption_id": "r-1001"}).status_code
        == 201
    )
    assert stranger.post("/v1/members/c-42/suspend").json["status"] == "suspended"

    assert (full.get("/v1/members/c-42").json, full.balance()["available"]) == (before, balance)
    assert stranger.balance()["available"] == 29


def test_lists_and_searches_show_nothing_of_another_program(full: Api, stranger: Api):
    assert full.get("/v1/rewards").json["data"]
    assert stranger.get("/v1/rewards").json["data"] == []
    assert stranger.post("/v1/members/search", {"email": "ada@example.com"}).json["data"] == []
    assert full.get("/v1/admin/vouchers?batch_id=b-1001").json["data"]
    assert stranger.get("/v1/admin/vouchers?batch_id=b-1001").json["data"] == []
    assert len(stranger.get("/v1/admin/keys").json["data"]) == 1
    assert [rules["version"] for rules in stranger.get("/v1/admin/earning-rules/versions").json["data"]] == [0]
    assert stranger.get("/v1/ledger/verification").json["checked"] == {"accounts": 0, "entries": 0, "lots": 0}
    assert full.get("/v1/ledger/verification").json["checked"] == {"accounts": 1, "entries": 4, "lots": 1}
