"""Reading webhooks, and what was delivered to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row

from loyalty.db.paging import BIGINT_MAX, Page, Window, page
from loyalty.db.session import Session
from loyalty.webhooks.domain import Secret, Webhook
from loyalty.webhooks.errors import WebhookNotFound

_WEBHOOKS = """
SELECT w.webhook_id, w.url, w.types, w.description, w.version, w.created_at, w.paused_at, w.paused_reason, w.sequence,
    coalesce(first.sequence - 1, w.sequence) AS delivered, first.given_at AS waiting_since,
    (SELECT count(*) FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id AND d.delivered_at IS NULL) AS waiting,
    least(w.failing_since, (
        SELECT min(d.failing_since) FROM webhook_deliveries d
        WHERE d.webhook_id = w.webhook_id AND d.due_at IS NOT NULL)) AS failing_since,
    w.next_try_at
FROM webhooks w LEFT JOIN LATERAL (
    SELECT d.sequence, d.given_at FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id
    AND d.delivered_at IS NULL ORDER BY d.sequence LIMIT 1) first ON true
WHERE w.program_id = %(program_id)s AND (%(webhook_id)s::uuid IS NULL OR w.webhook_id = %(webhook_id)s)
ORDER BY w.webhook_id
"""
_SECRETS = """
SELECT s.webhook_id, s.created_at, s.expires_at FROM webhooks w JOIN webhook_secrets s USING (webhook_id)
WHERE w.program_id = %s AND (s.expires_at IS NULL OR s.expires_at > %s) ORDER BY s.created_at DESC, s.secret_id DESC
"""
# A statement for each: one that could do without the status would not use its index.
_DELIVERIES = """
WITH page AS (
    SELECT d.* FROM webhook_deliveries d WHERE d.webhook_id = %(webhook_id)s AND d.sequence < %(before)s {condition}
    ORDER BY d.sequence DESC LIMIT %(limit)s)
SELECT d.sequence, d.event_id, d.type, e.customer_id, d.delivered_at, d.attempts, d.due_at AS next_attempt_at,
    d.last_status, d.last_error, d.last_milliseconds, d.given_at
FROM page d
JOIN events e ON e.owner_id = d.owner_id AND e.occurred_at = d.occurred_at AND e.event_id = d.event_id
ORDER BY d.sequence DESC
"""
_CONDITIONS = {None: "", "waiting": "AND d.delivered_at IS NULL", "delivered": "AND d.delivered_at IS NOT NULL"}
_IS_THERE = "SELECT 1 AS found FROM webhooks WHERE program_id = %s AND webhook_id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of one fact that a webhook is told."""

    sequence: int
    event_id: UUID
    type: str
    customer_id: str | None
    given_at: datetime
    delivered_at: datetime | None
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    last_milliseconds: int | None

    @property
    def status(self) -> str:
        """Whether it has arrived."""
        return "waiting" if self.delivered_at is None else "delivered"


def webhooks(session: Session, program_id: UUID, *, now: datetime) -> Sequence[Webhook]:
    """The webhooks of a program, oldest first, each with how it is doing."""
    return _found(session, program_id, None, now)


def webhook(session: Session, program_id: UUID, webhook_id: UUID, *, now: datetime) -> Webhook:
    """One webhook, with how it is doing. Refuses: WebhookNotFound."""
    found = _found(session, program_id, webhook_id, now)
    if not found:
        raise WebhookNotFound
    return found[0]


def require(session: Session, program_id: UUID, webhook_id: UUID) -> None:
    """Find a webhook. Refuses: WebhookNotFound."""
    if session.row(_IS_THERE, (program_id, webhook_id), into=dict_row) is None:
        raise WebhookNotFound


def deliveries(
    session: Session, program_id: UUID, webhook_id: UUID, window: Window, *, status: str | None = None
) -> Page[Delivery]:
    """What a webhook is told, the latest first. Refuses: WebhookNotFound."""
    require(session, program_id, webhook_id)
    after = window.position(int)
    wanted = {"webhook_id": webhook_id, "before": after[0] if after else BIGINT_MAX, "limit": window.limit + 1}
    rows = session.rows(deliveries_by(status), wanted, into=class_row(Delivery))
    return page(rows, window, lambda delivery: [delivery.sequence])


def deliveries_by(status: str | None) -> str:
    """The statement for a page of deliveries of one status, or of any."""
    return _DELIVERIES.format(condition=_CONDITIONS[status])


def _found(session: Session, program_id: UUID, webhook_id: UUID | None, now: datetime) -> Sequence[Webhook]:
    rows = session.rows(_WEBHOOKS, {"program_id": program_id, "webhook_id": webhook_id}, into=dict_row)
    secrets: dict[Any, list[Secret]] = {row["webhook_id"]: [] for row in rows}
    for row in session.rows(_SECRETS, (program_id, now), into=dict_row):
        secrets.setdefault(row["webhook_id"], []).append(Secret(row["created_at"], row["expires_at"]))
    return [Webhook(**row, secrets=secrets[row["webhook_id"]]) for row in rows]
