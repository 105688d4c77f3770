"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from loyalty.events.schemas import Kind
from loyalty.notifications.domain import CHANNELS
from loyalty.templates.kinds import KINDS as MESSAGES
from loyalty.web.fields import Text

CATEGORIES = ("transactional", "marketing")


class MessageSentFactSchema(Schema):
    """A message that went out, by its kind; its words are not told."""

    message_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=OneOf(list(MESSAGES)))
    channel = fields.String(required=True, validate=OneOf(CHANNELS))


class MessageRequestedFactSchema(Schema):
    """What the shop is to tell the member, in its own words: `data` is that of the message's kind."""

    message_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=OneOf(list(MESSAGES)))
    category = fields.String(required=True, validate=OneOf(CATEGORIES))
    language = Text(most=35, required=True)
    data = fields.Dict(required=True)


KINDS = (
    Kind("message.sent", 1, "A message was sent to a member, or lies in the inbox.", MessageSentFactSchema),
    Kind(
        "message.requested", 1, "The shop is to send a member a message, on a channel of its own.",
        MessageRequestedFactSchema,
    ),
)  # fmt: skip
