"""The other composition root: the jobs, as a table of when each is run, and the worker that does them."""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from procrastinate import JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException

from loyalty.activities import jobs as activities
from loyalty.config import Settings
from loyalty.core.errors import OperatorError
from loyalty.db.queue import Stopped, Unbatched, Work, call_often, forget_failed, queue, regularly, retry_stalled
from loyalty.db.session import driver_url
from loyalty.learning import jobs as learning
from loyalty.learning import segment_jobs as segments
from loyalty.learning import statistics_jobs
from loyalty.ledger import jobs as ledger
from loyalty.notifications import jobs as notifications
from loyalty.outcomes import jobs as outcomes
from loyalty.personalisation import jobs as offers
from loyalty.rehearsals import jobs as rehearsals
from loyalty.rehearsals.domain import JOB as REHEARSE
from loyalty.rewards import jobs as rewards
from loyalty.rollups import jobs as rollups
from loyalty.tiers import jobs as tiers
from loyalty.web import jobs as web
from loyalty.web.logs import described
from loyalty.webhooks import jobs as webhooks
from loyalty.webhooks.domain import DELIVER

SOON, AT_ONCE = timedelta(seconds=5), timedelta(seconds=2)

# All of it is safe to run at any time, and twice.
SCHEDULE: tuple[tuple[str, str | timedelta, Work, str], ...] = (
    # job, when (UTC) or how often, what it runs, and what that does
    ("ledger.settle", "* * * * *", ledger.settle,
     "records what has matured or lapsed of members whom nobody has touched since"),
    ("ledger.settle_sandboxes", "* * * * *", ledger.settle_sandboxes,
     "the same in sandboxes whose clock was moved, each by its own clock"),
    ("tiers.review", "* * * * *", tiers.review,
     "records the tiers that have ended of members whom nobody has touched since"),
    ("tiers.review_sandboxes", "* * * * *", tiers.review_sandboxes, "the same in sandboxes whose clock was moved"),
    ("tiers.move", "* * * * *", tiers.move, "moves members to the ladder that has come into force"),
    ("rewards.expire", "* * * * *", rewards.expire, "records the redemptions that nobody confirmed in time"),
    ("rewards.expire_sandboxes", "* * * * *", rewards.expire_sandboxes, "the same in sandboxes whose clock was moved"),
    ("rewards.redeem_automatically", "* * * * *", rewards.redeem_automatically,
     "redeems the program's reward for members whose points suffice"),
    ("rewards.search", "* * * * *", rewards.search,
     "finds who has enough already, after `auto_redeem` or its reward was changed"),
    ("offers.expire", "* * * * *", offers.expire,
     "records the offers that are over, and gives back what they may cost"),
    ("offers.expire_sandboxes", "* * * * *", offers.expire_sandboxes, "the same in sandboxes whose clock was moved"),
    ("offers.win_back", "*/10 * * * *", offers.win_back,
     "gives offers to members who stay away, once a day in each program's zone"),
    ("offers.thank", "* * * * *", offers.thank, "gives offers to members who have brought a friend"),
    ("activities.referrals", "* * * * *", activities.thank_for_referrals,
     "gives both sides of a referral what it is worth, after the friend's first order"),
    ("activities.birthdays", "7 * * * *", activities.keep_birthdays,
     "records the birthdays of the day that has begun in each program's zone, and of days missed"),
    ("learning.follow", SOON, learning.follow, "learns from new orders and returns what members buy"),
    ("learning.count_statistics", "19 * * * *", Unbatched(statistics_jobs.count_statistics),
     "counts what members buy all together, once the clocks of a program have shown three at night"),
    ("notifications.plan", SOON, notifications.plan,
     "queues what members are to be told because of what has happened"),
    ("notifications.announce", "* * * * *", notifications.announce, "queues what members are told of new rewards"),
    ("notifications.sweep", "* * * * *", notifications.sweep,
     "queues what members are told of points and tiers that end soon"),
    ("notifications.statements", "7 * * * *", notifications.statements, "queues the statements of the month before"),
    ("notifications.deliver_inbox", SOON, Unbatched(notifications.deliver_inbox),
     "puts messages into inboxes"),
    ("notifications.deliver_webhook", SOON, Unbatched(notifications.deliver_webhook),
     "tells the shop what it is to send itself"),
    ("notifications.deliver_email", SOON, Unbatched(notifications.deliver_email),
     "sends e-mail, if there is a mail server"),
    ("notifications.deliver_apprise", SOON, Unbatched(notifications.deliver_apprise),
     "sends what goes by Apprise, if there is a service"),
    ("notifications.forget", "23 3 * * *", notifications.forget,
     "deletes messages that were not sent after 90 days, those that failed after 180, those that were sent after 730"),
    ("learning.segments", SOON, segments.follow,
     "moves members from segment to segment after what they did, once features know of it"),
    ("learning.sweep_segments", "* * * * *", segments.sweep,
     "looks at all members of a program for their segments: once a day, and when rules or statistics are new"),
    ("rollups.follow", SOON, rollups.follow, "counts what has happened for reports, by day"),
    ("rollups.take_segments", "*/10 * * * *", rollups.take_segments,
     "notes who is in which segment, once a day in each program's zone"),
    ("rollups.rebuild", "* * * * *", rollups.rebuild,
     "counts a program anew that has another time zone, or that an older version counted in another way"),
    ("outcomes.follow", "* * * * *", outcomes.follow,
     "counts again what orders that arrive late, or come back, change of outcomes"),
    ("outcomes.fill", "43 * * * *", outcomes.fill,
     "counts what members spent after they were given offers, or had them held out, once that time is over"),
    ("webhooks.relay", AT_ONCE, webhooks.relay,
     "gives webhooks the facts that are new, and calls for `webhooks.deliver` where something is due"),
    ("webhooks.forget", "29 3 * * *", webhooks.forget,
     "forgets deliveries that arrived more than 30 days ago, and those of webhooks that are deleted"),
    ("web.forget_attempts", "*/10 * * * *", web.forget_attempts,
     "deletes what is no longer held against keys and addresses"),
    ("web.forget_answers", "17 3 * * *", web.forget_answers,
     "deletes the answers stored for an `Idempotency-Key` more than 7 days ago"),
    ("queue.retry_stalled", "* * * * *", retry_stalled, "gives jobs to another worker whose own was killed"),
    ("queue.forget_failed", "41 3 * * *", forget_failed, "deletes jobs that failed more than 7 days ago"),
)  # fmt: skip

