"""Shapes of what the facts about webhooks hold, and when each is told."""

from marshmallow import Schema, fields
from marshmallow.validate import OneOf

from loyalty.events.schemas import Kind
from loyalty.web.fields import Instant
from loyalty.webhooks.domain import REASONS


class WebhookPausedFactSchema(Schema):
    """A webhook that is told nothing until somebody resumes it, and why: asked for, answered 410, failing for days."""

    webhook_id = fields.UUID(required=True)
    reason = fields.String(required=True, validate=OneOf(REASONS))
    failing_since = Instant(required=True, allow_none=True)


class WebhookResumedFactSchema(Schema):
    """A webhook that is told again what it wants, from where it was paused."""

    webhook_id = fields.UUID(required=True)


KINDS = (
    Kind("webhook.paused", 1, "A webhook is told nothing until it is resumed.", WebhookPausedFactSchema),
    Kind("webhook.resumed", 1, "A webhook is told again what it wants.", WebhookResumedFactSchema),
)
