"""What commands run in: a reachable database at the right schema, and an application context over it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from importlib import import_module
from typing import Any

import psycopg
import sqlalchemy
import sqlalchemy.exc
from flask import Flask

from loyalty.config import Settings, from_environment
from loyalty.core.errors import OperatorError
from loyalty.db import migrate, roles, session
from loyalty.db.embedded import database_url, embedded_server

DATABASE = "loyalty"
POSTGRESQL_OLDEST = 15


@contextmanager
def owned_database(settings: Settings) -> Iterator[Settings]:
    """The settings with the URL of a database that answers, as its owner. Raises OperatorError with one sentence."""
    if settings.database_url:
        url = _checked(settings.database_url)
        yield replace(settings, database_url=url)
        return
    with embedded_server(settings.data_dir) as server:
        _create_database(server)
        yield replace(settings, database_url=_as_sqlalchemy(database_url(server, DATABASE)))


@contextmanager
def database(settings: Settings) -> Iterator[Settings]:
    """The settings with the URL of a database that answers, as the service.

    That is whoever DATABASE_URL names. Nobody else looks after the schema and the roles of the embedded database, so
    that one is brought to this version, and the service connects as a role that cannot change history.
    """
    with owned_database(settings) as owned:
        if settings.database_url:
            yield owned
            return
        migrate.ensure_head(owned.database_url)
        with psycopg.connect(session.driver_url(owned.database_url), autocommit=True) as connection:
            roles.create_service(connection)
            roles.grant_service(connection, roles.SERVICE)
        as_service = sqlalchemy.make_url(owned.database_url).set(username=roles.SERVICE)
        yield replace(owned, database_url=as_service.render_as_string(hide_password=False))


@contextmanager
def application(settings: Settings, *, application_name: str = "loyalty") -> Iterator[Settings]:
    """An application context over the database, for commands. It serves nothing."""
    with database(settings) as reachable:
        # The ORM follows foreign keys from slice to slice, so it must know all tables. By name: with them comes the
        # module of the metrics, which looks for its folder as it is imported (`serve` has published it by now).
        import_module("loyalty.tables")
        app = Flask("loyalty-command")
        session.init_app(app, reachable, application_name=application_name)
        with app.app_context():
            try:
                _require_schema()
                yield reachable
            finally:
                session.db.engine.dispose()


def in_application(command: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command inside an application context."""

    @wraps(command)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with application(from_environment()):
            return command(*args, **kwargs)

    return wrapper


def _require_schema() -> None:
    with session.reading() as reading:
        found = migrate.revision_of(reading)
    if found != migrate.head():
        raise OperatorError(f"{migrate.behind(found)}.")


def _as_sqlalchemy(url: str) -> str:
    return sqlalchemy.make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _checked(url: str) -> str:
    try:
        parsed = sqlalchemy.make_url(url)
    except sqlalchemy.exc.ArgumentError:
        parsed = None
    if parsed is None or parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise OperatorError("DATABASE_URL is not the URL of a PostgreSQL, such as postgresql://user@host:5432/loyalty.")
    driver_url = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(driver_url, connect_timeout=5) as connection:
            version = connection.info.server_version // 10_000
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1].removeprefix("connection failed: ")
        where = f"{parsed.host or 'the local socket'}/{parsed.database or ''}"
        raise OperatorError(f"The PostgreSQL of DATABASE_URL ({where}) cannot be reached: {reason}") from None
    if version < POSTGRESQL_OLDEST:
        raise OperatorError(
            f"The PostgreSQL of DATABASE_URL is version {version}; {POSTGRESQL_OLDEST} or later is needed."
        )
    return _as_sqlalchemy(driver_url)


def _create_database(server: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
            try:
                connection.execute(f"CREATE DATABASE {DATABASE}")
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return  # another command was a moment faster
