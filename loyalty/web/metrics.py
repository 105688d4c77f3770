"""Prometheus metrics of this deployment, summed over its processes."""

from functools import lru_cache

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client import REGISTRY as ONE_PROCESS
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("loyalty_requests_total", "Requests answered.", ["operation", "status"])
SECONDS = Histogram(
    "loyalty_request_seconds",
    "Time from the first byte read to the answer made.",
    ["operation"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)


def observe(endpoint: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    count, time = _of(endpoint.rpartition(".")[2], status)
    count.inc()
    time.observe(seconds)


@lru_cache(maxsize=4096)
def _of(operation: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(operation, status), SECONDS.labels(operation)


def exposition(*, shared_dir: str) -> Response:
    """The metrics in Prometheus' text format; of every process when they share a folder, else of this one."""
    if shared_dir:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=shared_dir)  # type: ignore[no-untyped-call]
    else:
        registry = ONE_PROCESS
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
