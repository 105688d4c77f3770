"""What members are told: their wishes, their inbox, and what became of every message."""

from typing import Any
from uuid import UUID

from flask import g

from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict, PreconditionMissing, Stale
from loyalty.db.paging import Page
from loyalty.db.session import Session
from loyalty.members.errors import MemberClosed, MemberNotFound
from loyalty.notifications import examples as e
from loyalty.notifications import inbox, listing, preferring
from loyalty.notifications import message_schemas as s
from loyalty.notifications.domain import Preferences
from loyalty.notifications.errors import MessageNotFound
from loyalty.notifications.inbox import Inbox, Marked
from loyalty.notifications.listing import ListedMessage
from loyalty.notifications.preferences_schemas import NewPreferencesSchema, PreferencesSchema
from loyalty.notifications.preferring import Shown
from loyalty.web.arguments import NothingSchema
from loyalty.web.blueprints import Blueprint, etag, reads, require_version, transactional
from loyalty.web.idempotency import idempotent
from loyalty.web.openapi import VERSIONED

bp = Blueprint("notifications", __name__, url_prefix="/v1/members", description="What members are told.")


@bp.get("/<shop_id:customer_id>/preferences")
@bp.refuses(MemberNotFound)
@reads
@bp.response(200, PreferencesSchema(), example=e.PREFERENCES, headers=VERSIONED)
def get_preferences(session: Session, customer_id: str) -> tuple[Shown, dict[str, str]]:
    """What a member wants to be told and where, and what comes of it: what would be sent, or why it would not."""
    found = preferring.shown(session, g.caller.program_id, customer_id, now=clock.now())
    return found, etag(found.preferred.version)


@bp.put("/<shop_id:customer_id>/preferences")
@bp.refuses(MemberNotFound, MemberClosed, PreconditionMissing, Stale)
@transactional
@bp.arguments(NewPreferencesSchema(), example=e.NEW_PREFERENCES)
@bp.response(200, PreferencesSchema(), example=e.PREFERENCES, headers=VERSIONED)
def put_preferences(session: Session, wants: Preferences, customer_id: str) -> tuple[Shown, dict[str, str]]:
    """Replace what a member wants. Needs If-Match once something was said."""
    now = clock.now()
    current = preferring.locked(session, g.caller.program_id, customer_id)
    require_version(current.version, existing=current.version > 0)
    preferring.change(session, current, wants, now=now)
    found = preferring.shown(session, g.caller.program_id, customer_id, now=now)
    return found, etag(found.preferred.version)


@bp.get("/<shop_id:customer_id>/inbox")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(s.InboxQuerySchema(), location="query")
@bp.response(200, s.InboxSchema(), example=e.INBOX)
def get_inbox(session: Session, query: dict[str, Any], customer_id: str) -> Inbox:
    """The messages to a member, newest first, in the member's language, and how many are unread."""
    return inbox.inbox(session, g.caller.program_id, customer_id, **query, now=clock.now())


@bp.post("/<shop_id:customer_id>/inbox/<uuid:message_id>/read")
@bp.refuses(MemberNotFound, MessageNotFound, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(NothingSchema(), example={})
@bp.response(200, s.MarkedSchema(), example=e.MARKED)
def read_message(session: Session, _nothing: dict[str, Any], customer_id: str, message_id: UUID) -> Marked:
    """Say that a message was read."""
    return inbox.mark(session, g.caller.program_id, customer_id, message_id, read_at=clock.now())


@bp.post("/<shop_id:customer_id>/inbox/<uuid:message_id>/unread")
@bp.refuses(MemberNotFound, MessageNotFound, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(NothingSchema(), example={})
@bp.response(200, s.MarkedSchema(), example=e.MARKED)
def unread_message(session: Session, _nothing: dict[str, Any], customer_id: str, message_id: UUID) -> Marked:
    """Let a message be unread again."""
    return inbox.mark(session, g.caller.program_id, customer_id, message_id, read_at=None)


@bp.post("/<shop_id:customer_id>/inbox/read")
@bp.refuses(MemberNotFound, MessageNotFound, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(s.ReadUpToSchema(), example={})
@bp.response(200, s.MarkedSchema(), example=e.MARKED)
def read_inbox(session: Session, given: dict[str, Any], customer_id: str) -> Marked:
    """Say that everything was read, or everything `up_to` a message and that one. What came since stays unread."""
    return inbox.mark_all(session, g.caller.program_id, customer_id, **given, read_at=clock.now())


@bp.get("/<shop_id:customer_id>/messages")
@bp.refuses(MemberNotFound)
@reads
@bp.arguments(s.MemberMessagesQuerySchema(), location="query")
@bp.response(200, s.ListedMessagesSchema(), example=e.MEMBER_MESSAGES)
def list_member_messages(session: Session, query: dict[str, Any], customer_id: str) -> Page[ListedMessage]:
    """Every message to a member on every channel, newest first: sent or not, when, and why not."""
    return listing.of_member(session, g.caller.program_id, customer_id, **query)
