"""Shapes of a program's settings."""

import re
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.programs.domain import Program
from loyalty.programs.terms import Activation, Expiry
from loyalty.web.fields import ByName, Code, Currency, Flag, Locale, Matches, Rate, Text, Whole, Zone

TERM_DAYS_MAX = 36_500
TERM_MONTHS_MAX = 1_200
BALANCE_MAX = 1_000_000_000
RATES_MAX = 200


class ActivationSchema(Schema):
    """When points become available.

    `{"mode": "immediate"}`, `{"mode": "delay", "days": 14}` or `{"mode": "on_event", "deadline_days": 60}`: when the
    order is confirmed; never, if it is not within so many days (null: it may take its time).
    """

    mode = fields.String(required=True, validate=OneOf(["immediate", "delay", "on_event"]))
    days = Whole(most=TERM_DAYS_MAX)
    months = Whole(most=TERM_MONTHS_MAX)
    deadline_days = Whole(least=1, most=TERM_DAYS_MAX, allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _one_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        length = data.get("days", 0) + data.get("months", 0)
        if data["mode"] == "delay" and not length:
            raise ValidationError("A delay needs days or months.", "days")
        if data["mode"] != "delay" and length:
            raise ValidationError('Days and months belong to the mode "delay".', "mode")
        if data["mode"] != "on_event" and data.get("deadline_days") is not None:
            raise ValidationError('A deadline belongs to the mode "on_event".', "deadline_days")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return asdict(Activation(**data))

    @pre_dump
    def _only_what_the_mode_uses(self, value: Any, **_kwargs: Any) -> dict[str, Any]:
        return {k: v for k, v in _plain(value).items() if k == "mode" or v}


class ExpirySchema(Schema):
    """When points lapse.

    `{"mode": "never"}`, `{"mode": "rolling", "months": 12, "round_to": null}`, `{"mode": "calendar", "dates":
    ["12-31"]}` or `{"mode": "inactivity", "months": 12}`: so long after the member last earned or spent.
    """

    mode = fields.String(required=True, validate=OneOf(["never", "rolling", "calendar", "inactivity"]))
    days = Whole(most=TERM_DAYS_MAX)
    months = Whole(most=TERM_MONTHS_MAX)
    years = Whole(most=TERM_MONTHS_MAX // 12)
    round_to = fields.String(allow_none=True, validate=OneOf(["month", "quarter", "half_year", "year"]))
    dates = fields.List(
        fields.String(validate=Matches("(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])", error="Must be MM-DD.")),
        validate=Length(max=366),
    )

    @validates_schema(skip_on_field_errors=True)
    def _one_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        length = sum(data.get(name, 0) for name in ("days", "months", "years"))
        has_length = data["mode"] in ("rolling", "inactivity")
        if has_length and not length:
            raise ValidationError(f'The mode "{data["mode"]}" needs days, months or years.', "months")
        if not has_length and length:
            raise ValidationError('days, months and years belong to the modes "rolling" and "inactivity".', "mode")
        if data["mode"] != "rolling" and data.get("round_to"):
            raise ValidationError('round_to belongs to the mode "rolling".', "mode")
        if (data["mode"] == "calendar") != bool(data.get("dates")):
            raise ValidationError('The mode "calendar", and it alone, needs dates.', "dates")
        for text in data.get("dates", ()):
            month, day = (int(part) for part in re.split("-", text))
            if day > (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]:
                raise ValidationError(f"{text} is not a day of any year.", "dates")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return asdict(Expiry(**data))

    @pre_dump
    def _only_what_the_mode_uses(self, value: Any, **_kwargs: Any) -> dict[str, Any]:
        plain = _plain(value)
        return {k: v for k, v in plain.items() if k == "mode" or v or (k == "round_to" and plain["mode"] == "rolling")}


class UnitTermsSchema(Schema):
    """When points become available and when they lapse."""

    activation = fields.Nested(ActivationSchema, required=True)
    expiry = fields.Nested(ExpirySchema, required=True)


class EarnSettingsSchema(Schema):
    """What of an order earns."""

    tax = fields.String(validate=OneOf(["included", "excluded", "added"]))
    shipping = Flag()
    points_paid = Flag()


class StackingSchema(Schema):
    """What happens when several rules match."""

    base = fields.String(validate=OneOf(["sum", "best"]))
    multiplier = fields.String(validate=OneOf(["product", "best"]))


class ReturnSettingsSchema(Schema):
    """What a return does when the points are spent."""

    policy = fields.String(validate=OneOf(["clamp", "debt"]))
    grace_days = Whole(most=3_650)
    max_debt = Whole(most=BALANCE_MAX, allow_none=True)


class ReinstatementSettingsSchema(Schema):
    """For how many days lapsed points can be brought back, and for how many they live then."""

    window_days = Whole(most=3_650)
    valid_days = Whole(least=1, most=3_650)


class PaySettingsSchema(Schema):
    """Paying with points."""

    points = Whole(least=1, most=1_000_000)
    amount = Whole(least=1, most=1_000_000)
    min_points = Whole(most=1_000_000_000)
    max_percent = Whole(most=100)
    step = Whole(least=1, most=1_000_000)
    require_payment = Flag(metadata={"description": "An order with `points_paid` must name its payment."})


class FeedbackSettingsSchema(Schema):
    """Up to which score an answer tells `feedback.low`, by kind; null: none does."""

    nps_low = Whole(most=10, allow_none=True)
    csat_low = Whole(least=1, most=5, allow_none=True)
    ces_low = Whole(least=1, most=7, allow_none=True)


class AutoRedeemSchema(Schema):
    """The reward that is redeemed for members as soon as their points suffice."""

    reward = Code(required=True)


class ExpectedRateSchema(Schema):
    """What share of all points is expected to be redeemed, from a day on, instead of the share that is estimated."""

    since = fields.Date(required=True, data_key="from")
    rate = Rate(required=True, most=Decimal(1))
    reason = Text(required=True, most=500)

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        return {**data, "since": data["since"].isoformat(), "rate": format(data["rate"], "f")}

    @pre_dump
    def _with_a_date(self, value: Any, **_kwargs: Any) -> dict[str, Any]:
        plain = _plain(value)
        return {**plain, "since": date.fromisoformat(plain["since"])}


class LiabilitySchema(Schema):
    """What points are worth in the books: see the report `liability`."""

    value_per_point = Rate(
        allow_none=True,
        metadata={"description": 'In the currency: "0.01" is a cent. null: what a point pays, by `pay`.'},
    )
    redemption_rate = fields.List(
        fields.Nested(ExpectedRateSchema),
        validate=Length(max=RATES_MAX),
        metadata={"description": "Rates set by hand, the earliest first; without any they are estimated."},
    )

    @validates_schema(skip_on_field_errors=True)
    def _in_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        days = [rate["since"] for rate in data.get("redemption_rate", ())]
        for number, (one, next_one) in enumerate(pairwise(days), start=1):
            if one >= next_one:
                raise ValidationError({"redemption_rate": {number: {"from": ["Must be later than the one before."]}}})

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        if data.get("value_per_point") is not None:
            data["value_per_point"] = format(data["value_per_point"], "f")
        return data


class ProgramSettingsSchema(Schema):
    """What can be changed of a program. Everything is optional; what is absent stays."""

    name = Text(most=120)
    currency = Currency()
    time_zone = Zone()
    locale = Locale()
    auto_enrol = Flag()
    rounding = fields.String(validate=OneOf(["floor", "half_up", "ceil"]))
    earn = fields.Nested(EarnSettingsSchema)
    stacking = fields.Nested(StackingSchema)
    units = ByName(
        Code(),
        UnitTermsSchema,
        validate=Length(min=1, error="Name a unit."),
        metadata={"description": "Activation and expiry by unit. A unit that was added stays."},
    )
    returns = fields.Nested(ReturnSettingsSchema)
    reinstatement = fields.Nested(ReinstatementSettingsSchema)
    pay = fields.Nested(PaySettingsSchema)
    feedback = fields.Nested(FeedbackSettingsSchema)
    auto_redeem = fields.Nested(
        AutoRedeemSchema,
        allow_none=True,
        metadata={
            "description": "The reward, one that gives a code, that is redeemed for members by itself whenever their "
            "points suffice; null: none is."
        },
    )
    holdout_percent = Whole(most=100)
    liability = fields.Nested(LiabilitySchema)


class ProgramSchema(ProgramSettingsSchema):
    """A program's settings."""

    code = fields.String(required=True)
    sandbox = fields.Boolean(required=True)
    version = fields.Integer(required=True)

    @pre_dump
    def _as_document(self, program: Program, **_kwargs: Any) -> dict[str, Any]:
        return asdict(program)


def _plain(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else asdict(value)
