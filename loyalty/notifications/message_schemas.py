"""Shapes of messages: the inbox, what became of them, and putting them back."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from marshmallow.validate import Length, OneOf, Range

from loyalty.notifications.domain import CHANNELS, REASONS, STATUSES
from loyalty.notifications.settings_schemas import kind_name
from loyalty.web.arguments import WindowSchema
from loyalty.web.fields import Instant

REQUEUED_AT_ONCE_MAX = 200
SUMMARY_DAYS = 7
SUMMARY_DAYS_MAX = 366

# What is worth a list of its own in a program: what went wrong, what was kept back, and what waits.
LISTED = ("failed", "suppressed", "queued")


class InboxQuerySchema(WindowSchema):
    """Which messages of the inbox, and how many of them."""

    unread = fields.String(
        load_default="false",
        validate=OneOf(["true", "false"]),
        metadata={"description": "`true`: only what was not read yet."},
    )

    @post_load
    def build(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        """The window, and what the messages are filtered by."""
        unread = data.pop("unread") == "true"
        return {"window": super().build(data), "unread": unread}


class InboxMessageSchema(Schema):
    """A message in the inbox, in the member's language."""

    message_id = fields.UUID(required=True)
    kind = fields.String(required=True)
    category = fields.String(required=True)
    subject = fields.String(required=True)
    text = fields.String(required=True)
    language = fields.String(required=True)
    occurred_at = Instant(required=True)
    sent_at = Instant(required=True)
    read_at = Instant(required=True, allow_none=True)


class InboxSchema(Schema):
    """A page of the inbox, newest first. `unread` is counted up to 100."""

    data = fields.List(fields.Nested(InboxMessageSchema), required=True)
    next = fields.String(required=True, allow_none=True)
    unread = fields.Integer(required=True)


class ReadUpToSchema(Schema):
    """The newest message that was read; without it, everything was."""

    up_to = fields.UUID(load_default=None, allow_none=True)


class MarkedSchema(Schema):
    """How many messages became read or unread, and how many are unread now (up to 100)."""

    changed = fields.Integer(required=True)
    unread = fields.Integer(required=True)


class MemberMessagesQuerySchema(WindowSchema):
    """Which messages to a member, and how many of them."""

    channel = fields.String(load_default=None, validate=OneOf(CHANNELS))
    status = fields.String(load_default=None, validate=OneOf(STATUSES))

    @post_load
    def build(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        """The window, and what the messages are filtered by."""
        filters = {name: data.pop(name) for name in ("channel", "status")}
        return {"window": super().build(data), **filters}


class MessagesQuerySchema(WindowSchema):
    """Which messages of a program, and how many of them."""

    status = fields.String(load_default="failed", validate=OneOf(LISTED))
    kind = kind_name(load_default=None)
    channel = fields.String(load_default=None, validate=OneOf(CHANNELS))

    @post_load
    def build(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        """The window, and what the messages are filtered by."""
        filters = {name: data.pop(name) for name in ("status", "kind", "channel")}
        return {"window": super().build(data), **filters}


class ListedMessageSchema(Schema):
    """A message and what became of it: `why` says in a sentence for what reason it was not sent."""

    message_id = fields.UUID(required=True)
    customer_id = fields.String(required=True)
    kind = fields.String(required=True)
    category = fields.String(required=True)
    channel = fields.String(required=True)
    status = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    why = fields.String(required=True, allow_none=True)
    data = fields.Dict(required=True)
    occurred_at = Instant(required=True)
    created_at = Instant(required=True)
    due_at = Instant(required=True)
    decided_at = Instant(required=True, allow_none=True)
    sent_at = Instant(required=True, allow_none=True)
    read_at = Instant(required=True, allow_none=True)
    attempts = fields.Integer(required=True)
    last_error = fields.String(required=True, allow_none=True)
    digest_id = fields.UUID(required=True, allow_none=True)
    language = fields.String(required=True, allow_none=True)
    template_version = fields.Integer(required=True, allow_none=True)


class ListedMessagesSchema(Schema):
    """A page of messages, newest first."""

    data = fields.List(fields.Nested(ListedMessageSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class SummaryQuerySchema(Schema):
    """Of how many days."""

    days = fields.Integer(load_default=SUMMARY_DAYS, validate=Range(1, SUMMARY_DAYS_MAX))


class MessageCountSchema(Schema):
    """How many messages of a kind on a channel came to the same end."""

    kind = fields.String(required=True)
    channel = fields.String(required=True)
    status = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    messages = fields.Integer(required=True)


class MessageSummarySchema(Schema):
    """How many messages came to be since an instant.

    Of a status in `incomplete` there may be more: only the newest 20,000 were counted.
    """

    since = Instant(required=True)
    data = fields.List(fields.Nested(MessageCountSchema), required=True)
    incomplete = fields.List(fields.String(), required=True)


class RequeueSchema(Schema):
    """Failed messages by their ids, or all that failed on one channel for one reason."""

    message_ids = fields.List(fields.UUID(), validate=Length(min=1, max=REQUEUED_AT_ONCE_MAX))
    channel = fields.String(validate=OneOf(CHANNELS))
    reason = fields.String(validate=OneOf(list(REASONS)))

    @validates_schema(skip_on_field_errors=True)
    def _one_way(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if set(data) not in ({"message_ids"}, {"channel", "reason"}):
            raise ValidationError("Give message_ids, or a channel and a reason.")


class RequeuedSchema(Schema):
    """How many messages wait to be sent again; `more`: there are others like them, so send the request again."""

    requeued = fields.Integer(required=True)
    more = fields.Boolean(required=True)
