"""The queue of jobs: nothing piles up, nothing is lost with a killed worker, nothing is kept for ever."""

import asyncio
import json
import time
from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from procrastinate import jobs
from procrastinate.periodic import PeriodicDeferrer
from psycopg.rows import scalar_row, tuple_row

from loyalty.config import Settings
from loyalty.core.errors import OperatorError
from loyalty.core.ids import new_id
from loyalty.db.batches import in_batches
from loyalty.db.queue import LOOK_BACK_SECONDS, forget_failed, queue, retry_stalled
from loyalty.db.session import Session, transaction
from loyalty.web import jobs as web
from loyalty.web import logs
from loyalty.worker import SLICES_WITH_JOBS, on_database, run
from tests.proof import assert_books_balance

A_NAME = "Ada Lovelace"
A_WEEK = 7 * 24 * 60 * 60
EACH = {
    "ledger.settle", "ledger.settle_sandboxes", "activities.referrals", "activities.birthdays", "queue.retry_stalled",
    "queue.forget_failed", "web.forget_answers", "tiers.review", "tiers.review_sandboxes", "tiers.move",
    "rewards.expire", "rewards.expire_sandboxes", "rewards.redeem_automatically", "rewards.search",
    "web.forget_attempts", "webhooks.relay", "webhooks.forget",
}  # fmt: skip


