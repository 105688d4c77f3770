"""Shapes of rehearsals of offers."""

from typing import Any, get_args

from marshmallow import Schema, fields, post_load
from marshmallow.validate import OneOf

from loyalty.personalisation.ranking import InList
from loyalty.personalisation.set_schemas import CheckOffersSchema
from loyalty.rehearsals.domain import OFFER_DAYS, NewOfferRehearsal
from loyalty.rehearsals.schemas import AnyRehearsalSchema, MembersProgressSchema
from loyalty.web.fields import Instant, Whole

DAYS_MAX = 366

LISTS = get_args(InList)


class NewOfferRehearsalSchema(CheckOffersSchema):
    """Which offers are to be tried, on the members who bought something in the last `days`.

    Without `offers` it is the stored draft.
    """

    days = Whole(least=1, most=DAYS_MAX, load_default=OFFER_DAYS)

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewOfferRehearsal:
        return NewOfferRehearsal(**data)


class HeldOutSchema(Schema):
    """Members who would be given an offer, were they not in the holdout: of the program, or of this offer."""

    program = fields.Integer(required=True)
    offer = fields.Integer(required=True)


class RehearsedOfferBudgetSchema(Schema):
    """How far the budget of an offer reaches, in what it costs.

    `spent`: by offers of the same code that there were. `reserved`: what vouchers take out of it while they are out.
    `used_percent`: the expected cost, of what is left. `runs_out`: the cost, or what is reserved, is more than is left.
    """

    limit = fields.Integer(required=True)
    spent = fields.Integer(required=True)
    reserved = fields.Integer(required=True)
    used_percent = fields.Float(required=True, allow_none=True)
    runs_out = fields.Boolean(required=True)


class RankedMemberSchema(Schema):
    """A member for whom an offer is, the place it has for them among all that are, and how likely they are to buy."""

    customer_id = fields.String(required=True)
    rank = fields.Integer(required=True)
    probability = fields.Float(required=True)
    list = fields.String(required=True, validate=OneOf(LISTS))


class BestMemberSchema(RankedMemberSchema):
    """A member who would be given an offer. `value`: what they would be promised, as a text."""

    value = fields.String(required=True)


class OverlookedMemberSchema(RankedMemberSchema):
    """A member who could be given an offer, and is not.

    `why`: `rank`, others fit better; `group`, they are given another of its group; `places`, it would be among the
    first ten, and lost its place to exploration or to the most that favourites may have.
    """

    why = fields.String(required=True, validate=OneOf(["rank", "group", "places"]))


class RehearsedOfferSchema(Schema):
    """What became of an offer: for how many members it is, why it is not for the others, and who would be given it.

    `in_top_3` and `in_top_10`: by rank, before places are given. `explored`: given by lot. `expected_redemptions`: the
    sum of the chances of those who are given it; `expected_cost` of these, null where nobody can know. `best` and
    `overlooked` name the likeliest of those who are given it, and those whom it fits best of those who are not.
    """

    code = fields.String(required=True)
    title = fields.String(required=True)
    eligible = fields.Integer(required=True)
    refused = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    in_top_3 = fields.Integer(required=True)
    in_top_10 = fields.Integer(required=True)
    given = fields.Integer(required=True)
    explored = fields.Integer(required=True)
    places_percent = fields.Float(required=True)
    held_out = fields.Nested(HeldOutSchema, required=True)
    expected_redemptions = fields.Float(required=True)
    cost_in = fields.String(required=True, validate=OneOf(["points", "money"]))
    expected_cost = fields.Integer(required=True, allow_none=True)
    budget = fields.Nested(RehearsedOfferBudgetSchema, required=True, allow_none=True)
    best = fields.List(fields.Nested(BestMemberSchema), required=True)
    overlooked = fields.List(fields.Nested(OverlookedMemberSchema), required=True)


class ListPlacesSchema(Schema):
    """How many places go to offers of a list."""

    list = fields.String(required=True, validate=OneOf(LISTS))
    places = fields.Integer(required=True)
    percent = fields.Float(required=True)


class OfferResultSchema(Schema):
    """What came out. Members are those who bought something in the time; `held_out` are given nothing at all.

    `expected_points_worth`: what the expected points are worth when they pay, in minor units.
    """

    members = fields.Integer(required=True)
    with_offers = fields.Integer(required=True)
    without_offers = fields.Integer(required=True)
    held_out = fields.Integer(required=True)
    currency = fields.String(required=True)
    places = fields.Integer(required=True)
    lists = fields.List(fields.Nested(ListPlacesSchema), required=True)
    expected_redemptions = fields.Float(required=True)
    expected_points = fields.Integer(required=True)
    expected_points_worth = fields.Integer(required=True)
    expected_amount = fields.Integer(required=True)
    offers = fields.List(fields.Nested(RehearsedOfferSchema), required=True)
    notes = fields.List(fields.String(), required=True)


class ListedOfferRehearsalSchema(AnyRehearsalSchema):
    """A rehearsal of offers as it is listed, on members who bought `from` an instant on.

    `status`: queued, running, done, failed or cancelled.
    """

    begin = Instant(required=True, data_key="from", attribute="placed_from")
    end = Instant(required=True, data_key="to", attribute="placed_to")
    progress = fields.Nested(MembersProgressSchema, required=True)


class OfferRehearsalSchema(ListedOfferRehearsalSchema):
    """A rehearsal of offers, with its result once it is done."""

    result = fields.Nested(OfferResultSchema, required=True, allow_none=True)


class OfferRehearsalsSchema(Schema):
    """A page of rehearsals of offers, newest first, without their results."""

    data = fields.List(fields.Nested(ListedOfferRehearsalSchema), required=True)
    next = fields.String(required=True, allow_none=True)
