"""What a run needs and leaves no trace of: a PostgreSQL, databases of its own, servers as real processes."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import sqlalchemy

from loyalty.db.embedded import database_url, embedded_server

START_SECONDS = 60
STOP_SECONDS = 20
ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Database:
    """A server. `postmaster` is known when it runs here and is ours."""

    url: str
    postmaster: psutil.Process | None

    def cpu_seconds(self) -> float | None:
        """The processor time that all processes of the server have used, ended ones included."""
        return None if self.postmaster is None else _cpu_seconds(self.postmaster)

    @contextmanager
    def database(self, name: str) -> Iterator[str]:
        """A new database, dropped in the end; yields its URL."""
        name = f"bench_{name}_{os.getpid()}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield database_url(self.url, name)
        finally:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True, slots=True)
class Service:
    """A running HTTP server."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """The processor time that its processes have used."""
        return _cpu_seconds(self.process)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that every user of the machine can reach (root's PostgreSQL runs as another one)."""
    folder = Path(tempfile.mkdtemp(prefix="loyalty-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql(folder: Path) -> Iterator[Database]:
    """The server of DATABASE_URL or, when that is not set, a throw-away one that loses nothing either."""
    if given := os.environ.get("DATABASE_URL", "").strip():
        yield Database(psycopg_url(given), None)
        return
    with embedded_server(folder / "var", durable=True) as url:
        with psycopg.connect(url) as connection:
            backend = psutil.Process(connection.info.backend_pid)
            postmaster = backend.parent()
        yield Database(url, postmaster)


def psycopg_url(url: str) -> str:
    """A URL as the driver wants it."""
    return sqlalchemy.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def sqlalchemy_url(url: str) -> str:
    """A URL as SQLAlchemy wants it."""
    return sqlalchemy.make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@contextmanager
def served(name: str, *module: str, folder: Path, url: str) -> Iterator[Service]:
    """Run `python -m module...` with DATABASE_URL and PORT set, once it answers HTTP, until the end of the block."""
    port = _free_port()
    log = folder / f"{name}.log"
    environment = {**os.environ, "DATABASE_URL": url, "HOST": "127.0.0.1", "PORT": str(port)}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *module], cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The server '{name}' did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield Service(port, psutil.Process(process.pid))
        if said := log.read_text().partition("Ctrl-C stops.\n")[2]:
            print(f"\nThe server '{name}' said:\n{said[-2000:]}")
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        return connection.recv(5) == b"HTTP/"
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _cpu_seconds(process: psutil.Process) -> float:
    total = 0.0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system
            if each == process:
                total += times.children_user + times.children_system
    return total
