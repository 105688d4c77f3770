"""The queue of background jobs: procrastinate, whose jobs live in the same database.

A slice declares its tasks in its `jobs.py`, and `loyalty.worker` lists the slices that have some. All that jobs do is
done in batches, and doing it twice or at the same time does no harm. So a job that was cut off is simply run again,
and one that is late has nothing to catch up on but the work itself.
"""

from collections.abc import Callable

import psycopg
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status

from loyalty.db.batches import Batch, in_batches

# A worker that comes back looks this far for the last time at which a task was due, and runs it once. More than a day,
# so that a machine which is off at night still does what is to be done daily.
LOOK_BACK_SECONDS = 25 * 60 * 60

# So long the jobs that failed can be looked at. What went well leaves at once.
KEEP_HOURS = 7 * 24

# The worker opens it on its database.
queue = App(connector=PsycopgConnector(), periodic_defaults={"max_delay": LOOK_BACK_SECONDS})


def regularly(name: str, *, cron: str) -> Callable[[Batch], Batch]:
    """Declare a task: run the batch at the times of `cron` (UTC), until it finds nothing to do.

    At most one such job waits, however long nobody takes it. A worker that is told to stop finishes the batch.
    """

    def declare(batch: Batch) -> Batch:
        def job(context: JobContext, timestamp: int) -> int:
            del timestamp  # what is due is due now, whenever the job was put into the queue
            return in_batches(batch, stop=context.should_abort)

        queue.periodic(cron=cron)(queue.task(name=name, queueing_lock=name, pass_context=True)(job))
        return batch

    return declare


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
