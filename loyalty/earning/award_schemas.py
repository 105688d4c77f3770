"""Shapes of what was earned, and of what was not."""

from marshmallow import Schema, fields

from loyalty.ledger.schemas import RuleVersionSchema
from loyalty.web.fields import Instant


class AwardedLineSchema(Schema):
    """How many of an award's points came from a line."""

    line_id = fields.String(required=True)
    points = fields.Integer(required=True)


class CutSchema(Schema):
    """A cap that left less room than the rule would have given: `per_order`, `budget`, or a period of a member.

    `points` is what the rule came to, `room` what the cap left of it.
    """

    cap = fields.String(required=True)
    limit = fields.Integer(required=True)
    room = fields.Integer(required=True)
    points = fields.Integer(required=True)


class AwardSchema(Schema):
    """Points that a rule gave. `cut` is there if a cap left less room."""

    rule = fields.Nested(RuleVersionSchema, required=True)
    unit = fields.String(required=True)
    points = fields.Integer(required=True)
    matures_at = Instant(required=True, allow_none=True)
    expires_at = Instant(required=True, allow_none=True)
    lines = fields.List(fields.Nested(AwardedLineSchema), required=True)
    reason = fields.String(required=True)
    cut = fields.Nested(CutSchema)


class AwardedPointsSchema(Schema):
    """How many points something brought: awarded, of these still pending, of these to be spent at once."""

    awarded = fields.Integer(required=True)
    pending = fields.Integer(required=True)
    available = fields.Integer(required=True)


class RefusedSchema(Schema):
    """A rule that gave nothing: the first condition that did not hold, and the values it saw.

    `missing` is what would make it, where that can be computed: `{"basis": 420}`, `{"orders": 2}`, `{"at": "…"}`.
    """

    rule = fields.Nested(RuleVersionSchema, required=True)
    condition = fields.String(required=True)
    detail = fields.String(required=True)
    values = fields.Dict(keys=fields.String(), required=True)
    missing = fields.Dict(keys=fields.String(), required=True, allow_none=True)
