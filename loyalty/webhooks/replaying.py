"""Sending again what has arrived already, under the same numbers and ids."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.audit import service as audit
from loyalty.db.session import Session
from loyalty.webhooks import delivering, queries
from loyalty.webhooks.domain import REPLAY_MOST
from loyalty.webhooks.errors import ReplayForgotten, ReplayTooLong, ReplayUnknown, WebhookNotFound

_SPAN = """
SELECT w.sequence, (
    SELECT d.sequence FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id ORDER BY d.sequence LIMIT 1)
FROM webhooks w WHERE w.webhook_id = %s
"""
_AGAIN = """
UPDATE webhook_deliveries SET delivered_at = NULL, due_at = NULL, attempts = 0, failing_since = NULL
WHERE webhook_id = %s AND sequence BETWEEN %s AND %s AND delivered_at IS NOT NULL
"""
# What was at the head of a line waits now behind what is sent again.
_DEMOTE = """
UPDATE webhook_deliveries d SET due_at = NULL WHERE d.webhook_id = %(webhook_id)s AND d.due_at IS NOT NULL
AND EXISTS (SELECT FROM webhook_deliveries b WHERE b.webhook_id = d.webhook_id AND b.owner_id = d.owner_id
            AND b.delivered_at IS NULL AND b.sequence < d.sequence)
"""
_PROMOTE = """
UPDATE webhook_deliveries d SET due_at = %(now)s FROM (
    SELECT DISTINCT ON (owner_id) sequence FROM webhook_deliveries
    WHERE webhook_id = %(webhook_id)s AND delivered_at IS NULL ORDER BY owner_id, sequence) h
WHERE d.webhook_id = %(webhook_id)s AND d.sequence = h.sequence AND d.due_at IS NULL
"""


def replay(
    session: Session, program_id: UUID, webhook_id: UUID, *, first: int, last: int | None, actor: str, now: datetime
) -> dict[str, Any]:
    """Send again what has arrived of a span of numbers, to the last one given unless another is named.

    Refuses: WebhookNotFound, ReplayForgotten, ReplayUnknown, ReplayTooLong.
    """
    queries.require(session, program_id, webhook_id)
    if delivering.lock(session, webhook_id, now=now) is None:
        raise WebhookNotFound
    given, oldest = session.row(_SPAN, (webhook_id,), into=tuple_row) or (0, None)
    until = given if last is None else last
    _require(first, until, given=given, oldest=oldest)
    again = session.run(_AGAIN, (webhook_id, first, until))
    for statement in (_DEMOTE, _PROMOTE):
        session.run(statement, {"webhook_id": webhook_id, "now": now})
    told = {"from": first, "to": until, "replayed": again}
    audit.record(
        session, program_id, actor=actor, action="webhook.replayed", resource=f"webhooks/{webhook_id}", after=told,
        now=now,
    )  # fmt: skip
    return told


def _require(first: int, until: int, *, given: int, oldest: int | None) -> None:
    if not first <= until <= given:
        raise ReplayUnknown(f"The last number that was given is {given}.", last=given)
    if oldest is None or first < oldest:
        kept = "Nothing is kept any more" if oldest is None else f"What is kept begins with {oldest}"
        raise ReplayForgotten(f"{kept}: GET /v1/events has everything since the beginning.", oldest=oldest)
    if until - first >= REPLAY_MOST:
        raise ReplayTooLong(f"At most {REPLAY_MOST} can be sent again at once.", most=REPLAY_MOST)
