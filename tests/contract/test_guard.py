"""Every route is guarded: this walks the URL map, so a route that is new tomorrow is walked tomorrow."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from loyalty.access import service as access
from loyalty.access.domain import AREAS, NewKey
from loyalty.app import SLICES, create_app
from loyalty.config import Settings
from loyalty.core import clock
from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import a_key, a_program, activity_json, order_json, reward_json
from tests.clocks import it_is
from tests.notifications.written import a_message
from tests.personalisation.shelf import an_offer, assignments, give
from tests.personalisation.shelf import publish as publish_offers
from tests.rehearsals.asking import ask_for_one_of_each
from tests.shop import publish_ladder, publish_rules

# What anybody may read. Nothing else, ever, without a key.
PUBLIC = {"/healthz", "/readyz", "/openapi.yaml", "/docs", "/docs/<name>", "/v1/unsubscribe/<name>"}

UUID = "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5"

# A POST that only reads, because what it looks for does not belong into a URL.
READING_POSTS = {
    "POST /v1/members/search", "POST /v1/orders/preview", "POST /v1/admin/config/diff",
    "POST /v1/admin/earning-rules/check", "POST /v1/activities/preview", "POST /v1/admin/ladder/check",
    "POST /v1/admin/offers/check",
    "POST /v1/vouchers/x-1/validate", "POST /v1/members/x-1/point-payments/quote",
    "POST /v1/admin/rewards/x-1/check", "POST /v1/admin/notification-templates/x-1/x-1/check",
    "POST /v1/admin/notification-templates/x-1/x-1/preview",
    f"POST /v1/admin/webhooks/{UUID}/ping",
}  # fmt: skip


class Route(NamedTuple):
    """A method at an address, and what opens it."""

    method: str
    path: str
    area: str

    @property
    def access(self) -> str:
        """What the route does: "read" or "write"."""
        reads = self.method == "GET" or f"{self.method} {self.path}" in READING_POSTS
        return "read" if reads else "write"


def _address(rule: Rule) -> str:
    """`/v1/members/<shop_id:customer_id>` with something in each place that the router takes."""
    samples = {"uuid": UUID, "version": "1"}
    return re.sub(r"<(?:(\w+)[^:<>]*:)?\w+>", lambda found: samples.get(found[1] or "", "x-1"), str(rule.rule))


def _routes() -> Iterator[Route]:
    app = create_app(Settings(database_url="postgresql+psycopg://"))
    areas = {blueprint.name: area for blueprint, area in SLICES}
    for rule in app.url_map.iter_rules():
        if re.sub(r"<.*>", "<name>", str(rule.rule)) not in PUBLIC:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Route(method, _address(rule), areas[rule.endpoint.partition(".")[0]])


ROUTES = list(_routes())
each_route = pytest.mark.parametrize("route", [pytest.param(r, id=f"{r.method} {r.path}") for r in ROUTES])


def ask(app: Flask, route: Route, *authorization: str, **kwargs: Any) -> TestResponse:
    """Send a request past the contract's own checks, with any Authorization or none."""
    headers = {"Authorization": authorization[0]} if authorization else {}
    return app.test_client().open(route.path, method=route.method, headers=headers, **kwargs)


def code(response: TestResponse) -> tuple[int, str]:
    """Status and problem code."""
    assert response.mimetype == "application/problem+json", (response.status_code, response.get_data())
    return response.status_code, response.json["code"]


@dataclass(frozen=True)
class Keys:
    """Authorization headers of one program, and some that never were good."""

    by_scope: dict[str, str]
    refused: dict[str, str]


