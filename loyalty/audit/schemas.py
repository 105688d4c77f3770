"""Shapes of the audit log."""

from typing import Any

from marshmallow import Schema, fields, post_load

from loyalty.web.arguments import WindowSchema
from loyalty.web.fields import Instant, Text


class AuditQuerySchema(WindowSchema):
    """Which changes, and how many of them."""

    resource = Text(
        most=120, load_default=None, metadata={"description": "Only changes of this, such as `rewards/five-off`."}
    )
    actor = Text(most=64, load_default=None, metadata={"description": "Only changes by this key, or `command line`."})

    @post_load
    def build(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        """The window, and what the changes are filtered by."""
        filters = {name: data.pop(name) for name in ("resource", "actor")}
        return {"window": super().build(data), **filters}


class AuditRecordSchema(Schema):
    """A change. `actor` is the id of a key, or `command line`; `before` is null for what is new."""

    at = Instant(required=True)
    actor = fields.String(required=True)
    action = fields.String(required=True)
    resource = fields.String(required=True)
    before = fields.Dict(required=True, allow_none=True)
    after = fields.Dict(required=True, allow_none=True)


class AuditLogSchema(Schema):
    """A page of changes."""

    data = fields.List(fields.Nested(AuditRecordSchema), required=True)
    next = fields.String(required=True, allow_none=True)
