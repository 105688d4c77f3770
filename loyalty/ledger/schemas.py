"""Shapes of balances, entries, lots and the proof of the books."""

from typing import Any

from marshmallow import Schema, ValidationError, fields

from loyalty.programs.domain import POINTS
from loyalty.web.fields import POINTS_MAX, Instant, Points, ShopId, Text, Whole

# A payment that takes longer than a month is an order on account.
HOLD_SECONDS_MAX = 31 * 24 * 3600
HOLD_SECONDS = 15 * 60


class Change(Whole):
    """A number of points to give (positive) or to take (negative)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(least=-POINTS_MAX, most=POINTS_MAX, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        points = super()._deserialize(value, attr, data, **kwargs)
        if not points:
            raise ValidationError("Must not be zero.")
        return int(points)


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


class DebtSchema(Schema):
    """Points that a return could not take back; `debt` is the seq of the entry that recorded it."""

    debt = fields.Integer(required=True, attribute="seq")
    unit = fields.String(required=True)
    points = fields.Integer(required=True)
    remaining = fields.Integer(required=True)
    incurred_at = Instant(required=True)
    order_id = fields.String(required=True, allow_none=True)
    reference = fields.String(required=True, allow_none=True, metadata={"description": "The return."})


class DebtsSchema(Schema):
    """A page of debts."""

    data = fields.List(fields.Nested(DebtSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class NewAdjustmentSchema(Schema):
    """Points to be given or taken by hand, and why. `actor`: who decided it; by default the key that asks."""

    adjustment_id = ShopId(required=True)
    points = Change(required=True)
    reason = Text(most=500, required=True)
    actor = Text(most=200)
    unit = Text(most=64)


class AdjustmentSchema(Schema):
    """What was given or taken."""

    adjustment_id = fields.String(required=True)
    points = fields.Integer(required=True)
    unit = fields.String(required=True)
    reason = fields.String(required=True)
    actor = fields.String(required=True)
    balance = fields.Nested(BalanceBriefSchema, required=True)


class NewReinstatementSchema(Schema):
    """Lapsed points to be brought back: of which lot, how many (by default all that lapsed), and why."""

    reinstatement_id = ShopId(required=True)
    lot = Whole(least=1, most=2**53, required=True)
    points = Points(least=1)
    reason = Text(most=500, required=True)
    actor = Text(most=200)


class ReinstatementSchema(Schema):
    """What came back, as which lot, and until when."""

    reinstatement_id = fields.String(required=True)
    lot = fields.Integer(required=True)
    of_lot = fields.Integer(required=True)
    unit = fields.String(required=True)
    points = fields.Integer(required=True)
    expires_at = Instant(required=True)
    reason = fields.String(required=True)
    actor = fields.String(required=True)
    balance = fields.Nested(BalanceBriefSchema, required=True)


class NewTransferSchema(Schema):
    """Points to be given to the customer `to`."""

    transfer_id = ShopId(required=True)
    to = ShopId(required=True)
    points = Points(least=1, required=True)
    unit = Text(most=64)
    reason = Text(most=500, allow_none=True)


class TransferSchema(Schema):
    """What was given, and what the giver has left."""

    transfer_id = fields.String(required=True)
    from_ = fields.String(required=True, data_key="from")
    to = fields.String(required=True)
    unit = fields.String(required=True)
    points = fields.Integer(required=True)
    reason = fields.String(required=True, allow_none=True)
    balance = fields.Nested(BalanceBriefSchema, required=True)


class NewHoldSchema(Schema):
    """Points to be kept for a payment, and for how long at the most."""

    hold_id = ShopId(required=True)
    points = Points(least=1, required=True)
    hold_seconds = Whole(least=1, most=HOLD_SECONDS_MAX, load_default=HOLD_SECONDS)
    unit = Text(most=64)
    order_id = ShopId(allow_none=True)
    reason = Text(most=500, allow_none=True)


class CaptureSchema(Schema):
    """How many points of a hold to spend (by default all), and for which order."""

    points = Points(least=1, load_default=None, allow_none=True)
    order_id = ShopId(load_default=None, allow_none=True)


class HoldSchema(Schema):
    """A hold, and what became of it."""

    hold_id = fields.String(required=True)
    customer_id = fields.String(required=True)
    unit = fields.String(required=True)
    status = fields.String(required=True)
    points = fields.Integer(required=True)
    captured = fields.Integer(required=True)
    held_at = Instant(required=True)
    expires_at = Instant(required=True)
    resolved_at = Instant(required=True, allow_none=True)
    order_id = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)


class HoldReceiptSchema(HoldSchema):
    """A hold, and what the member has now."""

    balance = fields.Nested(BalanceBriefSchema, required=True)


class WhoseSchema(Schema):
    """Of which member; by default of all."""

    customer_id = ShopId()


class VerificationSchema(Schema):
    """The proof of the books."""

    ok = fields.Boolean(required=True)
    checked = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    findings = fields.List(fields.Dict(), required=True)
