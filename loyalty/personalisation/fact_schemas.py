"""Shapes of what the facts of `events` hold, and when each is told."""

from marshmallow import Schema, fields

from loyalty.events.schemas import Kind
from loyalty.web.fields import Instant


class OffersPublishedFactSchema(Schema):
    """A version that was published, and since when it is in force; null: from the beginning of time."""

    version = fields.Integer(required=True, strict=True)
    effective_from = Instant(required=True, allow_none=True)


KINDS = (Kind("offers.published", 1, "Members are given other offers, or will be.", OffersPublishedFactSchema),)
