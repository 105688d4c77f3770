"""The queue of background jobs: procrastinate, whose jobs live in the same database.

The batches stand in the `jobs.py` of their slices, and `loyalty.worker` says when each is run. Doing a job twice or at
the same time does no harm. So one that was cut off is simply run again, and one that is late has nothing to catch up on
but the work itself. One that failed is kept for a while, to be looked at and put back: see `loyalty.db.queued`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from inspect import iscoroutinefunction
from typing import Any, TypeVar

import orjson
import psycopg
import sqlalchemy.exc
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, JobAborted, UniqueViolation
from procrastinate.jobs import Job, Status
from psycopg.rows import scalar_row

from loyalty.db.batches import Batch, in_batches
from loyalty.db.session import Session

# A worker that comes back looks this far for the last time at which a task was due, and runs it once. More than a day,
# so that a machine which is off at night still does what is to be done daily.
LOOK_BACK_SECONDS = 25 * 60 * 60

# So long the jobs that failed can be looked at. What went well leaves at once.
KEEP_HOURS = 7 * 24

# A job for which the database was away, or too slow, is tried so often: after 1, 2, 4 … seconds, four minutes in all.
# What else a job raises would only be raised again.
TRIES = 10
PAUSE_SECONDS_MAX = 60

# The queue's own function for putting jobs in; a trigger tells the workers when the transaction commits.
_DEFER = """
SELECT procrastinate_defer_jobs_v1(ARRAY[
    ROW('default', %s, 0, %s, %s, %s::jsonb, now() + %s)::procrastinate_job_to_defer_v1])
"""
_WAITS = "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo')"

# What a job that was told to stop ends with, and how it is asked whether it was.
Stopped = JobAborted
Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Unbatched:
    """Work that makes transactions of its own, and asks whether to stop."""

    work: Callable[[Stop], int]


# A batch, work that is none, or what the queue does about itself; all answer how much was done.
Work = Batch | Unbatched | Callable[[], Awaitable[int]]
W = TypeVar("W", bound=Work)

# The worker opens it on its database.
queue = App(connector=PsycopgConnector(), periodic_defaults={"max_delay": LOOK_BACK_SECONDS})
_often: dict[str, float] = {}

# What workers call more often is called by the clock, too: should their own calls fail, it is not forgotten.
EVERY_MINUTE = "* * * * *"


def regularly(name: str, *, when: str | timedelta) -> Callable[[W], W]:
    """Declare a task: run the batch at the times of a cron (UTC), until it finds nothing to do.

    Or `when` says how often each worker that is there calls it: seconds that were slept through are not made up for, as
    those of a cron would be. At most one such job waits, however long nobody takes it. A worker that is told to stop
    finishes the batch. One that fails is not tried again before its next time.
    """
    if isinstance(when, timedelta):
        _often[name] = when.total_seconds()

    def declare(work: W) -> W:
        job: Callable[..., Any]
        if isinstance(work, Unbatched):
            job = _unbatched(work)
        else:
            job = _alone(work) if iscoroutinefunction(work) else _in_batches(work)  # type: ignore[arg-type]
        queue.periodic(cron=EVERY_MINUTE if isinstance(when, timedelta) else when)(
            queue.task(name=name, queueing_lock=name, pass_context=True)(job)
        )
        return work

    return declare


# What is due is due now, whenever the job was put into the queue: the time at which it was, is of no interest.
def _in_batches(batch: Batch) -> Callable[..., int]:
    def job(context: JobContext, timestamp: int) -> int:
        del timestamp
        return in_batches(batch, stop=context.should_abort)

    return job


def _unbatched(unbatched: Unbatched) -> Callable[..., int]:
    def job(context: JobContext, timestamp: int) -> int:
        del timestamp
        return unbatched.work(context.should_abort)

    return job


def _alone(work: Callable[[], Awaitable[int]]) -> Callable[..., Awaitable[int]]:
    async def job(context: JobContext, timestamp: int) -> int:
        del context, timestamp
        return await work()

    return job


class _Again(BaseRetryStrategy):
    """Whether and when a job that was asked for is tried again."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """At once, if it was stopped; after a while, if the database was away."""
        if isinstance(exception, Stopped):
            return RetryDecision(retry_in={"seconds": 0})
        away = isinstance(exception, psycopg.OperationalError | sqlalchemy.exc.OperationalError)
        if not away or job.attempts + 1 >= TRIES:
            return None
        return RetryDecision(retry_in={"seconds": min(2**job.attempts, PAUSE_SECONDS_MAX)})


async def call_often(stopping: asyncio.Event) -> None:
    """Put the tasks into the queue that are to run every few seconds, unless they wait there already; until told."""
    await asyncio.gather(*(_call(name, seconds, stopping) for name, seconds in _often.items()))


async def _call(name: str, every_seconds: float, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        # Without a database there is nothing to be done, and the worker gives up by itself.
        with suppress(AlreadyEnqueued, ConnectorException):
            await queue.tasks[name].defer_async(timestamp=0)
        # Asked rather than cancelled: a statement under way is not cut off.
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), every_seconds)


def on_request(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a task that is put into the queue by `defer`, with the arguments it is to be called with.

    It is passed `stop`, which says when to stop, and then raises Stopped: it is run again by the next worker. After the
    database was away it is tried again, too (`TRIES`). What else it raises, ends it: it has failed.
    """

    def declare(work: Callable[..., None]) -> Callable[..., None]:
        def job(context: JobContext, /, **arguments: Any) -> None:
            work(stop=context.should_abort, **arguments)

        queue.task(name=name, retry=_Again(), pass_context=True)(job)
        return work

    return declare


def defer(
    session: Session, name: str, *, lock: str | None = None, queueing_lock: str | None = None,
    after: timedelta | None = None, **arguments: Any,
) -> None:  # fmt: skip
    """Put a job into the queue, in the transaction of the session: there is none until that commits, or if it does not.

    Jobs of one `lock` are done one after the other. Of one `queueing_lock` only one waits: a second is not put there.
    With `after`, it is not done before that time has passed.
    """
    parameters = (name, lock, queueing_lock, orjson.dumps(arguments).decode(), after)
    if queueing_lock is None:
        session.run(_DEFER, parameters)
    elif not session.row(_WAITS, (queueing_lock,), into=scalar_row):
        # Somebody else may put one there at the same moment.
        with suppress(psycopg.errors.UniqueViolation), session.driver.transaction():
            session.run(_DEFER, parameters)


async def retry_stalled() -> int:
    """Put back into the queue what was running when its worker was killed (half a minute without a sign of life)."""
    stalled = list(await queue.job_manager.get_stalled_jobs())
    for job in stalled:
        try:
            await queue.job_manager.retry_job(job)
        except UniqueViolation:
            # The next of its kind waits already, and will do the same work.
            await queue.job_manager.finish_job(job, Status.ABORTED, delete_job=True)
        except ConnectorException as error:
            # Its state has changed meanwhile: another worker was faster.
            if not isinstance(error.__cause__, psycopg.errors.RaiseException):
                raise
    return len(stalled)


async def forget_failed() -> int:
    """Delete the jobs that failed a week ago or before, and what is left of any others that have ended."""
    await queue.job_manager.delete_old_jobs(
        KEEP_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
    return 0  # it does not say
