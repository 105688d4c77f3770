"""The contract as a file: exported from the schemas, so it cannot say what the code does not do."""

from functools import lru_cache
from typing import Any

import yaml
from flask_smorest import Api

TITLE = "Loyalty engine"
VERSION = "1.0.0"

DESCRIPTION = """\
Points, tiers, rewards and offers for a retailer. Amounts of money are integer minor units with a currency, points are
integers, times are RFC 3339 (answers in UTC). Unknown fields are refused. Every error is a problem document (RFC 9457)
whose `code` is listed with the operation. A POST with a natural id (`order_id`, `redemption_id`) may be sent again at
will; every other POST takes an `Idempotency-Key`. A replay carries `Idempotent-Replayed: true`.
"""

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "An error (RFC 9457). Further members state the facts of the refusal.",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/insufficient-points"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}

CONFIG: dict[str, Any] = {
    "API_TITLE": TITLE,
    "API_VERSION": VERSION,
    "OPENAPI_VERSION": "3.1.0",
    "API_SPEC_OPTIONS": {
        "info": {"description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "An API key."}},
            "schemas": {"Problem": PROBLEM},
        },
    },
}


@lru_cache(maxsize=4)
def document(api: Api) -> str:
    """The contract in YAML, always in the same order."""
    contract: dict[str, Any] = api.spec.to_dict()
    return yaml.safe_dump(contract, sort_keys=True, allow_unicode=True, width=120)