ON_REQUEST: tuple[tuple[str, Callable[..., None], str], ...] = (
    # job, what it runs (declared in the `jobs.py` of its slice), and what that does
    (DELIVER, webhooks.deliver, "delivers to one webhook for twenty seconds at most, by eight senders"),
    (REHEARSE, rehearsals.rehearse, "tries a draft of rules, of a ladder, or of offers, on what has really happened"),
)

APPLICATION_NAME = "loyalty-worker"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


log = structlog.get_logger()


def _declare() -> None:
    for name, when, work, _ in SCHEDULE:
        regularly(name, when=when)(work)


_declare()


def run(settings: Settings, *, while_open: int | None = None, ready: Callable[[], None] = lambda: None) -> None:
    """Do the jobs until a signal says to stop, or the file `while_open` ends; the batch that is running is finished.

    Calls `ready` once there is a connection. Needs an application context. Raises OperatorError when the worker had to
    give up.
    """
    notifications.ways_out()
    logging.getLogger("procrastinate.worker").addFilter(_not_told_yet)
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
                worker_middleware=[telling],
                install_signal_handlers=False,
            )
        )
        stopping = asyncio.Event()
        calling = asyncio.create_task(call_often(stopping))
        listening = asyncio.create_task(told.wait())
        await asyncio.wait((working, listening), return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        stopping.set()
        await asyncio.wait((calling,))
        working.cancel()
        await asyncio.wait((working,))
    if not working.cancelled() and (error := working.exception()):
        raise error
    return told.is_set()


async def telling(job: Callable[[], Awaitable[Any]], context: JobContext, _worker: Any) -> Any:
    """Do a job, and say in one line of the log what came of it. One that found nothing to do is not worth a line."""
    began = time.monotonic()
    facts: dict[str, Any] = {"job": context.job.task_name, "job_id": context.job.id, "tries": context.job.attempts + 1}
    try:
        done = await job()
    except BaseException as error:
        stopped = isinstance(error, Stopped | asyncio.CancelledError)
        tell, why = (log.info, {}) if stopped else (log.error, described(error))
        tell("job.stopped" if stopped else "job.failed", **facts, seconds=_since(began), **why)
        raise
    tell = log.debug if done == 0 else log.info
    tell("job.done", **facts, done=done, seconds=_since(began))
    return done


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


def _not_told_yet(record: logging.LogRecord) -> bool:
    """Whether the queue's own log says something that `telling` does not."""
    return getattr(record, "action", None) not in {"job_error", "job_error_retry"}


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
