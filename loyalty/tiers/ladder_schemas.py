"""Shapes of what marketers write: a ladder, with all that it may say."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validates, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.programs.schemas import TERM_DAYS_MAX, TERM_MONTHS_MAX, ExpirySchema
from loyalty.web.fields import ByName, Code, Locale, Patterned, Rate, Text, Whole

TIERS_MAX = 50
PERKS_MAX = 50
# Minor units, points or orders: more than anybody ever reaches.
THRESHOLD_MAX = 10**12
MULTIPLIER_MAX = Decimal(100)
# A year.
EARLY_ACCESS_HOURS_MAX = 8_760
GRACE_DAYS_MAX = 3_650


class LadderWindowSchema(Schema):
    """Over which time is counted: `{"mode": "lifetime"}`, `{"mode": "rolling", "months": 12}`, or the period so far.

    A rolling window, and it alone, has months, days, or both. Periods begin at midnight in the program's zone.
    """

    mode = fields.String(
        required=True,
        validate=OneOf(["lifetime", "rolling", "calendar_year", "calendar_quarter", "membership_year"]),
    )
    months = Whole(most=TERM_MONTHS_MAX, allow_none=True)
    days = Whole(most=TERM_DAYS_MAX, allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _one_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        lengths = [name for name in ("months", "days") if data.get(name)]
        if data["mode"] == "rolling" and not lengths:
            raise ValidationError('The mode "rolling" needs months or days.', "months")
        if data["mode"] != "rolling" and lengths:
            raise ValidationError('Belongs to the mode "rolling".', lengths[0])

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return _said(data)


class LadderValiditySchema(Schema):
    """How long a tier is kept once it was reached; `months` belong to the mode "months"."""

    mode = fields.String(required=True, validate=OneOf(["forever", "end_of_period", "end_of_next_period", "months"]))
    months = Whole(most=TERM_MONTHS_MAX, allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _one_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["mode"] == "months" and not data.get("months"):
            raise ValidationError('The mode "months" needs months, at least 1.', "months")
        if data["mode"] != "months" and data.get("months"):
            raise ValidationError('Belongs to the mode "months".', "months")

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return _said(data)


class LadderGraceSchema(Schema):
    """For how many days a tier is still held when it is no longer valid, to the end of that day or of its month."""

    days = Whole(most=GRACE_DAYS_MAX, load_default=0)
    round_to = fields.String(allow_none=True, validate=OneOf(["day", "month"]))

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return _said(data)

    @pre_dump
    def _whole(self, stored: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"days": 0, "round_to": None, **stored}


class TierBenefitsSchema(Schema):
    """What a tier gives: a multiplier of points, its own expiry, perks to be read, hours of early access."""

    multiplier = Rate(most=MULTIPLIER_MAX)
    expiry = fields.Nested(ExpirySchema, allow_none=True)
    perks = fields.List(Text(most=500), validate=Length(max=PERKS_MAX))
    early_access_hours = Whole(most=EARLY_ACCESS_HOURS_MAX)

    @validates("multiplier")
    def _at_least_one(self, value: Decimal, **_kwargs: Any) -> None:
        if value < 1:
            raise ValidationError("A tier adds to what orders earn: at least 1.")

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        kept = _said(data)
        if data.get("multiplier", 1) == 1:
            kept.pop("multiplier", None)
        else:
            kept["multiplier"] = format(data["multiplier"].normalize(), "f")
        return kept

    @pre_dump
    def _whole(self, stored: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {"multiplier": "1", "expiry": None, "perks": [], **stored}


class TierTranslationSchema(Schema):
    """A tier in another language; what is absent is read in the program's own."""

    name = Text(most=200)
    description = Text(most=2_000)
    perks = fields.List(Text(most=500), validate=Length(max=PERKS_MAX))

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return _said(data)


class LadderTierSchema(Schema):
    """One step of a ladder: from `threshold` on, in what its basis counts (spend in minor units)."""

    code = Code(required=True)
    name = Text(most=200, required=True)
    threshold = Whole(most=THRESHOLD_MAX, required=True)
    benefits = fields.Nested(TierBenefitsSchema, allow_none=True)
    description = Text(most=2_000, allow_none=True)
    color = Patterned("#[0-9A-Fa-f]{6}", error='Must be a colour such as "#C0C0C0".', allow_none=True)
    icon = Text(most=2_000, allow_none=True)
    translations = ByName(Locale(), TierTranslationSchema, validate=Length(max=100))

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        translations = _said(data.get("translations", {}))
        return _said({**data, "translations": translations}, but=("threshold",))

    @pre_dump
    def _whole(self, stored: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**stored, "benefits": stored.get("benefits", {})}


class NewLadderSchema(Schema):
    """A ladder: what counts, over which time, how long a tier is kept, and the tiers, lowest first."""

    basis = fields.String(required=True, validate=OneOf(["spend", "points_earned", "orders"]))
    window = fields.Nested(LadderWindowSchema, required=True)
    validity = fields.Nested(LadderValiditySchema, required=True)
    downgrade = fields.String(required=True, validate=OneOf(["none", "one_step", "full"]))
    grace = fields.Nested(LadderGraceSchema, allow_none=True)
    tiers = fields.List(fields.Nested(LadderTierSchema), required=True, validate=Length(min=1, max=TIERS_MAX))

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Without what says nothing, so that two ways of writing the same ladder are the same ladder."""
        return _said(data)

    @pre_dump
    def _whole(self, stored: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**stored, "grace": stored.get("grace", {})}


def _said(data: dict[str, Any], *, but: Iterable[str] = ()) -> dict[str, Any]:
    """What says something: no nulls, zeros, and nothing empty, `but` what does even so."""
    return {name: value for name, value in data.items() if name in but or value not in (None, [], {}, 0)}
