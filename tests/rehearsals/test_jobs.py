"""The job of a rehearsal: none without its request, begun again when it was cut off, stopped when told to."""

from uuid import UUID

import psycopg
import pytest
from flask import Flask
from procrastinate.exceptions import JobAborted
from procrastinate.jobs import Job
from psycopg.rows import scalar_row

from loyalty.db.queue import defer, queue
from loyalty.db.session import reading, transaction
from loyalty.programs.domain import Program
from loyalty.rehearsals import jobs, queries, service
from loyalty.rehearsals.domain import ATTEMPTS_MAX, JOB, LOCK, NewRehearsal, Rehearsal
from tests.builders import NOW, a_program
from tests.rehearsals.builders import DAY, base, buy, enrol, one

A_JOB = Job(id=1, queue="default", lock=None, queueing_lock=None, task_name=JOB)

WAITING = "SELECT count(*) FROM procrastinate_jobs WHERE args->>'rehearsal_id' = %s AND lock = %s AND task_name = %s"


@pytest.fixture
def program(committed_db: Flask) -> Program:
    with transaction() as session:
        program = a_program(session)
    enrol(program, "ann")
    buy(program, "ann", NOW - DAY)
    return program


@pytest.fixture
def asked(program: Program) -> Rehearsal:
    new = NewRehearsal(begin=NOW - 30 * DAY, rules=[base("2")])
    with transaction() as session:
        return service.request_rehearsal(session, program.program_id, new, requested_by="ops", now=NOW + DAY)


def found(program: Program, rehearsal: Rehearsal) -> Rehearsal:
    with reading() as session:
        return queries.rehearsal(session, program.program_id, "earning_rules", rehearsal.rehearsal_id)


def test_a_job_waits_once_its_request_is_committed(asked: Rehearsal):
    assert one(WAITING, str(asked.rehearsal_id), LOCK, JOB) == 1
    assert JOB in queue.tasks


def test_a_request_that_rolls_back_leaves_no_job(committed_db: Flask):
    def refused() -> None:
        with transaction() as session:
            defer(session, JOB, lock=LOCK, rehearsal_id="rolled-back")
            assert session.row(WAITING, ("rolled-back", LOCK, JOB), into=scalar_row) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        refused()

    assert one(WAITING, "rolled-back", LOCK, JOB) == 0


def test_what_was_cut_off_begins_again_and_says_so(program: Program, asked: Rehearsal):
    with transaction() as session:
        killed = service.begin(session, asked.rehearsal_id, now=NOW)
        assert killed
        assert service.advance(session, killed, done=500, total=900)

    jobs.rehearse(stop=lambda: False, rehearsal_id=str(asked.rehearsal_id))

    done = found(program, asked)
    assert (done.status, done.attempts, done.done, done.total) == ("done", 2, 1, 1)
    with transaction() as session:  # who was thought dead, and was not, has nothing more to say
        assert not service.advance(session, killed, done=600, total=900)
        service.finish(session, killed, {}, done=900, now=NOW)
    assert found(program, asked) == done


def test_what_is_cut_off_again_and_again_is_given_up(program: Program, asked: Rehearsal):
    for _ in range(ATTEMPTS_MAX):
        with transaction() as session:
            assert service.begin(session, asked.rehearsal_id, now=NOW)

    jobs.rehearse(stop=lambda: False, rehearsal_id=str(asked.rehearsal_id))

    assert (found(program, asked).status, found(program, asked).error) == ("failed", "It was cut off 5 times.")


def test_a_worker_that_is_told_to_stop_leaves_it_to_the_next(program: Program, asked: Rehearsal):
    with pytest.raises(JobAborted):
        jobs.rehearse(stop=lambda: True, rehearsal_id=str(asked.rehearsal_id))
    assert found(program, asked).status == "running"
    again = queue.tasks[JOB].retry_strategy
    assert again is not None
    assert again.get_retry_decision(exception=JobAborted(), job=A_JOB) is not None

    jobs.rehearse(stop=lambda: False, rehearsal_id=str(asked.rehearsal_id))

    assert (found(program, asked).status, found(program, asked).attempts) == ("done", 2)


def test_one_that_runs_stops_when_it_is_cancelled(program: Program, asked: Rehearsal):
    def somebody_cancels() -> bool:
        with transaction() as session:
            service.cancel_rehearsal(session, program.program_id, "earning_rules", asked.rehearsal_id, now=NOW)
        return False  # the worker itself is not told to stop

    jobs.rehearse(stop=somebody_cancels, rehearsal_id=str(asked.rehearsal_id))

    assert found(program, asked).status == "cancelled"
    assert found(program, asked).result is None


def test_what_goes_wrong_is_said_and_raised(program: Program, asked: Rehearsal, monkeypatch: pytest.MonkeyPatch):
    def broken(*_args: object, **_kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(jobs, "perform", broken)

    with pytest.raises(ZeroDivisionError):
        jobs.rehearse(stop=lambda: False, rehearsal_id=str(asked.rehearsal_id))

    assert found(program, asked).status == "failed"
    assert "log" in (found(program, asked).error or "")


def test_a_database_that_goes_away_is_not_the_end(program: Program, asked: Rehearsal, monkeypatch: pytest.MonkeyPatch):
    def away(*_args: object, **_kwargs: object) -> None:
        raise psycopg.OperationalError

    monkeypatch.setattr(jobs, "perform", away)

    with pytest.raises(psycopg.OperationalError):
        jobs.rehearse(stop=lambda: False, rehearsal_id=str(asked.rehearsal_id))

    assert found(program, asked).status == "running"


def test_a_rehearsal_that_is_not_there_is_nothing_to_do(committed_db: Flask):
    jobs.rehearse(stop=lambda: False, rehearsal_id=str(UUID(int=1)))
