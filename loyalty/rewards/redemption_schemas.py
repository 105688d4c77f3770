"""Shapes of redemptions, and of what a member can have."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import OneOf

from loyalty.ledger.schemas import BalanceBriefSchema
from loyalty.rewards.domain import HOLD_SECONDS, HOLD_SECONDS_MAX, STATUSES, TYPES, NewRedemption
from loyalty.web.arguments import WindowSchema
from loyalty.web.fields import Code, Flag, Instant, Locale, ShopId, Text, Whole


class NewRedemptionSchema(Schema):
    """A member's wish to have a reward: at once, or held until it is confirmed."""

    redemption_id = ShopId(required=True)
    reward = Code(required=True)
    hold = Flag(load_default=False)
    hold_seconds = Whole(
        least=1, most=HOLD_SECONDS_MAX,
        metadata={"description": f"How long the points are held at the most; {HOLD_SECONDS} unless given."},
    )  # fmt: skip

    @validates_schema(skip_on_field_errors=True)
    def _one_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if not data["hold"] and "hold_seconds" in data:
            raise ValidationError('Belongs to "hold": true.', "hold_seconds")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewRedemption:
        return NewRedemption(**data)


class CancelRedemptionSchema(Schema):
    """Why a redemption is cancelled."""

    reason = Text(most=500, allow_none=True, load_default=None)


class FulfilRedemptionSchema(Schema):
    """What the shop calls the fulfilment, such as the number of a parcel."""

    reference = Text(most=200, allow_none=True, load_default=None)


class GivenVoucherSchema(Schema):
    """A code to be used at checkout, and what it is worth."""

    code = fields.String(required=True)
    value = fields.Dict(required=True)
    expires_at = Instant(required=True, allow_none=True)


class RedemptionReceiptSchema(Schema):
    """What a redemption did. `expires_at`: until when it is held."""

    redemption_id = fields.String(required=True)
    reward = fields.String(required=True)
    status = fields.String(required=True)
    points = fields.Integer(required=True)
    expires_at = Instant(required=True, allow_none=True)
    voucher = fields.Nested(GivenVoucherSchema, required=True, allow_none=True)
    balance = fields.Nested(BalanceBriefSchema, required=True)


class PointsReturnedSchema(Schema):
    """What became of points that came back.

    `returned` to the lot they came from, `extended` by a new one because that one had lapsed, or `forfeited`.
    """

    outcome = fields.String(required=True)
    points = fields.Integer(required=True)
    expires_at = Instant(required=True, allow_none=True)


class CancelledRedemptionSchema(RedemptionReceiptSchema):
    """What a cancelled redemption gave back. What was only held is in the balance at once, as if nothing had been."""

    points_returned = fields.List(fields.Nested(PointsReturnedSchema), required=True)


class FulfilledRedemptionSchema(RedemptionReceiptSchema):
    """A redemption that has come to its end."""

    reference = fields.String(required=True, allow_none=True)


class RedemptionSchema(Schema):
    """A redemption as it is now."""

    redemption_id = fields.String(required=True)
    customer_id = fields.String(required=True)
    reward = fields.String(required=True)
    reward_version = fields.Integer(required=True)
    status = fields.String(required=True)
    points = fields.Integer(required=True)
    fulfilment = fields.String(required=True)
    redeemed_at = Instant(required=True)
    expires_at = Instant(required=True, allow_none=True)
    confirmed_at = Instant(required=True, allow_none=True)
    fulfilled_at = Instant(required=True, allow_none=True)
    closed_at = Instant(required=True, allow_none=True)
    reference = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    voucher = fields.Nested(GivenVoucherSchema, required=True, allow_none=True)


class RedemptionsSchema(Schema):
    """A page of redemptions."""

    data = fields.List(fields.Nested(RedemptionSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class RedemptionsQuerySchema(WindowSchema):
    """Which redemptions: those in one status, such as the confirmed ones that are to be fulfilled."""

    status = fields.String(validate=OneOf(STATUSES), load_default="confirmed")

    @post_load
    def build(self, data: dict[str, Any], **kwargs: Any) -> Any:
        """The status, and a window."""
        return {"status": data.pop("status"), "window": super().build(data, **kwargs)}


class CatalogueQuerySchema(WindowSchema):
    """Which rewards, and in which language."""

    category = Text(most=200)
    type = fields.String(validate=OneOf(TYPES))
    locale = Locale()

    @post_load
    def build(self, data: dict[str, Any], **kwargs: Any) -> Any:
        """What is asked for, and a window."""
        window = super().build({name: data.pop(name) for name in ("limit", "after")}, **kwargs)
        return {**data, "window": window}


class MemberRewardsQuerySchema(CatalogueQuerySchema):
    """Which rewards, in which language; `available`: those that can be had now, or those that cannot."""

    available = fields.Boolean(truthy={"true"}, falsy={"false"})
