"""Shapes of what members are offered."""

from marshmallow import INCLUDE, Schema, fields
from marshmallow.validate import OneOf, Range

from loyalty.web.fields import Instant, Locale

LIMIT, LIMIT_MAX = 10, 50
LISTS = ("favourites", "win_back", "discover")
OPEN = ("assigned", "seen", "activated")
KINDS = ("bonus_points", "multiplier", "discount_amount", "discount_percent", "free_product")


class MemberOffersQuerySchema(Schema):
    """How many offers, and of which list."""

    limit = fields.Integer(
        load_default=LIMIT, validate=Range(1, LIMIT_MAX), metadata={"description": "How many offers at most."}
    )
    list = fields.String(
        validate=OneOf(LISTS),
        metadata={"description": "Those on what was bought lately, on what was bought before, or on what never was."},
    )
    locale = Locale(metadata={"description": "The language of titles and reasons; the member's unless given."})


class PromisedSchema(Schema):
    """What was promised to this member."""

    class Meta:
        """Of a number, some kinds have whole ones."""

        unknown = INCLUDE

    kind = fields.String(required=True, validate=OneOf(KINDS))
    value = fields.Raw(
        required=True,
        metadata={
            "oneOf": [{"type": "integer"}, {"type": "string"}],
            "description": "Points, a factor (as a text), minor units, percent, or pieces.",
        },
    )
    sku = fields.String()
    most = fields.Integer(metadata={"description": "The most that percent come to, in minor units."})


class OfferReasonSchema(Schema):
    """Why an offer fits a member, for people and, with its number and the orders it comes from, for machines."""

    feature = fields.String(required=True)
    value = fields.Raw(required=True, metadata={"oneOf": [{"type": "number"}, {"type": "string"}]})
    detail = fields.String(required=True)
    orders = fields.List(fields.String(), required=True)


class MemberOfferSchema(Schema):
    """An offer that a member has."""

    offer = fields.String(required=True)
    assignment_id = fields.UUID(required=True)
    title = fields.String(required=True)
    promise = fields.Nested(PromisedSchema, required=True)
    categories = fields.List(fields.String(), required=True)
    skus = fields.List(
        fields.String(), required=True, metadata={"description": "Without categories and SKUs: on the whole basket."}
    )
    min_basis = fields.Integer(required=True)
    status = fields.String(required=True, validate=OneOf(OPEN))
    activation = fields.String(required=True, validate=OneOf(("automatic", "opt_in")))
    assigned_at = Instant(required=True)
    seen_at = Instant(required=True, allow_none=True)
    activated_at = Instant(required=True, allow_none=True)
    valid_to = Instant(required=True)
    voucher = fields.String(
        required=True, allow_none=True, metadata={"description": "The code that keeps it, once it is activated."}
    )
    list = fields.String(required=True, validate=OneOf(LISTS))
    trigger = fields.String(
        required=True,
        metadata={"description": "`ranking`, `exploration` (by lot), or what happened: `win_back`, `referral`."},
    )
    rank = fields.Integer(required=True, metadata={"description": "1 is what fits best today."})
    score = fields.Float(required=True)
    probability = fields.Float(
        required=True,
        metadata={"description": "How likely it was, when it was given, that this would be bought."},
    )
    reasons = fields.List(fields.Nested(OfferReasonSchema), required=True)


class MemberOffersSchema(Schema):
    """What a member is offered, the best first."""

    customer_id = fields.String(required=True)
    as_of = Instant(required=True)
    locale = fields.String(required=True)
    data = fields.List(fields.Nested(MemberOfferSchema), required=True)
    holdout = fields.Boolean(
        required=True,
        metadata={"description": "Whether this member is given none, to show what offers bring."},
    )


class AssignmentStepSchema(Schema):
    """What became of an offer that a member was given."""

    assignment_id = fields.UUID(required=True)
    offer = fields.String(required=True)
    status = fields.String(required=True, validate=OneOf(("seen", "activated", "dismissed")))
    at = Instant(required=True)
    valid_to = Instant(required=True)
    voucher = fields.String(required=True, allow_none=True)
