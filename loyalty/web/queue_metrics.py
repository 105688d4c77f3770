"""The queue of jobs, and whether anybody works on it."""

from collections.abc import Iterator
from math import inf

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from loyalty.db import queued
from loyalty.db.session import Session


def measures(session: Session) -> Iterator[Metric]:
    """The jobs by name and state, how long they wait, and when a worker was last seen."""
    jobs = GaugeMetricFamily("loyalty_jobs", "Jobs in the queue.", labels=["job", "state"])
    oldest = GaugeMetricFamily(
        "loyalty_job_oldest_waiting_seconds", "For how long the oldest job that is due has waited.", labels=["job"]
    )
    for count in queued.counts(session):
        for state, number in (("waiting", count.waiting), ("running", count.running), ("failed", count.failed)):
            jobs.add_metric([count.job, state], number)
        oldest.add_metric([count.job], count.oldest_seconds or 0.0)
    seen = queued.seconds_since_a_worker(session)
    yield from (jobs, oldest)
    yield GaugeMetricFamily(
        "loyalty_worker_last_seen_seconds",
        "Since when no worker has given a sign of life; infinite while there is none.",
        value=inf if seen is None else seen,
    )
