"""Shapes of facts."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from marshmallow import Schema, fields, post_load
from marshmallow.validate import OneOf

from loyalty.web.arguments import WindowSchema
from loyalty.web.fields import Instant, Patterned

TYPE = r"[a-z_]{1,32}(\.[a-z_]{1,32}){1,3}"
TYPE_RULE = "Must be the type of a fact, such as redemption.confirmed."

SchemaClass = type[Schema]


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of fact in one version: when it is told, in a sentence, and the shape of its `data`."""

    type: str
    version: int
    means: str
    data: SchemaClass


class NothingMoreSchema(Schema):
    """The type says all; there is nothing more in the data."""


class FactSchema(Schema):
    """A fact. `customer_id` is null where it is about no member."""

    event_id = fields.UUID(required=True)
    # Each stands where the fact is met in one way, and there always.
    cursor = fields.String(metadata={"description": "In the log: send it as `after` to go on after this fact."})
    sequence = fields.Integer(
        metadata={"description": "In what a webhook is sent: its number among these, without gaps."}
    )
    type = fields.String(required=True)
    version = fields.Integer(required=True)
    customer_id = fields.String(required=True, allow_none=True)
    occurred_at = Instant(required=True)
    recorded_at = Instant(required=True)
    data = fields.Dict(required=True)


class AnyFact(fields.Raw):
    """A fact of any kind; the contract lists the kinds, each with its `data`."""

    shape = FactSchema()

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return self.shape.dump(value)


class FactsSchema(Schema):
    """A page of the log, oldest first. `next` is null where nothing more is known yet: keep the last `cursor`."""

    data = fields.List(AnyFact(), required=True)
    next = fields.String(required=True, allow_none=True)


class FactsQuerySchema(WindowSchema):
    """Which facts, and how many of them."""

    after = fields.String(
        load_default=None,
        metadata={"description": "The `next` of the page before, or the `cursor` of the last fact that was seen."},
    )
    type = Patterned(TYPE, error=TYPE_RULE, load_default=None, metadata={"description": "Only facts of this type."})

    @post_load
    def build(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        """The window, and the type."""
        of_type = data.pop("type")
        return {"window": super().build(data), "of_type": of_type}


@lru_cache(maxsize=256)
def alternative(kind: Kind) -> SchemaClass:
    """The shape of a fact of one kind. `redemption.held` in version 1 is called `RedemptionHeldV1`."""
    name = "".join(word.title() for word in kind.type.replace(".", "_").split("_"))
    told = {
        "type": fields.String(required=True, validate=OneOf([kind.type])),
        "version": fields.Integer(required=True, validate=OneOf([kind.version])),
        "data": fields.Nested(kind.data, required=True),
    }
    return type(f"{name}V{kind.version}Schema", (FactSchema,), {"__doc__": kind.means, **told})
