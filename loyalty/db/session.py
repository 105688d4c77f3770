"""One unit of work on one connection, and the one commit.

A `Session` sends SQL straight through the driver (`rows`, `row`, `run`), which is what the request path uses:
the same statement costs a quarter of the CPU time it takes through the ORM. Configuration, which is edited rarely
and in many small ways, uses `session.orm`, an SQLAlchemy session on the same connection and in the same
transaction. Services take a Session first and never commit: `transaction()` does, here and nowhere else.
"""

import select
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar

import orjson
import psycopg
import sqlalchemy
import sqlalchemy.event
import sqlalchemy.exc
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from psycopg import pq
from psycopg.rows import RowFactory, dict_row, tuple_row
from psycopg.types.json import set_json_loads
from sqlalchemy import orm

from loyalty.config import Settings
from loyalty.core.errors import OperatorError
from loyalty.db.base import Base

db = SQLAlchemy(metadata=Base.metadata)

set_json_loads(orjson.loads)

Parameters = Mapping[str, Any] | Sequence[Any]
T = TypeVar("T")

DRIVER = "postgresql+psycopg"


class Session:
    """A unit of work: statements that are committed together or not at all.

    The driver's connection stands in autocommit; the first statement of a unit of work begins its transaction. With
    `reads_only` there is none: each statement is its own, and nothing waits to be committed.
    """

    def __init__(self, connection: sqlalchemy.Connection, *, reads_only: bool = False) -> None:
        self._connection = connection
        self._begun = reads_only
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        self._driver: psycopg.Connection[Any] = driver
        self._cursor: psycopg.Cursor[Any] = driver.cursor()

    def rows(self, sql: str, parameters: Parameters = (), *, into: RowFactory[T]) -> list[T]:
        """Every row that `sql` returns, each built by the row factory `into`."""
        return self._execute(sql, parameters, into).fetchall()

    def row(self, sql: str, parameters: Parameters = (), *, into: RowFactory[T]) -> T | None:
        """The first row that `sql` returns, or None."""
        return self._execute(sql, parameters, into).fetchone()

    def binary_rows(self, sql: str, parameters: Parameters = (), *, into: RowFactory[T]) -> list[T]:
        """`rows` for large values: what the server sends is taken as it is, and not written out and read again."""
        self._begin()
        return self._driver.cursor(binary=True, row_factory=into).execute(sql.encode(), parameters).fetchall()

    def run(self, sql: str, parameters: Parameters = ()) -> int:
        """Send a statement that returns nothing; answers how many rows it touched."""
        return self._execute(sql, parameters, tuple_row).rowcount

    def numbered_row(self, sql: str, parameters: Sequence[Any], *, into: RowFactory[T]) -> T | None:
        """`row` for a statement with the placeholders $1, $2 …, sent as it is: long ones are costly to translate."""
        self._begin()
        cursor = psycopg.RawCursor(self._driver, row_factory=into)
        return cursor.execute(sql.encode(), parameters).fetchone()

    def _execute(self, sql: str, parameters: Parameters, into: RowFactory[T]) -> psycopg.Cursor[T]:
        self._begin()
        # One cursor serves all statements: making one costs as much as reading a row.
        self._cursor.row_factory = into
        return self._cursor.execute(sql.encode(), parameters)

    def _begin(self) -> None:
        if not self._begun:
            begun = self._driver.pgconn.exec_(b"BEGIN")
            if begun.status != pq.ExecStatus.COMMAND_OK:
                raise psycopg.OperationalError(begun.get_error_message())
            self._begun = True

    def begin_together(self) -> None:
        """From here on, what a session for reads (`reading_first`) does is one transaction."""
        self._begun = False

    @property
    def driver(self) -> psycopg.Connection[Any]:
        """The driver's connection, for what only it can do (streaming, notifications)."""
        return self._driver

    @cached_property
    def orm(self) -> orm.Session:
        """The ORM on the same connection and in the same transaction, for configuration."""
        self._begin()
        return orm.Session(bind=self._connection, autoflush=True, expire_on_commit=False)

    def finish(self, *, keep: bool) -> None:
        """End the unit of work: write what the ORM holds and commit, or forget everything."""
        held: orm.Session | None = self.__dict__.get("orm")
        if keep:
            if held is not None:
                held.flush()
            self._driver.commit()
        elif self._driver.info.transaction_status not in (pq.TransactionStatus.IDLE, pq.TransactionStatus.UNKNOWN):
            self._driver.rollback()
        if held is not None:
            held.close()
        if self._driver.closed:
            self._connection.invalidate()


