"""Shapes of feedback."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import OneOf

from loyalty.activities.schemas import ActivityTierSchema
from loyalty.earning.award_schemas import AwardedPointsSchema, AwardSchema, RefusedSchema
from loyalty.feedback.domain import COMMENT_LENGTH_MAX, SCALES, NewFeedback
from loyalty.feedback.queries import Wanted
from loyalty.ledger.schemas import BalanceBriefSchema
from loyalty.web.arguments import WindowSchema
from loyalty.web.fields import Code, Instant, ShopId, Text, Whole

_RANGES = ", ".join(f"{kind} {scale.least} to {scale.most}" for kind, scale in SCALES.items())
_SCORE_MAX = max(scale.most for scale in SCALES.values())


def kind_of_question(**kwargs: Any) -> fields.String:
    """What was asked."""
    rule = f"There is no such kind. There are: {', '.join(SCALES)}."
    return fields.String(validate=OneOf(list(SCALES), error=rule), **kwargs)


class NewFeedbackSchema(Schema):
    """What a member answered. `nps`: would they recommend it; `csat`: are they content; `ces`: was it easy."""

    feedback_id = ShopId(required=True)
    customer_id = ShopId(required=True)
    kind = kind_of_question(required=True)
    score = Whole(most=_SCORE_MAX, required=True, metadata={"description": f"By kind: {_RANGES}. High is good."})
    comment = Text(most=COMMENT_LENGTH_MAX, allow_none=True)
    order_id = ShopId(allow_none=True, metadata={"description": "The member's order that it is about."})
    touchpoint = Code(
        allow_none=True, metadata={"description": "Where it was that the member met the shop, such as delivery."}
    )
    answered_at = Instant(required=True)

    @validates_schema(skip_on_field_errors=True)
    def _score_of_its_kind(self, data: dict[str, Any], **_kwargs: Any) -> None:
        scale = SCALES[data["kind"]]
        if not scale.least <= data["score"] <= scale.most:
            raise ValidationError(f"The score of {data['kind']} must be {scale.least} to {scale.most}.", "score")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewFeedback:
        return NewFeedback(**data)


class FeedbackReceiptSchema(Schema):
    """What giving feedback did; `refused` are the rules for feedback that gave nothing."""

    feedback_id = fields.String(required=True)
    customer_id = fields.String(required=True)
    kind = fields.String(required=True)
    score = fields.Integer(required=True)
    activity_id = fields.String(
        required=True, metadata={"description": "The activity of the type `feedback` that was recorded with it."}
    )
    points = fields.Nested(AwardedPointsSchema, required=True)
    awards = fields.List(fields.Nested(AwardSchema), required=True)
    refused = fields.List(fields.Nested(RefusedSchema), required=True)
    balance = fields.Nested(BalanceBriefSchema, required=True)
    tier = fields.Nested(ActivityTierSchema, required=True, allow_none=True)


class FeedbackSchema(Schema):
    """An answer, as it was told."""

    feedback_id = fields.String(required=True)
    customer_id = fields.String(required=True)
    kind = fields.String(required=True)
    score = fields.Integer(required=True)
    comment = fields.String(required=True, allow_none=True)
    comment_erased_at = Instant(required=True, allow_none=True)
    order_id = fields.String(required=True, allow_none=True)
    touchpoint = fields.String(required=True, allow_none=True)
    answered_at = Instant(required=True)
    recorded_at = Instant(required=True)
    activity_id = fields.String(required=True)


class FeedbackListSchema(Schema):
    """A page of answers, newest first."""

    data = fields.List(fields.Nested(FeedbackSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class FeedbackQuerySchema(WindowSchema):
    """Which answers, and how many of them. Times are half-open."""

    kind = kind_of_question(load_default=None)
    max_score = fields.Integer(
        load_default=None, metadata={"description": "Scores up to this one. Needs `kind`: scales differ."}
    )
    touchpoint = Code(load_default=None)
    first = Instant(load_default=None, data_key="from")
    last = Instant(load_default=None, data_key="to")

    @validates_schema(skip_on_field_errors=True)
    def _of_one_scale(self, data: dict[str, Any], **_kwargs: Any) -> None:
        kind, most = data["kind"], data["max_score"]
        if most is None:
            return
        if kind is None:
            raise ValidationError("Needs a kind: each has a scale of its own.", "max_score")
        scale = SCALES[kind]
        if not scale.least <= most <= scale.most:
            raise ValidationError(f"The score of {kind} must be {scale.least} to {scale.most}.", "max_score")

    @post_load
    def build(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        """The window, and what is wanted."""
        names = ("kind", "max_score", "touchpoint", "first", "last")
        wanted = Wanted(**{name: data.pop(name) for name in names})
        return {"window": super().build(data), "wanted": wanted}
