"""Shapes of scores."""

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from loyalty.features.outlook import LEVELS
from loyalty.kpis.scoring import NEVER_BOUGHT
from loyalty.web.fields import Instant


class ChurnSchema(Schema):
    """How likely it is that the member buys nothing within the days. Low: below 0.3; high: from 0.7 on."""

    probability = fields.Float(required=True)
    level = fields.String(required=True, validate=OneOf(LEVELS))


class ValueSchema(Schema):
    """What the member is expected to spend within the days, in minor units, before returns that are yet to come."""

    expected_spend = fields.Integer(required=True)
    currency = fields.String(required=True)
    fifth = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "5: of the fifth of the members who spent most of late. Null before the first count."},
    )


class BecauseSchema(Schema):
    """A number that the scores follow from, and the sentence that says it."""

    feature = fields.String(required=True, validate=OneOf(["days_since_last_order", "visits", "worth"]))
    value = fields.Float(required=True)
    text = fields.String(required=True)


class MemberScoresSchema(Schema):
    """The scores of a member; without any if the member never bought, or gave everything back."""

    customer_id = fields.String(required=True)
    as_of = Instant(required=True)
    within_days = fields.Integer(required=True)
    churn = fields.Nested(ChurnSchema, required=True, allow_none=True)
    value = fields.Nested(ValueSchema, required=True, allow_none=True)
    reason = fields.String(
        required=True,
        allow_none=True,
        validate=OneOf([NEVER_BOUGHT, None]),
        metadata={"description": "Why there are none."},
    )
    because = fields.List(fields.Nested(BecauseSchema), required=True)
    learned_from = fields.Integer(
        required=True,
        metadata={
            "description": "In what became of so many members of the program it was learned, at the last nightly "
            "count. 0: the program has had too few, so it is what another shop's customers did."
        },
    )
