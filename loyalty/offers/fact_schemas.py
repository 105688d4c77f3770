"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields

from loyalty.events.schemas import Kind
from loyalty.web.fields import Code, Flag, Instant, ShopId


class OfferFactSchema(Schema):
    """An offer that a member was given."""

    assignment_id = fields.UUID(required=True)
    offer = Code(required=True)
    title = fields.String(required=True, metadata={"description": "In the program's own language."})
    valid_to = Instant(required=True)


class PromiseFactSchema(Schema):
    """What was promised to this member."""

    kind = fields.String(required=True)
    value = fields.String(required=True, metadata={"description": "Points, a factor, minor units, percent, or pieces."})
    sku = fields.String()
    most = fields.Integer(strict=True)


class OfferAssignedFactSchema(OfferFactSchema):
    """What a member was given, and why."""

    promise = fields.Nested(PromiseFactSchema, required=True)
    trigger = fields.String(
        required=True, metadata={"description": "`ranking`, or what happened: `win_back`, `referral`."}
    )
    rank = fields.Integer(required=True, allow_none=True, strict=True)


class OfferRedeemedFactSchema(OfferFactSchema):
    """Which order fulfilled it, and what that gave."""

    order_id = ShopId(required=True, allow_none=True)
    points = fields.Integer(required=True, allow_none=True, strict=True)
    amount = fields.Integer(
        required=True, allow_none=True, strict=True, metadata={"description": "Off the price, in minor units."}
    )


class OfferReinstatedFactSchema(OfferFactSchema):
    """Which order it had been used for."""

    order_id = ShopId(required=True, allow_none=True)
    open = Flag(required=True, metadata={"description": "Whether there is time left to use it."})


KINDS = (
    Kind("offer.assigned", 1, "A member was given an offer.", OfferAssignedFactSchema),
    Kind("offer.seen", 1, "A member was shown an offer.", OfferFactSchema),
    Kind("offer.activated", 1, "An offer counts from now on.", OfferFactSchema),
    Kind("offer.redeemed", 1, "An order fulfilled an offer, or used its voucher.", OfferRedeemedFactSchema),
    Kind("offer.reinstated", 1, "The order that fulfilled an offer came back.", OfferReinstatedFactSchema),
    Kind("offer.dismissed", 1, "A member wants to hear no more of an offer.", OfferFactSchema),
    Kind("offer.expired", 1, "An offer ended unused.", OfferFactSchema),
)
