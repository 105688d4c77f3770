"""What the contract says of facts: every kind that is told, each with the shape of its data."""

from collections.abc import Iterable
from typing import Any

from flask_smorest import Api
from marshmallow import fields

from loyalty.events.schemas import AnyFact, Kind, alternative


def describe(api: Api, kinds: Iterable[Kind]) -> None:
    """Teach the contract the kinds of facts there are."""
    alternatives = [alternative(kind) for kind in kinds]

    def any_fact(converter: Any, field: fields.Field[Any], **_kwargs: Any) -> dict[str, Any]:
        if not isinstance(field, AnyFact):
            return {}
        return {"oneOf": [converter.resolve_nested_schema(schema) for schema in alternatives]}

    api.ma_plugin.converter.add_attribute_function(any_fact)
