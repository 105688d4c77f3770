"""Rehearsals: ask for one, look at it, stop it."""

from http import HTTPStatus
from uuid import UUID

from flask import g

from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict, NothingToPublish
from loyalty.db.paging import Page, Window
from loyalty.db.session import Session
from loyalty.earning.errors import RulesInvalid
from loyalty.rehearsals import ladders, queries, service
from loyalty.rehearsals.domain import NewLadderRehearsal, NewRehearsal, Rehearsal
from loyalty.rehearsals.errors import RehearsalNotFound
from loyalty.rehearsals.examples import (
    CANCELLED,
    LADDER_CANCELLED,
    LADDER_QUEUED,
    LADDER_REHEARSAL,
    LADDER_REHEARSALS,
    NEW_LADDER_REHEARSAL,
    NEW_REHEARSAL,
    QUEUED,
    REHEARSAL,
    REHEARSALS,
)
from loyalty.rehearsals.schemas import (
    LadderRehearsalSchema,
    LadderRehearsalsSchema,
    NewLadderRehearsalSchema,
    NewRehearsalSchema,
    RehearsalSchema,
    RehearsalsSchema,
)
from loyalty.tiers import errors as tiers
from loyalty.web.arguments import WindowSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent

bp = Blueprint(
    "rehearsals", __name__, url_prefix="/v1/admin/earning-rules",
    description="Drafts of earning rules, tried on orders that were really placed.",
)  # fmt: skip
of_ladders = Blueprint(
    "ladder-rehearsals", __name__, url_prefix="/v1/admin/ladder",
    description="Drafts of ladders, tried on the members there are.",
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
    return queries.rehearsals(session, g.caller.program_id, "earning_rules", window)


@bp.get("/rehearsals/<uuid:rehearsal_id>")
@bp.refuses(RehearsalNotFound)
@reads
@bp.response(200, RehearsalSchema(), example=REHEARSAL)
def get_rehearsal(session: Session, rehearsal_id: UUID) -> Rehearsal:
    """One rehearsal: how far it is and, once it is done, what came out."""
    return queries.rehearsal(session, g.caller.program_id, "earning_rules", rehearsal_id)


@bp.post("/rehearsals/<uuid:rehearsal_id>/cancel")
@bp.refuses(RehearsalNotFound)
@transactional
@idempotent
@bp.response(200, RehearsalSchema(), example=CANCELLED)
def cancel_rehearsal(session: Session, rehearsal_id: UUID) -> Rehearsal:
    """Stop a rehearsal that is not over; it stops within seconds. One that is over stays as it is."""
    program_id = g.caller.program_id
    return service.cancel_rehearsal(session, program_id, "earning_rules", rehearsal_id, now=clock.now())


@of_ladders.post("/rehearse")
@of_ladders.refuses(NothingToPublish, tiers.LadderInvalid, IdempotencyConflict)
@transactional
@idempotent
@of_ladders.arguments(NewLadderRehearsalSchema(), example=NEW_LADDER_REHEARSAL)
@of_ladders.response(HTTPStatus.ACCEPTED, LadderRehearsalSchema(), example=LADDER_QUEUED)
def rehearse_ladder(session: Session, new: NewLadderRehearsal) -> Rehearsal:
    """Try the draft, or the ladder sent, on all members. Nothing is written but the rehearsal; the worker does it."""
    program_id, by = g.caller.program_id, str(g.caller.key_id)
    return ladders.request_ladder_rehearsal(session, program_id, new, requested_by=by, now=clock.now())


@of_ladders.get("/rehearsals")
@reads
@of_ladders.arguments(WindowSchema(), location="query")
@of_ladders.response(200, LadderRehearsalsSchema(), example=LADDER_REHEARSALS)
def list_ladder_rehearsals(session: Session, window: Window) -> Page[Rehearsal]:
    """The program's rehearsals of ladders, newest first, without their results."""
    return queries.rehearsals(session, g.caller.program_id, "ladder", window)


@of_ladders.get("/rehearsals/<uuid:rehearsal_id>")
@of_ladders.refuses(RehearsalNotFound)
@reads
@of_ladders.response(200, LadderRehearsalSchema(), example=LADDER_REHEARSAL)
def get_ladder_rehearsal(session: Session, rehearsal_id: UUID) -> Rehearsal:
    """One rehearsal of a ladder: how far it is and, once it is done, who would stand where."""
    return queries.rehearsal(session, g.caller.program_id, "ladder", rehearsal_id)


@of_ladders.post("/rehearsals/<uuid:rehearsal_id>/cancel")
@of_ladders.refuses(RehearsalNotFound)
@transactional
@idempotent
@of_ladders.response(200, LadderRehearsalSchema(), example=LADDER_CANCELLED)
def cancel_ladder_rehearsal(session: Session, rehearsal_id: UUID) -> Rehearsal:
    """Stop a rehearsal that is not over; it stops within seconds. One that is over stays as it is."""
    return service.cancel_rehearsal(session, g.caller.program_id, "ladder", rehearsal_id, now=clock.now())
