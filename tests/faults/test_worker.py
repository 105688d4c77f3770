"""The worker of the jobs, as a real process: it comes and goes with the service, and a kill loses nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg
import pytest
from psycopg.rows import scalar_row

from loyalty.db import roles
from loyalty.db.embedded import database_url, embedded_server
from tests.builders import order_json
from tests.faults.service import PATIENCE_SECONDS, ROOT, Place, Service, a_place, call, serving, until
from tests.faults.test_serve import assert_one_sentence

# An account that looks due: settling finds out when it really is.
MAKE_DUE = "UPDATE accounts SET next_change_at = '2001-01-01'"
STILL_DUE = "SELECT count(*) FROM accounts WHERE next_change_at = '2001-01-01'"
# As if the minute, and the half-minute after which a silent worker counts as dead, were over.
LATER = """
UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour';
DELETE FROM procrastinate_periodic_defers
"""
RUNNING = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'ledger.settle' AND status = 'doing'"


@dataclass(frozen=True)
class Shop:
    """A place where a member has earned points that will lapse. Its service is not running."""

    place: Place
    key: str


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with a_place() as place:
        with serving(place, "--no-worker") as service:
            assert service.key is not None, service.log
            assert call(place.port, "PUT", "/v1/members/c-42", {}, key=service.key).status == 201
            order = order_json(currency="USD")
            assert call(place.port, "POST", "/v1/orders", order, key=service.key).status == 201
            service.stop()
        yield Shop(place, service.key)


@contextmanager
def asking(place: Place) -> Iterator[Callable[[str], Any]]:
    """Ask the database behind everybody's back, as its owner."""
    with embedded_server(place.data_dir) as server:

        def ask(sql: str) -> Any:
            with psycopg.connect(database_url(server, "loyalty"), autocommit=True) as connection:
                cursor = connection.cursor(row_factory=scalar_row).execute(sql)
                return cursor.fetchone() if cursor.description else None

        yield ask


def the_worker(service: Service) -> psutil.Process:
    service.until(service.place.jobs_workers, "the worker to be started")
    (worker,) = service.place.jobs_workers()
    return worker


