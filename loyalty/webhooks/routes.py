"""Webhooks of the caller's program."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from flask import current_app, g

from loyalty.access.guard import reading_operation
from loyalty.core import clock
from loyalty.core.errors import IdempotencyConflict, PreconditionMissing, Stale
from loyalty.core.outgoing import Client
from loyalty.db.paging import Page
from loyalty.db.session import Session, reading
from loyalty.web.blueprints import Blueprint, etag, reads, require_version, transactional
from loyalty.web.idempotency import idempotent, idempotent_but_for
from loyalty.web.openapi import VERSIONED
from loyalty.webhooks import examples as e
from loyalty.webhooks import queries, replaying, sending, service
from loyalty.webhooks import schemas as s
from loyalty.webhooks.domain import Issued, NewWebhook, Outcome, Webhook
from loyalty.webhooks.errors import (
    ReplayForgotten,
    ReplayTooLong,
    ReplayUnknown,
    TooManyWebhooks,
    TypesUnknown,
    UrlRefused,
    WebhookNotFound,
)
from loyalty.webhooks.queries import Delivery

bp = Blueprint("webhooks", __name__, url_prefix="/v1/admin/webhooks", description="Facts, pushed to your servers.")


@bp.get("")
@reads
@bp.response(200, s.WebhooksSchema(), example=e.WEBHOOKS)
def list_webhooks(session: Session) -> Page[Webhook]:
    """The program's webhooks, oldest first, each with how it is doing."""
    return Page(queries.webhooks(session, g.caller.program_id, now=clock.real_now()), None)


@bp.post("")
@bp.refuses(UrlRefused, TypesUnknown, TooManyWebhooks, IdempotencyConflict)
@transactional
@idempotent_but_for("secret")
@bp.arguments(s.NewWebhookSchema(), example=e.NEW_WEBHOOK)
@bp.response(HTTPStatus.CREATED, s.IssuedWebhookSchema(), example=e.MADE_WEBHOOK)
def create_webhook(session: Session, new: NewWebhook) -> Issued:
    """Make a webhook, which is told what happens from now on. Its secret is shown this once."""
    service.require_known(new.types, current_app.extensions["loyalty-fact-types"])
    networks, actor = current_app.config["WEBHOOK_NETWORKS"], str(g.caller.key_id)
    return service.create(session, g.caller.program_id, new, networks=networks, actor=actor, now=clock.real_now())


@bp.get("/<uuid:webhook_id>")
@bp.refuses(WebhookNotFound)
@reads
@bp.response(200, s.WebhookSchema(), example=e.WEBHOOK, headers=VERSIONED)
def get_webhook(session: Session, webhook_id: UUID) -> tuple[Webhook, dict[str, str]]:
    """One webhook: what it is told, and how it is doing."""
    found = queries.webhook(session, g.caller.program_id, webhook_id, now=clock.real_now())
    return found, etag(found.version)


@bp.patch("/<uuid:webhook_id>")
@bp.refuses(WebhookNotFound, UrlRefused, TypesUnknown, PreconditionMissing, Stale)
@transactional
@bp.arguments(s.WebhookChangesSchema(), example=e.CHANGES)
@bp.response(200, s.WebhookSchema(), example=e.CHANGED_WEBHOOK, headers=VERSIONED)
def change_webhook(session: Session, changes: dict[str, Any], webhook_id: UUID) -> tuple[Webhook, dict[str, str]]:
    """Change a webhook; what is absent stays. What waits goes to the new URL. Needs If-Match."""
    service.require_known(changes.get("types", ()), current_app.extensions["loyalty-fact-types"])
    now, program_id, actor = clock.real_now(), g.caller.program_id, str(g.caller.key_id)
    _, before = service.locked(session, program_id, webhook_id, now=now)
    require_version(before.version)
    networks = current_app.config["WEBHOOK_NETWORKS"]
    after = service.change(session, program_id, before, changes, networks=networks, actor=actor, now=now)
    return after, etag(after.version)


