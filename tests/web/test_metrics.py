"""What Prometheus reads: whatever the database knows, as far as it answers."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy.exc
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from psycopg.rows import scalar_row

from loyalty.db.session import Session, transaction
from loyalty.events import metrics as events_metrics
from loyalty.web import metrics
from tests.api import Api
from tests.db.queueing import a_failed_job, a_running_job, empty, put_in
from tests.events.following import a_fact, told

# Nobody else follows under it.
US = "tests of metrics"


@pytest.fixture(autouse=True)
def _nobody_else(api: Api) -> Iterator[None]:
    """The queue is empty, and nobody follows."""
    with api.app.app_context():
        empty()
        yield
        empty()
        with transaction() as session:
            session.run("DELETE FROM followers WHERE name = %s", (US,))


def scraped(api: Api) -> dict[tuple[str, ...], float]:
    """`(name, labels …)` -> value."""
    response = api.get("/metrics")
    assert response.status_code == 200
    families = text_string_to_metric_families(response.get_data(as_text=True))
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_jobs_are_measured_by_name_and_state(api: Api):
    with api.app.app_context():
        a_running_job("ledger.settle", heartbeat="10 seconds")
        a_failed_job("tiers.move", ago="1 day")
        put_in("tiers.move", ago="5 minutes")

    found = scraped(api)

    jobs = {
        labels: value
        for (name, *labels), value in found.items()
        if name == "loyalty_jobs"
        for labels in [tuple(labels)]
    }
    assert {each for each, value in jobs.items() if value} == {
        ("ledger.settle", "running"), ("tiers.move", "failed"), ("tiers.move", "waiting"),
    }  # fmt: skip
    assert found["loyalty_job_oldest_waiting_seconds", "tiers.move"] == pytest.approx(300, abs=30)
    assert found["loyalty_job_oldest_waiting_seconds", "ledger.settle"] == 0
    assert found["loyalty_worker_last_seen_seconds",] == pytest.approx(10, abs=9)
    assert found["loyalty_database_up",] == 1


def test_without_a_worker_none_was_ever_seen(api: Api):
    assert scraped(api)["loyalty_worker_last_seen_seconds",] == float("inf")


def tell(api: Api, numbers: int) -> None:
    with api.app.app_context(), transaction() as session:
        told(session, api.program.program_id, *(a_fact(number) for number in range(numbers)))


# To the last fact of every program, whether or not it may be followed yet.
ALL_SEEN = """
INSERT INTO followers (name, program_id, xid, seq)
SELECT DISTINCT ON (program_id) %s, program_id, xid, seq FROM events ORDER BY program_id, xid DESC, seq DESC
"""


def catch_up(api: Api) -> None:
    """See everything there is, in every program."""
    with api.app.app_context(), transaction() as session:
        session.run(ALL_SEEN, (US,))


def test_who_follows_the_log_is_measured_by_what_it_has_not_seen(api: Api, monkeypatch: pytest.MonkeyPatch):
    tell(api, 3)
    catch_up(api)
    assert (scraped(api)["loyalty_log_facts_behind", US], scraped(api)["loyalty_log_lag_seconds", US]) == (0, 0)

    tell(api, 3)

    assert scraped(api)["loyalty_log_facts_behind", US] == 3
    assert scraped(api)["loyalty_log_lag_seconds", US] > 0
    monkeypatch.setattr(events_metrics, "COUNTED_MAX", 2)
    assert scraped(api)["loyalty_log_facts_behind", US] == 2


def test_the_log_is_read_by_its_index(api: Api):
    tell(api, 3)
    with api.app.app_context(), transaction() as session:
        session.run("INSERT INTO followers VALUES (%s, %s, -1, -1)", (US, api.program.program_id))
        session.run("SET LOCAL enable_seqscan = off")
        session.run("SET LOCAL enable_sort = off")
        session.run("SET LOCAL enable_bitmapscan = off")
        plan = "\n".join(session.rows(f"EXPLAIN {events_metrics._BEHIND}", (10,), into=scalar_row))

    assert "Index Scan using ix_events_program_id_xid_seq on events e" in plan, plan


def a_gauge(_session: Session) -> list[Any]:
    return [GaugeMetricFamily("a_gauge", "That is there.", value=7)]


@pytest.mark.parametrize(
    ("error", "others"), [(psycopg.errors.QueryCanceled(), True), (sqlalchemy.exc.TimeoutError(), False)]
)
def test_a_scrape_tells_what_it_can(api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, *, others: bool):
    def failing(session: Session) -> list[Any]:
        session.row("SELECT 1", into=scalar_row)
        raise error

    monkeypatch.setitem(api.app.extensions, "loyalty-measures", (failing, a_gauge))

    found = scraped(api)

    assert found["loyalty_database_up",] == 0
    assert (("a_gauge",) in found) is others
    assert any(name == "loyalty_requests_total" for name, *_ in found)


def test_one_that_takes_too_long_is_cut_off(api: Api, monkeypatch: pytest.MonkeyPatch):
    def slow(session: Session) -> list[Any]:
        session.run("SELECT pg_sleep(5)")
        return a_gauge(session)

    monkeypatch.setattr(metrics, "STATEMENT_TIMEOUT", "SET LOCAL statement_timeout = '50ms'")
    monkeypatch.setitem(api.app.extensions, "loyalty-measures", (slow,))

    assert scraped(api)["loyalty_database_up",] == 0


def test_what_several_processes_share_is_joined_by_what_the_database_knows(api: Api, tmp_path: Any):
    with api.app.app_context():
        answer = metrics.exposition(shared_dir=str(tmp_path), measures=(a_gauge,))

    assert answer.get_data(as_text=True).count("a_gauge 7.0") == 1
