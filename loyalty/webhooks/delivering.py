"""Which deliveries are sent next, and what came of those that were.

Members do not hold each other up, but what is told of one member is told in order: only the head of a line has a
`due_at`. Claiming moves it beyond the longest time that sending can take; whoever dies in between leaves it to run out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
from psycopg.rows import class_row

from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.events import service as events
from loyalty.events.domain import Fact
from loyalty.webhooks import domain
from loyalty.webhooks.domain import Health, Message, Outcome, Reason

Chance = Callable[[], float]
Result = tuple[Message, Outcome]

# Every change of deliveries begins here, so that no head of a line is overlooked.
_LOCK = """
SELECT w.webhook_id, w.program_id, w.url, w.paused_at IS NOT NULL AS paused, w.failures, w.failing_since, w.next_try_at,
    p.clock_ahead AS ahead, ARRAY(
        SELECT secret FROM webhook_secrets s
        WHERE s.webhook_id = w.webhook_id AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
        ORDER BY s.expires_at DESC NULLS FIRST, s.created_at DESC) AS secrets
FROM webhooks w JOIN programs p USING (program_id) WHERE w.webhook_id = %(webhook_id)s
"""
_CLAIM = """
WITH heads AS (
    SELECT sequence FROM webhook_deliveries WHERE webhook_id = %(webhook_id)s AND due_at <= %(now)s
    ORDER BY due_at LIMIT %(room)s)
UPDATE webhook_deliveries d SET due_at = %(dead_at)s, attempts = d.attempts + 1 FROM heads h, events e
WHERE d.webhook_id = %(webhook_id)s AND d.sequence = h.sequence
AND e.owner_id = d.owner_id AND e.occurred_at = d.occurred_at AND e.event_id = d.event_id
RETURNING d.sequence, d.attempts, d.failing_since, e.event_id, e.type, e.version, e.customer_id, e.occurred_at,
    e.recorded_at, e.data
"""
_DELIVERED = """
WITH results AS (
    SELECT * FROM jsonb_to_recordset(%(results)s::jsonb) AS r(sequence bigint, status smallint, milliseconds integer)
), sent AS (
    UPDATE webhook_deliveries d SET delivered_at = %(now)s, due_at = NULL, failing_since = NULL, last_error = NULL,
        last_status = r.status, last_milliseconds = r.milliseconds
    FROM results r WHERE d.webhook_id = %(webhook_id)s AND d.sequence = r.sequence AND d.delivered_at IS NULL
    RETURNING d.owner_id
), heads AS (
    SELECT (
        SELECT n.sequence FROM webhook_deliveries n
        WHERE n.webhook_id = %(webhook_id)s AND n.owner_id = s.owner_id AND n.delivered_at IS NULL
        AND n.sequence <> ALL (ARRAY(SELECT sequence FROM results))
        ORDER BY n.sequence LIMIT 1) AS sequence
    FROM (SELECT DISTINCT owner_id FROM sent) s)
UPDATE webhook_deliveries d SET due_at = %(now)s FROM heads h
WHERE d.webhook_id = %(webhook_id)s AND d.sequence = h.sequence AND d.due_at IS NULL
"""
# Without a date it is no head any more (something before it is to be sent again), and a later attempt knows better.
_FAILED = """
UPDATE webhook_deliveries d SET due_at = CASE WHEN d.due_at IS NULL THEN NULL ELSE r.retry_at END,
    failing_since = coalesce(d.failing_since, %(now)s), last_status = r.status, last_error = r.error,
    last_milliseconds = r.milliseconds
FROM jsonb_to_recordset(%(results)s::jsonb) AS r(
    sequence bigint, attempts integer, retry_at timestamptz, status smallint, error text, milliseconds integer)
WHERE d.webhook_id = %(webhook_id)s AND d.sequence = r.sequence AND d.attempts = r.attempts AND d.delivered_at IS NULL
"""
_HEALTH = "UPDATE webhooks SET failures = %s, failing_since = %s, next_try_at = %s WHERE webhook_id = %s"
_PAUSE = "UPDATE webhooks SET paused_at = %s, paused_reason = %s WHERE webhook_id = %s AND paused_at IS NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A webhook as it is delivered to. Its secrets are those that sign now, the newest first."""

    webhook_id: UUID
    program_id: UUID
    url: str
    paused: bool
    failures: int
    failing_since: datetime | None
    next_try_at: datetime | None
    ahead: timedelta
    secrets: list[str] = field(repr=False)

    @property
    def health(self) -> Health:
        """How it is doing."""
        return Health(self.failures, self.failing_since, self.next_try_at)


