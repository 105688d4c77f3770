"""What the contract says of facts: every kind that is told, each with the shape of its data, as it is read and sent."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from flask_smorest import Api
from marshmallow import fields

from loyalty.events.schemas import AnyFact, Kind, alternative

# What comes along with a fact that is sent, as https://www.standardwebhooks.com has it.
HEADERS = {
    "webhook-id": (
        "The `event_id` of the fact: whoever has dealt with it has dealt with this, too.",
        {"type": "string", "format": "uuid"},
    ),
    "webhook-timestamp": (
        "When it is sent, in seconds since 1970: refuse what is much older than that.",
        {"type": "string", "pattern": "^[0-9]+$"},
    ),
    "webhook-signature": (
        "Signatures of `<webhook-id>.<webhook-timestamp>.<body>`, one by each secret that is valid: one must be yours.",
        {"type": "string", "pattern": "^v1,[A-Za-z0-9+/=]+( v1,[A-Za-z0-9+/=]+)*$"},
    ),
}
RESPONSES = {
    "2XX": {"description": "Taken: it is not sent again."},
    "default": {"description": "Not taken, as if there were no answer: it is sent again, later and later."},
}


def describe(api: Api, kinds: Iterable[Kind]) -> None:
    """Teach the contract the kinds of facts there are."""
    kinds = tuple(kinds)
    alternatives = [alternative(kind) for kind in kinds]

    def any_fact(converter: Any, field: fields.Field[Any], **_kwargs: Any) -> dict[str, Any]:
        if not isinstance(field, AnyFact):
            return {}
        return {"oneOf": [converter.resolve_nested_schema(schema) for schema in alternatives], "required": ["cursor"]}

    api.ma_plugin.converter.add_attribute_function(any_fact)
    for name, (description, schema) in HEADERS.items():
        api.spec.components.parameter(name, "header", {"description": description, "required": True, "schema": schema})
    api.spec.options["webhooks"] = _webhooks(api.ma_plugin.converter, kinds)


def _webhooks(converter: Any, kinds: tuple[Kind, ...]) -> dict[str, Any]:
    """What is sent to those who ask for it, by type; of a type that is told in several versions, any of them."""
    shapes: dict[str, list[dict[str, Any]]] = {}
    for kind in kinds:
        shapes.setdefault(kind.type, []).append(converter.resolve_nested_schema(alternative(kind)))
    means = {kind.type: kind.means for kind in kinds}
    return {of_type: {"post": _sent(means[of_type], shape)} for of_type, shape in shapes.items()}


def _sent(means: str, shapes: list[dict[str, Any]]) -> dict[str, Any]:
    shape = shapes[0] if len(shapes) == 1 else {"oneOf": shapes}
    body = {"allOf": [shape, {"required": ["sequence"]}]}
    return {
        "summary": means,
        # Whoever is sent something knows us by the signature, not by a key of ours.
        "security": [],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in HEADERS],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": deepcopy(RESPONSES),
    }
