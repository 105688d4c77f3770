"""Shapes of segments and their members."""

from marshmallow import Schema, fields

from loyalty.web.fields import Instant


class ShownSegmentSchema(Schema):
    """A segment, and how many members are in it.

    `built_in`: every program has it. `counted_at`: when all members had last been looked at (null: not yet); members
    who bought since were looked at then.
    """

    code = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    when = fields.String(required=True)
    built_in = fields.Boolean(required=True)
    size = fields.Integer(required=True)
    counted_at = Instant(required=True, allow_none=True)


class SegmentCountingSchema(Schema):
    """How many of the members have been looked at, in the look that is under way."""

    begun_at = Instant(required=True)
    done = fields.Integer(required=True)
    total = fields.Integer(required=True)


class ShownSegmentsSchema(Schema):
    """All segments that there are under the rules in force."""

    data = fields.List(fields.Nested(ShownSegmentSchema), required=True)
    counting = fields.Nested(SegmentCountingSchema, required=True, allow_none=True)
    next = fields.String(required=True, allow_none=True)


class SegmentMemberSchema(Schema):
    """A member of a segment; `since`: when that was found."""

    customer_id = fields.String(required=True)
    since = Instant(required=True)


class SegmentMembersSchema(Schema):
    """A page of the members of a segment."""

    data = fields.List(fields.Nested(SegmentMemberSchema), required=True)
    next = fields.String(required=True, allow_none=True)