@bp.delete("/<uuid:webhook_id>")
@bp.refuses(WebhookNotFound)
@transactional
@bp.response(200, s.WebhookSchema(), example=e.WEBHOOK)
def delete_webhook(session: Session, webhook_id: UUID) -> Webhook:
    """End a webhook. What waits is not sent any more. Answers how it was."""
    now, actor = clock.real_now(), str(g.caller.key_id)
    return service.delete(session, g.caller.program_id, webhook_id, actor=actor, now=now)


@bp.post("/<uuid:webhook_id>/rotate-secret")
@bp.refuses(WebhookNotFound, IdempotencyConflict)
@transactional
@idempotent_but_for("secret")
@bp.arguments(s.RotationSchema(), example=e.ROTATION)
@bp.response(200, s.IssuedWebhookSchema(), example=e.ROTATED_WEBHOOK)
def rotate_webhook_secret(session: Session, keep_previous: timedelta, webhook_id: UUID) -> Issued:
    """Make another secret, shown this once. Until the one so far ends, both sign; an earlier one ends at once."""
    program_id, actor, now = g.caller.program_id, str(g.caller.key_id), clock.real_now()
    return service.rotate(session, program_id, webhook_id, keep_previous=keep_previous, actor=actor, now=now)


@bp.post("/<uuid:webhook_id>/pause")
@bp.refuses(WebhookNotFound, IdempotencyConflict)
@transactional
@idempotent
@bp.response(200, s.WebhookSchema(), example=e.PAUSED_WEBHOOK)
def pause_webhook(session: Session, webhook_id: UUID) -> Webhook:
    """Send nothing until it is resumed. Nothing is lost meanwhile."""
    now, actor = clock.real_now(), str(g.caller.key_id)
    return service.pause(session, g.caller.program_id, webhook_id, actor=actor, now=now)


@bp.post("/<uuid:webhook_id>/resume")
@bp.refuses(WebhookNotFound, IdempotencyConflict)
@transactional
@idempotent
@bp.response(200, s.WebhookSchema(), example=e.WEBHOOK)
def resume_webhook(session: Session, webhook_id: UUID) -> Webhook:
    """Go on where it was paused, whoever did that."""
    now, actor = clock.real_now(), str(g.caller.key_id)
    return service.resume(session, g.caller.program_id, webhook_id, actor=actor, now=now)


@bp.post("/<uuid:webhook_id>/ping")
@reading_operation
@bp.refuses(WebhookNotFound)
@bp.response(200, s.PingSchema(), example=e.PING)
def ping_webhook(webhook_id: UUID) -> Outcome:
    """Send a `webhook.ping` right now, paused or not, and answer what the receiver said. Nothing is stored."""
    now = clock.real_now()
    with reading() as session:
        found = service.endpoint(session, g.caller.program_id, webhook_id, now=now)
    return sending.ping(Client(current_app.config["WEBHOOK_NETWORKS"], connections=1), found, now=now)


@bp.post("/<uuid:webhook_id>/replay")
@bp.refuses(WebhookNotFound, ReplayForgotten, ReplayUnknown, ReplayTooLong, IdempotencyConflict)
@transactional
@idempotent
@bp.arguments(s.ReplaySchema(), example=e.REPLAY)
@bp.response(200, s.ReplayedSchema(), example=e.REPLAYED)
def replay_webhook(session: Session, span: dict[str, Any], webhook_id: UUID) -> dict[str, Any]:
    """Send again what has arrived, under the same numbers and ids. Kept for 30 days; `GET /v1/events` has all."""
    program_id, actor = g.caller.program_id, str(g.caller.key_id)
    return replaying.replay(session, program_id, webhook_id, **span, actor=actor, now=clock.real_now())


@bp.get("/<uuid:webhook_id>/deliveries")
@bp.refuses(WebhookNotFound)
@reads
@bp.arguments(s.DeliveriesQuerySchema(), location="query")
@bp.response(200, s.DeliveriesSchema(), example=e.DELIVERIES)
def list_webhook_deliveries(session: Session, wanted: dict[str, Any], webhook_id: UUID) -> Page[Delivery]:
    """What a webhook is told and what became of it, the latest first."""
    return queries.deliveries(session, g.caller.program_id, webhook_id, **wanted)
