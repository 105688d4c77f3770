"""What was delivered long ago is forgotten, from the front, so that what is kept can be sent again without a gap."""

from datetime import datetime
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session

BATCH = 1_000

# From one webhook to the next by the index, however many deliveries each has.
_FORGETTABLE = """
WITH RECURSIVE ids AS (
    (SELECT webhook_id FROM webhook_deliveries ORDER BY webhook_id LIMIT 1)
    UNION ALL
    SELECT (SELECT d.webhook_id FROM webhook_deliveries d WHERE d.webhook_id > i.webhook_id
            ORDER BY d.webhook_id LIMIT 1)
    FROM ids i WHERE i.webhook_id IS NOT NULL)
SELECT i.webhook_id, w.webhook_id IS NULL FROM ids i LEFT JOIN webhooks w ON w.webhook_id = i.webhook_id
WHERE i.webhook_id IS NOT NULL AND (w.webhook_id IS NULL OR (
    SELECT d.delivered_at FROM webhook_deliveries d WHERE d.webhook_id = i.webhook_id
    ORDER BY d.sequence LIMIT 1) < %s)
LIMIT 1
"""
_LOCK = "SELECT FROM webhooks WHERE webhook_id = %s FOR NO KEY UPDATE"
_FORGET = """
WITH page AS (
    SELECT sequence, delivered_at FROM webhook_deliveries WHERE webhook_id = %(webhook_id)s
    ORDER BY sequence LIMIT %(limit)s
), kept AS (
    SELECT min(sequence) AS first FROM page WHERE coalesce(delivered_at >= %(before)s, true))
DELETE FROM webhook_deliveries d USING page p, kept k WHERE d.webhook_id = %(webhook_id)s AND d.sequence = p.sequence
AND (%(orphaned)s OR p.sequence < coalesce(k.first, p.sequence + 1))
"""


def forget_batch(session: Session, *, before: datetime, limit: int = BATCH) -> int:
    """Forget the oldest deliveries of a webhook that all arrived before an instant, or some of one that is deleted."""
    found: tuple[UUID, bool] | None = session.row(_FORGETTABLE, (before,), into=tuple_row)
    if found is None:
        return 0
    webhook_id, orphaned = found
    session.run(_LOCK, (webhook_id,))
    wanted = {"webhook_id": webhook_id, "orphaned": orphaned, "before": before, "limit": limit}
    return session.run(_FORGET, wanted)
