"""What a program tells its members, and what became of it, for who runs it."""

from typing import Any

from flask import g

from loyalty.access.guard import reading_operation
from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict, PreconditionMissing, Stale
from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.members.errors import MemberNotFound
from loyalty.notifications import arranging, listing, previewing
from loyalty.notifications import examples as e
from loyalty.notifications import message_schemas as s
from loyalty.notifications.arranging import Arranged
from loyalty.notifications.domain import Settings
from loyalty.notifications.listing import ListedMessage, Requeued, Summary
from loyalty.notifications.settings_schemas import NewNotificationSettingsSchema, NotificationSettingsSchema
from loyalty.programs import service as programs
from loyalty.templates import schemas as t
from loyalty.templates.errors import LanguageUnknown, MessageKindNotFound, TemplateInvalid
from loyalty.templates.examples import PREVIEW, PREVIEWED
from loyalty.web.blueprints import Blueprint, etag, reads, require_version, transactional
from loyalty.web.idempotency import idempotent
from loyalty.web.openapi import VERSIONED

bp = Blueprint(
    "notification-administration", __name__, url_prefix="/v1/admin", description="What members are told, arranged."
)


@bp.get("/notification-settings")
@reads
@bp.response(200, NotificationSettingsSchema(), example=e.SETTINGS, headers=VERSIONED)
def get_notification_settings(session: Session) -> tuple[Arranged, dict[str, str]]:
    """What members are told, on which channels and when. Version 0: nobody changed what is usual."""
    found = arranging.arranged(session, g.caller.program_id)
    return found, etag(found.version)


@bp.put("/notification-settings")
@bp.refuses(PreconditionMissing, Stale)
@transactional
@bp.arguments(NewNotificationSettingsSchema(), example=e.NEW_SETTINGS)
@bp.response(200, NotificationSettingsSchema(), example=e.SETTINGS, headers=VERSIONED)
def put_notification_settings(session: Session, settings: Settings) -> tuple[Arranged, dict[str, str]]:
    """Replace what members are told: what is left out is as usual. Needs If-Match once it was changed."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    programs.hold_still(session, program_id)
    version = arranging.arranged(session, program_id).version
    require_version(version, existing=version > 0)
    changed = arranging.change(session, program_id, settings, actor=actor, now=clock.now())
    return changed, etag(changed.version)


@bp.post("/notification-templates/<code:kind>/<shop_id:language>/preview")
@reading_operation
@bp.refuses(MessageKindNotFound, LanguageUnknown, TemplateInvalid, MemberNotFound)
@reads
@bp.arguments(t.TemplatePreviewSchema(), example=PREVIEW)
@bp.response(200, t.PreviewedMessageSchema(), example=PREVIEWED)
def preview_notification_template(session: Session, wanted: dict[str, Any], kind: str, language: str) -> dict[str, Any]:
    """The message that a template makes, to a member as they are or to somebody made up. Nothing is sent.

    It is about what the member was last told of that kind; who was not, is told something made up.
    """
    return previewing.preview(session, g.caller.program_id, kind, language, **wanted, now=clock.now())


@bp.get("/messages")
@reads
@bp.arguments(s.MessagesQuerySchema(), location="query")
@bp.response(200, s.ListedMessagesSchema(), example=e.FAILED_MESSAGES)
def list_messages(session: Session, query: dict[str, Any]) -> Page[ListedMessage]:
    """The messages that failed (or were suppressed, or wait), newest first. With a filter, a page may be short."""
    return listing.of_program(session, g.caller.program_id, **query)


@bp.get("/messages/summary")
@reads
@bp.arguments(s.SummaryQuerySchema(), location="query")
@bp.response(200, s.MessageSummarySchema(), example=e.SUMMARY)
def summarise_messages(session: Session, query: dict[str, int]) -> Summary:
    """How many messages came to be in the last days, by kind, channel, status and reason."""
    return listing.summary(session, g.caller.program_id, **query, now=clock.now())


@bp.post("/messages/requeue")
@bp.refuses(IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(s.RequeueSchema(), example=e.REQUEUE)
@bp.response(200, s.RequeuedSchema(), example=e.REQUEUED)
def requeue_messages(session: Session, wanted: dict[str, Any]) -> Requeued:
    """Let messages that failed be tried again: some, or the oldest 10,000 that failed alike."""
    return listing.requeue(session, g.caller.program_id, **wanted, actor=str(g.caller.key_id), now=clock.now())
