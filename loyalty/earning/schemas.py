"""Shapes of sets of rules: drafts, what is published, budgets."""

from dataclasses import asdict
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_dump, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.earning.rule_schemas import RuleSchema, SegmentSchema
from loyalty.ledger.schemas import RuleVersionSchema
from loyalty.programs.domain import POINTS
from loyalty.programs.terms import Activation, Expiry
from loyalty.web.fields import Instant

RULES_MAX = 500
SEGMENTS_MAX = 100


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
    """The rules of a draft, and the segments they name."""

    rules = fields.List(fields.Nested(RuleSchema), required=True, validate=Length(max=RULES_MAX))
    segments = fields.List(fields.Nested(SegmentSchema), load_default=list, validate=Length(max=SEGMENTS_MAX))


class CheckSchema(DraftRulesSchema):
    """What to check: these rules, with the segments they name. Without rules, the draft as it is stored."""

    rules = fields.List(fields.Nested(RuleSchema), validate=Length(max=RULES_MAX))
    segments = fields.List(fields.Nested(SegmentSchema), validate=Length(max=SEGMENTS_MAX))

    @validates_schema(skip_on_field_errors=True)
    def _segments_of_rules(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "segments" in data and "rules" not in data:
            raise ValidationError("Send the rules, too.", "rules")


class DraftSchema(Schema):
    """A draft."""

    version = fields.Integer(required=True)
    rules = fields.List(fields.Nested(PublishedRuleSchema), required=True)
    segments = fields.List(fields.Nested(SegmentSchema), required=True)


class PublishSchema(Schema):
    """From when the rules are to judge orders: a future instant, or now."""

    effective_from = Instant(load_default=None, allow_none=True)


class RuleSetSchema(Schema):
    """Rules published together; `effective_from` null: from the beginning of time.

    `archived` rules judge only orders that were placed while they were in force, if they ever were.
    """

    version = fields.Integer(required=True)
    status = fields.String(required=True, validate=OneOf(["scheduled", "in_force", "archived"]))
    effective_from = Instant(required=True, allow_none=True)
    published_at = Instant(required=True, allow_none=True)
    published_by = fields.String(required=True, allow_none=True)
    rules = fields.List(fields.Nested(PublishedRuleSchema), required=True)
    segments = fields.List(fields.Nested(SegmentSchema), required=True)


class BudgetSchema(Schema):
    """What a rule with a budget gave to all members together. What was returned is not counted."""

    rule = fields.Nested(RuleVersionSchema, required=True)
    unit = fields.String(required=True)
    budget = fields.Integer(required=True)
    spent = fields.Integer(required=True)
    left = fields.Integer(required=True)


class BudgetsSchema(Schema):
    """The budgets of the rules in force."""

    data = fields.List(fields.Nested(BudgetSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class RuleSetsSchema(Schema):
    """All published sets, newest first."""

    data = fields.List(fields.Nested(RuleSetSchema), required=True)
    next = fields.String(required=True, allow_none=True)
