"""The routes there are, each with what opens it, to be walked by tests."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from loyalty.app import SLICES, create_app
from loyalty.config import Settings

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
