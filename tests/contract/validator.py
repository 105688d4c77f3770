"""Holds a response against openapi.yaml: a documented status, and a body of the documented shape without extras."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

CONTRACT = Path(__file__).resolve().parents[2] / "openapi.yaml"


@lru_cache(maxsize=1)
def contract() -> dict[str, Any]:
    """The committed contract."""
    loaded: dict[str, Any] = yaml.load(CONTRACT.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return loaded


def validate_response(app: Flask, method: str, path: str, response: TestResponse) -> None:
    """Raise AssertionError when the contract does not allow this answer to this request."""
    template = _template(app, method, path)
    operation = contract()["paths"].get(template, {}).get(method.lower())
    if operation is None:  # an address or method that the contract does not have is answered by a problem
        assert response.status_code in (404, 405, 422), (method, path, response.status_code)
        _validate("Problem", {"$ref": "#/components/schemas/Problem"}, response)
        return
    documented = operation["responses"].get(str(response.status_code))
    if documented is None:
        assert response.mimetype == "application/problem+json", (
            f"{method} {template}: {response.status_code} is undocumented"
        )
        # Any caller may meet these, and every operation documents them once, as its default.
        assert response.status_code in (401, 403, 404, 500, 503), (
            f"{method} {template}: {response.status_code} is undocumented"
        )
        documented = operation["responses"]["default"]
    schema = documented.get("content", {}).get(response.mimetype, {}).get("schema")
    assert schema is not None, f"{method} {template}: {response.mimetype} is undocumented for {response.status_code}"
    _validate(f"{method} {template} {response.status_code}", schema, response)


def _validate(what: str, schema: dict[str, Any], response: TestResponse) -> None:
    if "json" not in response.mimetype:
        return
    errors = [str(error) for error in _validator(json.dumps(schema)).iter_errors(response.json)]
    assert not errors, f"{what}: {errors}"


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": contract()["components"]}
    return jsonschema_rs.Draft202012Validator({**document, **json.loads(schema)})


def _template(app: Flask, method: str, path: str) -> str:
    try:
        rule, _ = app.url_map.bind("localhost").match(path.partition("?")[0], method=method, return_rule=True)
    except HTTPException:
        return ""
    return str(rule.rule) if "<" not in rule.rule else _braces(str(rule.rule))


def _braces(rule: str) -> str:
    # /v1/members/<shop_id:customer_id> -> /v1/members/{customer_id}
    parts = [f"{{{p.strip('<>').rpartition(':')[2]}}}" if p.startswith("<") else p for p in rule.split("/")]
    return "/".join(parts)
