"""Shapes of a timeline."""

from typing import Any

from marshmallow import Schema, fields, post_load

from loyalty.web.arguments import WindowSchema
from loyalty.web.fields import Instant, Patterned

FAMILY = r"[a-z_]{1,32}(\.[a-z_]{1,32}){0,3}"
FAMILY_RULE = "Must be the type of a fact or its beginning, such as points.earned or points."


class TimelineQuerySchema(WindowSchema):
    """Which facts, and how many of them."""

    type = Patterned(
        FAMILY, error=FAMILY_RULE, load_default=None,
        metadata={"description": "Only facts of this type (`points.earned`), or of this family of types (`points`)."},
    )  # fmt: skip

    @post_load
    def build(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        """The window, and the type."""
        of_type = data.pop("type")
        return {"window": super().build(data), "of_type": of_type}


class ToldFactSchema(Schema):
    """A fact with a sentence in the member's language. `type` and `version` say what `data` holds: see the log."""

    event_id = fields.UUID(required=True)
    type = fields.String(required=True)
    version = fields.Integer(required=True)
    occurred_at = Instant(required=True)
    summary = fields.String(required=True)
    data = fields.Dict(required=True)


class TimelineSchema(Schema):
    """A page of a timeline, newest first. By type, a page may be short, or empty, and not be the last."""

    data = fields.List(fields.Nested(ToldFactSchema), required=True)
    next = fields.String(required=True, allow_none=True)
