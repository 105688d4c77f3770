"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from loyalty.events.schemas import Kind
from loyalty.feedback.domain import SCALES
from loyalty.web.fields import Code, Flag, ShopId


class FeedbackFactSchema(Schema):
    """What a member answered. A comment is read with the feedback, and stands nowhere else."""

    feedback_id = ShopId(required=True)
    kind = fields.String(required=True, validate=OneOf(list(SCALES)))
    score = fields.Integer(required=True, strict=True)
    touchpoint = Code(required=True, allow_none=True)
    order_id = ShopId(required=True, allow_none=True)
    has_comment = Flag(required=True)


KINDS = (
    Kind("feedback.given", 1, "A member said how it was.", FeedbackFactSchema),
    Kind(
        "feedback.low",
        1,
        "A member gave a score so low that somebody should act (`feedback` of the program's settings).",
        FeedbackFactSchema,
    ),
)
