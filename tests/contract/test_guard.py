"""Every route is guarded: this walks the URL map, so a route that is new tomorrow is walked tomorrow."""

import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask

from loyalty.access import service as access
from loyalty.access.domain import AREAS, NewKey
from loyalty.core import clock
from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import a_key, a_program
from tests.clocks import it_is
from tests.contract.routes import ROUTES, Route, ask, code, each_route


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
    (r"/v1/members/.*|/v1/feedback(/.*)?", "members"),
    (r"/v1/(orders|activities)(/.*)?", "orders"),
    (r"/v1/ledger/.*|/v1/reports/.*|/v1/events|/metrics", "reports"),
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
