"""Shapes of rewards and redemptions."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import OneOf

from loyalty.ledger.schemas import BalanceBriefSchema
from loyalty.rewards.domain import FULFILMENTS, TYPES, NewRedemption, NewReward
from loyalty.web.fields import Code, Flag, Instant, MinorUnits, NotYet, Points, ShopId, Text, Whole

# What a reward of a type must say of its value.
VALUE_NEEDED = {
    "discount_amount": "amount",
    "discount_percent": "percent",
    "free_product": "sku",
    "gift_card": "amount",
}


class RewardValueSchema(Schema):
    """What the reward is worth: minor units, percent, or a product."""

    amount = MinorUnits(least=1, allow_none=True)
    percent = Whole(least=1, most=100, allow_none=True)
    sku = Text(most=64, allow_none=True)


class NewRewardSchema(Schema):
    """A reward as a marketer writes it."""

    name = Text(most=200, required=True)
    type = fields.String(required=True, validate=OneOf(TYPES))
    points = Points(least=1, required=True)
    value = fields.Nested(RewardValueSchema, load_default=dict)
    stock = Whole(most=10**9, allow_none=True, load_default=None)
    valid_from = Instant(allow_none=True, load_default=None)
    valid_to = Instant(allow_none=True, load_default=None)
    fulfilment = fields.String(validate=OneOf(FULFILMENTS), load_default="none")
    points_by_tier = NotYet()
    limits = NotYet()
    tiers = NotYet()
    when = NotYet()

    @validates_schema(skip_on_field_errors=True)
    def _makes_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        needed = VALUE_NEEDED.get(data["type"])
        if needed and data["value"].get(needed) is None:
            raise ValidationError({"value": {needed: [f"A {data['type']} needs it."]}})
        begin, end = data["valid_from"], data["valid_to"]
        if begin and end and end <= begin:
            raise ValidationError("Must be later than valid_from.", "valid_to")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewReward:
        value = {k: v for k, v in data["value"].items() if v is not None}
        kept = {k: v for k, v in data.items() if k not in ("points_by_tier", "limits", "tiers", "when")}
        return NewReward(**{**kept, "value": value})


class RewardSchema(Schema):
    """A reward of the catalogue."""

    code = fields.String(required=True)
    version = fields.Integer(required=True)
    name = fields.String(required=True)
    type = fields.String(required=True)
    points = fields.Integer(required=True)
    value = fields.Nested(RewardValueSchema, required=True)
    stock = fields.Integer(required=True, allow_none=True)
    valid_from = Instant(required=True, allow_none=True)
    valid_to = Instant(required=True, allow_none=True)
    fulfilment = fields.String(required=True)


class RewardsSchema(Schema):
    """A page of the catalogue."""

    data = fields.List(fields.Nested(RewardSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class NewRedemptionSchema(Schema):
    """A member's wish to have a reward, at once."""

    redemption_id = ShopId(required=True)
    reward = Code(required=True)
    hold = Flag(load_default=False, metadata={"description": "Holding is not available yet: false or absent."})
    hold_seconds = NotYet()

    @validates_schema(skip_on_field_errors=True)
    def _at_once(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["hold"]:
            raise ValidationError("Holding is not available yet; redeem at once.", "hold")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewRedemption:
        return NewRedemption(redemption_id=data["redemption_id"], reward=data["reward"])


class VoucherSchema(Schema):
    """A code to be used at checkout, and what it is worth."""

    code = fields.String(required=True)
    value = fields.Dict(required=True)
    expires_at = Instant(required=True, allow_none=True)


class RedemptionReceiptSchema(Schema):
    """What a redemption did."""

    redemption_id = fields.String(required=True)
    reward = fields.String(required=True)
    status = fields.String(required=True)
    points = fields.Integer(required=True)
    voucher = fields.Nested(VoucherSchema, required=True, allow_none=True)
    balance = fields.Nested(BalanceBriefSchema, required=True)


class RedemptionSchema(Schema):
    """A redemption."""

    redemption_id = fields.String(required=True)
    customer_id = fields.String(required=True)
    reward = fields.String(required=True)
    status = fields.String(required=True)
    points = fields.Integer(required=True)
    redeemed_at = Instant(required=True)
    voucher = fields.Nested(VoucherSchema, required=True, allow_none=True)
