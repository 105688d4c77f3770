"""Creating programs and changing their settings."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.core.ids import new_id
from loyalty.db.session import Session
from loyalty.programs import queries
from loyalty.programs.domain import NewProgram, Program, settings_from
from loyalty.programs.errors import ProgramCodeTaken
from loyalty.programs.models import ProgramRow

_COLUMNS = ("name", "currency", "time_zone", "locale")

_CODE_TAKEN = "SELECT true FROM programs WHERE code = %s"

# The row lock that this takes lets one change of a program's configuration through at a time.
_TOUCH = "UPDATE programs SET config_version = config_version + 1 WHERE program_id = %s RETURNING config_version"


def create_program(session: Session, new: NewProgram, *, now: datetime) -> Program:
    """Create a program with default settings. Refuses: ProgramCodeTaken."""
    if session.row(_CODE_TAKEN, (new.code,), into=scalar_row):
        raise ProgramCodeTaken(f"There is a program '{new.code}' already.", program=new.code)
    row = ProgramRow(program_id=new_id(), settings={}, version=1, config_version=1, created_at=now, **asdict(new))
    row.name = new.name or new.code.replace("-", " ").title()
    session.orm.add(row)
    session.orm.flush()
    return queries.load(session, row.program_id)


def touch(session: Session, program_id: UUID) -> int:
    """Announce a change of configuration: every process will read it anew. Answers the new version."""
    version = session.row(_TOUCH, (program_id,), into=scalar_row)
    assert version is not None, "the program of a caller exists"
    return int(version)


def change_settings(session: Session, program_id: UUID, changes: dict[str, Any]) -> Program:
    """Change the settings given, leave the others. The caller holds the program's lock (`touch`)."""
    row = session.orm.get_one(ProgramRow, program_id)
    for name in _COLUMNS:
        if name in changes:
            setattr(row, name, changes[name])
    stored = dict(row.settings)
    for name, value in changes.items():
        if name not in _COLUMNS:
            # A unit that was added stays, for members may hold points in it.
            stored[name] = {**stored.get(name, {}), **value} if isinstance(value, dict) else value
    row.settings = stored
    row.version += 1
    session.orm.flush()
    assert settings_from(row.settings) is not None, "what is stored can be read"
    return queries.load(session, program_id)
