"""Shapes of rehearsals."""

from typing import Any, get_args

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.earning.rule_schemas import RuleSchema, SegmentSchema
from loyalty.earning.schemas import RULES_MAX, SEGMENTS_MAX
from loyalty.rehearsals.domain import DAYS, NewLadderRehearsal, NewRehearsal
from loyalty.tiers.domain import Moving
from loyalty.tiers.ladder_schemas import NewLadderSchema
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

    orders_done = fields.Integer(required=True, attribute="done")
    orders_total = fields.Integer(required=True, allow_none=True, attribute="total")


class AnyRehearsalSchema(Schema):
    """What is said of rehearsals of all kinds."""

    rehearsal_id = fields.UUID(required=True)
    status = fields.String(required=True)
    attempts = fields.Integer(required=True)
    requested_by = fields.String(required=True)
    requested_at = Instant(required=True)
    started_at = Instant(required=True, allow_none=True)
    finished_at = Instant(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)


class ListedRehearsalSchema(AnyRehearsalSchema):
    """A rehearsal as it is listed. `status`: queued, running, done, failed or cancelled.

    `attempts`: how often it has begun; more than once if it was cut off.
    """

    begin = Instant(required=True, data_key="from", attribute="placed_from")
    end = Instant(required=True, data_key="to", attribute="placed_to")
    progress = fields.Nested(ProgressSchema, required=True)


class RehearsalSchema(ListedRehearsalSchema):
    """A rehearsal, with its result once it is done."""

    result = fields.Nested(RehearsalResultSchema, required=True, allow_none=True)


class RehearsalsSchema(Schema):
    """A page of rehearsals, newest first, without their results."""

    data = fields.List(fields.Nested(ListedRehearsalSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class NewLadderRehearsalSchema(Schema):
    """Which ladder is to be tried, and what publishing it would do to the members there are.

    Without `ladder` it is the stored draft.
    """

    ladder = fields.Nested(NewLadderSchema, allow_none=True)
    members = fields.String(validate=OneOf(get_args(Moving)), load_default="now")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewLadderRehearsal:
        return NewLadderRehearsal(**data)


class MoveSchema(Schema):
    """Members who would go from one tier to another (or stay), and some of them. `from` null: there is no ladder."""

    source = fields.String(required=True, allow_none=True, data_key="from", attribute="from")
    target = fields.String(required=True, data_key="to", attribute="to")
    members = fields.Integer(required=True)
    named = fields.List(fields.String(), required=True)


class RehearsedTierSchema(Schema):
    """A tier of the draft, or one that it does not have any more: how many members are there, and would be."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    threshold = fields.Integer(required=True)
    before = fields.Integer(required=True)
    after = fields.Integer(required=True)


class MovedMemberSchema(Schema):
    """A member who would go up or down. `value`: what counts for the tier; `valid_until` null: without end."""

    customer_id = fields.String(required=True)
    source = fields.String(required=True, allow_none=True, data_key="from", attribute="from")
    target = fields.String(required=True, data_key="to", attribute="to")
    value = fields.Integer(required=True)
    valid_until = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})


class LadderCostSchema(Schema):
    """An estimate for the members whose multiplier would change.

    The points that rules gave them in the last `days`, what they would have been, and what the difference is worth in
    minor units.
    """

    days = fields.Integer(required=True)
    members = fields.Integer(required=True)
    given = fields.Integer(required=True)
    draft = fields.Integer(required=True)
    difference = fields.Integer(required=True)
    amount = fields.Integer(required=True)


class NearSchema(Schema):
    """Members below a tier who have at least nine tenths of what it takes."""

    code = fields.String(required=True)
    threshold = fields.Integer(required=True)
    members = fields.Integer(required=True)


class LadderResultSchema(Schema):
    """What came out. `up`, `down` and `same` count members."""

    members = fields.Integer(required=True)
    currency = fields.String(required=True)
    basis = fields.String(required=True)
    matrix = fields.List(fields.Nested(MoveSchema), required=True)
    tiers = fields.List(fields.Nested(RehearsedTierSchema), required=True)
    up = fields.Integer(required=True)
    down = fields.Integer(required=True)
    same = fields.Integer(required=True)
    winners = fields.List(fields.Nested(MovedMemberSchema), required=True)
    losers = fields.List(fields.Nested(MovedMemberSchema), required=True)
    cost = fields.Nested(LadderCostSchema, required=True)
    near = fields.List(fields.Nested(NearSchema), required=True)
    notes = fields.List(fields.String(), required=True)


class MembersProgressSchema(Schema):
    """How far it is. The total, known once it has begun, is of members who ever bought something."""

    members_done = fields.Integer(required=True, attribute="done")
    members_total = fields.Integer(required=True, allow_none=True, attribute="total")


class ListedLadderRehearsalSchema(AnyRehearsalSchema):
    """A rehearsal of a ladder as it is listed. `status`: queued, running, done, failed or cancelled."""

    progress = fields.Nested(MembersProgressSchema, required=True)


class LadderRehearsalSchema(ListedLadderRehearsalSchema):
    """A rehearsal of a ladder, with its result once it is done."""

    result = fields.Nested(LadderResultSchema, required=True, allow_none=True)


class LadderRehearsalsSchema(Schema):
    """A page of rehearsals of ladders, newest first, without their results."""

    data = fields.List(fields.Nested(ListedLadderRehearsalSchema), required=True)
    next = fields.String(required=True, allow_none=True)
