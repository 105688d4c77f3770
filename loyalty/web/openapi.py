"""The contract as a file: exported from the schemas, so it cannot say what the code does not do."""

from functools import lru_cache
from inspect import cleandoc
from typing import Any

import yaml
from flask_smorest import Api
from marshmallow import fields

from loyalty.web.fields import Currency, Locale, Matches, Rate, Zone

TITLE = "Loyalty engine"
VERSION = "1.0.0"

DESCRIPTION = """\
Points, tiers, rewards and offers for a retailer. Amounts of money are integer minor units with a currency, points are
integers, times are RFC 3339 (answers in UTC). Unknown fields are refused. Every error is a problem document (RFC 9457)
whose `code` is listed with the operation. A POST with a natural id (`order_id`, `redemption_id`) may be sent again at
will; every other POST takes an `Idempotency-Key`. A replay carries `Idempotent-Replayed: true`. Every answer, problems
included, carries the `X-Request-Id` that the log knows it by.
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

# The words of the addresses: what stands in a path, with an example.
PATH_PARAMETERS = {
    "activity_id": ("The shop's own id of the activity.", "review-77"),
    "assignment_id": ("The id of the offer as it was given.", "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5"),
    "code": ("The code of the reward.", "five-off"),
    "customer_id": ("The shop's own id of the customer.", "c-42"),
    "feedback_id": ("The shop's own id of the answer.", "fb-77"),
    "hold_id": ("The shop's own id of the hold.", "h-1001"),
    "key_id": ("The id of the key (not its secret).", "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5"),
    "kind": ("The kind of message.", "points_earned"),
    "language": ("The language, as in pl or pt-BR.", "pl"),
    "message_id": ("The id of the message.", "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5"),
    "name": ("A file of the viewer.", "start.js"),
    "order_id": ("The shop's own id of the order.", "A-1001"),
    "payment_id": ("The shop's own id of the payment with points.", "pp-1001"),
    "redemption_id": ("The shop's own id of the redemption.", "r-1001"),
    "rehearsal_id": ("The id of the rehearsal.", "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5"),
    "segment": ("The code of the segment.", "at_risk"),
    "token": ("What the link of a message ends with.", "AZMfPnwaey2f.email.new_reward.k3J9cXbq"),
    "voucher_code": ("The code of the voucher, as it was typed.", "7KQ2-M9XD-0T4F"),
    "version": ("The version of what was published.", 1),
    "webhook_id": ("The id of the webhook.", "01931f3e-7c1a-7d2b-9f00-5a1c0de0b1e5"),
}

PARAMETERS: dict[str, Any] = {
    "X-Request-Id": {
        "description": "Your id of this request: it comes back with the answer, and stands in the log. One that is not "
        "8 to 128 of A-Z a-z 0-9 . _ : - is replaced.",
        "schema": {"type": "string"},
        "example": "checkout-7f3a9c",
    },
    "Idempotency-Key": {
        "description": "Makes a retry safe: the first answer under this key is given again.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "example": "5f6c1b0a-8f0e-4c6e-9d59-2b1f6f1f4f7e",
    },
    "If-Match": {
        "description": "The ETag of what was read and changed. Needed wherever something exists already.",
        "schema": {"type": "string"},
        "example": '"3"',
    },
}

HEADERS: dict[str, Any] = {
    "X-Request-Id": {
        "description": "The id of the request: the caller's, if well-formed, else a new one.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "The version, for the If-Match of a change.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9]+"$'},
    },
    "Idempotent-Replayed": {
        "description": "`true` when this answer was made by an earlier request.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "RateLimit": {
        "description": "The limit that was met, what is left of it (`r`), and in how many seconds there is more (`t`).",
        "schema": {"type": "string", "pattern": '^"[a-z]+";r=[0-9]+;t=[0-9]+$'},
    },
    "RateLimit-Policy": {
        "description": "The limit: so often (`q`) in so many seconds (`w`).",
        "schema": {"type": "string", "pattern": '^"[a-z]+";q=[0-9]+;w=[0-9]+$'},
    },
    "Retry-After": {
        "description": "Seconds until the same request is worth sending again.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
    "WWW-Authenticate": {
        "description": "How to authenticate.",
        "required": True,
        "schema": {"type": "string", "enum": ['Bearer realm="loyalty"']},
    },
}

# What a value of a field looks like, where its pattern alone does not tell a reader.
EXAMPLES: dict[type[fields.Field[Any]], str] = {Currency: "EUR", Locale: "pl-PL", Rate: "1.5", Zone: "Europe/Warsaw"}

# For views that answer with `etag(...)`: `@bp.response(200, ThingSchema(), headers=VERSIONED)`.
VERSIONED = {"ETag": "ETag"}

# Headers that problems of one status carry.
PROBLEM_HEADERS = {
    401: ("WWW-Authenticate",), 429: ("Retry-After", "RateLimit", "RateLimit-Policy"), 503: ("Retry-After",),
}  # fmt: skip

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
            "headers": HEADERS,
            "parameters": {name: {"name": name, "in": "header", **rest} for name, rest in PARAMETERS.items()},
        },
    },
}


def init_app(api: Api) -> None:
    """Teach the contract what our fields are, where its general rules misread them."""
    api.register_field(Rate, "string", None)
    api.ma_plugin.converter.add_attribute_function(_shape)


def _shape(_converter: Any, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
    """What is wrong or missing in `ret`, the schema of one field."""
    shape: dict[str, Any] = {}
    if (example := EXAMPLES.get(type(field))) is not None:
        shape["examples"] = [example]
    if isinstance(field, Rate):
        ret.pop("x-minimum"), ret.pop("x-maximum")
        shape["pattern"] = r"^[0-9]{1,7}(\.[0-9]{1,6})?$"
    if isinstance(field, fields.Dict):
        if "minLength" in ret:
            shape["minProperties"] = ret.pop("minLength")
        for rule in field.key_field.validators if field.key_field else ():
            if isinstance(rule, Matches):
                shape["propertyNames"] = {"pattern": rule.regex.pattern}
    return shape


def problem_response(status: int, codes: set[str], *, note: str = "") -> dict[str, Any]:
    """The response object for the problems `codes` of one status; for any other problem, if there are none."""
    schema: dict[str, Any] = {"$ref": "#/components/schemas/Problem"}
    description = "Any other problem."
    if codes:
        schema = {"allOf": [schema, {"properties": {"code": {"enum": sorted(codes)}}}]}
        description = "Refused: " + ", ".join(f"`{code}`" for code in sorted(codes))
    response: dict[str, Any] = {
        "description": f"{description}. {note}" if note else description,
        "content": {"application/problem+json": {"schema": schema}},
    }
    if headers := PROBLEM_HEADERS.get(status):
        response["headers"] = {header: header for header in headers}
    return response


@lru_cache(maxsize=4)
def document(api: Api) -> str:
    """The contract in YAML, always in the same order."""
    contract: dict[str, Any] = api.spec.to_dict()
    for (schema, *_), name in api.ma_plugin.converter.refs.items():
        contract["components"]["schemas"][name]["description"] = cleandoc(schema.__doc__)
    return yaml.safe_dump(contract, sort_keys=True, allow_unicode=True, width=120)