@pytest.fixture(scope="module")
def keys(app: Flask) -> Keys:
    """A key for each scope, and everything that is not one."""
    now = clock.now()
    with app.app_context(), transaction() as session:
        program = a_program(session)
        scopes = ["admin", *AREAS, *(f"{area}:{kind}" for area in AREAS for kind in ("read", "write"))]
        by_scope = {scope: a_key(session, program, scope) for scope in scopes}
        expired = access.create_key(
            session, program.program_id, NewKey(("admin",), expires_at=now - timedelta(seconds=1)), now=now
        )
        revoked = access.create_key(session, program.program_id, NewKey(("admin",)), now=now)
        access.revoke_key(session, program.program_id, revoked.key.key_id, now=now)
    secret = by_scope["admin"]
    refused = {
        "another scheme": f"Basic {secret}",
        "no scheme": secret,
        "nothing": "",
        "an empty key": "Bearer ",
        "a key that never was": "Bearer loy_" + "A" * 43,
        "a part of a key": f"Bearer {secret[:-1]}",
        "the prefix of a key": f"Bearer {secret[:11]}",
        "a key in other letters": f"Bearer {secret.swapcase()}",
        "garbage": "Bearer \xff\xfe' OR 1=1 --",
        "a very long key": "Bearer " + "x" * 10_000,
        "an expired key": f"Bearer {expired.secret}",
        "a revoked key": f"Bearer {revoked.secret}",
    }
    return Keys({scope: f"Bearer {key}" for scope, key in by_scope.items()}, refused)


# What opens what, said a second time; the first that matches counts.
AREA_OF = (
    (r"/v1/admin/.*", "admin"),
    (r"/v1/members/[^/]+/(redemptions|holds|rewards|vouchers|point-payments(/quote)?)", "rewards"),
    (r"/v1/(rewards|redemptions|holds|vouchers|point-payments)(/.*)?", "rewards"),
    (r"/v1/members/[^/]+/offers|/v1/assignments/.*", "offers"),
    (r"/v1/members/.*", "members"),
    (r"/v1/(orders|activities)(/.*)?", "orders"),
    (r"/v1/ledger/.*|/v1/events|/metrics", "reports"),
)


@each_route
def test_a_route_is_opened_by_the_scope_of_its_area(route: Route):
    area = next((area for pattern, area in AREA_OF if re.fullmatch(pattern, route.path)), None)

    assert route.area == area, "a new address needs a line in AREA_OF"


def test_there_are_routes_to_walk():
    assert {"/v1/orders", "/v1/members/x-1", "/v1/admin/program", "/metrics"} <= {route.path for route in ROUTES}


@each_route
def test_a_route_needs_a_key(app: Flask, keys: Keys, route: Route):
    assert code(ask(app, route)) == (401, "unauthenticated")
    for what, authorization in keys.refused.items():
        response = ask(app, route, authorization)
        assert code(response) == (401, "unauthenticated"), what
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="loyalty"'


@each_route
def test_a_key_of_another_area_does_not_open_a_route(app: Flask, keys: Keys, route: Route):
    for area in set(AREAS) - {route.area}:
        assert code(ask(app, route, keys.by_scope[area])) == (403, "scope-missing"), area


@each_route
def test_a_key_opens_what_it_is_for(app: Flask, keys: Keys, route: Route):
    opens = {"admin"} if route.area == "admin" else {"admin", route.area, f"{route.area}:{route.access}"}

    for scope, authorization in keys.by_scope.items():
        passed = ask(app, route, authorization).status_code not in (401, 403)
        assert passed == (scope in opens), scope


@each_route
def test_a_key_that_reads_does_not_write(app: Flask, keys: Keys, route: Route):
    if route.area == "admin":
        return
    other = {"read": "write", "write": "read"}[route.access]

    assert code(ask(app, route, keys.by_scope[f"{route.area}:{other}"])) == (403, "scope-missing")


@each_route
def test_no_other_method_is_a_way_around_the_guard(app: Flask, route: Route):
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"):
        response = app.test_client().open(route.path, method=method)
        assert response.status_code in (401, 405), method
    overridden = app.test_client().get(route.path, headers={"X-HTTP-Method-Override": route.method})
    assert overridden.status_code in (401, 405)


