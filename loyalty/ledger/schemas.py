"""Shapes of balances, entries, lots and the proof of the books."""

from marshmallow import Schema, fields

from loyalty.programs.domain import POINTS
from loyalty.web.fields import Instant, Text


class BalanceQuerySchema(Schema):
    """Which unit, and when."""

    unit = Text(most=64, load_default=POINTS)
    as_of = Instant(metadata={"description": "As it was, or will be, at this instant; default: now."})
    known_at = Instant(metadata={"description": "By what was known at this instant, not earlier than as_of."})


class InstantPointsSchema(Schema):
    """So many points at an instant."""

    points = fields.Integer(required=True)
    at = Instant(required=True)


class BalanceSchema(Schema):
    """What a member holds in one unit, what is to come and what lapses when (soonest first)."""

    unit = fields.String(required=True)
    as_of = Instant(required=True)
    available = fields.Integer(required=True)
    pending = fields.Integer(required=True)
    held = fields.Integer(required=True)
    debt = fields.Integer(required=True)
    lifetime_earned = fields.Integer(required=True)
    lifetime_spent = fields.Integer(required=True)
    maturing = fields.List(fields.Nested(InstantPointsSchema), required=True)
    expiring = fields.List(fields.Nested(InstantPointsSchema), required=True)


class BalanceBriefSchema(Schema):
    """The four buckets of an account."""

    available = fields.Integer(required=True)
    pending = fields.Integer(required=True)
    held = fields.Integer(required=True)
    debt = fields.Integer(required=True)


class RuleVersionSchema(Schema):
    """Which rule, in which version."""

    code = fields.String(required=True)
    version = fields.Integer(required=True)


class EntrySchema(Schema):
    """One line of a member's history."""

    seq = fields.Integer(required=True)
    kind = fields.String(required=True)
    points = fields.Integer(required=True)
    available_after = fields.Integer(required=True)
    unit = fields.String(required=True)
    order_id = fields.String(required=True, allow_none=True)
    rule = fields.Nested(RuleVersionSchema, required=True, allow_none=True)
    reference = fields.String(
        required=True, allow_none=True, metadata={"description": "The redemption, or the lot, that the entry is about."}
    )
    reason = fields.String(required=True, allow_none=True)
    detail = fields.Dict(
        required=True,
        allow_none=True,
        metadata={"description": "What else is known: the lines of an award, who adjusted, what was forgiven."},
    )
    occurred_at = Instant(required=True)
    recorded_at = Instant(required=True)


class EntriesSchema(Schema):
    """A page of a history."""

    data = fields.List(fields.Nested(EntrySchema), required=True)
    next = fields.String(required=True, allow_none=True)


class LotSchema(Schema):
    """Points that came together and lapse together; `lot` is the seq of the entry that opened it."""

    lot = fields.Integer(required=True, attribute="seq")
    unit = fields.String(required=True)
    points = fields.Integer(required=True)
    remaining = fields.Integer(required=True)
    held = fields.Integer(required=True)
    pending = fields.Boolean(required=True)
    earned_at = Instant(required=True)
    matures_at = Instant(required=True, allow_none=True)
    deadline_at = Instant(
        required=True, allow_none=True, metadata={"description": "Until when the points wait for their event."}
    )
    expires_at = Instant(required=True, allow_none=True)


class LotsSchema(Schema):
    """A page of lots."""

    data = fields.List(fields.Nested(LotSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class VerificationSchema(Schema):
    """The proof of the books."""

    ok = fields.Boolean(required=True)
    checked = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    findings = fields.List(fields.Dict(), required=True)
