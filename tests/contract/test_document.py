"""The document itself: valid OpenAPI, whose schemas are valid JSON Schema, without loose ends."""

import re
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from tests.contract.validator import CONTRACT, contract


def test_the_contract_is_valid_openapi():
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(contract())] == []
    assert contract()["openapi"].startswith("3.1.")
    assert list(OPENAPI_31_VALIDATOR.iter_errors({**contract(), "paths": {"/x": {"get": {"responses": 1}}}}))


@pytest.mark.parametrize("name", contract()["components"]["schemas"])
def test_every_schema_is_valid_json_schema(name: str):
    schema = contract()["components"]["schemas"][name]
    known = {"type", "properties", "additionalProperties", "required", "description", "minProperties"}

    assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    assert set(schema) <= known
    assert schema["description"]
    assert all(not key.startswith("x-") for field in schema["properties"].values() for key in field)


def test_every_reference_leads_somewhere():
    for reference in set(re.findall(r"\$ref: '#/([\w/.-]+)'", CONTRACT.read_text(encoding="utf-8"))):
        found: Any = contract()
        for step in reference.split("/"):
            assert step in found, reference
            found = found[step]


def test_every_component_is_used():
    used = set(re.findall(r"\$ref: '#/components/([\w/.-]+)'", CONTRACT.read_text(encoding="utf-8")))
    there = {
        f"{kind}/{name}"
        for kind, found in contract()["components"].items()
        for name in found
        if kind != "securitySchemes"
    }

    assert there - used == set()
