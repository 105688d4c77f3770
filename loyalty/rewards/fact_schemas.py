"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from loyalty.events.schemas import Kind
from loyalty.rewards.domain import FULFILMENTS, STATUSES
from loyalty.web.fields import Code, Flag, Instant, Points, ShopId, Text, Whole

STOCK_MAX = 10**9


class RedemptionFactSchema(Schema):
    """A redemption as it is now. Whether a voucher was issued is told, its code is not."""

    redemption_id = ShopId(required=True)
    reward = Code(required=True)
    points = Points(least=0, required=True)
    status = fields.String(required=True, validate=OneOf(STATUSES))
    reason = Text(most=200, required=True, allow_none=True)
    voucher_issued = Flag(required=True)
    fulfilment = fields.String(required=True, validate=OneOf(FULFILMENTS))


class RewardPublishedFactSchema(Schema):
    """A reward as it was published: what it costs, and from when until when it can be had."""

    reward = Code(required=True)
    version = fields.Integer(required=True, strict=True)
    first = Flag(required=True, metadata={"description": "Whether it was never published before."})
    points = Points(least=0, required=True)
    valid_from = Instant(required=True, allow_none=True)
    valid_to = Instant(required=True, allow_none=True)


class RewardWithdrawnFactSchema(Schema):
    """A reward that was taken out of the catalogue."""

    reward = Code(required=True)
    version = fields.Integer(required=True, strict=True)


class StockLowFactSchema(Schema):
    """What is left of a reward, and from how many on that is told."""

    reward = Code(required=True)
    remaining = Whole(most=STOCK_MAX, required=True)
    threshold = Whole(most=STOCK_MAX, required=True)


class OutOfStockFactSchema(Schema):
    """A reward of which nothing is left."""

    reward = Code(required=True)


KINDS = (
    Kind("redemption.held", 1, "Points are kept for a reward until it is confirmed.", RedemptionFactSchema),
    Kind("redemption.confirmed", 1, "Points were spent on a reward.", RedemptionFactSchema),
    Kind("redemption.fulfilled", 1, "The member has what the points were spent on.", RedemptionFactSchema),
    Kind("redemption.cancelled", 1, "A redemption was taken back, and its points with it.", RedemptionFactSchema),
    Kind("redemption.expired", 1, "Nobody confirmed a redemption in time.", RedemptionFactSchema),
    Kind("reward.published", 1, "A reward is new in the catalogue, or another.", RewardPublishedFactSchema),
    Kind("reward.withdrawn", 1, "A reward was taken out of the catalogue.", RewardWithdrawnFactSchema),
    Kind("reward.stock_low", 1, "Little is left of a reward.", StockLowFactSchema),
    Kind("reward.out_of_stock", 1, "Nothing is left of a reward.", OutOfStockFactSchema),
)
