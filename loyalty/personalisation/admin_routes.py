"""The offers: read those in force, edit the draft, check it, publish it."""

from typing import Any

from flask import g

from loyalty.access.guard import reading_operation
from loyalty.core import clock
from loyalty.core.errors import EffectiveFromPast, IdempotencyConflict, NothingToPublish, PreconditionMissing, Stale
from loyalty.core.findings import Finding
from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.personalisation import drafts, publishing, sets
from loyalty.personalisation.admin_examples import (
    NEW_OFFERS,
    OFFER_SET,
    OFFER_SET_SUMMARY,
    OFFER_SETS,
    OFFERS_DRAFT,
    OFFERS_REVIEW,
    PUBLISH_OFFERS,
)
from loyalty.personalisation.errors import OfferSetNotFound, OffersInvalid
from loyalty.personalisation.set_schemas import (
    CheckOffersSchema,
    DraftOffersSchema,
    OffersDraftSchema,
    OfferSetSchema,
    OfferSetsSchema,
    OfferSetSummarySchema,
    PublishOffersSchema,
)
from loyalty.programs import service as programs
from loyalty.web.blueprints import Blueprint, etag, reads, require_version, transactional
from loyalty.web.findings import ReviewSchema
from loyalty.web.idempotency import idempotent
from loyalty.web.openapi import VERSIONED
from loyalty.web.requests import answer_once

bp = Blueprint("offers", __name__, url_prefix="/v1/admin/offers", description="The offers that members may be given.")


@bp.get("")
@bp.refuses(OfferSetNotFound)
@reads
@bp.response(200, OfferSetSchema(), example=OFFER_SET, headers=VERSIONED)
def get_offers(session: Session) -> tuple[dict[str, Any], dict[str, str]]:
    """The offers in force now. A new program has none."""
    found = sets.stored_set(session, g.caller.program_id, version=None, now=clock.now())
    return found, etag(found["version"])


@bp.get("/versions")
@reads
@bp.response(200, OfferSetsSchema(), example=OFFER_SETS)
def list_offer_versions(session: Session) -> Page[dict[str, Any]]:
    """Every set of offers ever published, newest first, without the offers themselves."""
    return Page(sets.summaries(session, g.caller.program_id, now=clock.now()), None)


@bp.get("/versions/<version:version>")
@bp.refuses(OfferSetNotFound)
@reads
@bp.response(200, OfferSetSchema(), example=OFFER_SET)
def get_offer_version(session: Session, version: int) -> dict[str, Any]:
    """One published set of offers."""
    return sets.stored_set(session, g.caller.program_id, version=version, now=clock.now())


@bp.get("/draft")
@reads
@bp.response(200, OffersDraftSchema(), example=OFFERS_DRAFT, headers=VERSIONED)
def get_offers_draft(session: Session) -> tuple[drafts.Draft, dict[str, str]]:
    """The draft; where nobody has begun one, the offers in force, to begin from, or none."""
    draft = drafts.draft(session, g.caller.program_id, now=clock.now())
    return draft, etag(draft.version)


@bp.put("/draft")
@bp.refuses(PreconditionMissing, Stale)
@transactional
@bp.arguments(DraftOffersSchema(), example=NEW_OFFERS)
@bp.response(200, OffersDraftSchema(), example=OFFERS_DRAFT, headers=VERSIONED)
def put_offers_draft(session: Session, new: dict[str, Any]) -> tuple[drafts.Draft, dict[str, str]]:
    """Replace the draft. Needs If-Match with the ETag of a draft that is begun. Nothing changes for members."""
    now = clock.now()
    programs.touch(session, g.caller.program_id)
    current = drafts.draft(session, g.caller.program_id, now=now)
    require_version(current.version, existing=current.begun)
    draft = publishing.save_draft(session, g.caller.program_id, new, actor=str(g.caller.key_id), now=now)
    return draft, etag(draft.version)


@bp.post("/check")
@reading_operation
@bp.refuses(NothingToPublish)
@reads
@bp.arguments(CheckOffersSchema(), example=NEW_OFFERS)
@bp.response(200, ReviewSchema(), example=OFFERS_REVIEW)
def check_offers(session: Session, given: dict[str, Any]) -> list[Finding]:
    """What is wrong with the draft, or with the offers that are sent, and what is probably not meant.

    Each finding says where, and what to do. Nothing is stored.
    """
    return drafts.review(session, g.caller.program_id, given, now=clock.now())


@bp.post("/publish")
@bp.refuses(NothingToPublish, OffersInvalid, EffectiveFromPast, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(PublishOffersSchema(), example=PUBLISH_OFFERS)
@bp.response(200, OfferSetSummarySchema(), example=OFFER_SET_SUMMARY)
def publish_offers(session: Session, wanted: dict[str, Any]) -> dict[str, Any]:
    """Publish the draft. Members are given these offers from `effective_from` on, by every process at once.

    What they were given before stays theirs, as it was promised, until it is over.
    """
    programs.touch(session, g.caller.program_id)
    caller, begin = g.caller, wanted["effective_from"]
    published = publishing.publish(
        session, caller.program_id, effective_from=begin, published_by=str(caller.key_id), now=clock.now()
    )
    answer_once(published["effective_from"])
    return published
