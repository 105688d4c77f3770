"""Rehearsals are done by the worker, one at a time."""

import time
from uuid import UUID

import psycopg
import sqlalchemy.exc

from loyalty.core import clock
from loyalty.db.queue import Stop, Stopped, on_request
from loyalty.db.session import reading, transaction
from loyalty.programs import queries as programs
from loyalty.rehearsals import ladders, offers, service
from loyalty.rehearsals.domain import JOB, Interrupted, Outcome, Task, Told
from loyalty.rehearsals.performing import perform

# How often it is said how far a rehearsal is, and looked whether it was cancelled.
TELL_SECONDS = 1.0


@on_request(JOB)
def rehearse(*, stop: Stop, rehearsal_id: str) -> None:
    """Do a rehearsal that was asked for. One whose worker goes begins again with the next."""
    with transaction() as session:
        task = service.begin(session, UUID(rehearsal_id), now=clock.now())
    if task is None:
        return
    try:
        outcome = _perform(task, _telling(task, stop))
    except Interrupted:
        if stop():
            raise Stopped from None
        return  # it was cancelled, or another worker does it
    except (psycopg.OperationalError, sqlalchemy.exc.OperationalError):
        raise  # the database was away: it begins again
    except Exception:
        with transaction() as session:
            service.fail(session, task.rehearsal_id, "It could not be finished; the log says why.", now=clock.now())
        raise
    with transaction() as session:
        service.finish(session, task, outcome.result, done=outcome.done, now=clock.now())


def _perform(task: Task, told: Told) -> Outcome:
    """Do what its kind is done by."""
    with reading() as session:
        program = programs.load(session, task.program_id)
        # What happened in a sandbox was recorded by its own clock.
        there = clock.real_now() + programs.clock(session, task.program_id).ahead
    if task.span is None:
        return ladders.perform(program, ladders.drafted(task.draft), told=told, now=there)
    if task.kind == "offers":
        return offers.perform(program, offers.drafted(task.draft), task.span.begin, told=told, now=there)
    return perform(program, service.rules_of(task.draft), task.span, told=told, now=there)


def _telling(task: Task, stop: Stop) -> Told:
    """Say how far it is, once a second, in a transaction of its own; answers whether to go on."""
    said_at = 0.0

    def told(done: int, total: int) -> bool:
        nonlocal said_at
        if stop():
            return False
        if time.monotonic() - said_at < TELL_SECONDS:
            return True
        said_at = time.monotonic()
        with transaction() as session:
            return service.advance(session, task, done=done, total=total)

    return told
