"""Shapes of the catalogue as people see it."""

from marshmallow import INCLUDE, Schema, fields
from marshmallow.validate import OneOf

from loyalty.rewards.availability import FARTHEST
from loyalty.rewards.schemas import RewardImageSchema, RewardValueSchema
from loyalty.web.fields import Instant


class _CommonSchema(Schema):
    code = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    terms = fields.String(required=True, allow_none=True)
    type = fields.String(required=True)
    points = fields.Integer(required=True)
    value = fields.Nested(RewardValueSchema, required=True)
    currency = fields.String(required=True)
    stock = fields.Integer(required=True, allow_none=True, metadata={"description": "What is left; null: no end."})
    valid_from = Instant(required=True, allow_none=True)
    valid_to = Instant(required=True, allow_none=True)
    fulfilment = fields.String(required=True)
    images = fields.List(fields.Nested(RewardImageSchema), required=True)
    categories = fields.List(fields.String(), required=True)


class CatalogueRewardSchema(_CommonSchema):
    """A reward, for everybody."""

    version = fields.Integer(required=True)
    points_by_tier = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    limits = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    tiers = fields.List(fields.String(), required=True)


class CatalogueSchema(Schema):
    """A page of the catalogue."""

    data = fields.List(fields.Nested(CatalogueRewardSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class UnavailableSchema(Schema):
    """Why a member cannot have a reward, for people and, with the facts of it, for machines."""

    class Meta:
        """The facts depend on the reason."""

        unknown = INCLUDE

    code = fields.String(required=True, validate=OneOf(FARTHEST))
    detail = fields.String(required=True)
    required = fields.Integer()
    available = fields.Integer()
    missing = fields.Integer()
    valid_from = Instant()
    valid_to = Instant()
    tier = fields.String(allow_none=True)
    tiers = fields.List(fields.String())
    needed = fields.String()
    limit = fields.Integer()
    period = fields.String()
    available_from = Instant(allow_none=True)


class MemberRewardSchema(_CommonSchema):
    """A reward as a member sees it: what it costs them, from when they can have it, and what keeps it away."""

    available = fields.Boolean(required=True)
    missing = fields.Integer(required=True)
    summary = fields.String(required=True)
    reasons = fields.List(fields.Nested(UnavailableSchema), required=True)
    limits_left = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    early_access = fields.Boolean(required=True)


class NextRewardSchema(Schema):
    """The reward that takes the fewest points more."""

    reward = fields.String(required=True)
    name = fields.String(required=True)
    missing = fields.Integer(required=True)


class MemberRewardsSchema(Schema):
    """What a member can have, and what keeps the rest away; the nearest first."""

    customer_id = fields.String(required=True)
    member_status = fields.String(
        required=True, metadata={"description": "Only an active member can redeem, whatever could be had."}
    )
    as_of = Instant(required=True)
    locale = fields.String(required=True)
    unit = fields.String(required=True)
    available_points = fields.Integer(required=True)
    tier = fields.String(required=True, allow_none=True)
    next_reward = fields.Nested(NextRewardSchema, required=True, allow_none=True)
    data = fields.List(fields.Nested(MemberRewardSchema), required=True)
    next = fields.String(required=True, allow_none=True)
