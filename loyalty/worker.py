"""The other composition root: the slices that have jobs, and the worker that does them."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException

from loyalty.activities import jobs as activities
from loyalty.config import Settings
from loyalty.core.errors import OperatorError
from loyalty.db import queue as queue_of_jobs
from loyalty.db.queue import queue
from loyalty.db.session import driver_url
from loyalty.ledger import jobs as ledger
from loyalty.rehearsals import jobs as rehearsals
from loyalty.rewards import jobs as rewards
from loyalty.tiers import jobs as tiers
from loyalty.web import jobs as web
from loyalty.webhooks import jobs as webhooks

SLICES_WITH_JOBS = (queue_of_jobs, ledger, tiers, rewards, activities, rehearsals, webhooks, web)

APPLICATION_NAME = "loyalty-worker"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run(settings: Settings, *, while_open: int | None = None, ready: Callable[[], None] = lambda: None) -> None:
    """Do the jobs until a signal says to stop, or the file `while_open` ends; the batch that is running is finished.

    Calls `ready` once there is a connection. Needs an application context. Raises OperatorError when the worker had to
    give up.
    """
    try:
        with on_database(settings):
            told = asyncio.run(_work(settings.worker_concurrency, while_open, ready))
    except ConnectorException as error:
        raise OperatorError(f"The worker gave up: {error.__cause__ or error}".splitlines()[0]) from None
    if not told:
        raise OperatorError("The worker gave up, for the reason in its log.")


@contextmanager
def on_database(settings: Settings) -> Iterator[None]:
    """Connect the queue to the database of the settings."""
    connector = PsycopgConnector(
        conninfo=driver_url(settings.database_url),
        kwargs={"application_name": APPLICATION_NAME, "connect_timeout": 5},
        min_size=1,
        max_size=2,
        # Who cannot connect for that long gives up, to be started again; no connection is needed for much longer.
        timeout=5,
    )
    with queue.replace_connector(connector):
        yield


async def _work(concurrency: int, while_open: int | None, ready: Callable[[], None]) -> bool:
    """Run the worker; answers whether it was told to stop, rather than gave up."""
    told = asyncio.Event()
    _listen(told, while_open)
    async with queue.open_async():
        ready()
        working = asyncio.create_task(
            queue.run_worker_async(
                # Some take long (a rehearsal, a slow receiver), and the others are not to wait for them.
                concurrency=concurrency,
                # Between two batches a job stops as soon as it is asked to, and it is asked at once.
                shutdown_graceful_timeout=0,
                delete_jobs="successful",
                install_signal_handlers=False,
            )
        )
        calling = asyncio.create_task(queue_of_jobs.call_often())
        listening = asyncio.create_task(told.wait())
        await asyncio.wait((working, listening), return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        calling.cancel()
        working.cancel()
        await asyncio.wait((working,))
    if not working.cancelled() and (error := working.exception()):
        raise error
    return told.is_set()


def _listen(told: asyncio.Event, while_open: int | None) -> None:
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        # What is ignored (by nohup) stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, told.set)
    if while_open is not None:

        def ended() -> None:
            loop.remove_reader(while_open)
            told.set()

        loop.add_reader(while_open, ended)
