"""What is in the queue of jobs, for its operators: how much waits, what failed, and putting that back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row, scalar_row

from loyalty.core.errors import OperatorError
from loyalty.db.session import Session, transaction

# Which jobs of a name are due is known by when they are scheduled, or else by when the first of them was put in: so one
# event is looked up for each name, however many jobs there are.
_COUNTS = """
WITH named AS (
    SELECT task_name AS job,
        count(*) FILTER (WHERE status = 'todo') AS waiting,
        count(*) FILTER (WHERE status = 'doing') AS running,
        count(*) FILTER (WHERE status = 'failed') AS failed,
        min(scheduled_at) FILTER (WHERE status = 'todo' AND scheduled_at <= now()) AS due,
        min(id) FILTER (WHERE status = 'todo' AND scheduled_at IS NULL) AS first
    FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed') GROUP BY task_name)
SELECT job, waiting, running, failed,
    extract(epoch FROM now() - least(due, (SELECT min(at) FROM procrastinate_events WHERE job_id = first)))::float8
    AS oldest_seconds
FROM named ORDER BY job
"""
_SEEN = "SELECT extract(epoch FROM now() - max(last_heartbeat))::float8 FROM procrastinate_workers"
_FAILED = """
SELECT id, task_name AS job, attempts AS tries, args AS arguments,
    (SELECT max(at) FROM procrastinate_events WHERE job_id = j.id) AS failed_at
FROM procrastinate_jobs j WHERE status = 'failed' ORDER BY id DESC LIMIT %s
"""
_FAILED_IDS = "SELECT id FROM procrastinate_jobs WHERE status = 'failed' ORDER BY id"
_IS_FAILED = "SELECT 1 FROM procrastinate_jobs WHERE id = %s AND status = 'failed'"
# Its tries are counted anew.
_RETRY = """
WITH again AS MATERIALIZED (SELECT procrastinate_retry_job_v2(%(id)s, now(), NULL, NULL, NULL))
SELECT 1 FROM again
"""
_ANEW = "UPDATE procrastinate_jobs SET attempts = 0 WHERE id = %s"
_FORGET = "DELETE FROM procrastinate_jobs WHERE id = %s AND status = 'failed'"


@dataclass(frozen=True, slots=True)
class Count:
    """The jobs of one name. `oldest_seconds`: how long the one due for longest has waited, if any is due."""

    job: str
    waiting: int
    running: int
    failed: int
    oldest_seconds: float | None


@dataclass(frozen=True, slots=True)
class Failed:
    """A job that failed. Why, the log says."""

    id: int
    job: str
    tries: int
    arguments: dict[str, Any]
    failed_at: datetime


def counts(session: Session) -> list[Count]:
    """The jobs that wait, run or have failed, by name."""
    return session.rows(_COUNTS, into=class_row(Count))


def seconds_since_a_worker(session: Session) -> float | None:
    """How long ago any worker gave a sign of life, which each does every ten seconds; None: there is none."""
    return session.row(_SEEN, into=scalar_row)


def failed(session: Session, *, limit: int) -> list[Failed]:
    """The jobs that failed, the newest first. They are kept for a week."""
    return session.rows(_FAILED, (limit,), into=class_row(Failed))


def failed_ids(session: Session) -> list[int]:
    """All jobs that failed, the oldest first."""
    return session.rows(_FAILED_IDS, into=scalar_row)


def retry(job_id: int) -> Literal["retried", "superseded"]:
    """Put a job that failed back into the queue; superseded: the next of its kind waits already, and does the same.

    Raises OperatorError for one that has not failed.
    """
    try:
        with transaction() as session:
            if session.row(_IS_FAILED, (job_id,), into=scalar_row) is None:
                raise OperatorError(f"No job with the id {job_id} has failed.")
            session.run(_RETRY, {"id": job_id})
            session.run(_ANEW, (job_id,))
    except psycopg.errors.UniqueViolation:
        with transaction() as session:
            session.run(_FORGET, (job_id,))
        return "superseded"
    return "retried"