@contextmanager
def a_worker(place: Place, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """A running `loyalty worker`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loyalty.cli", "worker"],
        cwd=ROOT, env={**place.environment, **environment}, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    with process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "Doing the jobs. Ctrl-C stops.\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_service_has_a_worker_that_settles_who_is_due_and_ends_with_it(shop: Shop, number: signal.Signals):
    with asking(shop.place) as ask:
        ask(MAKE_DUE)
        ask(LATER)
        with serving(shop.place) as service:
            service.until(lambda: not ask(STILL_DUE), "the due account to be settled")
            users = "SELECT array_agg(DISTINCT usename::text) FROM pg_stat_activity WHERE application_name ~ 'loyalty'"
            assert ask(users) == [roles.SERVICE]

            assert service.stop(number) == 0
            assert shop.place.jobs_workers() == []
            # How to get a key, and the address: nothing else is said, but what jobs have done. (On a busy machine a
            # process that was still being started when the service was told to stop has to be killed, and gunicorn says
            # so.)
            usual = ("was sent SIGKILL", '"event":"job.done"')
            said = [line for line in service.log.splitlines() if not any(words in line for words in usual)]
            assert len(said) == 2, service.log
    assert shop.place.database_processes() == {}


def test_a_service_may_leave_the_jobs_to_others(shop: Shop):
    with serving(shop.place, "--no-worker") as service:
        assert service.is_ready()
        assert shop.place.jobs_workers() == []


def test_a_worker_that_dies_is_replaced_and_so_is_the_next(shop: Shop):
    with serving(shop.place) as service:
        for number in (signal.SIGKILL, signal.SIGTERM):
            worker = the_worker(service)
            worker.send_signal(number)
            service.until(lambda gone=worker: not gone.is_running(), "the worker to die")
            assert the_worker(service) != worker
        assert service.stop() == 0


def test_the_worker_of_a_killed_service_ends_by_itself_and_the_database_with_it(shop: Shop):
    with serving(shop.place) as service:
        worker = the_worker(service)
        service.process.kill()
        service.wait()
        until(lambda: not worker.is_running(), "the worker to end")
        until(lambda: not shop.place.database_processes(), "PostgreSQL to be stopped")


def test_a_job_that_was_running_when_its_worker_was_killed_is_done_by_the_next(shop: Shop):
    with asking(shop.place) as ask, embedded_server(shop.place.data_dir) as server:
        ask(MAKE_DUE)
        ask(LATER)
        with serving(shop.place) as service, psycopg.connect(database_url(server, "loyalty")) as other:
            other.execute("SELECT 1 FROM accounts FOR UPDATE")
            service.until(lambda: ask(RUNNING), "the job to be running")
            killed = the_worker(service)
            killed.kill()
            service.until(lambda: not killed.is_running(), "the worker to die")
            other.rollback()
            assert ask(RUNNING) == ask(STILL_DUE) == 1
            ask(LATER)

            service.until(lambda: not ask(STILL_DUE), "the job to be done")
            service.until(lambda: not ask(RUNNING), "the job to be over")
            assert service.stop() == 0
    assert shop.place.run("verify").code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_worker_by_itself_brings_the_database_along_and_stops_in_order(shop: Shop, number: signal.Signals):
    with a_worker(shop.place) as worker:
        os.killpg(worker.pid, number)
        said, _ = worker.communicate(timeout=PATIENCE_SECONDS)
    assert (worker.returncode, said) == (0, "")
    assert shop.place.database_processes() == {}


def test_a_worker_whose_database_is_killed_says_so_and_gives_up(shop: Shop):
    with a_worker(shop.place) as worker:
        shop.place.kill_database()
        said, _ = worker.communicate(timeout=PATIENCE_SECONDS)
    assert worker.returncode == 1
    assert "Traceback" not in said, said
    assert said.splitlines()[-1].startswith("Error: The worker gave up")


def test_settling_by_hand_says_how_many(shop: Shop):
    with asking(shop.place) as ask:
        ask(MAKE_DUE)
        assert shop.place.run("settle").stdout == "1 member was settled.\n"
        assert shop.place.run("settle").stdout == "0 members were settled.\n"
        assert ask(STILL_DUE) == 0


def test_the_service_cannot_change_history_on_the_embedded_database(shop: Shop):
    with embedded_server(shop.place.data_dir) as server:
        url = database_url(server, "loyalty").replace("postgres@", f"{roles.SERVICE}@", 1)
        with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM entries")


def test_a_service_on_a_database_of_ones_own_needs_no_more_than_what_was_granted():
    with a_place() as place, embedded_server(place.folder / "other", durable=False) as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE shop")
            connection.execute("CREATE ROLE till LOGIN")
        url = database_url(server, "shop")
        place.environment["DATABASE_URL"] = url.replace("postgres@", "till@", 1)

        assert_one_sentence(place.run("serve"), "is empty", "run 'loyalty migrate' as the owner")
        assert_one_sentence(place.run("migrate", "--grant-to", "tell", DATABASE_URL=url), "CREATE ROLE")
        assert_one_sentence(place.run("migrate", "--grant-to", "postgres", DATABASE_URL=url), "another one")
        granted = place.run("migrate", "--grant-to", "till", DATABASE_URL=url)
        assert (granted.code, granted.stderr) == (0, "")
        assert "till may run the service" in granted.stdout

        with serving(place) as service:
            assert service.key is not None, service.log
            the_worker(service)
            assert call(place.port, "PUT", "/v1/members/c-42", {}, key=service.key).status == 201
            recorded = call(place.port, "POST", "/v1/orders", order_json(currency="USD"), key=service.key)
            assert recorded.status == 201
            assert place.run("verify").code == place.run("settle").code == 0
            assert service.stop() == 0
        assert place.jobs_workers() == []
        assert not place.data_dir.exists()
