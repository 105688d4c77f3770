"""Shapes of a sandbox's clock."""

from marshmallow import Schema, fields

from loyalty.web.fields import Instant


class NewClockSchema(Schema):
    """What time it is to be in the sandbox."""

    now = Instant(required=True)


class ClockSchema(Schema):
    """What time it is in the sandbox; it flows on from there."""

    now = Instant(required=True)
    ahead_seconds = fields.Integer(required=True, metadata={"description": "Ahead of the real time by so much."})


class MovedClockSchema(ClockSchema):
    """The clock as it was set, and how many members had something due until then that was settled at once."""

    settled = fields.Integer(required=True)
