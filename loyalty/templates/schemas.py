"""Shapes of the templates of messages."""

from typing import Any

from marshmallow import Schema, fields, post_load
from marshmallow.validate import OneOf

from loyalty.templates.sandboxing import SOURCE_MAX, SUBJECT_MAX
from loyalty.templates.templating import Source
from loyalty.web.fields import Instant, ShopId, Text

CATEGORIES = ("transactional", "marketing")
SOURCES = ("shipped", "own")
TYPES = ("points", "number", "text", "date", "money", "flag")


class NewTemplateSchema(Schema):
    """A template as somebody writes it. Without HTML, that is made of the text."""

    subject = Text(most=SUBJECT_MAX, required=True)
    text = Text(most=SOURCE_MAX, required=True)
    html = Text(most=SOURCE_MAX, allow_none=True, load_default=None)

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> Source:
        return Source(**data)


class TemplatePreviewSchema(Schema):
    """For whom a message is made, and what is changed of the template; nobody and nothing, if absent."""

    customer_id = ShopId(allow_none=True, load_default=None)
    subject = Text(most=SUBJECT_MAX)
    text = Text(most=SOURCE_MAX)
    html = Text(most=SOURCE_MAX, allow_none=True)


class TemplateSchema(Schema):
    """A template of messages: the engine's has version 0."""

    kind = fields.String(required=True)
    language = fields.String(required=True)
    source = fields.String(required=True, validate=OneOf(SOURCES))
    version = fields.Integer(required=True)
    subject = fields.String(required=True)
    text = fields.String(required=True)
    html = fields.String(required=True, allow_none=True)


class TemplateVersionSchema(Schema):
    """A template as it was published, or withdrawn, once."""

    version = fields.Integer(required=True)
    withdrawn = fields.Boolean(required=True)
    subject = fields.String(required=True)
    text = fields.String(required=True)
    html = fields.String(required=True, allow_none=True)
    published_at = Instant(required=True)
    published_by = fields.String(required=True)


class TemplateVersionsSchema(Schema):
    """Every version of a program's own template."""

    data = fields.List(fields.Nested(TemplateVersionSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class TemplateVariableSchema(Schema):
    """Something a template can say. A nullable one is not always known; `items[].text` is part of each of a list."""

    name = fields.String(required=True)
    type = fields.String(required=True, validate=OneOf(TYPES))
    nullable = fields.Boolean(required=True)


class TemplateLanguageSchema(Schema):
    """A language that there is a template in."""

    language = fields.String(required=True)
    source = fields.String(required=True, validate=OneOf(SOURCES))
    version = fields.Integer(required=True)


class MessageKindSchema(Schema):
    """A kind of message: when it is sent, and what its templates can say."""

    kind = fields.String(required=True)
    category = fields.String(required=True, validate=OneOf(CATEGORIES))
    when = fields.String(required=True)
    variables = fields.List(fields.Nested(TemplateVariableSchema), required=True)
    languages = fields.List(fields.Nested(TemplateLanguageSchema), required=True)


class MessageKindsSchema(Schema):
    """Every kind of message."""

    data = fields.List(fields.Nested(MessageKindSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class PreviewedMessageSchema(Schema):
    """A message as it would be sent; `sample`: to somebody made up. It is about what `message_id` is about."""

    subject = fields.String(required=True)
    text = fields.String(required=True)
    html = fields.String(required=True)
    language = fields.String(required=True)
    sample = fields.Boolean(required=True)
    message_id = fields.UUID(required=True, allow_none=True)