def test_a_search_needs_only_a_key_that_reads_members(api: Api):
    with api.app.app_context(), transaction() as session:
        reader = api.as_key(a_key(session, api.program, "members:read"))
        writer = api.as_key(a_key(session, api.program, "members:write"))
    api.enrol("c-42", email="ada@example.com")

    found = reader.post("/v1/members/search", {"email": "ADA@example.com"})

    assert [member["customer_id"] for member in found.json["data"]] == ["c-42"]
    assert reader.post("/v1/members/c-42/suspend").status_code == 403
    assert reader.put("/v1/members/c-42", {}).status_code == 403
    assert writer.post("/v1/members/search", {"email": "ada@example.com"}).status_code == 403


def test_a_scheme_may_be_written_in_any_case(api: Api):
    for scheme in ("bearer", "BEARER", "Bearer"):
        response = api.as_key(None).get("/v1/rewards", headers={"Authorization": f"{scheme} {api.key}"})
        assert response.status_code == 200


def test_a_revoked_key_is_refused_at_once(api: Api):
    made = api.post("/v1/admin/keys", {"scopes": ["rewards:read"]}).json
    shop = api.as_key(made["secret"])
    assert shop.get("/v1/rewards").status_code == 200

    api.post(f"/v1/admin/keys/{made['key_id']}/revoke")

    assert shop.get("/v1/rewards").status_code == 401


def test_a_key_expires_at_its_instant_even_when_it_was_just_seen(api: Api, monkeypatch: pytest.MonkeyPatch):
    expiry = clock.now() + timedelta(hours=1)
    made = api.post("/v1/admin/keys", {"scopes": ["rewards:read"], "expires_at": expiry.isoformat()}).json
    shop = api.as_key(made["secret"])
    assert shop.get("/v1/rewards").status_code == 200

    it_is(monkeypatch, expiry - timedelta(microseconds=1))
    assert shop.get("/v1/rewards").status_code == 200
    it_is(monkeypatch, expiry)
    assert shop.get("/v1/rewards").status_code == 401


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
    publish_offers(api, an_offer(activation="opt_in"))
    give(api)
    api.put("/v1/admin/rewards/five-off", reward_json(points=10, stock=5))
    api.put("/v1/admin/rewards/five-off/draft", reward_json(points=10, stock=5))
    api.post("/v1/orders", order_json(order_id="A-1001"))
    api.post("/v1/activities", activity_json(activity_id="review-1001"))
    api.post("/v1/members/c-42/redemptions", {"reward": "five-off", "redemption_id": "r-1001"})
    api.post("/v1/members/c-42/holds", {"hold_id": "h-1001", "points": 5})
    batch = {"batch_id": "b-1001", "codes": ["SPRING-1001"], "value": {"type": "custom"}, "uses_allowed": None}
    assert api.post("/v1/admin/vouchers", batch).status_code == 201
    assert api.post("/v1/vouchers/SPRING-1001/redeem", {"order_id": "A-1001"}).status_code == 201
    api.post("/v1/members/c-42/point-payments", {"payment_id": "pp-1001", "order_total": 3000, "points": 5})
    publish_rules(api, {"code": "base", "points": "1"})
    ask_for_one_of_each(api)
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
        return route.path.replace(UUID, full.get(route.path.partition(f"/{UUID}")[0]).json["data"][0]["rehearsal_id"])
    if "/inbox/" in route.path:
        newest = full.get("/v1/members/c-42/inbox").json["data"][0]
        return route.path.replace("x-1", "c-42").replace(UUID, newest["message_id"])
    key_id = full.get("/v1/admin/keys").json["data"][0]["key_id"]
    named = {"members": "c-42", "orders": "A-1001", "redemptions": "r-1001", "rewards": "five-off", "holds": "h-1001"}
    named |= {"activities": "review-1001", "vouchers": "SPRING-1001", "point-payments": "pp-1001"}
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
