"""The queue of jobs: nothing piles up, nothing is lost with a killed worker, nothing is kept for ever."""

import json
import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy.exc
from flask import Flask

from loyalty.config import Settings
from loyalty.core.errors import OperatorError
from loyalty.core.ids import new_id
from loyalty.db.batches import in_batches
from loyalty.db.queue import LOOK_BACK_SECONDS, TRIES, defer, forget_failed, queue, retry_stalled
from loyalty.db.session import Session, transaction
from loyalty.web import jobs as web
from loyalty.web import logs
from loyalty.worker import ON_REQUEST, SCHEDULE, _not_told_yet, run
from tests.db.queueing import (
    a_deferrer,
    a_failed_job,
    a_running_job,
    ask,
    due,
    opened,
    put_in,
    states,
    waiting,
    work_off,
)
from tests.proof import assert_books_balance

A_NAME = "Ada Lovelace"
A_WEEK = 7 * 24 * 60 * 60
EACH = {name for name, *_ in SCHEDULE}


def test_the_tasks_are_those_of_the_tables():
    periodic = {task.task.name for task in queue.periodic_registry.periodic_tasks.values()}

    assert periodic == EACH, "a job that is declared beside the table needs a row in it"
    assert len(SCHEDULE) == len(EACH)
    others = {name for name in queue.tasks if not name.startswith(("builtin:", "procrastinate."))} - periodic
    assert others == {name for name, *_ in ON_REQUEST}


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
    once_an_hour = {"learning.count_statistics", "notifications.statements", "outcomes.fill"}

    opened(due(a_deferrer(), a_day.timestamp()))
    assert set(waiting()) == EACH
    work_off()

    opened(due(a_deferrer(), (a_day + timedelta(minutes=5)).timestamp()))
    once_a_day = {
        "activities.birthdays",
        "queue.forget_failed",
        "web.forget_answers",
        "notifications.forget",
        "webhooks.forget",
    }
    assert set(waiting()) == EACH - once_a_day - once_an_hour
    assert timedelta(seconds=LOOK_BACK_SECONDS) > timedelta(days=1)


def test_a_job_whose_worker_was_killed_is_run_again(settings: Settings):
    a_running_job("ledger.settle", heartbeat="1 minute")

    opened(retry_stalled())

    assert states() == [("ledger.settle", "todo")]
    work_off()
    assert states() == []


def test_a_job_whose_worker_lives_is_left_alone(settings: Settings):
    a_running_job("ledger.settle", heartbeat="5 seconds")

    opened(retry_stalled())

    assert states() == [("ledger.settle", "doing")]


def test_a_job_whose_worker_was_killed_gives_way_to_the_next_of_its_kind(settings: Settings):
    killed = a_running_job("ledger.settle", heartbeat="1 minute")
    opened(due(a_deferrer(), time.time()))

    opened(retry_stalled())

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

    opened(retry_stalled())

    assert states()[0][0] == "ledger.settle"


def test_jobs_that_failed_are_kept_for_a_week(settings: Settings):
    for age in ("6 days", "8 days"):
        a_failed_job("ledger.settle", ago=age)

    opened(forget_failed())

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
    monkeypatch.setattr(logging.getLogger("procrastinate.worker"), "filters", [_not_told_yet])
    opened(due(a_deferrer(), time.time()))
    logs.configure("INFO")
    with logs.adopting_libraries():
        work_off()

    assert states() == [("ledger.settle", "failed")]
    said = capsys.readouterr().err
    assert "Ada" not in said
    told = [json.loads(line) for line in said.splitlines()]
    (line,) = [line for line in told if line["event"] != "job.done"]
    assert (line["event"], line["level"], line["sqlstate"]) == ("job.failed", "error", "23502")
    assert (line["job"], line["tries"]) == ("ledger.settle", 1)
    assert line["job_id"] == ask("SELECT id FROM procrastinate_jobs")[0][0]


@pytest.mark.parametrize(
    ("level", "told"), [("INFO", [("tiers.move", 3)]), ("DEBUG", [("tiers.move", 3), ("tiers.review", 0)])]
)
def test_the_log_tells_what_jobs_did(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], level: str, told: list[Any]
):
    for name, done in (("tiers.move", 3), ("tiers.review", 0)):
        monkeypatch.setattr(queue.tasks[name], "func", lambda *_args, done=done, **_kwargs: done)
        put_in(name)
    logs.configure(level)

    work_off()
    logs.configure("INFO")

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert sorted((line["job"], line["done"]) for line in lines) == told
    assert {line["event"] for line in lines} == {"job.done"}
    assert all(0 <= line["seconds"] < 60 and line["tries"] == 1 for line in lines)


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


@pytest.fixture
def requested(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """A job that was asked for, and what it raises, each time it is run."""
    raises: list[BaseException] = []

    def work(*_args: Any, **_kwargs: Any) -> None:
        if raises:
            raise raises.pop(0)

    monkeypatch.setattr(queue.tasks["rehearsals.rehearse"], "func", work)
    with transaction() as session:
        defer(session, "rehearsals.rehearse", rehearsal_id="r-1")
    return raises


@pytest.mark.parametrize("away", [psycopg.OperationalError(), sqlalchemy.exc.OperationalError("", None, ValueError())])
def test_a_job_that_was_asked_for_waits_while_the_database_is_away(requested: list[BaseException], away: Exception):
    tried = 0
    while states() == [("rehearsals.rehearse", "todo")]:
        requested.append(away)
        work_off()
        tried += 1
        ask("UPDATE procrastinate_jobs SET scheduled_at = now() RETURNING 1")

    assert (tried, states()) == (TRIES, [("rehearsals.rehearse", "failed")])


def test_it_waits_longer_each_time_but_not_for_ever(requested: list[BaseException]):
    later = "SELECT extract(epoch FROM scheduled_at - now())::float8 FROM procrastinate_jobs"
    for tries, seconds in ((0, 1), (3, 8), (8, 60)):
        requested.append(psycopg.OperationalError())
        ask("UPDATE procrastinate_jobs SET attempts = %s, scheduled_at = NULL RETURNING 1", tries)
        work_off()
        assert ask(later)[0][0] == pytest.approx(seconds, abs=0.9)


def test_what_is_wrong_in_itself_is_not_tried_again(requested: list[BaseException]):
    requested.append(ValueError("no"))

    work_off()

    assert states() == [("rehearsals.rehearse", "failed")]
