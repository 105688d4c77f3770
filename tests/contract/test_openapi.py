"""The contract: exported from the code, valid, complete, and honest about what it refuses."""

import ast
import inspect
import re
from collections.abc import Iterator
from contextlib import closing
from difflib import unified_diff
from functools import lru_cache
from importlib import import_module
from inspect import cleandoc, getsource, unwrap
from itertools import islice
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import jsonschema_rs
import pytest
from flask import Flask

from loyalty.core.errors import DomainError, IdempotencyConflict, InvalidRequest
from loyalty.web import openapi
from loyalty.web.blueprints import camel_case
from loyalty.web.problems import HTTP_CODES, status_of
from tests.api import Api
from tests.contract.validator import CONTRACT, contract

ROOT = CONTRACT.parent
KEYLESS = {"/healthz", "/readyz", "/openapi.yaml", "/docs", "/docs/{name}", "/v1/unsubscribe/{token}"}

# Refusals that no route can meet: keys belong to a program, programs are made by operators, and the version by which an
# order was judged is there.
OF_COMMANDS = {"program-not-found", "program-code-taken", "program-version-not-found"}
# What the framework says of any address or to anybody, and no operation lists by itself.
OF_THE_FRAMEWORK = {"method-not-allowed", "request-timeout", "internal-error"}


class Operation(NamedTuple):
    """One operation of the contract."""

    method: str
    path: str
    spec: dict[str, Any]

    @property
    def name(self) -> str:
        """As in a log."""
        return f"{self.method.upper()} {self.path}"

    def codes(self) -> set[str]:
        """The problem codes it lists."""
        return {code for response in self.spec["responses"].values() for code in codes_of(response)}

    def successes(self) -> dict[str, Any]:
        """Its answers that are no problem."""
        return {status: answer for status, answer in self.spec["responses"].items() if status.startswith("2")}

    def headers(self) -> set[str]:
        """The request headers it lists."""
        refs = {p["$ref"].rpartition("/")[2] for p in self.spec.get("parameters", ()) if "$ref" in p}
        return {contract()["components"]["parameters"][name]["name"] for name in refs}


def operations() -> list[Operation]:
    """Every operation of openapi.yaml."""
    return [
        Operation(method, path, spec)
        for path, item in contract()["paths"].items()
        for method, spec in item.items()
        if method != "parameters"
    ]


each_operation = pytest.mark.parametrize("operation", [pytest.param(o, id=o.name) for o in operations()])


def codes_of(response: dict[str, Any]) -> list[str]:
    """The problem codes of one response."""
    schema = response.get("content", {}).get("application/problem+json", {}).get("schema", {})
    return next((part["properties"]["code"]["enum"] for part in schema.get("allOf", ()) if "properties" in part), [])


def views(app: Flask) -> dict[str, Any]:
    """`GET /v1/members/{customer_id}` -> the view that answers."""
    found = {}
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+(?:\(.*\))?:)?(\w+)>", r"{\1}", rule.rule)
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            found[f"{method} {path}"] = app.view_functions[rule.endpoint]
    return found


def test_openapi_yaml_is_what_the_code_says(app: Flask):
    written, exported = CONTRACT.read_text(encoding="utf-8"), openapi.document(app.extensions["loyalty-api"])

    difference = "\n".join(islice(unified_diff(written.splitlines(), exported.splitlines(), lineterm="", n=1), 40))

    assert written == exported, f"openapi.yaml is out of date. Run `make openapi`, and read what changes:\n{difference}"


def test_every_route_is_in_the_contract_and_nothing_else(app: Flask):
    assert {o.name for o in operations()} == set(views(app))


@each_operation
def test_an_operation_is_named_after_its_view_and_told_by_its_docstring(app: Flask, operation: Operation):
    view = views(app)[operation.name]

    assert operation.spec["operationId"] == camel_case(view.__name__)
    assert operation.spec["summary"] == cleandoc(view.__doc__).partition("\n")[0]


def test_operation_ids_are_unique():
    ids = [operation.spec["operationId"] for operation in operations()]
    assert len(set(ids)) == len(ids)


@each_operation
def test_an_operation_says_what_it_answers(operation: Operation):
    assert operation.successes(), "no success is documented"
    for answer in operation.successes().values():
        assert all("schema" in content for content in answer["content"].values())
        assert "X-Request-Id" in answer["headers"]
    assert operation.spec["responses"]["default"]["content"]["application/problem+json"]
    assert {t["name"] for t in contract()["tags"]} >= set(operation.spec["tags"])


@each_operation
def test_what_stands_in_a_path_is_explained(operation: Operation):
    parameters = [p for p in contract()["paths"][operation.path].get("parameters", ()) if p["in"] == "path"]

    assert {p["name"] for p in parameters} == set(re.findall(r"{(\w+)}", operation.path))
    assert all(p["description"] and "example" in p and p["required"] for p in parameters)
    assert all(validator(p["schema"]).is_valid(p["example"]) for p in parameters)


