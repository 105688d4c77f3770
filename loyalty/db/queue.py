"""The queue of background jobs: procrastinate, whose jobs live in the same database.

A slice declares its tasks in its `jobs.py`, and `loyalty.worker` lists the slices that have some. All that jobs do is
done in batches, and doing it twice or at the same time does no harm. So a job that was cut off is simply run again,
and one that is late has nothing to catch up on but the work itself.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import orjson
import psycopg
import sqlalchemy.exc
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, JobAborted, UniqueViolation
from procrastinate.jobs import Status
from psycopg.rows import scalar_row

from loyalty.db.batches import Batch, in_batches
from loyalty.db.session import Session

# A worker that comes back looks this far for the last time at which a task was due, and runs it once. More than a day,
# so that a machine which is off at night still does what is to be done daily.
LOOK_BACK_SECONDS = 25 * 60 * 60

# So long the jobs that failed can be looked at. What went well leaves at once.
KEEP_HOURS = 7 * 24

# The queue's own function for putting jobs in; a trigger tells the workers when the transaction commits.
_DEFER = """
SELECT procrastinate_defer_jobs_v1(ARRAY[
    ROW('default', %s, 0, %s, %s, %s::jsonb, now() + %s)::procrastinate_job_to_defer_v1])
"""
_WAITS = "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo')"

# What a job that was told to stop ends with, and how it is asked whether it was.
Stopped = JobAborted
Stop = Callable[[], bool]

# The worker opens it on its database.
queue = App(connector=PsycopgConnector(), periodic_defaults={"max_delay": LOOK_BACK_SECONDS})
_often: dict[str, float] = {}


def regularly(name: str, *, cron: str, every_seconds: float | None = None) -> Callable[[Batch], Batch]:
    """Declare a task: run the batch at the times of `cron` (UTC), until it finds nothing to do.

    With `every_seconds` it is called that often, too, by each worker that is there: seconds that were slept through are
    not made up for, as those of a `cron` would be. At most one such job waits, however long nobody takes it. A worker
    that is told to stop finishes the batch.
    """
    if every_seconds is not None:
        _often[name] = every_seconds

    def declare(batch: Batch) -> Batch:
        def job(context: JobContext, timestamp: int) -> int:
            del timestamp  # what is due is due now, whenever the job was put into the queue
            return in_batches(batch, stop=context.should_abort)

        queue.periodic(cron=cron)(queue.task(name=name, queueing_lock=name, pass_context=True)(job))
        return batch

    return declare


async def call_often() -> None:
    """For ever, put the tasks into the queue that are to run every few seconds, unless they wait there already."""
    await asyncio.gather(*(_call(name, seconds) for name, seconds in _often.items()))


async def _call(name: str, every_seconds: float) -> None:
    while True:
        # Without a database there is nothing to be done, and the worker gives up by itself.
        with suppress(AlreadyEnqueued, ConnectorException):
            await queue.tasks[name].defer_async(timestamp=0)
        await asyncio.sleep(every_seconds)


def on_request(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare a task that is put into the queue by `defer`, with the arguments it is to be called with.

    It is passed `stop`, which says when to stop, and then raises Stopped: it is run again by the next worker, as it is
    after the database was away. What else it raises, ends it.
    """

    def declare(work: Callable[..., None]) -> Callable[..., None]:
        def job(context: JobContext, /, **arguments: Any) -> None:
            work(stop=context.should_abort, **arguments)

        again = RetryStrategy(retry_exceptions=(Stopped, psycopg.OperationalError, sqlalchemy.exc.OperationalError))
        queue.task(name=name, retry=again, pass_context=True)(job)
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


@queue.periodic(cron="* * * * *")
@queue.task(name="queue.retry_stalled", queueing_lock="queue.retry_stalled")
async def retry_stalled(timestamp: int) -> None:
    """Put back into the queue what was running when its worker was killed (half a minute without a sign of life)."""
    del timestamp
    for job in await queue.job_manager.get_stalled_jobs():
        try:
            await queue.job_manager.retry_job(job)
        except UniqueViolation:
            # The next of its kind waits already, and will do the same work.
            await queue.job_manager.finish_job(job, Status.ABORTED, delete_job=True)
        except ConnectorException as error:
            # Its state has changed meanwhile: another worker was faster.
            if not isinstance(error.__cause__, psycopg.errors.RaiseException):
                raise


@queue.periodic(cron="41 3 * * *")
@queue.task(name="queue.forget_failed", queueing_lock="queue.forget_failed")
async def forget_failed(timestamp: int) -> None:
    """Delete the jobs that failed a week ago or before, and what is left of any others that have ended."""
    del timestamp
    await queue.job_manager.delete_old_jobs(
        KEEP_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )
