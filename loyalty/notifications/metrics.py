"""How far behind messages are, and how many could not be delivered."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.notifications.domain import CHANNELS

# So many messages of a program are counted on a channel, so that a scrape costs little on the worst of days.
COUNTED_MAX = 10_000

_DUE = """
SELECT c.channel, coalesce(sum(d.messages), 0)::bigint,
    coalesce(max(extract(epoch FROM now() + p.clock_ahead - d.first)), 0)::float8
FROM unnest(%s::text[]) AS c (channel) CROSS JOIN programs p CROSS JOIN LATERAL (
    SELECT count(*) AS messages, min(w.due_at) AS first FROM (
        SELECT m.due_at FROM messages m
        WHERE m.program_id = p.program_id AND m.channel = c.channel AND m.status = 'queued'
        AND m.due_at <= now() + p.clock_ahead
        ORDER BY m.due_at LIMIT %s) w) d
GROUP BY c.channel ORDER BY c.channel
"""
_FAILED = """
SELECT f.channel, f.reason, count(*)::bigint FROM programs p CROSS JOIN LATERAL (
    SELECT m.channel, m.reason FROM messages m
    WHERE m.program_id = p.program_id AND m.status = 'failed' ORDER BY m.seq DESC LIMIT %s) f
GROUP BY f.channel, f.reason ORDER BY f.channel, f.reason
"""


def measures(session: Session) -> Iterator[Metric]:
    """What is due and not sent, since when, and what has failed."""
    waiting = GaugeMetricFamily("loyalty_messages_due", "Messages that are due and not sent.", labels=["channel"])
    lag = GaugeMetricFamily(
        "loyalty_message_lag_seconds", "For how long the first of them has been due.", labels=["channel"]
    )
    for channel, messages, seconds in session.rows(_DUE, (array_of(CHANNELS), COUNTED_MAX), into=tuple_row):
        waiting.add_metric([channel], messages)
        lag.add_metric([channel], max(seconds, 0.0))
    failed = GaugeMetricFamily(
        "loyalty_messages_failed", "Messages that could not be delivered, and wait for somebody to mend it.",
        labels=["channel", "reason"],
    )  # fmt: skip
    for channel, reason, messages in session.rows(_FAILED, (COUNTED_MAX,), into=tuple_row):
        failed.add_metric([channel, reason], messages)
    yield from (waiting, lag, failed)
