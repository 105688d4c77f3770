"""`loyalty serve`: the database, the schema, the service; and all of them down again."""

import errno
import gc
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.util import import_app

from loyalty.access import service as access
from loyalty.access.domain import NewKey
from loyalty.cli.keeper import Keeper, keeping
from loyalty.cli.runtime import application, database
from loyalty.config import Settings, for_a_child, from_environment, publish
from loyalty.core import clock
from loyalty.core.errors import OperatorError
from loyalty.db import migrate
from loyalty.db.session import transaction
from loyalty.programs import queries, service
from loyalty.programs.domain import NewProgram
from loyalty.web import logs

DEMO = "demo"

# A request that takes longer has lost its caller; its worker is replaced.
WORKER_TIMEOUT_SECONDS = 30
# What is being answered when the service is told to stop may finish.
GRACE_SECONDS = 10


class Master(Arbiter):
    """gunicorn's main process, which looks after the worker of the jobs as it does after its own."""

    def __init__(self, server: "Server", keeper: Keeper | None) -> None:
        self.keeper = keeper
        super().__init__(server)

    def manage_workers(self) -> None:
        """Called once a second."""
        super().manage_workers()
        if self.keeper:
            self.keeper.look_after()


class Server(BaseApplication):
    """gunicorn, run by this process."""

    def __init__(self, settings: Settings, keeper: Keeper | None = None) -> None:
        self.settings, self.keeper = settings, keeper
        super().__init__()

    def run(self) -> None:
        """Serve until a signal says to stop; raises SystemExit then."""
        Master(self, self.keeper).run()

    def load_config(self) -> None:
        """Gunicorn's settings out of ours."""
        chosen = {
            "bind": f"{_in_url(self.settings.host)}:{self.settings.port}",
            "worker_class": "gthread",
            "workers": self.settings.workers,
            "threads": self.settings.threads,
            # Imported once, before the workers are forked: they are ready at once, and share its memory.
            "preload_app": True,
            "timeout": WORKER_TIMEOUT_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": 75,
            "loglevel": "warning",
            "proc_name": "loyalty",
            "child_exit": _forget_measures,
            "when_ready": self._ready,
            # One file in the home folder for all services of a user, who has `kill` and needs no second remote control.
            "control_socket_disable": True,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def _ready(self, _arbiter: Any) -> None:
        """Say where it is, and that what was loaded stays: looking through it for garbage would cost every request."""
        gc.collect()
        gc.freeze()
        click.echo(_greeting(self.settings))

    def load(self) -> Any:
        """The application: its settings are in the environment."""
        return import_app("loyalty.app:create_app()")


@click.command()
@click.option("--demo-program", is_flag=True, help="On the first run, create the program 'demo' and show a key for it.")
@click.option("--no-worker", is_flag=True, help="Leave the background jobs to 'loyalty worker'.")
def serve(demo_program: bool, no_worker: bool) -> None:
    """Run the service until Ctrl-C. Settings come from the environment (docs/operations.md)."""
    settings = from_environment()
    logs.configure(settings.log_level)
    _require_free_port(settings)
    with database(settings) as reachable, _shared_measures():
        migrate.ensure_head(reachable.database_url)
        if demo_program:
            _demo_program(reachable)
        publish("DATABASE_URL", reachable.database_url)
        # The worker finds the database by itself: the embedded one stays up until all who use it have left.
        with nullcontext() if no_worker else keeping(for_a_child(settings)) as keeper:
            Server(reachable, keeper).run()


def _require_free_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise OperatorError(f"Port {settings.port} is in use; choose another: PORT=8001 make run") from None
            raise OperatorError(f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.") from None


def _greeting(settings: Settings) -> str:
    return f"Serving on {_address(settings)} (the API in a browser: {_address(settings)}/docs). Ctrl-C stops."


def _address(settings: Settings) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  (a name, not a bind)
    return f"http://{_in_url(host)}:{settings.port}"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextmanager
def _shared_measures() -> Iterator[None]:
    """A folder in which the workers add up their metrics; it lives as long as the service."""
    folder = tempfile.mkdtemp(prefix="loyalty-metrics-")
    maker = os.getpid()
    publish("PROMETHEUS_MULTIPROC_DIR", folder)
    try:
        yield
    finally:
        # A worker that ends comes by here, too: it is a fork of this process. The others still need the folder.
        if os.getpid() == maker:
            shutil.rmtree(folder, ignore_errors=True)


def _forget_measures(_server: Any, worker: Any) -> None:
    # Gauges of a dead process would stand still for ever. Imported by name: the module may be imported only after the
    # folder is published.
    import_app("prometheus_client.multiprocess:mark_process_dead")(worker.pid)


def _demo_program(settings: Settings) -> None:
    with application(settings), transaction() as session:
        if DEMO in queries.codes(session):
            click.echo(
                "The program 'demo' is here. A new key: .venv/bin/loyalty keys create --program demo --scope admin"
            )
            return
        new = NewProgram(code=DEMO, name="Demo", currency="USD", time_zone="America/New_York")
        program = service.create_program(session, new, now=clock.now())
        key = access.create_key(session, program.program_id, NewKey(("admin",), "first key"), now=clock.now())
    now = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    click.echo(
        f"""
The program 'demo' was created. Its admin key, shown this once:

    {key.secret}

Enrol someone and record an order:

    export KEY={key.secret}
    curl -s -X PUT {_address(settings)}/v1/members/c-42 -H "Authorization: Bearer $KEY" \\
      -H 'Content-Type: application/json' -d '{{"first_name": "Ada"}}'
    curl -s {_address(settings)}/v1/orders -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' \\
      -d '{{"order_id": "A-1001", "customer_id": "c-42", "currency": "USD", "placed_at": "{now}",
           "lines": [{{"line_id": "1", "sku": "KAFFEE-1", "category": "coffee", "quantity": 2, "unit_price": 1500}}]}}'
"""
    )
