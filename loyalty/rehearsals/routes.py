"""Rehearsals: ask for one, look at it, stop it."""

from http import HTTPStatus
from uuid import UUID

from flask import g

from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict, NothingToPublish
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.earning.errors import RulesInvalid
from loyalty.rehearsals import queries, service
from loyalty.rehearsals.domain import NewRehearsal, Rehearsal
from loyalty.rehearsals.errors import RehearsalNotFound
from loyalty.rehearsals.examples import CANCELLED, NEW_REHEARSAL, QUEUED, REHEARSAL, REHEARSALS
from loyalty.rehearsals.schemas import NewRehearsalSchema, RehearsalSchema, RehearsalsSchema
from loyalty.web.arguments import WindowSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent

bp = Blueprint(
    "rehearsals", __name__, url_prefix="/v1/admin/earning-rules",
    description="Drafts of earning rules, tried on orders that were really placed.",
)  # fmt: skip


@bp.post("/rehearse")
@bp.refuses(NothingToPublish, RulesInvalid, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(NewRehearsalSchema(), example=NEW_REHEARSAL)
@bp.response(HTTPStatus.ACCEPTED, RehearsalSchema(), example=QUEUED)
def rehearse_earning_rules(session: Session, new: NewRehearsal) -> Rehearsal:
    """Try the draft, or the rules sent, on real orders. Nothing is written but the rehearsal; the worker does it."""
    caller = g.caller
    return service.request_rehearsal(session, caller.program_id, new, requested_by=str(caller.key_id), now=clock.now())


@bp.get("/rehearsals")
@reads
@bp.arguments(WindowSchema(), location="query")
@bp.response(200, RehearsalsSchema(), example=REHEARSALS)
def list_rehearsals(session: Session, window: Window) -> Page[Rehearsal]:
    """The program's rehearsals, newest first, without their results."""
    return queries.rehearsals(session, g.caller.program_id, window)


@bp.get("/rehearsals/<uuid:rehearsal_id>")
@bp.refuses(RehearsalNotFound)
@reads
@bp.response(200, RehearsalSchema(), example=REHEARSAL)
def get_rehearsal(session: Session, rehearsal_id: UUID) -> Rehearsal:
    """One rehearsal: how far it is and, once it is done, what came out."""
    return queries.rehearsal(session, g.caller.program_id, rehearsal_id)


@bp.post("/rehearsals/<uuid:rehearsal_id>/cancel")
@bp.refuses(RehearsalNotFound)
@transactional
@idempotent
@bp.response(200, RehearsalSchema(), example=CANCELLED)
def cancel_rehearsal(session: Session, rehearsal_id: UUID) -> Rehearsal:
    """Stop a rehearsal that is not over; it stops within seconds. One that is over stays as it is."""
    return service.cancel_rehearsal(session, g.caller.program_id, rehearsal_id, now=clock.now())
