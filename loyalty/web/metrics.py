"""Prometheus metrics of this deployment: what its processes have counted, and what the database knows."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

import psycopg
import sqlalchemy.exc
import structlog
from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, Metric, generate_latest
from prometheus_client import REGISTRY as ONE_PROCESS
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from loyalty.db.session import Session, transaction

# Reads the present state of something, by a few statements that stay cheap however much there is.
Measures = Callable[[Session], Iterable[Metric]]

# A scrape is not worth more of the database's time than this, for each.
STATEMENT_TIMEOUT = "SET LOCAL statement_timeout = '2s'"

REQUESTS = Counter("loyalty_requests_total", "Requests answered.", ["operation", "status"])
SECONDS = Histogram(
    "loyalty_request_seconds",
    "Time from the first byte read to the answer made.",
    ["operation"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
)


log = structlog.get_logger()


def observe(endpoint: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    count, time = _of(endpoint.rpartition(".")[2], status)
    count.inc()
    time.observe(seconds)


@lru_cache(maxsize=4096)
def _of(operation: str, status: int) -> tuple[Counter, Histogram]:
    return REQUESTS.labels(operation, status), SECONDS.labels(operation)


def exposition(*, shared_dir: str, measures: Sequence[Measures]) -> Response:
    """The metrics in Prometheus' text format; of every process when they share a folder, else of this one.

    What `measures` read is the same whichever process is asked.
    """
    if shared_dir:
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=shared_dir)  # type: ignore[no-untyped-call]
    else:
        registry = ONE_PROCESS
    of_database = CollectorRegistry()
    of_database.register(_Read(_read(measures)))
    return Response(generate_latest(registry) + generate_latest(of_database), content_type=CONTENT_TYPE_LATEST)


class _Read(Collector):
    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """What was read."""
        return self._found


def _read(measures: Sequence[Measures]) -> list[Metric]:
    """What the database knows, as far as it answers; whether it did, is the last."""
    found: list[Metric] = []
    answers = True
    for each in measures:
        try:
            with transaction() as session:
                session.run(STATEMENT_TIMEOUT)
                found += each(session)
        except psycopg.Error as error:
            log.warning("metrics.incomplete", measures=each.__module__, error=type(error).__qualname__)
            answers = False
        except sqlalchemy.exc.SQLAlchemyError:
            # There is no connection to be had: the others would only wait for one, too.
            answers = False
            break
    up = GaugeMetricFamily("loyalty_database_up", "1 if the database has answered this scrape.", value=answers)
    return [*found, up]
