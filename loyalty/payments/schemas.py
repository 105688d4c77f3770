"""Shapes of payments with points."""

from marshmallow import Schema, fields

from loyalty.ledger.schemas import HOLD_SECONDS, HOLD_SECONDS_MAX, BalanceBriefSchema
from loyalty.web.fields import Instant, MinorUnits, Points, ShopId, Whole


class QuoteQuerySchema(Schema):
    """What an order comes to, and how many points the member would like to use: by default as many as possible."""

    order_total = MinorUnits(required=True)
    points = Points(load_default=None, allow_none=True)


class QuoteSchema(Schema):
    """How many points can be used, and what they pay."""

    points = fields.Integer(required=True)
    amount = fields.Integer(required=True, metadata={"description": "What the points pay, in minor units."})
    max_points = fields.Integer(
        required=True, metadata={"description": "The most that the order takes, whatever the member has."}
    )
    reason = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Why it is not what was asked for: `below_minimum`, `max_percent`, `insufficient_points` or "
            "`step`; null if it is, and if nothing was asked for and something can be used."
        },
    )
    currency = fields.String(required=True)
    available = fields.Integer(required=True)
    min_points = fields.Integer(required=True, metadata={"description": "The fewest points that can be used."})
    step = fields.Integer(required=True)


class NewPaymentSchema(Schema):
    """Points to be held for an order, and for how long at the most."""

    payment_id = ShopId(required=True)
    order_total = MinorUnits(required=True)
    points = Points(least=1, required=True)
    order_id = ShopId(allow_none=True)
    hold_seconds = Whole(least=1, most=HOLD_SECONDS_MAX, load_default=HOLD_SECONDS)


class PaymentCaptureSchema(Schema):
    """How many points of a payment to spend (by default all), and for which order."""

    points = Points(least=1, load_default=None, allow_none=True)
    order_id = ShopId(load_default=None, allow_none=True)


class PaymentSchema(Schema):
    """A payment with points, and what became of it. Amounts are minor units of `currency`."""

    payment_id = fields.String(required=True)
    customer_id = fields.String(required=True)
    status = fields.String(
        required=True, metadata={"description": "`held`, `captured`, `released`, or `expired`: not captured in time."}
    )
    order_id = fields.String(required=True, allow_none=True)
    order_total = fields.Integer(required=True)
    points = fields.Integer(required=True)
    amount = fields.Integer(required=True)
    currency = fields.String(required=True)
    captured_points = fields.Integer(required=True)
    captured_amount = fields.Integer(required=True)
    refunded_points = fields.Integer(required=True)
    refunded_amount = fields.Integer(required=True)
    given_back_points = fields.Integer(
        required=True, metadata={"description": "By refunds, and by returns of the order."}
    )
    held_at = Instant(required=True)
    expires_at = Instant(required=True)
    resolved_at = Instant(required=True, allow_none=True)


class PaymentReceiptSchema(PaymentSchema):
    """A payment, and what the member has now."""

    balance = fields.Nested(BalanceBriefSchema, required=True)


class PaymentsSchema(Schema):
    """A page of payments."""

    data = fields.List(fields.Nested(PaymentSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class NewRefundSchema(Schema):
    """Points of a payment to be given back: by default all that are left."""

    refund_id = ShopId(required=True)
    points = Points(least=1, allow_none=True)


class RefundedLotSchema(Schema):
    """What became of points that were given back, lot by lot."""

    outcome = fields.String(
        required=True,
        metadata={
            "description": "`returned` to the lot they came from; `extended`, because it had lapsed: a new lot, until "
            "`expires_at`; or `forfeited`, because it had lapsed and there is no grace."
        },
    )
    points = fields.Integer(required=True)
    lot = fields.Integer(required=True)
    expires_at = Instant(required=True, allow_none=True)


class RefundSchema(Schema):
    """What a refund gave back, and what is left of the payment."""

    refund_id = fields.String(required=True)
    payment_id = fields.String(required=True)
    customer_id = fields.String(required=True)
    order_id = fields.String(required=True, allow_none=True)
    points = fields.Integer(required=True)
    amount = fields.Integer(required=True)
    currency = fields.String(required=True)
    returned_to_member = fields.Integer(required=True)
    forfeited = fields.Integer(required=True)
    lots = fields.List(fields.Nested(RefundedLotSchema), required=True)
    left_points = fields.Integer(required=True)
    balance = fields.Nested(BalanceBriefSchema, required=True)
