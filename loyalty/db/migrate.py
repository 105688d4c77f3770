"""Bringing a database to the schema of this code."""

from functools import lru_cache
from pathlib import Path

import alembic.command
import alembic.config
import alembic.script
import psycopg
import sqlalchemy.exc
from psycopg.rows import scalar_row

from loyalty.core.errors import OperatorError
from loyalty.db.session import Session, driver_url

_EXISTS = "SELECT to_regclass('alembic_version')::text"
_REVISION = "SELECT version_num FROM alembic_version"

ROOT = Path(__file__).resolve().parents[2]


def config(database_url: str = "") -> alembic.config.Config:
    """Alembic's configuration: the migrations beside this package, and the database to work on."""
    made = alembic.config.Config()
    made.set_main_option("script_location", str(ROOT / "migrations"))
    # A percent sign starts an interpolation in Alembic's files.
    made.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return made


def upgrade(database_url: str, revision: str = "head") -> None:
    """Migrate the database up to `revision`. Two that run at once take turns."""
    alembic.command.upgrade(config(database_url), revision)


def ensure_head(database_url: str) -> None:
    """Migrate, unless there is nothing to do. Raises OperatorError when there is and this user may not."""
    with psycopg.connect(driver_url(database_url), row_factory=scalar_row) as connection:
        exists = connection.execute(_EXISTS).fetchone()
        found = connection.execute(_REVISION).fetchone() if exists else None
    if found == head():
        return
    try:
        upgrade(database_url)
    except sqlalchemy.exc.ProgrammingError as error:
        if isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise OperatorError(f"{behind(found)} as the owner of the database.") from None
        raise


def behind(found: str | None) -> str:
    """The beginning of the sentence that tells an operator to migrate."""
    return f"The database is {f'at {found}' if found else 'empty'}, this version needs {head()}: run 'loyalty migrate'"


@lru_cache(maxsize=1)
def head() -> str | None:
    """The newest revision that this code knows."""
    return alembic.script.ScriptDirectory.from_config(config()).get_current_head()


def revision_of(session: Session) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if session.row(_EXISTS, into=scalar_row) is None:
        return None
    return session.row(_REVISION, into=scalar_row)
