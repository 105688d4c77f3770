"""Shapes of tiers by hand, and of those that members bring along."""

from typing import Any

from marshmallow import Schema, fields, post_load
from marshmallow.validate import Length, OneOf

from loyalty.tiers.manual import BROUGHT_MAX, BroughtTier, NewPin
from loyalty.web.fields import Code, Instant, ShopId, Text

REASON_LENGTH_MAX = 200
OUTCOMES = ("imported", "unchanged", "refused")


class NewPinSchema(Schema):
    """A tier that a member has at least, until an instant; null: until it is unpinned."""

    tier = Code(required=True)
    until = Instant(required=True, allow_none=True)
    reason = Text(required=True, most=REASON_LENGTH_MAX)

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewPin:
        return NewPin(**data)


class UnpinSchema(Schema):
    """Why a pin ends."""

    reason = Text(required=True, most=REASON_LENGTH_MAX)


class GrantedTierSchema(Schema):
    """A tier of the ladder in force."""

    code = fields.String(required=True)
    name = fields.String(required=True)


class PinSchema(Schema):
    """What is pinned, since when, and until when (null: until it is unpinned)."""

    tier = fields.String(required=True)
    since = Instant(required=True)
    until = Instant(required=True, allow_none=True)
    reason = fields.String(required=True)


class PinnedSchema(Schema):
    """The tier that the member has now, which may be higher than what is pinned (null: nothing is)."""

    tier = fields.Nested(GrantedTierSchema, required=True)
    pinned = fields.Nested(PinSchema, required=True, allow_none=True)


class BroughtTierSchema(Schema):
    """A tier that a member had elsewhere. `valid_until` null: for as long as if it had been reached here."""

    customer_id = ShopId(required=True)
    tier = Code(required=True)
    since = Instant(required=True)
    valid_until = Instant(load_default=None, allow_none=True)

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> BroughtTier:
        return BroughtTier(**data)


class BroughtTiersSchema(Schema):
    """Tiers of at most 500 members."""

    members = fields.List(fields.Nested(BroughtTierSchema), required=True, validate=Length(1, BROUGHT_MAX))


class BroughtOutcomeSchema(Schema):
    """What became of one: its tier now or, of one that was refused, the code of the problem and what it says."""

    customer_id = fields.String(required=True)
    outcome = fields.String(required=True, validate=OneOf(OUTCOMES))
    code = fields.String()
    detail = fields.String()
    tier = fields.Nested(GrantedTierSchema, required=True, allow_none=True)


class BroughtOutcomesSchema(Schema):
    """What became of each, in the order in which they were sent."""

    data = fields.List(fields.Nested(BroughtOutcomeSchema), required=True)
