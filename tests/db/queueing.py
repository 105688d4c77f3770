"""The queue of jobs in tests: connected, empty, and filled by nobody else."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from procrastinate.periodic import PeriodicDeferrer
from psycopg.rows import scalar_row, tuple_row

from loyalty.db.queue import queue
from loyalty.db.session import transaction
from loyalty.worker import telling

ALL_SEEN = """
INSERT INTO followers (name, program_id, xid, seq)
SELECT 'notifications', program_id, pg_snapshot_xmax(pg_current_snapshot())::text::bigint, -1 FROM programs
ON CONFLICT (name, program_id) DO UPDATE SET xid = excluded.xid, seq = excluded.seq
"""


def empty() -> None:
    """Let nothing wait in the queue; and what tests before have left to be told, is told to nobody."""
    with transaction() as session:
        session.run(ALL_SEEN)
        session.run("UPDATE webhooks SET paused_at = now(), paused_reason = 'asked' WHERE paused_at IS NULL")
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
    options = {"install_signal_handlers": False, "delete_jobs": "successful", "worker_middleware": [telling]}
    opened(queue.run_worker_async(wait=False, **options))


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


def a_failed_job(name: str, *, ago: str = "1 minute") -> int:
    """A job that failed so long ago."""
    job_id = a_running_job(name, heartbeat=ago)
    ask("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", job_id)
    ask("UPDATE procrastinate_events SET at = now() - %s::interval WHERE job_id = %s RETURNING 1", ago, job_id)
    return job_id


def put_in(name: str, *, ago: str = "0", scheduled: str | None = None, queueing_lock: str | None = None) -> int:
    """A job that was put in so long ago, to be run so long ago (or, with a minus, in so long)."""
    insert = """INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args, scheduled_at)
                VALUES ('default', %s, %s, '{"timestamp": 0}', now() - %s::interval) RETURNING id"""
    ((job_id,),) = ask(insert, name, queueing_lock, scheduled)
    ask("UPDATE procrastinate_events SET at = now() - %s::interval WHERE job_id = %s RETURNING 1", ago, job_id)
    return job_id
