"""The ladder: read the one in force, edit the draft, publish it, see how members move to it."""

from typing import Any

from flask import g

from loyalty.access.guard import reading_operation
from loyalty.core import clock
from loyalty.core.errors import EffectiveFromPast, IdempotencyConflict, NothingToPublish, PreconditionMissing, Stale
from loyalty.core.findings import Finding
from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.programs import service as programs
from loyalty.tiers import drafts, queries, service
from loyalty.tiers.errors import LadderInvalid, LadderNotFound
from loyalty.tiers.examples import (
    LADDER,
    LADDER_DRAFT,
    LADDER_MOVES,
    LADDER_REVIEW,
    LADDERS,
    NEW_LADDER,
    PUBLISH_LADDER,
)
from loyalty.tiers.ladder_schemas import NewLadderSchema
from loyalty.tiers.schemas import (
    CheckLadderSchema,
    LadderDraftSchema,
    LadderMovesSchema,
    LadderSchema,
    LaddersSchema,
    PublishLadderSchema,
)
from loyalty.web.blueprints import Blueprint, etag, reads, require_version, transactional
from loyalty.web.findings import ReviewSchema
from loyalty.web.idempotency import idempotent
from loyalty.web.openapi import VERSIONED
from loyalty.web.requests import answer_once

bp = Blueprint("ladder", __name__, url_prefix="/v1/admin/ladder", description="The tiers of the program.")


@bp.get("")
@bp.refuses(LadderNotFound)
@reads
@bp.response(200, LadderSchema(), example=LADDER, headers=VERSIONED)
def get_ladder(session: Session) -> tuple[dict[str, Any], dict[str, str]]:
    """The ladder in force now. A new program has none."""
    found = queries.stored_ladder(session, g.caller.program_id, version=None, now=clock.now())
    return found, etag(found["version"])


@bp.get("/versions")
@reads
@bp.response(200, LaddersSchema(), example=LADDERS)
def list_ladder_versions(session: Session) -> Page[dict[str, Any]]:
    """Every ladder ever published, newest first."""
    return Page(queries.stored_ladders(session, g.caller.program_id, now=clock.now()), None)


@bp.get("/versions/<version:version>")
@bp.refuses(LadderNotFound)
@reads
@bp.response(200, LadderSchema(), example=LADDER)
def get_ladder_version(session: Session, version: int) -> dict[str, Any]:
    """One published ladder."""
    return queries.stored_ladder(session, g.caller.program_id, version=version, now=clock.now())


@bp.get("/moves")
@reads
@bp.response(200, LadderMovesSchema(), example=LADDER_MOVES)
def list_ladder_moves(session: Session) -> Page[dict[str, Any]]:
    """How far the members there were have been moved to each published ladder, newest first."""
    return Page(queries.moves(session, g.caller.program_id), None)


@bp.get("/draft")
@reads
@bp.response(200, LadderDraftSchema(), example=LADDER_DRAFT, headers=VERSIONED)
def get_ladder_draft(session: Session) -> tuple[dict[str, Any], dict[str, str]]:
    """The draft; where nobody has begun one, the ladder in force, to begin from, or one without tiers."""
    draft = drafts.draft(session, g.caller.program_id, now=clock.now())
    return {"version": draft.version, **draft.ladder}, etag(draft.version)


@bp.put("/draft")
@bp.refuses(PreconditionMissing, Stale)
@transactional
@bp.arguments(NewLadderSchema(), example=NEW_LADDER)
@bp.response(200, LadderDraftSchema(), example=LADDER_DRAFT, headers=VERSIONED)
def put_ladder_draft(session: Session, new: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Replace the draft. Needs If-Match with the ETag of a draft that is begun. Nothing changes for members."""
    now = clock.now()
    programs.touch(session, g.caller.program_id)
    current = drafts.draft(session, g.caller.program_id, now=now)
    require_version(current.version, existing=current.begun)
    draft = service.save_draft(session, g.caller.program_id, new, actor=str(g.caller.key_id), now=now)
    return {"version": draft.version, **draft.ladder}, etag(draft.version)


@bp.post("/check")
@reading_operation
@bp.refuses(NothingToPublish)
@reads
@bp.arguments(CheckLadderSchema(), example=NEW_LADDER)
@bp.response(200, ReviewSchema(), example=LADDER_REVIEW)
def check_ladder(session: Session, given: dict[str, Any]) -> list[Finding]:
    """What is wrong with the draft, or with the ladder that is sent, and what is probably not meant.

    Each finding says where, and what to do. Nothing is stored.
    """
    return drafts.review(session, g.caller.program_id, given, now=clock.now())


@bp.post("/publish")
@bp.refuses(NothingToPublish, LadderInvalid, EffectiveFromPast, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(PublishLadderSchema(), example=PUBLISH_LADDER)
@bp.response(200, LadderSchema(), example=LADDER)
def publish_ladder(session: Session, wanted: dict[str, Any]) -> dict[str, Any]:
    """Publish the draft. It counts from `effective_from` on, in every process at once.

    The members there are go where it puts them as `members` says; `GET …/moves` tells how far that is.
    """
    programs.touch(session, g.caller.program_id)
    program_id, begin, by = g.caller.program_id, wanted["effective_from"], str(g.caller.key_id)
    published = service.publish(
        session, program_id, moving=wanted["members"], effective_from=begin, published_by=by, now=clock.now()
    )
    answer_once(published["effective_from"])
    return published
