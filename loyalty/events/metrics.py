"""How far behind the log those are who act on it."""

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from psycopg.rows import tuple_row

from loyalty.db.session import Session

# So many facts that a follower has not seen are counted, in each program.
COUNTED_MAX = 1_000

# Whether or not they may be followed yet: a transaction that holds up the log holds up its followers.
_BEHIND = """
SELECT n.name, coalesce(extract(epoch FROM now() - min(b.first)), 0)::float8, sum(b.facts)::bigint
FROM (SELECT DISTINCT name FROM followers) n CROSS JOIN programs p
LEFT JOIN followers f ON f.name = n.name AND f.program_id = p.program_id
CROSS JOIN LATERAL (
    SELECT min(u.recorded_at) AS first, count(*) AS facts FROM (
        SELECT e.recorded_at FROM events e
        WHERE e.program_id = p.program_id AND (e.xid, e.seq) > (coalesce(f.xid, -1), coalesce(f.seq, -1))
        ORDER BY e.xid, e.seq LIMIT %s) u) b
GROUP BY n.name ORDER BY n.name
"""


def measures(session: Session) -> Iterator[Metric]:
    """How long the first fact that a follower has not seen has been there, and how many there are."""
    lag = GaugeMetricFamily(
        "loyalty_log_lag_seconds", "Age of the first fact that a follower of the log has not seen.", labels=["follower"]
    )
    behind = GaugeMetricFamily(
        "loyalty_log_facts_behind",
        f"Facts that a follower of the log has not seen; at most {COUNTED_MAX} of a program are counted.",
        labels=["follower"],
    )
    for name, seconds, facts in session.rows(_BEHIND, (COUNTED_MAX,), into=tuple_row):
        # A sandbox may be ahead of time.
        lag.add_metric([name], max(seconds, 0.0))
        behind.add_metric([name], facts)
    yield from (lag, behind)
