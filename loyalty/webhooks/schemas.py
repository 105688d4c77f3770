"""Shapes of webhooks."""

from datetime import timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, pre_dump, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.core.outgoing import URL_LENGTH_MAX
from loyalty.web.arguments import WindowSchema
from loyalty.web.fields import Instant, Patterned, Text, Whole
from loyalty.webhooks.domain import REASONS, Issued, NewWebhook

TYPE_PATTERN = r"[a-z_]{1,32}(\.[a-z_]{1,32}){0,2}\.([a-z_]{1,32}|\*)"
TYPE_PATTERN_RULE = "Must be the type of a fact, such as points.earned, or all that begin so, such as points.*"
TYPES_MOST = 100
KEEP_SECONDS_MOST = 30 * 24 * 60 * 60
KEEP_SECONDS = 24 * 60 * 60
SEQUENCE_MOST = 10**15
STATUSES = ("waiting", "delivered")

URL = {"description": "Where to, by https. No user, password or fragment.", "example": "https://shop.example/loyalty"}
TYPES = {"description": "The types of facts it is told; `points.*` are all that begin so, and none named are all."}


def _url(**kwargs: Any) -> Text:
    return Text(most=URL_LENGTH_MAX, metadata=URL, **kwargs)


def _types(**kwargs: Any) -> fields.List[str]:
    each = Patterned(TYPE_PATTERN, error=TYPE_PATTERN_RULE)
    return fields.List(each, validate=Length(max=TYPES_MOST), metadata=TYPES, **kwargs)


class NewWebhookSchema(Schema):
    """A webhook to be made."""

    url = _url(required=True)
    types = _types(load_default=list)
    description = Text(most=200, least=0, load_default="")

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> NewWebhook:
        return NewWebhook(**{**data, "types": tuple(data["types"])})


class WebhookChangesSchema(Schema):
    """What is to be changed of a webhook; what is absent stays."""

    url = _url()
    types = _types()
    description = Text(most=200, least=0)


class SecretSchema(Schema):
    """A secret that signs now, without what it is."""

    created_at = Instant(required=True)
    expires_at = Instant(required=True, allow_none=True)


class WebhookSchema(Schema):
    """A webhook, and how it is doing.

    `sequence` is the last number that was given, `delivered` the last up to which everything has arrived; `waiting` is
    how many have not, the first of them since `waiting_since`.
    """

    webhook_id = fields.UUID(required=True)
    url = fields.String(required=True)
    types = fields.List(fields.String(), required=True)
    description = fields.String(required=True)
    status = fields.String(required=True, validate=OneOf(["active", "paused"]))
    paused_at = Instant(required=True, allow_none=True)
    paused_reason = fields.String(required=True, allow_none=True, validate=OneOf(REASONS))
    sequence = fields.Integer(required=True)
    delivered = fields.Integer(required=True)
    waiting = fields.Integer(required=True)
    waiting_since = Instant(required=True, allow_none=True)
    failing_since = Instant(required=True, allow_none=True)
    next_try_at = Instant(
        required=True,
        allow_none=True,
        metadata={"description": "Nobody answers: when the receiver is asked again, by one delivery."},
    )
    secrets = fields.List(fields.Nested(SecretSchema), required=True)
    version = fields.Integer(required=True)
    created_at = Instant(required=True)


WEBHOOK = tuple(WebhookSchema().fields)


class WebhooksSchema(Schema):
    """The webhooks of a program, oldest first."""

    data = fields.List(fields.Nested(WebhookSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class IssuedWebhookSchema(WebhookSchema):
    """A webhook with a new secret, which is shown this once; a replay of the request has null in its place."""

    secret = fields.String(required=True, allow_none=True)

    @pre_dump
    def _flatten(self, issued: Issued, **_kwargs: Any) -> dict[str, Any]:
        return {name: getattr(issued.webhook, name) for name in WEBHOOK} | {"secret": issued.secret}


class RotationSchema(Schema):
    """For how long the secret so far signs, too."""

    keep_previous_seconds = Whole(most=KEEP_SECONDS_MOST, load_default=KEEP_SECONDS)

    @post_load
    def _build(self, data: dict[str, Any], **_kwargs: Any) -> timedelta:
        return timedelta(seconds=data["keep_previous_seconds"])


class PingSchema(Schema):
    """What the receiver said: its status, or why there was none."""

    delivered = fields.Boolean(required=True, attribute="is_success", metadata={"description": "It answered 2xx."})
    status = fields.Integer(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    milliseconds = fields.Integer(required=True)


class ReplaySchema(Schema):
    """The numbers of what is to be sent again; `to` is the last one given, unless it is named."""

    first = Whole(least=1, most=SEQUENCE_MOST, required=True, data_key="from")
    last = Whole(least=1, most=SEQUENCE_MOST, load_default=None, allow_none=True, data_key="to")

    @validates_schema
    def _in_order(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if data["last"] is not None and data["last"] < data["first"]:
            raise ValidationError("Must not be less than from.", "to")


class ReplayedSchema(Schema):
    """What is sent again, and how much of it had arrived before; the rest waits anyway."""

    first = fields.Integer(required=True, attribute="from", data_key="from")
    to = fields.Integer(required=True)
    replayed = fields.Integer(required=True)


class DeliverySchema(Schema):
    """What became of one fact. While something earlier of the same member waits, `next_attempt_at` is null."""

    sequence = fields.Integer(required=True)
    event_id = fields.UUID(required=True)
    type = fields.String(required=True)
    customer_id = fields.String(required=True, allow_none=True)
    status = fields.String(required=True, validate=OneOf(STATUSES))
    given_at = Instant(required=True)
    attempts = fields.Integer(required=True)
    next_attempt_at = Instant(required=True, allow_none=True)
    last_status = fields.Integer(required=True, allow_none=True)
    last_error = fields.String(required=True, allow_none=True)
    last_milliseconds = fields.Integer(required=True, allow_none=True)
    delivered_at = Instant(required=True, allow_none=True)


class DeliveriesSchema(Schema):
    """A page of what a webhook is told, the latest first."""

    data = fields.List(fields.Nested(DeliverySchema), required=True)
    next = fields.String(required=True, allow_none=True)


class DeliveriesQuerySchema(WindowSchema):
    """Which deliveries, and how many of them."""

    status = fields.String(load_default=None, validate=OneOf(STATUSES))

    @post_load
    def build(self, data: dict[str, Any], **_kwargs: Any) -> Any:
        """The window, and the status."""
        status = data.pop("status")
        return {"window": super().build(data), "status": status}
