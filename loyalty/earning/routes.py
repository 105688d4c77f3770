"""Earning rules: read those in force, edit the draft, publish it."""

from typing import Any

from flask import g

from loyalty.access.guard import reading_operation
from loyalty.core import clock
from loyalty.core.errors import EffectiveFromPast, IdempotencyConflict, NothingToPublish, PreconditionMissing, Stale
from loyalty.core.findings import Finding
from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.earning import queries, service
from loyalty.earning.domain import Draft
from loyalty.earning.errors import RuleSetNotFound, RulesInvalid
from loyalty.earning.examples import BUDGETS, DRAFT, NEW_DRAFT, PUBLISH, REVIEW, RULE_SET, RULE_SETS
from loyalty.earning.schemas import (
    BudgetsSchema,
    CheckSchema,
    DraftRulesSchema,
    DraftSchema,
    PublishSchema,
    RuleSetSchema,
    RuleSetsSchema,
)
from loyalty.programs import service as programs
from loyalty.web.blueprints import Blueprint, etag, reads, require_version, transactional
from loyalty.web.findings import ReviewSchema
from loyalty.web.idempotency import idempotent
from loyalty.web.openapi import VERSIONED
from loyalty.web.requests import answer_once

bp = Blueprint("earning", __name__, url_prefix="/v1/admin/earning-rules", description="What orders earn.")


@bp.get("")
@reads
@bp.response(200, RuleSetSchema(), example=RULE_SET, headers=VERSIONED)
def get_earning_rules(session: Session) -> tuple[dict[str, Any], dict[str, str]]:
    """The rules in force now."""
    found = queries.stored_set(session, g.caller.program_id, version=None, now=clock.now())
    return found, etag(found["version"])


@bp.get("/versions")
@reads
@bp.response(200, RuleSetsSchema(), example=RULE_SETS)
def list_earning_rule_versions(session: Session) -> Page[dict[str, Any]]:
    """Every set of rules ever published, newest first; version 0 is what the program began with."""
    return Page(queries.stored_sets(session, g.caller.program_id, now=clock.now()), None)


@bp.get("/versions/<version:version>")
@bp.refuses(RuleSetNotFound)
@reads
@bp.response(200, RuleSetSchema(), example=RULE_SET)
def get_earning_rule_version(session: Session, version: int) -> dict[str, Any]:
    """One published set of rules."""
    return queries.stored_set(session, g.caller.program_id, version=version, now=clock.now())


@bp.get("/budgets")
@reads
@bp.response(200, BudgetsSchema(), example=BUDGETS)
def list_earning_rule_budgets(session: Session) -> Page[dict[str, Any]]:
    """What the rules in force that have a budget gave so far, and what is left."""
    return Page(queries.budgets_of(session, g.caller.program_id, now=clock.now()), None)


@bp.get("/draft")
@reads
@bp.response(200, DraftSchema(), example=DRAFT, headers=VERSIONED)
def get_earning_rules_draft(session: Session) -> tuple[Draft, dict[str, str]]:
    """The draft; where nobody has begun one, the rules in force, to begin from."""
    draft = queries.draft(session, g.caller.program_id, now=clock.now())
    return draft, etag(draft.version)


@bp.put("/draft")
@bp.refuses(PreconditionMissing, Stale)
@transactional
@bp.arguments(DraftRulesSchema(), example=NEW_DRAFT)
@bp.response(200, DraftSchema(), example=DRAFT, headers=VERSIONED)
def put_earning_rules_draft(session: Session, new: dict[str, Any]) -> tuple[Draft, dict[str, str]]:
    """Replace the draft. Needs If-Match with the ETag of a draft that is begun. Nothing changes for members."""
    now = clock.now()
    programs.touch(session, g.caller.program_id)
    current = queries.draft(session, g.caller.program_id, now=now)
    require_version(current.version, existing=current.begun)
    draft = service.save_draft(session, g.caller.program_id, new, actor=str(g.caller.key_id), now=now)
    return draft, etag(draft.version)


@bp.post("/check")
@reading_operation
@bp.refuses(NothingToPublish)
@reads
@bp.arguments(CheckSchema(), example=NEW_DRAFT)
@bp.response(200, ReviewSchema(), example=REVIEW)
def check_earning_rules(session: Session, given: dict[str, Any]) -> list[Finding]:
    """What is wrong with the draft, or with the rules that are sent, and what is probably not meant.

    Each finding says where, and what to do. Nothing is stored.
    """
    return queries.review(session, g.caller.program_id, given, now=clock.now())


@bp.post("/publish")
@bp.refuses(NothingToPublish, RulesInvalid, EffectiveFromPast, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(PublishSchema(), example=PUBLISH)
@bp.response(200, RuleSetSchema(), example=RULE_SET)
def publish_earning_rules(session: Session, wanted: dict[str, Any]) -> dict[str, Any]:
    """Publish the draft. Orders placed from `effective_from` on are judged by it, in every process at once."""
    programs.touch(session, g.caller.program_id)
    caller, begin = g.caller, wanted["effective_from"]
    published = service.publish(
        session, caller.program_id, effective_from=begin, published_by=str(caller.key_id), now=clock.now()
    )
    # Who is answered and then places an order is judged by the rules just published.
    answer_once(published["effective_from"])
    return published
