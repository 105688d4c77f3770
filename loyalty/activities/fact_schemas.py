"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields

from loyalty.events.schemas import Kind
from loyalty.web.fields import Code


class ActivityFactSchema(Schema):
    """What a member did, and the points that were awarded for it, or taken back."""

    activity_id = fields.String(required=True)
    type = Code(required=True)
    points = fields.Integer(required=True, strict=True, metadata={"description": "In the unit `points`."})


KINDS = (
    Kind("activity.recorded", 1, "A member did something that can be rewarded.", ActivityFactSchema),
    Kind("activity.cancelled", 1, "What a member did was nothing after all.", ActivityFactSchema),
)
