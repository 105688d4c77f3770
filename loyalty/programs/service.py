"""Creating programs and changing their settings."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.audit import service as audit
from loyalty.audit.domain import COMMAND_LINE
from loyalty.core.ids import new_id
from loyalty.db.session import Session
from loyalty.programs import queries
from loyalty.programs.domain import NewProgram, Program, document_of
from loyalty.programs.errors import ProgramCodeTaken
from loyalty.programs.models import ProgramRow, ProgramVersionRow

_COLUMNS = ("name", "currency", "time_zone", "locale")

_CODE_TAKEN = "SELECT true FROM programs WHERE code = %s"

# The row lock that this takes lets one change of a program's configuration through at a time.
_TOUCH = "UPDATE programs SET config_version = config_version + 1 WHERE program_id = %s RETURNING config_version"


_HOLD_STILL = "SELECT 1 FROM programs WHERE program_id = %s FOR NO KEY UPDATE"

_SET_CLOCK = "UPDATE programs SET clock_ahead = %s WHERE program_id = %s"

_SET_NOTICE = "UPDATE programs SET notice_points = %s WHERE program_id = %s"

# Whom a change of settings concerns that this slice knows nothing of: called with the program as it was and as it is
# now, in the same transaction. They may refuse it.
Follower = Callable[[Session, Program, Program, datetime], None]
_followers: list[Follower] = []


def follows_settings(follower: Follower) -> Follower:
    """Declare a function that is called with every change of a program's settings."""
    _followers.append(follower)
    return follower


def create_program(session: Session, new: NewProgram, *, actor: str = COMMAND_LINE, now: datetime) -> Program:
    """Create a program with default settings. Refuses: ProgramCodeTaken."""
    if session.row(_CODE_TAKEN, (new.code,), into=scalar_row):
        raise ProgramCodeTaken(f"There is a program '{new.code}' already.", program=new.code)
    row = ProgramRow(program_id=new_id(), settings={}, version=1, config_version=1, created_at=now, **asdict(new))
    row.name = new.name or new.code.replace("-", " ").title()
    session.orm.add(row)
    session.orm.flush()
    return _recorded(session, row.program_id, "program.created", before=None, actor=actor, now=now)


def touch(session: Session, program_id: UUID) -> int:
    """Announce a change of configuration: every process will read it anew. Answers the new version."""
    version = session.row(_TOUCH, (program_id,), into=scalar_row)
    assert version is not None, "the program of a caller exists"
    return int(version)


def hold_still(session: Session, program_id: UUID) -> None:
    """Let nobody else change the program's configuration until this transaction ends; nothing is announced yet."""
    session.run(_HOLD_STILL, (program_id,))


def set_clock(session: Session, program_id: UUID, *, ahead: timedelta) -> None:
    """Let the clock of a sandbox run ahead of the real one by so much. The caller holds the program still."""
    session.run(_SET_CLOCK, (ahead, program_id))


def set_notice(session: Session, program_id: UUID, points: int | None) -> None:
    """Let the ledger note who has so many points to spend; None: nobody. The caller announces it (`touch`)."""
    session.run(_SET_NOTICE, (points, program_id))


def change_settings(
    session: Session, program_id: UUID, changes: dict[str, Any], *, actor: str = COMMAND_LINE, now: datetime
) -> Program:
    """Change the settings given, leave the others. The caller holds the program's lock (`touch`).

    Refuses: AutoRedeemImpossible.
    """
    before = queries.load(session, program_id)
    row = session.orm.get_one(ProgramRow, program_id)
    for name in _COLUMNS:
        if name in changes:
            setattr(row, name, changes[name])
    stored = dict(row.settings)
    for name, value in changes.items():
        if name not in _COLUMNS:
            # A unit that was added stays, for members may hold points in it.
            stored[name] = {**(stored.get(name) or {}), **value} if isinstance(value, dict) else value
    row.settings = stored
    row.version += 1
    session.orm.flush()
    after = queries.load(session, program_id)
    for follow in _followers:
        follow(session, before, after, now)
    return _recorded(session, program_id, "program.changed", before=before, actor=actor, now=now)


def _recorded(
    session: Session, program_id: UUID, action: str, *, before: Program | None, actor: str, now: datetime
) -> Program:
    """The program as it is now; its settings are kept as a version of theirs, and who made it so."""
    program = queries.load(session, program_id)
    document = document_of(program)
    version = ProgramVersionRow(
        program_id=program_id, version=program.version, config_version=program.config_version, document=document,
        recorded_at=now,
    )  # fmt: skip
    session.orm.add(version)
    session.orm.flush()
    was = before and document_of(before)
    audit.record(
        session, program_id, actor=actor, action=action, resource="program", before=was, after=document, now=now
    )
    return program
