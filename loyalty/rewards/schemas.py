"""Shapes of rewards, as marketers write them and as everybody reads them."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.rewards.catalogue import RewardDraft
from loyalty.rewards.domain import FULFILMENTS, PERIODS, TYPES, NewReward, Reward, VoucherTerms
from loyalty.web.fields import ByName, Code, Flag, Instant, Locale, Matches, MinorUnits, Points, Text, Whole

# What a reward of a type must say of its value.
VALUE_NEEDED = {
    "discount_amount": "amount",
    "discount_percent": "percent",
    "free_product": "sku",
    "gift_card": "amount",
}
STOCK_MAX = 10**9
CONDITION_MAX = 4_000
LIST_MAX = 50
SORT_MAX = 1_000_000
VALID_DAYS_MAX = 36_500
CODES_MAX = 10_000
CODE_LENGTH_MAX = 64


class RewardValueSchema(Schema):
    """What the reward is worth: minor units, percent, or a product."""

    amount = MinorUnits(least=1, allow_none=True)
    percent = Whole(least=1, most=100, allow_none=True)
    sku = Text(most=64, allow_none=True)


class RewardVoucherSchema(Schema):
    """For how many days a code that the reward gives is valid (null: without end), and how often it can be used."""

    valid_days = Whole(least=1, most=VALID_DAYS_MAX, allow_none=True, load_default=None)
    uses = Whole(least=1, most=1_000_000, load_default=1)

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> VoucherTerms:
        return VoucherTerms(**data)


class RewardImageSchema(Schema):
    """A picture of the reward, with words for those who do not see it."""

    url = fields.String(
        required=True, validate=Matches(r"https?://[!-~]{1,2000}", error="Must be an http or https address.")
    )
    alt = Text(least=0, most=500, load_default="")


class RewardWordsSchema(Schema):
    """The words of a reward in another language; what is absent is said as in the reward itself."""

    name = Text(most=200)
    description = Text(most=5_000)
    terms = Text(most=20_000)


class NewRewardSchema(Schema):
    """A reward as a marketer writes it."""

    name = Text(most=200, required=True)
    type = fields.String(required=True, validate=OneOf(TYPES))
    points = Points(least=1, required=True)
    points_by_tier = ByName(
        Code(), Points(least=1), load_default=dict,
        metadata={"description": "What it costs members of a tier, where that differs."},
    )  # fmt: skip
    value = fields.Nested(RewardValueSchema, load_default=dict)
    stock = Whole(most=STOCK_MAX, allow_none=True, load_default=None)
    low_stock = Whole(
        least=1, most=STOCK_MAX, allow_none=True, load_default=None,
        metadata={"description": "At how many left `reward.stock_low` is told."},
    )  # fmt: skip
    limits = ByName(
        fields.String(validate=OneOf(PERIODS)), Whole(least=1, most=1_000_000, allow_none=True),
        load_default=dict,
        metadata={"description": "How often a member may have it, by calendar period of the program's zone, or ever."},
    )  # fmt: skip
    tiers = fields.List(Code(), validate=Length(max=LIST_MAX), load_default=list)
    segments = fields.List(
        Code(), validate=Length(max=LIST_MAX), load_default=list,
        metadata={"description": "Members of any of these may have it; without, everybody may."},
    )  # fmt: skip
    early_access = Flag(
        load_default=True, metadata={"description": "Whether tiers with early access have it before `valid_from`."}
    )
    when = Text(most=CONDITION_MAX, allow_none=True, load_default=None)
    valid_from = Instant(allow_none=True, load_default=None)
    valid_to = Instant(allow_none=True, load_default=None)
    fulfilment = fields.String(validate=OneOf(FULFILMENTS), load_default="none")
    voucher = fields.Nested(RewardVoucherSchema, load_default=VoucherTerms)
    description = Text(most=5_000, allow_none=True, load_default=None)
    terms = Text(most=20_000, allow_none=True, load_default=None)
    images = fields.List(fields.Nested(RewardImageSchema), validate=Length(max=LIST_MAX), load_default=list)
    categories = fields.List(Text(most=200), validate=Length(max=LIST_MAX), load_default=list)
    sort = Whole(
        least=-SORT_MAX, most=SORT_MAX, load_default=0,
        metadata={"description": "Among rewards that are equally near, the smaller stands first."},
    )  # fmt: skip
    translations = ByName(Locale(), RewardWordsSchema, load_default=dict)

    @validates_schema(skip_on_field_errors=True)
    def _makes_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        needed = VALUE_NEEDED.get(data["type"])
        if needed and data["value"].get(needed) is None:
            raise ValidationError({"value": {needed: [f"A {data['type']} needs it."]}})
        begin, end = data["valid_from"], data["valid_to"]
        if begin and end and end <= begin:
            raise ValidationError("Must be later than valid_from.", "valid_to")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewReward:
        value = {k: v for k, v in data["value"].items() if v is not None}
        limits = {k: v for k, v in data["limits"].items() if v is not None}
        lists = {name: tuple(data[name]) for name in ("tiers", "segments", "images", "categories")}
        return NewReward(**{**data, **lists, "value": value, "limits": limits})


class RewardContentSchema(Schema):
    """What a reward says."""

    name = fields.String(required=True)
    type = fields.String(required=True)
    points = fields.Integer(required=True)
    points_by_tier = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    value = fields.Nested(RewardValueSchema, required=True)
    stock = fields.Integer(required=True, allow_none=True)
    low_stock = fields.Integer(required=True, allow_none=True)
    limits = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    tiers = fields.List(fields.String(), required=True)
    segments = fields.List(fields.String(), required=True)
    early_access = fields.Boolean(required=True)
    when = fields.String(required=True, allow_none=True)
    valid_from = Instant(required=True, allow_none=True)
    valid_to = Instant(required=True, allow_none=True)
    fulfilment = fields.String(required=True)
    voucher = fields.Nested(RewardVoucherSchema, required=True)
    description = fields.String(required=True, allow_none=True)
    terms = fields.String(required=True, allow_none=True)
    images = fields.List(fields.Nested(RewardImageSchema), required=True)
    categories = fields.List(fields.String(), required=True)
    sort = fields.Integer(required=True)
    translations = fields.Dict(keys=fields.String(), values=fields.Nested(RewardWordsSchema), required=True)


class RewardSchema(RewardContentSchema):
    """A reward of the catalogue. `stock` is what is left of it.

    The version of one that was never published is 0.
    """

    code = fields.String(required=True)
    version = fields.Integer(required=True)
    status = fields.String(required=True, validate=OneOf(["published", "withdrawn", "draft"]))
    drafted = fields.Boolean(required=True)

    @pre_dump
    def _as_left(self, reward: Reward, **_kwargs: Any) -> dict[str, Any]:
        status = "draft" if not reward.version else "withdrawn" if reward.withdrawn else "published"
        return {**vars(reward), "stock": reward.left if reward.version else reward.stock, "status": status}


class RewardsSchema(Schema):
    """A page of the catalogue."""

    data = fields.List(fields.Nested(RewardSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class RewardDraftSchema(RewardContentSchema):
    """The next version of a reward. `stock` is what there will be to give, if it is another number than now."""

    version = fields.Integer(required=True)

    @pre_dump
    def _as_written(self, draft: RewardDraft, **_kwargs: Any) -> dict[str, Any]:
        return {**vars(draft.reward), "version": draft.version}


class RewardVersionSchema(RewardContentSchema):
    """A reward as it was published, or withdrawn, once. `stock` is what there was to give then."""

    version = fields.Integer(required=True)
    withdrawn = fields.Boolean(required=True)
    published_at = Instant(required=True)
    published_by = fields.String(required=True)

    @pre_dump
    def _as_stored(self, stored: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**vars(stored["reward"]), **stored}


class RewardVersionsSchema(Schema):
    """Every version of a reward."""

    data = fields.List(fields.Nested(RewardVersionSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class StockChangeSchema(Schema):
    """How many more there are to give, or fewer."""

    change = Whole(least=-STOCK_MAX, most=STOCK_MAX, required=True)


class NewCodesSchema(Schema):
    """Codes for the pool of a reward, in the order in which they are to be given."""

    codes = fields.List(
        Text(least=4, most=CODE_LENGTH_MAX), required=True, validate=Length(min=1, max=CODES_MAX),
        metadata={"description": "All of them are new, or none is taken."},
    )  # fmt: skip


class CodesAddedSchema(Schema):
    """How many codes were added, and how many there are to give now."""

    reward = fields.String(required=True)
    added = fields.Integer(required=True)
    left = fields.Integer(required=True)
