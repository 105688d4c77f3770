"""Shapes of activities."""

from typing import Any

from marshmallow import Schema, fields

from loyalty.activities.domain import NewActivity
from loyalty.earning.award_schemas import AwardedPointsSchema, AwardSchema, RefusedSchema
from loyalty.ledger.schemas import BalanceBriefSchema, RuleVersionSchema
from loyalty.web.fields import Code, Document, Instant, ShopId
from loyalty.web.quick import QuickSchema


class NewActivitySchema(QuickSchema):
    """Something a member did that is not an order. `type` is what earning rules name as their `activity`."""

    activity_id = ShopId(required=True)
    customer_id = ShopId(required=True)
    type = Code(required=True)
    occurred_at = Instant(required=True)
    properties = Document()

    def build(self, data: dict[str, Any]) -> NewActivity:
        """A frozen activity."""
        return NewActivity(**data)


class ActivityTierSchema(Schema):
    """The member's tier after the activity."""

    code = fields.String(required=True)
    changed_from = fields.String(required=True, allow_none=True)


class ActivityReceiptSchema(Schema):
    """What recording an activity did; `refused` are the rules for its type that gave nothing."""

    activity_id = fields.String(required=True)
    customer_id = fields.String(required=True)
    type = fields.String(required=True)
    status = fields.String(required=True)
    points = fields.Nested(AwardedPointsSchema, required=True)
    awards = fields.List(fields.Nested(AwardSchema), required=True)
    refused = fields.List(fields.Nested(RefusedSchema), required=True)
    balance = fields.Nested(BalanceBriefSchema, required=True)
    tier = fields.Nested(ActivityTierSchema, required=True, allow_none=True)


class ActivityPreviewSchema(ActivityReceiptSchema):
    """What recording an activity would do (`status` is "preview"), and every rule that would give nothing."""

    rules_version = fields.Integer(required=True)


class ActivityExplanationSchema(Schema):
    """Every rule that judged an activity: what it gave, or why it gave nothing."""

    activity_id = fields.String(required=True)
    customer_id = fields.String(required=True)
    type = fields.String(required=True)
    occurred_at = Instant(required=True)
    rules_version = fields.Integer(required=True)
    awards = fields.List(fields.Nested(AwardSchema), required=True)
    refused = fields.List(fields.Nested(RefusedSchema), required=True)


class ActivitySchema(Schema):
    """An activity, as reported, with what it earned when it was recorded."""

    activity_id = fields.String(required=True)
    customer_id = fields.String(required=True)
    type = fields.String(required=True)
    status = fields.String(required=True)
    occurred_at = Instant(required=True)
    recorded_at = Instant(required=True)
    cancelled_at = Instant(required=True, allow_none=True)
    properties = fields.Dict(required=True)
    points = fields.Nested(AwardedPointsSchema, required=True)
    awards = fields.List(fields.Nested(AwardSchema), required=True)


class TakenBackPointsSchema(Schema):
    """What became of the points: taken back; lapsed before anybody had them; owed from now on; forgiven."""

    reversed = fields.Integer(required=True)
    expired = fields.Integer(required=True)
    debt = fields.Integer(required=True)
    forgiven = fields.Integer(required=True)


class TakenBackAwardSchema(TakenBackPointsSchema):
    """What became of one award's points."""

    rule = fields.Nested(RuleVersionSchema, required=True)
    unit = fields.String(required=True)


class ActivityCancellationSchema(Schema):
    """What cancelling an activity did."""

    activity_id = fields.String(required=True)
    status = fields.String(required=True)
    points = fields.Nested(TakenBackPointsSchema, required=True)
    awards = fields.List(fields.Nested(TakenBackAwardSchema), required=True)
    balance = fields.Nested(BalanceBriefSchema, required=True)
    tier = fields.Nested(ActivityTierSchema, allow_none=True)