def array_of(values: Iterable[object]) -> str:
    """Values as the text of a PostgreSQL array, for a parameter such as `%s::uuid[]`.

    The driver's own arrays look at every element for a common type, which costs more than the statement.
    """
    quoted = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit on a clean exit, roll back on any other. Transactions do not nest."""
    with db.engine.connect() as connection:
        session = Session(connection)
        try:
            yield session
            session.finish(keep=True)
        except BaseException:
            session.finish(keep=False)
            raise


@contextmanager
def reading() -> Iterator[Session]:
    """A session for reads: each statement is its own transaction, so nothing waits to be committed."""
    with db.engine.connect() as connection:
        session = Session(connection, reads_only=True)
        try:
            yield session
        finally:
            session.finish(keep=False)


@contextmanager
def reading_first() -> Iterator[Session]:
    """A session for what mostly only reads: each statement is its own transaction, until `begin_together`."""
    with db.engine.connect() as connection:
        session = Session(connection, reads_only=True)
        try:
            yield session
            session.finish(keep=True)
        except BaseException:
            session.finish(keep=False)
            raise


def engine_options(settings: Settings, *, application_name: str = "loyalty") -> dict[str, Any]:
    """Options of the connection pool: bounded waits everywhere, prepared statements, no reset that nobody needs."""
    timeouts = (
        f"-c statement_timeout={settings.statement_timeout_ms} -c lock_timeout={settings.lock_timeout_ms}"
        # A process that dies between two statements must not keep a member locked.
        " -c idle_in_transaction_session_timeout=60000 -c timezone=UTC -c jit=off"
        # Every statement of the request path finds its rows by key, whatever the parameters, so one plan will do for
        # all; planning anew cost more than executing (0.55 of 0.71 ms for the statement that locks a member).
        " -c plan_cache_mode=force_generic_plan"
        # What a request asks for is found before helpers would have been started.
        " -c max_parallel_workers_per_gather=0"
    )
    return {
        "pool_size": settings.pool_size,
        "max_overflow": 2,
        "pool_timeout": 5,
        # `transaction` and `reading` leave every connection clean themselves.
        "pool_reset_on_return": None,
        "pool_use_lifo": True,
        "connect_args": {
            "options": timeouts,
            "connect_timeout": 5,
            "application_name": application_name,
            # A statement is prepared the second time it is seen.
            "prepare_threshold": 1,
            "autocommit": True,
        },
    }


def _allow_prepared_statements(connection: Any, _record: Any) -> None:
    # The request path has a few dozen statements, times the shapes of the writer.
    connection.prepared_max = 300


def _refuse_a_dead_connection(connection: Any, _record: Any, _proxy: Any) -> None:
    # An idle connection has nothing to say. If it can be read, the server has gone (end of file) or is leaving:
    # the pool then opens another. This costs a microsecond where a ping costs a round trip.
    if connection.closed or select.select([connection.fileno()], [], [], 0)[0]:
        raise sqlalchemy.exc.DisconnectionError


def driver_url(url: str) -> str:
    """A URL of SQLAlchemy's as the driver itself wants it."""
    return sqlalchemy.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def init_app(app: Flask, settings: Settings, *, application_name: str = "loyalty") -> None:
    """Give the application its engine. No connection is opened before the first request."""
    if not settings.database_url:
        raise OperatorError("Set DATABASE_URL, or use 'loyalty serve', which brings a database of its own.")
    app.config["SQLALCHEMY_DATABASE_URI"] = sqlalchemy.make_url(settings.database_url).set(drivername=DRIVER)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings, application_name=application_name)
    db.init_app(app)
    with app.app_context():
        sqlalchemy.event.listen(db.engine, "connect", _allow_prepared_statements)
        sqlalchemy.event.listen(db.engine, "checkout", _refuse_a_dead_connection)


__all__ = [
    "Parameters",
    "Session",
    "array_of",
    "db",
    "dict_row",
    "driver_url",
    "engine_options",
    "init_app",
    "reading",
    "transaction",
]