@each_operation
def test_examples_are_what_the_schema_allows(operation: Operation):
    bodies = list(operation.spec.get("requestBody", {"content": {}})["content"].values())
    answers = [content for answer in operation.successes().values() for content in answer["content"].values()]

    assert all("example" in body for body in bodies), "a request body needs an example: see examples.py of the slice"
    for content in bodies + [answer for answer in answers if "example" in answer]:
        assert [str(error) for error in validator(content["schema"]).iter_errors(content["example"])] == []


@each_operation
def test_a_key_is_needed_and_its_refusal_documented_but_for_the_public_operations(operation: Operation):
    assert contract()["security"] == [{"key": []}]
    if operation.path in KEYLESS:
        assert operation.spec["security"] == []
        assert not {"401", "403"} & set(operation.spec["responses"])
        return
    assert "security" not in operation.spec
    assert codes_of(operation.spec["responses"]["401"]) == ["unauthenticated"]
    assert codes_of(operation.spec["responses"]["403"]) == ["scope-missing"]
    assert codes_of(operation.spec["responses"]["503"]) == ["unavailable"]
    assert "WWW-Authenticate" in operation.spec["responses"]["401"]["headers"]
    assert "Retry-After" in operation.spec["responses"]["503"]["headers"]
    scope = "admin" if operation.path.startswith("/v1/admin/") else r"\w+:(read|write)"
    assert re.search(rf"Needs the scope `{scope}`", operation.spec["responses"]["403"]["description"])


@each_operation
def test_whoever_sends_something_may_have_sent_it_wrong(operation: Operation):
    sent = "requestBody" in operation.spec or any("name" in p for p in operation.spec["parameters"])
    patterns = any("pattern" in p["schema"] for p in contract()["paths"][operation.path].get("parameters", ()))

    headers = operation.headers() - {"X-Request-Id"}

    assert ("invalid-request" in operation.codes()) == bool(sent or patterns or headers)
    if "requestBody" in operation.spec:
        assert {"malformed-request", "too-large", "unsupported-media-type"} <= operation.codes()


@each_operation
def test_a_change_of_configuration_names_the_version_it_was_made_from(operation: Operation):
    versioned = all("ETag" in answer["headers"] for answer in operation.successes().values())

    assert ("If-Match" in operation.headers()) == ("428" in operation.spec["responses"])
    assert ("If-Match" in operation.headers()) == ("412" in operation.spec["responses"])
    if "If-Match" in operation.headers():
        assert versioned
        assert "ETag" in contract()["paths"][operation.path]["get"]["responses"]["200"]["headers"]


# What has an id of the shop's own, which makes a retry safe.
NATURAL = {
    "/v1/orders": "order_id",
    "/v1/activities": "activity_id",
    "/v1/feedback": "feedback_id",
    "/v1/orders/{order_id}/returns": "return_id",
    "/v1/members/{customer_id}/redemptions": "redemption_id",
    "/v1/members/{customer_id}/adjustments": "adjustment_id",
    "/v1/members/{customer_id}/reinstatements": "reinstatement_id",
    "/v1/members/{customer_id}/transfers": "transfer_id",
    "/v1/members/{customer_id}/holds": "hold_id",
    "/v1/vouchers/{voucher_code}/redeem": "order_id",
    "/v1/vouchers/{voucher_code}/release": "order_id",
    "/v1/admin/vouchers": "batch_id",
    "/v1/members/{customer_id}/point-payments": "payment_id",
    "/v1/point-payments/{payment_id}/refund": "refund_id",
}


# Questions that do not fit into a URL. They change nothing, so they may be asked again in any case.
ONLY_READ = {
    "/v1/members/search", "/v1/orders/preview", "/v1/admin/config/diff", "/v1/admin/earning-rules/check",
    "/v1/activities/preview", "/v1/admin/ladder/check", "/v1/admin/offers/check",
    "/v1/vouchers/{voucher_code}/validate",
    "/v1/members/{customer_id}/point-payments/quote",
    "/v1/admin/rewards/{code}/check", "/v1/admin/notification-templates/{kind}/{language}/check",
    "/v1/admin/notification-templates/{kind}/{language}/preview",
    "/v1/admin/webhooks/{webhook_id}/ping",
}  # fmt: skip

# What the address names becomes it once, and whoever asks again gets the answer that it got then.
ONCE = {f"/v1/redemptions/{{redemption_id}}/{become}" for become in ("confirm", "cancel", "fulfil")}
ONCE |= {f"/v1/assignments/{{assignment_id}}/{become}" for become in ("seen", "activate", "dismiss")}

