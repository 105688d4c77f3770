"""The templates of messages: what the engine brings, what a program writes instead, and what comes of it."""

from http import HTTPStatus
from typing import Any

from flask import g

from loyalty.access.guard import reading_operation
from loyalty.core import clock
from loyalty.core.errors import PreconditionMissing, Stale
from loyalty.core.findings import Finding
from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.programs import service as programs
from loyalty.templates import examples as e
from loyalty.templates import queries, service
from loyalty.templates import schemas as s
from loyalty.templates.errors import (
    LanguageUnknown,
    MessageKindNotFound,
    TemplateInvalid,
    TemplateNotFound,
)
from loyalty.templates.queries import Stored
from loyalty.templates.templating import Source
from loyalty.web.blueprints import Blueprint, etag, reads, require_version, transactional
from loyalty.web.findings import ReviewSchema
from loyalty.web.openapi import VERSIONED

bp = Blueprint(
    "notification-templates", __name__, url_prefix="/v1/admin/notification-templates", description="What members read."
)

ONE = "/<code:kind>/<shop_id:language>"


@bp.get("")
@reads
@bp.response(200, s.MessageKindsSchema(), example=e.MESSAGE_KINDS)
def list_notification_templates(session: Session) -> Page[dict[str, Any]]:
    """Every kind of message: when it is sent, what its templates can say, and in which languages there are some."""
    return Page(queries.overview(session, g.caller.program_id), None)


@bp.get(ONE)
@bp.refuses(MessageKindNotFound, LanguageUnknown, TemplateNotFound)
@reads
@bp.response(200, s.TemplateSchema(), example=e.TEMPLATE, headers=VERSIONED)
def get_notification_template(session: Session, kind: str, language: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The program's own template for a language, else the one that the engine brings: version 0."""
    found = queries.template(session, g.caller.program_id, kind, language)
    return found, etag(found["version"])


@bp.put(ONE)
@bp.refuses(MessageKindNotFound, LanguageUnknown, TemplateInvalid, PreconditionMissing, Stale)
@transactional
@bp.arguments(s.NewTemplateSchema(), example=e.NEW_TEMPLATE)
@bp.response(200, s.TemplateSchema(), example=e.TEMPLATE, headers=VERSIONED)
@bp.alt_response(HTTPStatus.CREATED, schema=s.TemplateSchema(), example=e.TEMPLATE, headers=VERSIONED, success=True)
def put_notification_template(
    session: Session, new: Source, kind: str, language: str
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Publish a template of the program's own: the first (201), or another version (200, needs If-Match)."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    programs.hold_still(session, program_id)
    version = queries.version_of(session, program_id, kind, language)
    require_version(version, existing=version > 0)
    made = service.publish(session, program_id, kind, language, new, actor=actor, now=clock.now())
    return made, HTTPStatus.OK if version else HTTPStatus.CREATED, etag(made["version"])


@bp.delete(ONE)
@bp.refuses(MessageKindNotFound, LanguageUnknown, TemplateNotFound)
@transactional
@bp.response(200, s.TemplateSchema(), example=e.SHIPPED_TEMPLATE, headers=VERSIONED)
def delete_notification_template(session: Session, kind: str, language: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Give up the program's own template for a language; answers what is used instead. Its versions stay readable."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    programs.hold_still(session, program_id)
    used = service.withdraw(session, program_id, kind, language, actor=actor, now=clock.now())
    return used, etag(used["version"])


@bp.get(f"{ONE}/versions")
@bp.refuses(MessageKindNotFound, LanguageUnknown, TemplateNotFound)
@reads
@bp.response(200, s.TemplateVersionsSchema(), example=e.TEMPLATE_VERSIONS)
def list_notification_template_versions(session: Session, kind: str, language: str) -> Page[Stored]:
    """The program's own template as it was published, or withdrawn, each time, newest first."""
    return Page(queries.versions(session, g.caller.program_id, kind, language), None)


@bp.post(f"{ONE}/check")
@reading_operation
@bp.refuses(MessageKindNotFound, LanguageUnknown)
@reads
@bp.arguments(s.NewTemplateSchema(), example=e.NEW_TEMPLATE)
@bp.response(200, ReviewSchema(), example=e.TEMPLATE_REVIEW)
def check_notification_template(_session: Session, new: Source, kind: str, language: str) -> list[Finding]:
    """What is wrong with a template, and what is probably not meant. Nothing is stored."""
    return service.review(kind, language, new)
