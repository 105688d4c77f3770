"""An attack on the running application, made from the contract: schemathesis sends what fits it and what does not.

Whatever comes, the answer is documented: its status, its media type, its headers, its shape; and it is never a 500.
What does not fit the schema is refused. Every run sends the same.
"""

import re
from copy import deepcopy
from itertools import count
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from loyalty.db.session import transaction
from tests.api import Api
from tests.contract.validator import contract

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]

# Enough to break every rule of a body once or twice; the boundaries of each field are tried one by one besides.
EXAMPLES = 6

BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

# Files of another package, sent as they are; and what a signature opens, which nobody guesses (tests/notifications).
LEFT_ALONE = {"GET /docs/{name}", "GET /v1/unsubscribe/{token}", "POST /v1/unsubscribe/{token}"}


def strict_contract() -> dict[str, Any]:
    """The contract without its catch-all, so that a status that no operation lists is a finding."""
    strict = deepcopy(contract())
    for item in strict["paths"].values():
        for method, operation in item.items():
            if method != "parameters":
                del operation["responses"]["default"]
    return strict


SCHEMA = schemathesis.openapi.from_dict(strict_contract())
# What a missing or a wrong key is told is the subject of test_guard.
SCHEMA.config.generation.with_security_parameters = False
# Thousands of something, where fewer are allowed, are refused before anybody counts them.
REJECTION = SCHEMA.config.checks.negative_data_rejection
REJECTION.expected_statuses = [*REJECTION.expected_statuses, "413"]
OPERATIONS = {o.ok().label: o.ok() for o in SCHEMA.get_all_operations() if o.ok().label not in LEFT_ALONE}
WITH_INPUT = [label for label, operation in OPERATIONS.items() if operation.body or operation.query]

INSTANT = r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})"

fresh = count(1)

# The service chooses the id, and every shop here has that of the examples.
A_WEBHOOK = """
INSERT INTO webhooks (webhook_id, program_id, url, types, description, version, created_at, xid, seq)
VALUES (%(webhook_id)s, %(program_id)s, 'https://nobody.invalid/', '{}', '', 1, now(), 0, 0)
"""


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop with something of everything, so that an attack gets past the first look-up."""
    for method, path in (
        ("put", "/v1/members/{customer_id}"),
        ("put", "/v1/admin/rewards/{code}"),
        ("post", "/v1/orders"),
        ("post", "/v1/members/{customer_id}/redemptions"),
    ):
        body = contract()["paths"][path][method]["requestBody"]["content"]["application/json"]["example"]
        if path == "/v1/orders":  # one that leaves points to spend
            body = {**body, "lines": [{**body["lines"][0], "unit_price": 1_000_000}]}
        assert api.call(method.upper(), path.format(**ids_in(path)), json=body).status_code == 201
    with api.app.app_context(), transaction() as session:  # where everything can be tried
        session.run("UPDATE programs SET sandbox = true WHERE program_id = %s", (api.program.program_id,))
        named = {"program_id": api.program.program_id, **ids_in("/v1/admin/webhooks/{webhook_id}")}
        session.run("DELETE FROM webhooks WHERE webhook_id = %(webhook_id)s", named)
        session.run(A_WEBHOOK, named)
    return api


def ids_in(path: str) -> dict[str, Any]:
    """The ids of what is there, as far as an address names them."""
    return {p["name"]: p["example"] for p in contract()["paths"][path].get("parameters", ())}


# Their bodies hold the bodies of others, field by field, and each of those is tried where it has an address of its own.
COMPOSED = {
    "POST /v1/admin/config/import", "POST /v1/admin/config/diff", "POST /v1/admin/earning-rules/rehearse",
    "POST /v1/admin/offers/rehearse",
}  # fmt: skip


@pytest.mark.parametrize("label", [label for label in OPERATIONS if label not in COMPOSED])
def test_every_boundary_of_every_field_gets_a_documented_answer(shop: Api, label: str):
    cases = SCHEMA.iter_coverage_cases(
        OPERATIONS[label], generation_modes=list(GenerationMode), generation_config=SCHEMA.config.generation
    )

    attacker = Attacker(shop)
    statuses = {attacker.send(case) for case in cases}

    assert any(status < 300 for status in statuses), f"nothing got through, only {statuses}"


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("label", WITH_INPUT)
def test_whatever_comes_gets_a_documented_answer(shop: Api, label: str, mode: GenerationMode):
    operation, attacker = OPERATIONS[label], Attacker(shop)

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=ids_in(operation.path)))
    def send(case: schemathesis.Case) -> None:
        attacker.send(case)

    send()


class Attacker:
    """Sends cases with an admin's key, and holds the answers against the contract."""

    def __init__(self, shop: Api) -> None:
        self.shop = shop
        self.etag = ""

    def send(self, case: schemathesis.Case) -> int:
        """Send a case; answers the status."""
        headers = {"Authorization": f"Bearer {self.shop.key}", **self._renewed(case)}
        response = case.call_and_validate(app=self.shop.app, headers=headers, checks=CHECKS)
        self.etag = response.headers.get("etag", [self.etag])[0]
        return response.status_code

    def _renewed(self, case: schemathesis.Case) -> dict[str, str]:
        """What only works once, made to work again: the body is changed, headers are returned."""
        number, renewed = next(fresh), {}
        if isinstance(case.body, dict):
            case.body = sensible(case.body, number)
        for name in ("Idempotency-Key", "If-Match"):
            if (case.headers or {}).get(name) == contract()["components"]["parameters"][name]["example"]:
                renewed[name] = f"key-{number}" if name == "Idempotency-Key" else self._etag(case.path)
        return renewed

    def _etag(self, template: str) -> str:
        self.etag = self.etag or self.shop.get(template.format(**ids_in(template))).headers["ETag"]
        return self.etag


def sensible(body: dict[str, Any], number: int) -> dict[str, Any]:
    """A body without the nonsense that a schema cannot forbid, and that would hide what else the case tries.

    Only what fits the schema is touched, for what does not is what the case is about.
    """
    better = {
        "order_id": f"x-{number}",
        "redemption_id": f"x-{number}",
        "line_id": f"line-{number}",
        "currency": "EUR",
        "placed_at": "2026-03-01T10:00:00Z",
        "valid_to": None,
        "referred_by": None,
    }
    changed = dict(body)
    for name, value in body.items():
        if name in better and isinstance(value, str) and fits(name, value):
            changed[name] = better[name]
        elif isinstance(value, list):
            changed[name] = [sensible(v, number * 1000 + n) if isinstance(v, dict) else v for n, v in enumerate(value)]
    return changed


def fits(name: str, value: str) -> bool:
    """Whether a text is one that the schema of every field of this name allows."""
    patterns = {"currency": r"[A-Z]{3}", "placed_at": INSTANT, "valid_to": INSTANT}
    return bool(re.fullmatch(patterns.get(name, r"[A-Za-z0-9._:@+-]{1,64}"), value))
