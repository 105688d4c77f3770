"""Shapes of keys."""

from typing import Any

from marshmallow import Schema, fields, post_load, pre_dump
from marshmallow.validate import Length, OneOf

from loyalty.access.domain import SCOPES, IssuedKey, NewKey
from loyalty.web.fields import Instant, Text


class NewKeySchema(Schema):
    """A key to be made."""

    scopes = fields.List(
        fields.String(validate=OneOf(sorted(SCOPES))),
        required=True,
        validate=Length(min=1, max=len(SCOPES)),
        metadata={"example": ["orders", "members:read"]},
    )
    name = Text(most=120, least=0, load_default="")
    expires_at = Instant(load_default=None, allow_none=True)

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewKey:
        return NewKey(**{**data, "scopes": tuple(data["scopes"])})


class KeySchema(Schema):
    """A key as it is listed: never its secret."""

    key_id = fields.UUID(required=True)
    prefix = fields.String(required=True)
    name = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    created_at = Instant(required=True)
    expires_at = Instant(required=True, allow_none=True)
    revoked_at = Instant(required=True, allow_none=True)


KEY = ("key_id", "prefix", "name", "scopes", "created_at", "expires_at", "revoked_at")


class IssuedKeySchema(KeySchema):
    """A key just made. `secret` is shown this once; a replay of the request has null in its place."""

    secret = fields.String(required=True, allow_none=True)

    @pre_dump
    def _flatten(self, issued: IssuedKey, **_kwargs: Any) -> dict[str, Any]:
        return {name: getattr(issued.key, name) for name in KEY} | {"secret": issued.secret}


class KeysSchema(Schema):
    """A page of keys."""

    data = fields.List(fields.Nested(KeySchema), required=True)
    next = fields.String(required=True, allow_none=True)