@dataclass(frozen=True, slots=True)
class Turn:
    """What to send now, and where to."""

    endpoint: Endpoint
    messages: list[Message]


def endpoint(session: Session, webhook_id: UUID, *, now: datetime) -> Endpoint | None:
    """A webhook as it is delivered to, as it is now."""
    return session.row(_LOCK, {"webhook_id": webhook_id, "now": now}, into=class_row(Endpoint))


def lock(session: Session, webhook_id: UUID, *, now: datetime) -> Endpoint | None:
    """The same, and nobody else changes its deliveries until this transaction ends."""
    wanted = {"webhook_id": webhook_id, "now": now}
    return session.row(f"{_LOCK} FOR NO KEY UPDATE OF w", wanted, into=class_row(Endpoint))


def take_turn(
    session: Session, webhook_id: UUID, results: Sequence[Result], *, room: int, under_way: int,
    chance: Chance, now: datetime,
) -> Turn | None:  # fmt: skip
    """Record what came of deliveries, and claim up to `room` others; None if the webhook is gone or paused."""
    found = lock(session, webhook_id, now=now)
    if found is None:
        return None
    if results:
        found = _record(session, found, results, chance=chance, now=now)
    if found.paused:
        return None
    if found.health.is_away:
        asked = found.next_try_at is None or found.next_try_at <= now
        room = min(room, 1) if asked and not under_way else 0
    if not room:
        return Turn(found, [])
    wanted = {"webhook_id": webhook_id, "room": room, "now": now, "dead_at": now + domain.LEASE}
    return Turn(found, session.rows(_CLAIM, wanted, into=class_row(Message)))


def pause(session: Session, found: Endpoint, reason: Reason, *, now: datetime) -> bool:
    """Tell a webhook nothing until it is resumed, and tell the log; answers whether it was not paused before."""
    if not session.run(_PAUSE, (now, reason, found.webhook_id)):
        return False
    since = found.failing_since.astimezone(UTC).isoformat().replace("+00:00", "Z") if found.failing_since else None
    tell(session, found, "webhook.paused", {"reason": reason, "failing_since": since}, now=now)
    return True


def tell(session: Session, found: Endpoint, fact: str, data: dict[str, str | None], *, now: datetime) -> None:
    """Tell the log what became of a webhook, by the clock of its program."""
    changes = Changes()
    told = {"webhook_id": str(found.webhook_id), **data}
    there = now + found.ahead
    events.tell(changes, found.program_id, Fact(type=fact, version=1, occurred_at=there, data=told), now=there)
    write(session, changes)


def _record(session: Session, found: Endpoint, results: Sequence[Result], *, chance: Chance, now: datetime) -> Endpoint:
    health, reason = found.health, None
    for message, outcome in results:
        health = domain.health_after(health, outcome, chance=chance(), now=now)
        if not outcome.is_success:
            reason = reason or domain.pause_for(message, outcome, health, now=now)
    _write_results(session, found, results, health, chance=chance, now=now)
    if health != found.health:
        session.run(_HEALTH, (health.failures, health.failing_since, health.next_try_at, found.webhook_id))
    found = replace(found, failures=health.failures, failing_since=health.failing_since, next_try_at=health.next_try_at)
    if reason is None or found.paused:
        return found
    failing = found.failing_since or min((m.failing_since for m, _ in results if m.failing_since), default=None)
    pause(session, replace(found, failing_since=failing), reason, now=now)
    return replace(found, paused=True)


def _write_results(
    session: Session, found: Endpoint, results: Sequence[Result], health: Health, *, chance: Chance, now: datetime
) -> None:
    given = {"webhook_id": found.webhook_id, "now": now}
    sent = [
        {"sequence": message.sequence, "status": outcome.status, "milliseconds": outcome.milliseconds}
        for message, outcome in results
        if outcome.is_success
    ]
    failed = [
        {
            "sequence": message.sequence, "attempts": message.attempts, "status": outcome.status,
            "error": outcome.error, "milliseconds": outcome.milliseconds,
            "retry_at": domain.retry_at(message, outcome, health, chance=chance(), now=now),
        }
        for message, outcome in results
        if not outcome.is_success
    ]  # fmt: skip
    for statement, rows in ((_DELIVERED, sent), (_FAILED, failed)):
        if rows:
            session.run(statement, {**given, "results": orjson.dumps(rows).decode()})
