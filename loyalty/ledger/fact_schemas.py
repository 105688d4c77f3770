"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields
from marshmallow.validate import Range

from loyalty.events.schemas import Kind
from loyalty.web.fields import Code, Instant, Text


class PointsFactSchema(Schema):
    """Points of a member, and what the account holds after it."""

    unit = Code(required=True)
    points = fields.Integer(required=True, strict=True, validate=Range(min=1), metadata={"description": "How many."})
    waiting = fields.Integer(
        required=True, strict=True, metadata={"description": "How many of them cannot be spent yet."}
    )
    seq = fields.Integer(
        required=True,
        strict=True,
        metadata={"description": "The number of the member's last entry that it tells of: what is higher, came later."},
    )
    available = fields.Integer(required=True, strict=True, metadata={"description": "What can be spent after it."})
    pending = fields.Integer(required=True, strict=True, metadata={"description": "What has not matured after it."})
    held = fields.Integer(required=True, strict=True, metadata={"description": "What is kept for payments after it."})
    debt = fields.Integer(required=True, strict=True, metadata={"description": "What is owed after it."})
    order_id = fields.String(required=True, allow_none=True)
    reference = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The shop's own id of what it was for: a return, an activity, a transfer, a hold."},
    )
    rules = fields.List(Text(most=200), required=True, metadata={"description": "The rules that gave them."})
    matures_at = Instant(
        required=True, allow_none=True, metadata={"description": "When they mature, or have; the first of them."}
    )
    expires_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "When they lapse, the first of them; of points held, when they are free again."},
    )


class PointsAdjustedFactSchema(PointsFactSchema):
    """Points that somebody gave by hand, or took where they are negative."""

    points = fields.Integer(required=True, strict=True, metadata={"description": "How many, negative if taken."})


KINDS = (
    Kind("points.earned", 1, "Points were awarded, by one rule or several.", PointsFactSchema),
    Kind("points.matured", 1, "Pending points can be spent from now on.", PointsFactSchema),
    Kind("points.expired", 1, "Points lapsed.", PointsFactSchema),
    Kind("points.held", 1, "Points are kept for a payment.", PointsFactSchema),
    Kind("points.released", 1, "Points that were kept for a payment are free again.", PointsFactSchema),
    Kind("points.redeemed", 1, "Points were spent.", PointsFactSchema),
    Kind("points.reversed", 1, "Points were taken back that had been awarded.", PointsFactSchema),
    Kind("points.returned", 1, "Points that were spent went back to the member.", PointsFactSchema),
    Kind("points.adjusted", 1, "Points were given or taken by hand.", PointsAdjustedFactSchema),
    Kind("points.transferred_in", 1, "Points came from another member.", PointsFactSchema),
    Kind("points.transferred_out", 1, "Points went to another member.", PointsFactSchema),
    Kind("points.owed", 1, "Points are owed from now on, for what is taken back was spent.", PointsFactSchema),
    Kind(
        "points.debt_paid", 1, "Points are owed no more: they were paid, or whoever stays owes them.", PointsFactSchema
    ),
    Kind("points.reinstated", 1, "Lapsed points were brought back.", PointsFactSchema),
)
