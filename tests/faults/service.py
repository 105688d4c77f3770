"""The service as a user runs it: `python -m loyalty.cli serve`, a real process with real signals.

Every wait has a deadline, and whoever gives up shows what the service said.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from loyalty.config import Settings
from loyalty.db.embedded import _Server

ROOT = Path(__file__).parents[2]
# A start takes three seconds; a machine that runs other tests meanwhile may need ten times as long.
PATIENCE_SECONDS = 60
WORKERS = Settings().workers
# What the environment of the tests must not say to the service.
OURS = re.compile(r"DATABASE_URL|HOST|PORT|PROMETHEUS_.*|LOYALTY_.*|GUNICORN_.*|PG.*")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    json: Any

    @property
    def is_replay(self) -> bool:
        return self.headers.get("Idempotent-Replayed") == "true"


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str


class Place:
    """A folder for the data of a service, and a port. Commands and services of it share both."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder, self.data_dir, self.port = folder, folder / "var", free_port()
        (folder / "tmp").mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not OURS.fullmatch(name)}
        given = {"LOYALTY_DATA_DIR": str(self.data_dir), "PORT": str(self.port), "TMPDIR": str(folder / "tmp")}
        self.environment = {**kept, **given, **environment}

    def run(self, *arguments: str, **environment: str) -> Ended:
        """Run a command to its end."""
        environment = {**self.environment, **environment}
        done = subprocess.run(
            [sys.executable, "-m", "loyalty.cli", *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)

    def database_processes(self) -> dict[int, psutil.Process]:
        """The postmaster and all its children, orphans included."""
        return _Server(self.data_dir)._processes() if (self.data_dir / "postgres").exists() else {}

    def jobs_workers(self) -> list[psutil.Process]:
        """The workers that do the jobs of this place, whoever started them."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                is_worker = "loyalty.cli" in (words := process.cmdline()) and "worker" in words
                if is_worker and process.environ().get("PORT") == str(self.port):
                    found.append(process)
        return found

    def postmaster(self) -> int:
        return _Server(self.data_dir)._pid()

    def kill_database(self) -> None:
        """`kill -9` of everything that PostgreSQL runs: postmaster first, so that nothing is started again.

        What it started while we looked dies with the next look: it may wait for ever for what a killed one had locked.
        """

        def is_dead() -> bool:
            processes = self.database_processes()
            for process in sorted(processes.values(), key=lambda process: process.pid != self.postmaster()):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            return not processes

        until(is_dead, "PostgreSQL to be dead")

    def is_free(self) -> bool:
        """Nobody listens on the port."""
        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) != 0


class Service:
    """A running `loyalty serve --demo-program`."""

    def __init__(self, place: Place, *options: str) -> None:
        self.place, self.does_jobs = place, "--no-worker" not in options
        self.log_file = place.folder / f"service-{time.monotonic_ns()}.log"
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "loyalty.cli", "serve", "--demo-program", *options],
                cwd=ROOT, env=place.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                # A process group of its own, as a shell would give it.
                start_new_session=True,
            )  # fmt: skip

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace")

    @property
    def key(self) -> str | None:
        """The key that the first start shows."""
        found = re.search(r"export KEY=(\S+)", self.log)
        return found and found[1]

    def until_ready(self) -> "Service":
        self.until(lambda: self.process.poll() is not None or self.is_ready(), "the service to be ready")
        assert self.process.poll() is None, f"the service ended with {self.process.returncode}:\n{self.log}"
        if self.does_jobs:
            # Just forked, it would count as one of those that answer requests.
            self.until(self.place.jobs_workers, "the worker of the jobs to be there")
        self.until(lambda: len(self.workers()) == WORKERS, "all workers to be there")
        return self

    def is_ready(self) -> bool:
        with suppress(OSError, http.client.HTTPException):
            return call(self.place.port, "GET", "/readyz").status == 200
        return False

    def until(self, condition: Callable[[], object], what: str) -> None:
        until(condition, what, lambda: f"The service said:\n{self.log}")

    def processes(self) -> list[psutil.Process]:
        """All processes of the service: its group, which is gunicorn and its workers, and who does the jobs."""
        found = self.place.jobs_workers()
        for process in psutil.process_iter():
            with suppress(psutil.Error, ProcessLookupError):
                if os.getpgid(process.pid) == self.process.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def workers(self) -> list[int]:
        """Those that answer requests."""
        jobs = self.place.jobs_workers()
        return [worker.pid for worker in psutil.Process(self.process.pid).children() if worker not in jobs]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal to the whole group, as a terminal does, and wait; answers the exit code."""
        os.killpg(self.process.pid, number)
        return self.wait()

    def wait(self) -> int:
        """Wait until the service and its workers have ended."""
        self.until(lambda: self.process.poll() is not None and not self.processes(), "the service to end")
        return self.process.wait()

    def kill(self) -> None:
        """`kill -9` of all processes; first of the one that would notice that the others are gone."""
        for worker in self.place.jobs_workers():
            with suppress(psutil.NoSuchProcess):
                worker.kill()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.until(lambda: not self.processes(), "killed processes to be gone")


@contextmanager
def a_place(**environment: str) -> Iterator[Place]:
    """A place with a short path that the unprivileged user of root's PostgreSQL can reach; nothing stays of it."""
    folder = Path(tempfile.mkdtemp(prefix="loyalty-faults-", dir="/tmp"))
    folder.chmod(0o755)
    place = Place(folder, **environment)
    try:
        yield place
    finally:
        with suppress(AssertionError):
            place.kill_database()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(place: Place, *options: str) -> Iterator[Service]:
    """A service that is ready. Whatever happens, none of its processes stays."""
    service = Service(place, *options)
    try:
        yield service.until_ready()
    finally:
        service.kill()


class Client:
    """A keep-alive connection with a key."""

    def __init__(self, port: int, key: str) -> None:
        self.port, self.key = port, key
        self.connection: http.client.HTTPConnection | None = None

    def call(self, method: str, path: str, body: Any = None, more: Mapping[str, str] | None = None) -> Answer:
        """Send a request. Raises OSError or HTTPException when there is no answer."""
        self.connection = self.connection or http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=PATIENCE_SECONDS
        )
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **(more or {})}
        try:
            self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = self.connection.getresponse()
            text = response.read()
        except BaseException:
            self.close()
            raise
        is_json = "json" in response.headers.get("Content-Type", "")
        return Answer(response.status, dict(response.headers), json.loads(text) if is_json else text)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def call(port: int, method: str, path: str, body: Any = None, *, key: str = "") -> Answer:
    """One request on a connection of its own."""
    with closing(Client(port, key)) as client:
        return client.call(method, path, body)


def until(condition: Callable[[], object], what: str, context: Callable[[], str] = str) -> None:
    """Wait for a condition, but not forever."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s for {what}. {context()}"
        time.sleep(0.05)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
