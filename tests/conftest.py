"""One throw-away PostgreSQL for the whole run, one database per worker, one program per test.

Nothing is truncated and nothing is rolled back behind a service's back: a test that goes through HTTP makes a program
of its own and commits for real. That is also why tests may run in any order. Every fixture that touches the database
ends with the proof of the books.
"""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy
from flask import Flask
from hypothesis import settings

from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.core.ids import new_id
from loyalty.db import migrate, roles
from loyalty.db.embedded import EmbeddedServerError, embedded_server
from loyalty.db.session import Session, db, transaction
from loyalty.ledger import verification
from tests.api import Api
from tests.builders import a_key, a_program
from tests.proof import assert_books_balance
from tests.rights import become_the_service

# How long an example takes is measured in bench/, on a machine that does nothing else.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

TEMPLATE = "loyalty_template"

STACK: pytest.StashKey[ExitStack] = pytest.StashKey()
SERVER: pytest.StashKey[str] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Start the server in the process that controls the workers."""
    # A shell starts what runs in the background with Ctrl-C ignored, and what we start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput"):
        return
    stack = config.stash.setdefault(STACK, ExitStack())
    try:
        server = os.environ.get("TEST_DATABASE_URL") or stack.enter_context(_throw_away_server())
    except EmbeddedServerError as error:
        pytest.exit(str(error), returncode=1)
    _create(server, TEMPLATE, template="template0")
    stack.callback(_drop, server, TEMPLATE)
    migrate.upgrade(_on(server, TEMPLATE))
    with psycopg.connect(_on(server, TEMPLATE), autocommit=True) as connection:
        roles.create_service(connection)
        roles.grant_service(connection, roles.SERVICE)
    config.stash[SERVER] = server


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server."""
    if STACK in config.stash:
        config.stash[STACK].close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the server is."""
    node.workerinput["server"] = node.config.stash[SERVER]


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest, worker_id: str) -> Iterator[str]:
    """A database of this worker, as the migrations leave it."""
    workerinput = getattr(request.config, "workerinput", None)
    server = workerinput["server"] if workerinput else request.config.stash[SERVER]
    with _database(server, f"loyalty_{worker_id}_{os.getpid()}") as url:
        yield url


@pytest.fixture(scope="module")
def own_app(request: pytest.FixtureRequest, worker_id: str) -> Iterator[Flask]:
    """An application over a database of the module's own, for what is so much that other tests would wait for it."""
    workerinput = getattr(request.config, "workerinput", None)
    server = workerinput["server"] if workerinput else request.config.stash[SERVER]
    with _database(server, f"loyalty_own_{worker_id}_{os.getpid()}") as url:
        yield from _application(url)


@pytest.fixture(scope="session")
def app(database_url: str) -> Iterator[Flask]:
    """The application over the worker's database, with no more rights than a service has."""
    yield from _application(database_url)


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A unit of work that is rolled back, after the books were proved."""
    begun = new_id()
    with app.app_context(), db.engine.connect() as connection:
        unit = Session(connection)
        try:
            yield unit
            if not unit.driver.closed and unit.driver.info.transaction_status.name == "INTRANS":
                assert_books_balance(unit, since=begun)
        finally:
            unit.finish(keep=False)


@pytest.fixture
def api(app: Flask) -> Iterator[Api]:
    """A shop: a program of its own, an admin key, and HTTP. Every answer is held against openapi.yaml."""
    with app.app_context(), transaction() as unit:
        program = a_program(unit)
        key = a_key(unit, program)
    yield Api(app, program, key)
    with app.app_context(), transaction() as unit:
        assert_books_balance(unit, program.program_id)


@pytest.fixture
def committed_db(app: Flask) -> Iterator[Flask]:
    """An application context for tests that need several real connections; they make programs of their own."""
    begun = new_id()
    with app.app_context():
        yield app
        with transaction() as unit:
            assert_books_balance(unit, since=begun)


@contextmanager
def _throw_away_server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="loyalty-tests-", ignore_cleanup_errors=True) as folder:
        # Open to the unprivileged user that root's PostgreSQL runs as.
        Path(folder).chmod(0o755)
        with embedded_server(Path(folder) / "var", durable=False) as url:
            yield url


def _application(database_url: str) -> Iterator[Flask]:
    made = create_app(
        Settings(database_url=database_url.replace("postgresql://", "postgresql+psycopg://", 1), threads=16)
    )
    with made.app_context():
        sqlalchemy.event.listen(db.engine, "connect", become_the_service)
    yield made
    with made.app_context():
        with transaction() as unit:
            whole = verification.verify(unit)
        db.engine.dispose()
    assert whole.ok, whole.findings


@contextmanager
def _database(server: str, name: str) -> Iterator[str]:
    _create(server, name, template=TEMPLATE)
    yield _on(server, name)
    _drop(server, name)


def _create(server: str, name: str, *, template: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


def _drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _on(server: str, name: str) -> str:
    return urlsplit(server)._replace(path=f"/{name}").geturl()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest (whole processes, a whole shop) first: at the end one worker would wait for the other."""
    slow = ("tests/faults/", "tests/cli/", "tests/contract/", "tests/journeys/test_golden_kpis.py")
    items.sort(key=lambda item: not item.nodeid.startswith(slow))
