"""Facts of the log become deliveries: what a webhook wants is given the next numbers, and its place in the log moves.

Both in one transaction, so each fact is given once, whenever this is cut off. A webhook that is paused keeps its place.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row, scalar_row

from loyalty.db.queue import defer
from loyalty.db.session import Session, array_of
from loyalty.events.following import HORIZON
from loyalty.webhooks.domain import DELIVER, patterns

# Facts looked at by one transaction: tens of milliseconds.
PAGE = 1_000

# Who is furthest behind comes first, unless somebody else is at it.
_BEHIND = f"""
SELECT w.webhook_id, w.program_id, w.types, w.xid, w.seq, w.sequence FROM webhooks w
WHERE w.paused_at IS NULL AND EXISTS (
    SELECT FROM events e WHERE e.program_id = w.program_id AND (e.xid, e.seq) > (w.xid, w.seq) AND e.xid < {HORIZON})
ORDER BY w.xid, w.seq LIMIT 1 FOR NO KEY UPDATE OF w SKIP LOCKED
"""
# Of what becomes visible together, what was written first has the lower number: a transaction that waited for a member
# whom another one had may have begun before that one, but wrote after it.
_GIVE = f"""
WITH page AS MATERIALIZED (
    SELECT owner_id, occurred_at, event_id, type, xid, seq FROM events
    WHERE program_id = %(program_id)s AND (xid, seq) > (%(xid)s::bigint, %(seq)s::bigint) AND xid < {HORIZON}
    ORDER BY xid, seq LIMIT %(limit)s
), wanted AS (
    SELECT owner_id, occurred_at, event_id, type, row_number() OVER (ORDER BY seq) AS number,
        row_number() OVER (PARTITION BY owner_id ORDER BY seq) AS of_owner
    FROM page WHERE type LIKE ANY (%(types)s::text[])
), given AS (
    INSERT INTO webhook_deliveries (webhook_id, sequence, owner_id, occurred_at, event_id, type, given_at, due_at)
    SELECT %(webhook_id)s, %(sequence)s::bigint + number, owner_id, occurred_at, event_id, type, %(now)s::timestamptz,
        CASE WHEN of_owner = 1 AND (
            SELECT d.sequence FROM webhook_deliveries d
            WHERE d.webhook_id = %(webhook_id)s AND d.owner_id = w.owner_id AND d.delivered_at IS NULL
            ORDER BY d.sequence LIMIT 1) IS NULL
        THEN %(now)s::timestamptz END
    FROM wanted w
), moved AS (
    UPDATE webhooks w SET xid = l.xid, seq = l.seq, sequence = w.sequence + (SELECT count(*) FROM wanted)
    FROM (SELECT xid, seq FROM page ORDER BY xid DESC, seq DESC LIMIT 1) l WHERE w.webhook_id = %(webhook_id)s
)
SELECT count(*) FROM page
"""
_DUE = """
SELECT w.webhook_id FROM webhooks w WHERE w.paused_at IS NULL AND coalesce(w.next_try_at <= %(now)s, true)
AND EXISTS (SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.webhook_id AND d.due_at <= %(now)s)
ORDER BY w.webhook_id
"""


@dataclass(frozen=True, slots=True)
class _Place:
    webhook_id: UUID
    program_id: UUID
    types: list[str]
    xid: int
    seq: int
    sequence: int


def fan_out(session: Session, *, limit: int = PAGE, now: datetime) -> int:
    """Give one webhook that is behind what it wants of the next facts; answers how many facts were looked at."""
    place = session.row(_BEHIND, into=class_row(_Place))
    if place is None:
        return 0
    wanted = {
        "webhook_id": place.webhook_id, "program_id": place.program_id, "xid": place.xid, "seq": place.seq,
        "sequence": place.sequence, "types": array_of(patterns(place.types)), "limit": limit, "now": now,
    }  # fmt: skip
    return session.row(_GIVE, wanted, into=scalar_row) or 0


def due(session: Session, *, now: datetime) -> list[UUID]:
    """The webhooks that have something to be sent now."""
    return session.rows(_DUE, {"now": now}, into=scalar_row)


def call_for(session: Session, webhook_id: UUID, *, after: timedelta | None = None) -> None:
    """Have a worker deliver to a webhook. One job of an endpoint waits at most, and one is done at a time."""
    name = f"{DELIVER}:{webhook_id}"
    defer(session, DELIVER, lock=name, queueing_lock=name, after=after, webhook_id=str(webhook_id))
