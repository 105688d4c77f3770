"""Shapes of sets of offers: drafts, and what is published."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema
from marshmallow.validate import Length, OneOf

from loyalty.personalisation.offer_schemas import OfferSchema, PersonalisingSchema
from loyalty.web.fields import Instant

OFFERS_MAX = 2_000

STATUSES = ("scheduled", "in_force", "archived")


class DraftOffersSchema(Schema):
    """The offers of a draft, and how they are chosen for members."""

    offers = fields.List(fields.Nested(OfferSchema), required=True, validate=Length(max=OFFERS_MAX))
    personalising = fields.Nested(PersonalisingSchema, load_default=dict)


class CheckOffersSchema(DraftOffersSchema):
    """What to check: these offers. Without any, the draft as it is stored."""

    offers = fields.List(fields.Nested(OfferSchema), validate=Length(max=OFFERS_MAX))
    personalising = fields.Nested(PersonalisingSchema)

    @validates_schema(skip_on_field_errors=True)
    def _with_offers(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "personalising" in data and "offers" not in data:
            raise ValidationError("Send the offers, too.", "offers")


class ShownOffersSchema(Schema):
    """Offers as they were written, and how they are chosen."""

    offers = fields.List(fields.Nested(OfferSchema), required=True)
    personalising = fields.Nested(PersonalisingSchema, required=True)


class OffersDraftSchema(ShownOffersSchema):
    """A draft."""

    version = fields.Integer(required=True)


class PublishOffersSchema(Schema):
    """From when the offers may be given: a future instant, or now."""

    effective_from = Instant(load_default=None, allow_none=True)


class OfferSetSummarySchema(Schema):
    """Offers that were published together: how many, when, and by whom.

    `effective_from` null: from the beginning of time. Of an `archived` set nothing new is given; what members have of
    it they keep until it is over.
    """

    version = fields.Integer(required=True)
    status = fields.String(required=True, validate=OneOf(STATUSES))
    size = fields.Integer(required=True)
    effective_from = Instant(required=True, allow_none=True)
    published_at = Instant(required=True)
    published_by = fields.String(required=True)


class OfferSetSchema(OfferSetSummarySchema):
    """Offers that were published together."""

    offers = fields.List(fields.Nested(OfferSchema), required=True)
    personalising = fields.Nested(PersonalisingSchema, required=True)


class OfferSetsSchema(Schema):
    """All published sets of offers, newest first."""

    data = fields.List(fields.Nested(OfferSetSummarySchema), required=True)
    next = fields.String(required=True, allow_none=True)
