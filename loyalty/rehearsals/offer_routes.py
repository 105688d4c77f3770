"""Rehearsals of offers: ask for one, look at it, stop it."""

from http import HTTPStatus
from uuid import UUID

from flask import g

from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict, NothingToPublish
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.personalisation.errors import OffersInvalid
from loyalty.rehearsals import offers, queries, service
from loyalty.rehearsals.domain import NewOfferRehearsal, Rehearsal
from loyalty.rehearsals.errors import RehearsalNotFound
from loyalty.rehearsals.offer_examples import (
    NEW_OFFER_REHEARSAL,
    OFFER_REHEARSAL,
    OFFER_REHEARSALS,
    OFFERS_CANCELLED,
    OFFERS_QUEUED,
)
from loyalty.rehearsals.offer_schemas import NewOfferRehearsalSchema, OfferRehearsalSchema, OfferRehearsalsSchema
from loyalty.web.arguments import WindowSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent

bp = Blueprint(
    "offer-rehearsals", __name__, url_prefix="/v1/admin/offers",
    description="Drafts of offers, tried on the members who buy.",
)  # fmt: skip


@bp.post("/rehearse")
@bp.refuses(NothingToPublish, OffersInvalid, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(NewOfferRehearsalSchema(), example=NEW_OFFER_REHEARSAL)
@bp.response(HTTPStatus.ACCEPTED, OfferRehearsalSchema(), example=OFFERS_QUEUED)
def rehearse_offers(session: Session, new: NewOfferRehearsal) -> Rehearsal:
    """Try the draft, or the offers sent, on who bought lately. Nothing is given to anybody; the worker does it."""
    program_id, by = g.caller.program_id, str(g.caller.key_id)
    return offers.request_offer_rehearsal(session, program_id, new, requested_by=by, now=clock.now())


@bp.get("/rehearsals")
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, OfferRehearsalsSchema(), example=OFFER_REHEARSALS)
def list_offer_rehearsals(session: Session, window: Window) -> Page[Rehearsal]:
    """The program's rehearsals of offers, newest first, without their results."""
    return queries.rehearsals(session, g.caller.program_id, "offers", window)


@bp.get("/rehearsals/<uuid:rehearsal_id>")
@bp.refuses(RehearsalNotFound)
@reads
@bp.response(200, OfferRehearsalSchema(), example=OFFER_REHEARSAL)
def get_offer_rehearsal(session: Session, rehearsal_id: UUID) -> Rehearsal:
    """One rehearsal of offers: how far it is and, once it is done, who would be given what."""
    return queries.rehearsal(session, g.caller.program_id, "offers", rehearsal_id)


@bp.post("/rehearsals/<uuid:rehearsal_id>/cancel")
@bp.refuses(RehearsalNotFound)
@transactional
@idempotent
@bp.response(200, OfferRehearsalSchema(), example=OFFERS_CANCELLED)
def cancel_offer_rehearsal(session: Session, rehearsal_id: UUID) -> Rehearsal:
    """Stop a rehearsal that is not over; it stops within seconds. One that is over stays as it is."""
    return service.cancel_rehearsal(session, g.caller.program_id, "offers", rehearsal_id, now=clock.now())
