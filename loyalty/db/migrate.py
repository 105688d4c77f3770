"""Bringing a database to the schema of this code."""

from functools import lru_cache
from pathlib import Path

import alembic.command
import alembic.config
import alembic.script
from psycopg.rows import scalar_row

from loyalty.db.session import Session

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


@lru_cache(maxsize=1)
def head() -> str | None:
    """The newest revision that this code knows."""
    return alembic.script.ScriptDirectory.from_config(config()).get_current_head()


def revision_of(session: Session) -> str | None:
    """The revision that the database is at; None for an empty one."""
    if session.row(_EXISTS, into=scalar_row) is None:
        return None
    return session.row(_REVISION, into=scalar_row)
