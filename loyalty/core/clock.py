"""The only place that asks what time it is. Below routes, jobs and commands, `now` is an argument.

A sandbox may have a clock that runs ahead of the real one. The guard says by how much, once for each request, so
whatever serves the request asks for `now()` as ever and cannot forget it.
"""

import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

REAL = timedelta(0)

_ahead: ContextVar[timedelta] = ContextVar("ahead", default=REAL)

# Nobody is kept waiting for longer.
WAIT_SECONDS_MAX = 1.0


def now() -> datetime:
    """The present instant on the clock of the program that is served, aware, in UTC."""
    return real_now() + _ahead.get()


def real_now() -> datetime:
    """The present instant, aware, in UTC, whatever a sandbox believes: for keys and for what is not a program's."""
    return datetime.now(UTC)


def wait_until(instant: datetime) -> None:
    """Wait for an instant that is about to come; for one that is further away, do not."""
    seconds = (instant - now()).total_seconds()
    if 0 < seconds <= WAIT_SECONDS_MAX:
        time.sleep(seconds)


def run_ahead(by: timedelta) -> None:
    """From now on, in this context, the clock runs ahead of the real one by so much."""
    _ahead.set(by)


def stopwatch() -> Callable[[], timedelta]:
    """Begin to measure; answers what says how long ago that was. For who was told what time it is, some work ago."""
    began = time.monotonic()
    return lambda: timedelta(seconds=time.monotonic() - began)