@pytest.fixture
def settings(committed_db: Flask, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The queue, connected and empty. Only the tests put something into it."""

    async def nothing(_deferrer: PeriodicDeferrer) -> None:
        return

    monkeypatch.setattr(PeriodicDeferrer, "worker", nothing)
    empty()
    settings = Settings(database_url=database_url)
    with on_database(settings):
        yield settings
    empty()


def empty() -> None:
    with transaction() as session:
        for table in ("procrastinate_periodic_defers", "procrastinate_jobs", "procrastinate_workers"):
            session.run(f"DELETE FROM {table}")


def ask(sql: str, *parameters: Any) -> list[Any]:
    with transaction() as session:
        return session.rows(sql, parameters, into=tuple_row)


def waiting() -> list[str]:
    return [name for (name,) in ask("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY 1")]


def opened(*work: Awaitable[Any]) -> None:
    """Do something with the queue."""

    async def do() -> None:
        async with queue.open_async():
            for each in work:
                await each

    asyncio.run(do())


def due(deferrer: PeriodicDeferrer, at: float) -> Awaitable[None]:
    """What a worker does when it wakes up."""
    return deferrer.defer_jobs(list(deferrer.get_previous_tasks(at=at)))


def a_deferrer() -> PeriodicDeferrer:
    """What a worker has that has just been started."""
    return PeriodicDeferrer(queue.periodic_registry, **queue.periodic_defaults)


def work_off() -> None:
    """A worker that goes when there is nothing left to do."""
    opened(queue.run_worker_async(wait=False, install_signal_handlers=False, delete_jobs="successful"))


def a_running_job(name: str, *, heartbeat: str) -> int:
    """A job that a worker has taken, who gave the last sign of life so long ago."""
    with transaction() as session:
        worker = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s::interval) RETURNING id"
        worker_id = session.row(worker, (heartbeat,), into=scalar_row)
        job = """INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, status, worker_id, args)
                 VALUES ('default', %s, %s, 'doing', %s, '{"timestamp": 0}') RETURNING id"""
        return session.row(job, (name, name, worker_id), into=scalar_row)


def states() -> list[tuple[str, str]]:
    return ask("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id")


def test_the_tasks_are_those_of_the_slices_that_are_listed():
    periodic = {task.task.name for task in queue.periodic_registry.periodic_tasks.values()}

    assert periodic == EACH
    assert {module.__name__.rpartition("loyalty.")[2] for module in SLICES_WITH_JOBS} == {
        "db.queue",
        "ledger.jobs",
        "tiers.jobs",
        "rewards.jobs",
        "activities.jobs",
        "web.jobs",
        "rehearsals.jobs",
        "webhooks.jobs",
    }


def test_a_worker_that_was_away_for_a_week_finds_each_task_once(settings: Settings):
    then = time.time() - A_WEEK
    opened(due(a_deferrer(), then))
    assert set(waiting()) == EACH

    opened(due(a_deferrer(), then + A_WEEK))

    assert sorted(waiting()) == sorted(EACH)
    work_off()
    assert states() == []


def test_a_worker_that_slept_finds_each_task_once(settings: Settings):
    deferrer, then = a_deferrer(), time.time() - 3 * 60 * 60

    opened(due(deferrer, then), due(deferrer, then + 3 * 60 * 60))

    assert sorted(waiting()) == sorted(EACH)


def test_a_worker_that_is_off_at_night_does_what_is_due_daily(settings: Settings):
    a_day = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    opened(due(a_deferrer(), a_day.timestamp()))
    assert set(waiting()) == EACH
    work_off()

    opened(due(a_deferrer(), (a_day + timedelta(minutes=5)).timestamp()))
    assert set(waiting()) == EACH - {
        "activities.birthdays",
        "queue.forget_failed",
        "web.forget_answers",
        "webhooks.forget",
    }
    assert timedelta(seconds=LOOK_BACK_SECONDS) > timedelta(days=1)


def test_a_job_whose_worker_was_killed_is_run_again(settings: Settings):
    a_running_job("ledger.settle", heartbeat="1 minute")

    opened(retry_stalled(0))

    assert states() == [("ledger.settle", "todo")]
    work_off()
    assert states() == []


def test_a_job_whose_worker_lives_is_left_alone(settings: Settings):
    a_running_job("ledger.settle", heartbeat="5 seconds")

    opened(retry_stalled(0))

    assert states() == [("ledger.settle", "doing")]


def test_a_job_whose_worker_was_killed_gives_way_to_the_next_of_its_kind(settings: Settings):
    killed = a_running_job("ledger.settle", heartbeat="1 minute")
    opened(due(a_deferrer(), time.time()))

    opened(retry_stalled(0))

    assert ask("SELECT 1 FROM procrastinate_jobs WHERE id = %s", killed) == []
    assert waiting().count("ledger.settle") == 1


def test_two_workers_that_retry_at_once_do_not_disturb_each_other(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    a_running_job("ledger.settle", heartbeat="1 minute")
    seen = queue.job_manager.get_stalled_jobs

    async def seen_before(*_args: Any) -> Any:
        stalled = await seen()
        for job in stalled:
            await queue.job_manager.retry_job(job)  # the other one was faster
        return stalled

    monkeypatch.setattr(queue.job_manager, "get_stalled_jobs", seen_before)

    opened(retry_stalled(0))

    assert states()[0][0] == "ledger.settle"


def test_jobs_that_failed_are_kept_for_a_week(settings: Settings):
    for age in ("6 days", "8 days"):
        job_id = a_running_job("ledger.settle", heartbeat=age)
        opened(queue.job_manager.finish_job_by_id_async(job_id, jobs.Status.FAILED, delete_job=False))
        ask("UPDATE procrastinate_events SET at = now() - %s::interval WHERE job_id = %s RETURNING 1", age, job_id)

    opened(forget_failed(0))

    assert len(states()) == 1


def test_answers_are_forgotten_after_a_week_in_batches(settings: Settings):
    program_id = new_id()
    store = """INSERT INTO idempotency_keys (program_id, key, fingerprint, created_at)
               SELECT %s, n, '', now() - make_interval(days => n) FROM generate_series(1, 12) n"""
    with transaction() as session:
        session.run(store, (program_id,))

    done = in_batches(web.forget_answers)

    assert done >= 6
    kept = ask("SELECT key::int FROM idempotency_keys WHERE program_id = %s ORDER BY 1", program_id)
    assert [key for (key,) in kept] == [1, 2, 3, 4, 5, 6]


def test_between_two_batches_a_job_may_be_told_to_stop(committed_db: Flask):
    done = []

    def batch(_session: Session) -> int:
        done.append(1)
        return 1

    assert in_batches(batch, stop=lambda: len(done) == 3) == 3


def test_a_job_that_fails_is_told_in_the_log_without_the_data_and_does_not_hinder_the_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def refused(*_args: Any, **_kwargs: Any) -> int:
        with transaction() as session:
            session.run("INSERT INTO programs (program_id, name) VALUES (gen_random_uuid(), %s)", (A_NAME,))
        return 0

    monkeypatch.setattr(queue.tasks["ledger.settle"], "func", refused)
    opened(due(a_deferrer(), time.time()))
    logs.configure("INFO")
    with logs.adopting_libraries():
        work_off()

    assert states() == [("ledger.settle", "failed")]
    said = capsys.readouterr().err
    assert "Ada" not in said
    (line,) = [json.loads(line) for line in said.splitlines()]
    assert (line["event"], line["level"], line["sqlstate"]) == ("procrastinate.worker.error", "error", "23502")


def test_a_worker_without_a_database_says_so_in_a_sentence(committed_db: Flask, monkeypatch: pytest.MonkeyPatch):
    async def gave_up(**_options: Any) -> None:
        return

    monkeypatch.setattr(queue, "run_worker_async", gave_up)
    url = committed_db.config["SQLALCHEMY_DATABASE_URI"].render_as_string(hide_password=False)

    with pytest.raises(OperatorError, match="gave up"):
        run(Settings(database_url=url))


def test_the_work_of_the_jobs_leaves_the_books_in_order(settings: Settings):
    opened(due(a_deferrer(), time.time()))
    work_off()

    with transaction() as session:
        assert_books_balance(session)
