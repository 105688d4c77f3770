"""Keeping a worker beside the service: started with it, replaced when it dies, gone when it goes."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

# A worker that dies at once, again and again, is given more and more time.
PAUSE_SECONDS_MIN = 1.0
PAUSE_SECONDS_MAX = 60.0
# Who lived that long was in good health.
SOUND_SECONDS = 60.0
# A batch takes a second or two.
STOP_SECONDS = 10.0

COMMAND = (sys.executable, "-m", "loyalty.cli", "worker", "--while-stdin-open")

log = structlog.get_logger()


class Keeper:
    """One worker process, to be looked after about once a second.

    The worker reads from a pipe on which nothing is ever written. When its keeper has gone, even by `kill -9`, the
    pipe ends, and so does the worker. It is in a session of its own: Ctrl-C is for its keeper, who tells it in order.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self._pipe = os.pipe()
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._next = 0.0
        self._pause = PAUSE_SECONDS_MIN

    def look_after(self) -> None:
        """Start the worker if there is none, or if it has died and its pause is over."""
        now = time.monotonic()
        if self._process is not None and self._process.poll() is not None:
            if now - self._started >= SOUND_SECONDS:
                self._pause = PAUSE_SECONDS_MIN
            log.warning("worker.died", restarted_in_seconds=self._pause)
            self._process, self._next = None, now + self._pause
            self._pause = min(2 * self._pause, PAUSE_SECONDS_MAX)
        if self._process is None and now >= self._next:
            self._started = now
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                COMMAND, env=self.environment, stdin=self._pipe[0], start_new_session=True
            )

    def stop(self) -> None:
        """End the worker: it may finish its batch, but is not waited for for ever."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for end in self._pipe:
            os.close(end)


@contextmanager
def keeping(environment: Mapping[str, str]) -> Iterator[Keeper]:
    """A keeper for as long as the service runs."""
    keeper, maker = Keeper(environment), os.getpid()
    try:
        yield keeper
    finally:
        # The processes that answer requests are forks of this one, and come by here, too, when they end.
        if os.getpid() == maker:
            keeper.stop()
