"""Shapes of what conditions may name."""

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from loyalty.rules.vocabulary import KINDS, SCOPES


class FieldSchema(Schema):
    """A value that conditions may name; amounts are minor units. `optional`: null where it is not known."""

    name = fields.String(required=True)
    type = fields.String(attribute="kind", required=True, validate=OneOf(KINDS))
    optional = fields.Boolean(required=True)
    description = fields.String(required=True)
    example = fields.Raw(required=True, allow_none=True)
    scopes = fields.List(fields.String(validate=OneOf(SCOPES)), required=True)
    below = fields.List(fields.Nested(lambda: FieldSchema()), attribute="fields", data_key="fields", required=True)  # noqa: PLW0108 (itself)


class ScopeSchema(Schema):
    """What a condition is asked of."""

    scope = fields.String(required=True, validate=OneOf(SCOPES))
    description = fields.String(required=True)
    variables = fields.List(fields.String(), required=True)


class FunctionSchema(Schema):
    """A function, and how it is written."""

    name = fields.String(required=True)
    example = fields.String(required=True)


class BoundsSchema(Schema):
    """What a condition may be at most."""

    length = fields.Integer(required=True)
    nesting = fields.Integer(required=True)
    list_items = fields.Integer(required=True)
    branches = fields.Integer(required=True)
    pattern_length = fields.Integer(required=True)


class RuleExampleSchema(Schema):
    """A condition to begin from."""

    scope = fields.String(required=True, validate=OneOf(SCOPES))
    when = fields.String(required=True)
    description = fields.String(required=True)


class RuleContextSchema(Schema):
    """Everything that is needed to write conditions (in CEL, the Common Expression Language)."""

    scopes = fields.List(fields.Nested(ScopeSchema), required=True)
    variables = fields.List(fields.Nested(FieldSchema), required=True)
    functions = fields.List(fields.Nested(FunctionSchema), required=True)
    macros = fields.List(fields.Nested(FunctionSchema), required=True)
    bounds = fields.Nested(BoundsSchema, required=True)
    examples = fields.List(fields.Nested(RuleExampleSchema), required=True)
