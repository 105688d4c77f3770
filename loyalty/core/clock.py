"""The only place that asks what time it is. Below routes, jobs and commands, `now` is an argument."""

import time
from datetime import UTC, datetime

# Nobody is kept waiting for longer.
WAIT_SECONDS_MAX = 1.0


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def wait_until(instant: datetime) -> None:
    """Wait for an instant that is about to come; for one that is further away, do not."""
    seconds = (instant - now()).total_seconds()
    if 0 < seconds <= WAIT_SECONDS_MAX:
        time.sleep(seconds)
