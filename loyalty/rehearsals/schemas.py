"""Shapes of rehearsals."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length

from loyalty.earning.rule_schemas import RuleSchema, SegmentSchema
from loyalty.earning.schemas import RULES_MAX, SEGMENTS_MAX
from loyalty.rehearsals.domain import DAYS, NewRehearsal
from loyalty.web.fields import Instant, Whole

DAYS_MAX = 3_660


class NewRehearsalSchema(Schema):
    """On which orders a draft is to be tried: those of the last `days`, or placed `from` an instant and before `to`.

    Without `rules` it is the stored draft.
    """

    days = Whole(least=1, most=DAYS_MAX, allow_none=True)
    begin = Instant(data_key="from", allow_none=True)
    end = Instant(data_key="to", allow_none=True)
    rules = fields.List(fields.Nested(RuleSchema), allow_none=True, validate=Length(max=RULES_MAX))
    segments = fields.List(fields.Nested(SegmentSchema), validate=Length(max=SEGMENTS_MAX))

    @validates_schema(skip_on_field_errors=True)
    def _one_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        begin, end = data.get("begin"), data.get("end")
        if data.get("days") is not None and begin is not None:
            raise ValidationError("Give days, or from.", "days")
        if begin and end and end <= begin:
            raise ValidationError("Must be later than from.", "to")
        if data.get("segments") and data.get("rules") is None:
            raise ValidationError("Belong to rules, and there are none.", "segments")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewRehearsal:
        said = {name: value for name, value in data.items() if value is not None}
        return NewRehearsal(**{"days": DAYS, **said})


class ComparedSchema(Schema):
    """By the draft, as it was given, and the difference."""

    draft = fields.Integer(required=True)
    given = fields.Integer(required=True)
    difference = fields.Integer(required=True)


class RehearsedDaySchema(ComparedSchema):
    """A day of the program's zone: orders of members, and points."""

    date = fields.String(required=True, metadata={"format": "date"})
    orders = fields.Integer(required=True)


class FailuresSchema(Schema):
    """How often the condition of a rule could not be evaluated, and one example."""

    count = fields.Integer(required=True)
    example = fields.String(required=True, allow_none=True)


class RehearsedRuleSchema(Schema):
    """What became of a rule. `refused`: how often which condition did not hold; `cost` only for the unit points."""

    code = fields.String(required=True)
    unit = fields.String(required=True)
    awards = fields.Integer(required=True)
    points = fields.Integer(required=True)
    cost = fields.Integer(required=True, allow_none=True)
    orders_percent = fields.Float(required=True)
    cut = fields.Integer(required=True)
    refused = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    failures = fields.Nested(FailuresSchema, required=True)
    examples = fields.List(fields.String(), required=True)


class RehearsedBudgetSchema(Schema):
    """A budget: when it would run out or, where it does not, for how many days it lasts at this pace."""

    rule = fields.String(required=True)
    budget = fields.Integer(required=True)
    spent = fields.Integer(required=True)
    ran_out_at = fields.String(required=True, allow_none=True)
    lasts_days = fields.Integer(required=True, allow_none=True)


class TouchedMemberSchema(Schema):
    """A member: points given, and points by the draft."""

    customer_id = fields.String(required=True)
    before = fields.Integer(required=True)
    after = fields.Integer(required=True)
    difference = fields.Integer(required=True)


class RehearsalResultSchema(Schema):
    """What came out. Money is in minor units; `gain`, `lose` and `stay` count members."""

    orders = fields.Integer(required=True)
    guest_orders = fields.Integer(required=True)
    members = fields.Integer(required=True)
    revenue = fields.Integer(required=True)
    currency = fields.String(required=True)
    points = fields.Nested(ComparedSchema, required=True)
    cost = fields.Nested(ComparedSchema, required=True)
    other_units = fields.Dict(keys=fields.String(), values=fields.Nested(ComparedSchema), required=True)
    rules = fields.List(fields.Nested(RehearsedRuleSchema), required=True)
    budgets = fields.List(fields.Nested(RehearsedBudgetSchema), required=True)
    days = fields.List(fields.Nested(RehearsedDaySchema), required=True)
    gain = fields.Integer(required=True)
    lose = fields.Integer(required=True)
    stay = fields.Integer(required=True)
    winners = fields.List(fields.Nested(TouchedMemberSchema), required=True)
    losers = fields.List(fields.Nested(TouchedMemberSchema), required=True)
    notes = fields.List(fields.String(), required=True)


class ProgressSchema(Schema):
    """How far it is. The total is known once it has begun."""

    orders_done = fields.Integer(required=True)
    orders_total = fields.Integer(required=True, allow_none=True)


class ListedRehearsalSchema(Schema):
    """A rehearsal as it is listed. `status`: queued, running, done, failed or cancelled.

    `attempts`: how often it has begun; more than once if it was cut off.
    """

    rehearsal_id = fields.UUID(required=True)
    status = fields.String(required=True)
    begin = Instant(required=True, data_key="from", attribute="placed_from")
    end = Instant(required=True, data_key="to", attribute="placed_to")
    attempts = fields.Integer(required=True)
    progress = fields.Nested(ProgressSchema, required=True)
    requested_by = fields.String(required=True)
    requested_at = Instant(required=True)
    started_at = Instant(required=True, allow_none=True)
    finished_at = Instant(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)


class RehearsalSchema(ListedRehearsalSchema):
    """A rehearsal, with its result once it is done."""

    result = fields.Nested(RehearsalResultSchema, required=True, allow_none=True)


class RehearsalsSchema(Schema):
    """A page of rehearsals, newest first, without their results."""

    data = fields.List(fields.Nested(ListedRehearsalSchema), required=True)
    next = fields.String(required=True, allow_none=True)
