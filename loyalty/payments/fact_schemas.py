"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields

from loyalty.events.schemas import Kind
from loyalty.web.fields import MinorUnits, ShopId


class PaymentFactSchema(Schema):
    """How many points of a payment it is about, and what they are worth in minor units."""

    payment_id = ShopId(required=True)
    points = fields.Integer(required=True, strict=True)
    amount = MinorUnits(required=True)
    order_id = ShopId(required=True, allow_none=True)


KINDS = (
    Kind("payment.held", 1, "Points are kept for a payment until it is captured.", PaymentFactSchema),
    Kind("payment.captured", 1, "Points were spent on a payment; the rest of it is free again.", PaymentFactSchema),
    Kind("payment.released", 1, "A payment came to nothing, and its points are free again.", PaymentFactSchema),
    Kind("payment.refunded", 1, "Points of a payment went back.", PaymentFactSchema),
)