# Whoever sends it again changes nothing, and has no key by which one could know them.
SETTLED = {"/v1/unsubscribe/{token}"}


@each_operation
def test_every_post_can_be_retried(operation: Operation):
    if operation.method != "post" or operation.path in ONLY_READ | SETTLED:
        assert "Idempotency-Key" not in operation.headers()
        return
    natural = NATURAL.get(operation.path)
    schema = operation.spec.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]

    assert (natural is None and operation.path not in ONCE) == ("Idempotency-Key" in operation.headers())
    assert natural is None or natural in contract()["components"]["schemas"][name]["required"]
    assert "idempotency-conflict" in operation.codes()
    assert all("Idempotent-Replayed" in answer["headers"] for answer in operation.successes().values())


@lru_cache(maxsize=1)
def refusals() -> dict[str, type[DomainError]]:
    """Every refusal that is not merely a kind of others, by name."""
    for file in sorted(ROOT.glob("loyalty/*/errors.py")):
        import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
    return {error.__name__: error for error in _leaves(DomainError) if error.__module__.startswith("loyalty.")}


def _leaves(error: type[DomainError]) -> Iterator[type[DomainError]]:
    below = error.__subclasses__()
    yield from (leaf for kind in below for leaf in _leaves(kind)) if below else [error]


def test_the_contract_lists_the_code_of_every_refusal_and_no_other():
    codes = {error.code for error in refusals().values()}
    framework = {code for code, _ in HTTP_CODES.values()}
    listed = {code for operation in operations() for code in operation.codes()}

    assert codes - OF_COMMANDS - listed == set(), "no route lists these: add them to its @bp.refuses(...)"
    assert listed - codes - framework == set(), "no class has these codes"
    assert framework - listed == OF_THE_FRAMEWORK
    assert not OF_COMMANDS & listed


def test_a_code_belongs_to_one_class_and_one_status():
    codes = [error.code for error in refusals().values()] + [code for code, _ in HTTP_CODES.values()]

    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)
    assert len(set(codes)) == len(codes)
    for operation in operations():
        for status, response in operation.spec["responses"].items():
            for error in refusals().values():
                assert error.code not in codes_of(response) or str(status_of(error)) == status


# What a use case refuses, but not to these callers: closing what is closed changes nothing, some rules are always in
# force, and the program of a key exists.
NEVER = {("closeMember", "MemberClosed"), ("getEarningRules", "RuleSetNotFound")}


@each_operation
def test_an_operation_lists_what_its_use_cases_say_they_refuse(app: Flask, operation: Operation):
    told = {
        name
        for called in _called(views(app)[operation.name])
        for sentence in re.findall(r"Refuses: ([\w,\s]+)\.", called.__doc__ or "")
        for name in re.split(r",\s*", sentence)
        if (operation.spec["operationId"], name) not in NEVER
    }

    assert {refusals()[name].code for name in told} - OF_COMMANDS <= operation.codes()


def _called(view: Any) -> Iterator[Any]:
    """What a view calls of its own and other slices."""
    view = unwrap(view)
    for node in ast.walk(ast.parse(dedent(getsource(view)))):
        if isinstance(node, ast.Call):
            first, _, rest = ast.unparse(node.func).partition(".")
            found = view.__globals__.get(first)
            called = getattr(found, rest, None) if rest else found
            if inspect.isfunction(called) and called.__module__.startswith("loyalty."):
                yield called


def test_use_cases_do_say_what_they_refuse(app: Flask):
    record_order = views(app)["POST /v1/orders"]

    assert any("Refuses: MemberNotFound" in (called.__doc__ or "") for called in _called(record_order))
    assert {IdempotencyConflict.__name__, InvalidRequest.__name__, "OutOfStock"} <= set(refusals())
    assert not {"DomainError", "NotFound", "Conflict", "RuleRefused"} & set(refusals())


VIEWER = ("/docs/start.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js")


def test_the_public_operations_answer_as_documented(api: Api):
    public = api.as_key(None)

    for path in (*sorted(path for path in KEYLESS if "{" not in path), *VIEWER):
        with closing(public.get(path)) as response:
            assert response.status_code == 200
            assert response.get_data()
    assert public.get("/openapi.yaml").get_data() == Path(CONTRACT).read_bytes()
    assert b"/docs/swagger-ui-bundle.js" in public.get("/docs").get_data()
    assert public.get("/docs/oauth2-redirect.html").status_code == 404
    assert b"loyalty_requests_total" in api.get("/metrics").get_data()


def validator(schema: dict[str, Any]) -> Any:
    """A validator of one schema of the contract."""
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": contract()["components"]}
    return jsonschema_rs.Draft202012Validator({**document, **schema}, validate_formats=True)
