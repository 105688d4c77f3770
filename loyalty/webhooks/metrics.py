"""How far behind webhooks are, and which are told nothing."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from psycopg.rows import tuple_row

from loyalty.db.session import Session

# So many deliveries of a webhook are counted: enough to see that there are many.
COUNTED_MAX = 1_000

_WAITING = """
SELECT w.webhook_id::text, w.paused_at IS NOT NULL, (
    SELECT count(*) FROM (
        SELECT FROM webhook_deliveries d
        WHERE d.webhook_id = w.webhook_id AND d.delivered_at IS NULL LIMIT %s) c
), coalesce((
    SELECT extract(epoch FROM now() - d.given_at) FROM webhook_deliveries d
    WHERE d.webhook_id = w.webhook_id AND d.delivered_at IS NULL ORDER BY d.sequence LIMIT 1), 0)::float8
FROM webhooks w ORDER BY w.webhook_id
"""


def measures(session: Session) -> Iterator[Metric]:
    """What waits for each webhook, for how long the first of it has, and whether it is paused."""
    waiting = GaugeMetricFamily(
        "loyalty_webhook_waiting", f"Deliveries that have not arrived; at most {COUNTED_MAX} are counted.",
        labels=["webhook"],
    )  # fmt: skip
    lag = GaugeMetricFamily(
        "loyalty_webhook_lag_seconds", "For how long the first of them has waited.", labels=["webhook"]
    )
    paused = GaugeMetricFamily(
        "loyalty_webhook_paused", "1: it is told nothing until it is resumed.", labels=["webhook"]
    )
    for webhook_id, is_paused, deliveries, seconds in session.rows(_WAITING, (COUNTED_MAX,), into=tuple_row):
        paused.add_metric([webhook_id], int(is_paused))
        waiting.add_metric([webhook_id], deliveries)
        lag.add_metric([webhook_id], max(seconds, 0.0))
    yield from (waiting, lag, paused)
