"""Shapes of earning rules."""

from dataclasses import asdict
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.programs.domain import POINTS
from loyalty.programs.schemas import ActivationSchema, ExpirySchema
from loyalty.programs.terms import Activation, Expiry
from loyalty.web.fields import Code, Instant, MinorUnits, NotYet, Rate, Text, Whole

RULES_MAX = 500
NAMES_MAX = 1_000
PRIORITY_MAX = 1_000_000


class PointsPerSchema(Schema):
    """`points` for every `amount` minor units."""

    amount = MinorUnits(least=1, required=True)
    points = Rate(required=True)


class RuleSchema(Schema):
    """An earning rule. Empty filters match everything; a category covers all that lies below it ("a > b")."""

    code = Code(required=True)
    kind = fields.String(required=True, validate=OneOf(["base"]))
    priority = Whole(required=True, most=PRIORITY_MAX)
    points_per = fields.Nested(PointsPerSchema, allow_none=True)
    points_per_unit = Whole(least=1, most=1_000_000, allow_none=True)
    categories = fields.List(Text(most=200), validate=Length(max=NAMES_MAX))
    skus = fields.List(Text(most=64), validate=Length(max=NAMES_MAX))
    exclude_categories = fields.List(Text(most=200), validate=Length(max=NAMES_MAX))
    exclude_skus = fields.List(Text(most=64), validate=Length(max=NAMES_MAX))
    channels = fields.List(Text(most=64), validate=Length(max=100))
    min_basis = MinorUnits()
    unit = Code()
    activation = fields.Nested(ActivationSchema, allow_none=True)
    expiry = fields.Nested(ExpirySchema, allow_none=True)
    valid_from = Instant(allow_none=True)
    valid_to = Instant(allow_none=True)
    tiers = NotYet()
    activity = NotYet()
    when = NotYet()
    caps = NotYet()

    @validates_schema(skip_on_field_errors=True)
    def _one_way_to_earn(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if (data.get("points_per") is None) == (data.get("points_per_unit") is None):
            raise ValidationError("A base rule gives either points_per or points_per_unit.", "points_per")
        begin, end = data.get("valid_from"), data.get("valid_to")
        if begin and end and end <= begin:
            raise ValidationError("Must be later than valid_from.", "valid_to")

    @post_load
    def _stored_form(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Without what says nothing, so that two ways of writing the same rule are the same rule."""
        kept = {name: value for name, value in data.items() if value not in (None, [], 0) or name == "priority"}
        if "points_per" in kept:
            kept["points_per"] = {**kept["points_per"], "points": format(kept["points_per"]["points"].normalize(), "f")}
        for name in ("valid_from", "valid_to"):
            if name in kept:
                kept[name] = kept[name].isoformat()
        return {key: value for key, value in kept.items() if (key, value) != ("unit", POINTS)}


class PublishedRuleSchema(RuleSchema):
    """A rule with the version that awards name."""

    version = fields.Integer()

    @pre_dump
    def _with_values(self, stored: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        shown = {"unit": POINTS, **stored}
        for name, kind in (("activation", Activation), ("expiry", Expiry)):
            if stored.get(name):
                shown[name] = asdict(kind(**stored[name]))
        for name in ("valid_from", "valid_to"):
            if name in stored:
                shown[name] = fields.AwareDateTime().deserialize(stored[name])
        return shown


class DraftRulesSchema(Schema):
    """The rules of a draft."""

    rules = fields.List(fields.Nested(RuleSchema), required=True, validate=Length(max=RULES_MAX))


class DraftSchema(Schema):
    """A draft."""

    version = fields.Integer(required=True)
    rules = fields.List(fields.Nested(PublishedRuleSchema), required=True)


class PublishSchema(Schema):
    """From when the rules are to judge orders: a future instant, or now."""

    effective_from = Instant(load_default=None, allow_none=True)


class RuleSetSchema(Schema):
    """Rules published together; `effective_from` null: from the beginning of time."""

    version = fields.Integer(required=True)
    effective_from = Instant(required=True, allow_none=True)
    published_at = Instant(required=True, allow_none=True)
    published_by = fields.String(required=True, allow_none=True)
    rules = fields.List(fields.Nested(PublishedRuleSchema), required=True)


class RuleSetsSchema(Schema):
    """All published sets, newest first."""

    data = fields.List(fields.Nested(RuleSetSchema), required=True)
    next = fields.String(required=True, allow_none=True)
