"""Shapes of what marketers write: a rule, with all that it may say, and a segment."""

from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.earning.rules import WEEKDAYS
from loyalty.programs.domain import POINTS
from loyalty.programs.schemas import ActivationSchema, ExpirySchema
from loyalty.web.fields import Code, Instant, Matches, MinorUnits, Points, Rate, Text, Whole

NAMES_MAX = 1_000
PRIORITY_MAX = 1_000_000
EXPRESSION_MAX = 1_000

# What each kind of rule gives, and what belongs to other kinds.
GIVES = {"base": ("points_per", "points_per_unit"), "multiplier": ("factor",), "bonus": ("points",)}
OF_ORDERS = (
    "categories", "skus", "exclude_categories", "exclude_skus", "channels", "min_basis", "milestone",
)  # fmt: skip


class PointsPerSchema(Schema):
    """`points` for every `amount` minor units."""

    amount = MinorUnits(least=1, required=True)
    points = Rate(required=True)


class TimeWindowSchema(Schema):
    """Hours on the clocks of the program's zone: `{"weekdays": ["fri"], "from": "17:00", "to": "20:00"}`.

    No weekdays: every day. `to` may be earlier than `from`: a night, which belongs to the day on which it begins.
    """

    weekdays = fields.List(fields.String(validate=OneOf(WEEKDAYS)), validate=Length(max=7))
    begin = fields.String(
        attribute="from", data_key="from", validate=Matches("([01][0-9]|2[0-3]):[0-5][0-9]", error="Must be HH:MM.")
    )
    end = fields.String(
        attribute="to",
        data_key="to",
        validate=Matches("([01][0-9]|2[0-3]):[0-5][0-9]|24:00", error="Must be HH:MM, at most 24:00."),
    )

    @validates_schema(skip_on_field_errors=True)
    def _says_something(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if not any(data.values()):
            raise ValidationError("Name weekdays or hours.", "weekdays")
        if data.get("from", "00:00") == data.get("to", "24:00"):
            raise ValidationError("Must differ from `from`.", "to")


class MilestoneSchema(Schema):
    """Which of a member's orders count: one of `first` (so many), `nth` (that one) and `every` (each so many)."""

    first = Whole(least=1, most=1_000_000)
    nth = Whole(least=1, most=1_000_000)
    every = Whole(least=2, most=1_000_000)

    @validates_schema(skip_on_field_errors=True)
    def _one_of_them(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Give one of first, nth and every.", "first")


class BirthdaySchema(Schema):
    """Days around a member's birthday."""

    days_before = Whole(most=180, load_default=0)
    days_after = Whole(most=180, load_default=0)


class PerPeriodSchema(Schema):
    """At most so much in a calendar period of the program's zone, or ever."""

    day = Points(least=1, allow_none=True)
    week = Points(least=1, allow_none=True)
    month = Points(least=1, allow_none=True)
    quarter = Points(least=1, allow_none=True)
    year = Points(least=1, allow_none=True)
    ever = Points(least=1, allow_none=True)


class CapsSchema(Schema):
    """How many points a rule gives at the most: for an order, to a member in a period, to all members together."""

    per_order = Points(least=1, allow_none=True)
    per_member = fields.Nested(PerPeriodSchema, allow_none=True)
    budget = Points(least=1, allow_none=True)


class RuleSchema(Schema):
    """An earning rule. Empty filters match everything; a category covers all that lies below it ("a > b")."""

    code = Code(required=True)
    kind = fields.String(required=True, validate=OneOf(list(GIVES)))
    priority = Whole(required=True, most=PRIORITY_MAX)
    points_per = fields.Nested(PointsPerSchema, allow_none=True)
    points_per_unit = Whole(least=1, most=1_000_000, allow_none=True)
    factor = Rate(most=Decimal(1_000), allow_none=True)
    points = Points(least=1, allow_none=True)
    activity = Code(allow_none=True)
    categories = fields.List(Text(most=200), validate=Length(max=NAMES_MAX))
    skus = fields.List(Text(most=64), validate=Length(max=NAMES_MAX))
    exclude_categories = fields.List(Text(most=200), validate=Length(max=NAMES_MAX))
    exclude_skus = fields.List(Text(most=64), validate=Length(max=NAMES_MAX))
    channels = fields.List(Text(most=64), validate=Length(max=100))
    tiers = fields.List(Code(), validate=Length(max=100))
    segments = fields.List(Code(), validate=Length(max=100))
    time_windows = fields.List(fields.Nested(TimeWindowSchema), validate=Length(max=50))
    milestone = fields.Nested(MilestoneSchema, allow_none=True)
    birthday = fields.Nested(BirthdaySchema, allow_none=True)
    min_basis = MinorUnits()
    when = Text(most=EXPRESSION_MAX, allow_none=True)
    caps = fields.Nested(CapsSchema, allow_none=True)
    limits = fields.Nested(PerPeriodSchema, allow_none=True)
    cooldown_days = Whole(most=36_500)
    unit = Code()
    activation = fields.Nested(ActivationSchema, allow_none=True)
    expiry = fields.Nested(ExpirySchema, allow_none=True)
    valid_from = Instant(allow_none=True)
    valid_to = Instant(allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def _one_way_to_earn(self, data: dict[str, Any], **_kwargs: Any) -> None:
        kind = data["kind"]
        ways = GIVES[kind]
        if sum(data.get(name) is not None for name in ways) != 1:
            detail = f"A {kind} rule gives {'either ' if len(ways) > 1 else ''}{' or '.join(ways)}."
            raise ValidationError(detail, ways[0])
        for other, names in GIVES.items():
            for name in names:
                if other != kind and data.get(name) is not None:
                    raise ValidationError(f"Belongs to {other} rules.", name)
        if kind == "multiplier" and data["factor"] < 1:
            detail = "A multiplier adds to what lines earn: at least 1. To give less, exclude goods from the base rule."
            raise ValidationError(detail, "factor")

    @validates_schema(skip_on_field_errors=True)
    def _one_sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        begin, end = data.get("valid_from"), data.get("valid_to")
        if begin and end and end <= begin:
            raise ValidationError("Must be later than valid_from.", "valid_to")
        if data.get("activity") is not None:
            if data["kind"] != "bonus":
                raise ValidationError("Only a bonus is given for an activity.", "activity")
            for name in OF_ORDERS:
                if data.get(name):
                    raise ValidationError("Belongs to rules for orders: an activity has none.", name)

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Without what says nothing, so that two ways of writing the same rule are the same rule."""
        kept: dict[str, Any] = _said(data) | {"priority": data["priority"]}
        if "birthday" in data and data["birthday"] is not None:
            kept["birthday"] = data["birthday"]
        if "points_per" in kept:
            kept["points_per"] = {**kept["points_per"], "points": _plain(kept["points_per"]["points"])}
        if "factor" in kept:
            kept["factor"] = _plain(kept["factor"])
        for name in ("valid_from", "valid_to"):
            if name in kept:
                kept[name] = kept[name].isoformat()
        for name in ("activation", "expiry"):
            if name in kept:
                kept[name] = data[name]
        return {key: value for key, value in kept.items() if (key, value) != ("unit", POINTS)}


def _said(data: dict[str, Any]) -> dict[str, Any]:
    """What says something: no nulls, zeros, and nothing empty."""
    plain = {name: _said(value) if isinstance(value, dict) else value for name, value in data.items()}
    return {name: value for name, value in plain.items() if value not in (None, [], {}, 0)}


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")


class SegmentSchema(Schema):
    """Members who meet a condition on `member`, `history`, `features`, `now` and `local`.

    Rules, rewards and offers name segments by their code. One with the code of a segment that every program has takes
    its place.
    """

    code = Code(required=True)
    name = Text(most=200, required=True)
    when = Text(most=EXPRESSION_MAX, required=True)
