"""What operators see of the queue, and how a job that failed is put back."""

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask

from loyalty.cli import jobs as command
from loyalty.config import Settings
from loyalty.core.errors import OperatorError
from loyalty.db import migrate, queued
from loyalty.db.queued import Count
from loyalty.db.session import reading
from loyalty.worker import ON_REQUEST, SCHEDULE
from tests.db.queueing import a_failed_job, a_running_job, ask, put_in, states, work_off

OPERATIONS = Path(migrate.ROOT) / "docs" / "operations.md"
INSIDE = {name: command.jobs.commands[name].callback.__wrapped__ for name in ("list", "failed", "retry")}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What a command says, on the database of this worker."""
    result = invoked(monkeypatch, *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def invoked(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    """A command that runs in the application that is there already."""
    monkeypatch.setenv("COLUMNS", "200")
    for name, callback in INSIDE.items():
        monkeypatch.setattr(command.jobs.commands[name], "callback", callback)
    return CliRunner().invoke(command.jobs, arguments)


def counts() -> dict[str, Count]:
    with reading() as session:
        return {count.job: count for count in queued.counts(session)}


def test_jobs_are_counted_by_name_and_state(settings: Settings):
    a_running_job("ledger.settle", heartbeat="5 seconds")
    put_in("tiers.move", ago="90 seconds")
    for ago in ("1 hour", "2 days"):
        a_failed_job("tiers.move", ago=ago)

    settle, move = counts()["ledger.settle"], counts()["tiers.move"]

    assert (settle.waiting, settle.running, settle.failed, settle.oldest_seconds) == (0, 1, 0, None)
    assert (move.waiting, move.running, move.failed) == (1, 0, 2)
    assert move.oldest_seconds == pytest.approx(90, abs=30)


def test_a_job_waits_from_when_it_is_due(settings: Settings):
    put_in("a", ago="1 hour", scheduled="10 minutes")
    put_in("a", ago="1 minute")
    put_in("b", ago="1 hour", scheduled="-10 minutes")

    assert counts()["a"].oldest_seconds == pytest.approx(600, abs=30)
    assert (counts()["b"].waiting, counts()["b"].oldest_seconds) == (1, None)


def test_the_last_sign_of_life_is_that_of_any_worker(settings: Settings):
    with reading() as session:
        assert queued.seconds_since_a_worker(session) is None
    for heartbeat in ("1 hour", "20 seconds"):
        a_running_job("ledger.settle", heartbeat=heartbeat)

    with reading() as session:
        assert queued.seconds_since_a_worker(session) == pytest.approx(20, abs=15)


def test_what_failed_is_listed_newest_first(settings: Settings):
    ids = [a_failed_job("ledger.settle", ago=ago) for ago in ("2 days", "1 hour")]

    with reading() as session:
        found = queued.failed(session, limit=5)
        assert queued.failed(session, limit=1) == found[:1]
        assert queued.failed_ids(session) == ids

    assert [(each.id, each.job, each.tries) for each in found] == [(id_, "ledger.settle", 1) for id_ in ids[::-1]]
    assert (found[0].failed_at - found[1].failed_at).total_seconds() == pytest.approx(47 * 3600, abs=60)


def test_a_job_that_failed_is_put_back_and_done(settings: Settings):
    job_id = a_failed_job("ledger.settle")

    assert queued.retry(job_id) == "retried"

    assert ask("SELECT status::text, attempts FROM procrastinate_jobs") == [("todo", 0)]
    assert counts()["ledger.settle"].oldest_seconds < 30
    work_off()
    assert states() == []


def test_a_job_that_failed_gives_way_to_the_next_of_its_kind(settings: Settings):
    job_id = a_failed_job("ledger.settle")
    put_in("ledger.settle", queueing_lock="ledger.settle")

    assert queued.retry(job_id) == "superseded"

    assert states() == [("ledger.settle", "todo")]


def test_what_did_not_fail_is_not_put_back(settings: Settings):
    running = a_running_job("ledger.settle", heartbeat="5 seconds")

    for job_id in (running, 0):
        with pytest.raises(OperatorError, match=f"No job with the id {job_id} has failed"):
            queued.retry(job_id)

    assert states() == [("ledger.settle", "doing")]


def test_the_commands_show_it(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    assert "No job has failed." in run(monkeypatch, "failed")
    assert "No worker is running." in run(monkeypatch, "list")
    first, second = (a_failed_job(name) for name in ("ledger.settle", "tiers.move"))

    listed = run(monkeypatch, "list").splitlines()
    assert [line.split() for line in listed if "settle" in line] == [["ledger.settle", "0", "0", "1"]]
    assert "A worker was there" in listed[-1]
    shown = run(monkeypatch, "failed", "--limit", "1").splitlines()
    assert [line.split()[:2] for line in shown[1:]] == [[str(second), "tiers.move"]]
    assert shown[1].split()[4:] == ["1", '{"timestamp":0}']

    assert run(monkeypatch, "retry", str(first)) == f"{first}: waits again.\n"
    put_in("tiers.move", queueing_lock="tiers.move")
    assert run(monkeypatch, "retry", "--all") == f"{second}: the next of its kind waits already.\n"


@pytest.mark.parametrize("arguments", [(), ("1", "--all")])
def test_one_is_put_back_or_all_are(committed_db: Flask, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]):
    result = invoked(monkeypatch, "retry", *arguments)

    assert result.exit_code == 2
    assert "Name one job by its id, or --all." in result.output


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        (timedelta(seconds=5), "every 5 seconds"),
        ("* * * * *", "every minute"), ("*/10 * * * *", "every 10 minutes"), ("7 * * * *", "hourly, at :07"),
        ("17 3 * * *", "daily, at 03:17"), ("0 4 1 * *", "0 4 1 * *"),
    ],
)  # fmt: skip
def test_times_are_told_in_words(cron: str | timedelta, words: str):
    assert command.in_words(cron) == words


def test_the_schedule_is_printed_without_a_database(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")

    said = run(monkeypatch, "schedule")

    assert all(name in said for name, *_ in (*SCHEDULE, *ON_REQUEST))
    assert "daily, at 03:17" in said


def test_the_documentation_has_the_same_table():
    text = OPERATIONS.read_text(encoding="utf-8")
    table = text.partition("| job | when (UTC) | what |\n|---|---|---|\n")[2].partition("\n\n")[0]

    assert table.splitlines() == [f"| `{name}` | {when} | {what} |" for name, when, what in command.scheduled()]
