"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields

from loyalty.events.schemas import Kind
from loyalty.web.fields import Currency, Flag, Instant, ShopId


class OrderFactSchema(Schema):
    """An order, by its id."""

    order_id = ShopId(required=True)


class OrderRecordedFactSchema(OrderFactSchema):
    """What was bought, in short."""

    currency = Currency(required=True)
    total = fields.Integer(required=True, strict=True, metadata={"description": "In minor units."})
    points = fields.Integer(
        required=True, strict=True, metadata={"description": "What it was awarded in the unit `points`."}
    )
    lines = fields.Integer(required=True, strict=True, metadata={"description": "How many lines it has."})
    channel = fields.String(required=True, allow_none=True)
    guest = Flag(required=True)
    placed_at = Instant(required=True)


class OrderReturnedFactSchema(OrderFactSchema):
    """What was taken back for what came back."""

    return_id = ShopId(required=True)
    points = fields.Integer(
        required=True, strict=True, metadata={"description": "What was taken back in the unit `points`."}
    )
    complete = Flag(required=True, metadata={"description": "Whether all of the order has come back now."})


class OrderCancelledFactSchema(OrderFactSchema):
    """What was taken back when an order was cancelled."""

    points = fields.Integer(
        required=True, strict=True, metadata={"description": "What was taken back in the unit `points`."}
    )


KINDS = (
    Kind(
        "order.recorded", 1, "Somebody bought something; without a customer_id, a guest did.", OrderRecordedFactSchema
    ),
    Kind("order.confirmed", 1, "An order was confirmed: what waited for it matures.", OrderFactSchema),
    Kind("order.returned", 1, "Lines of an order came back.", OrderReturnedFactSchema),
    Kind("order.cancelled", 1, "An order was cancelled.", OrderCancelledFactSchema),
)
