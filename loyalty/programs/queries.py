"""Programs as they are now, remembered by configuration version.

A write learns the configuration version from the statement that locks its member, so it never judges by settings
that were replaced before it began. A read may lag behind a change by `FRESH_SECONDS`.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row, scalar_row, tuple_row

from loyalty.db.session import Session
from loyalty.programs.domain import Program, program_from
from loyalty.programs.errors import ProgramNotFound, ProgramVersionNotFound

# A publish is seen by every process within this time, at the cost of one tiny statement per second and program.
FRESH_SECONDS = 1.0

# A settings document is a few kilobytes; a process that explains very old orders forgets and reads again.
VERSIONS_REMEMBERED_MAX = 1_000

_LOAD = "SELECT * FROM programs WHERE program_id = %s"
_VERSION = "SELECT config_version FROM programs WHERE program_id = %s"
_BY_CODE = "SELECT program_id FROM programs WHERE code = %s"
_AT_VERSION = "SELECT document, config_version FROM program_versions WHERE program_id = %s AND version = %s"
_CLOCK = "SELECT sandbox, clock_ahead AS ahead FROM programs WHERE program_id = %s"
_MOVED = "SELECT program_id, clock_ahead FROM programs WHERE clock_ahead > '0' ORDER BY program_id"
_ALL_CODES = "SELECT code FROM programs ORDER BY code"


@dataclass(frozen=True, slots=True)
class ProgramClock:
    """By how much a program's clock runs ahead of the real one; it does in sandboxes only."""

    sandbox: bool
    ahead: timedelta


@dataclass(slots=True)
class _Remembered:
    program: Program
    checked_at: float


_remembered: dict[UUID, _Remembered] = {}
_at_version: dict[tuple[UUID, int], Program] = {}


def current(session: Session, program_id: UUID, *, config_version: int | None = None) -> Program:
    """The program at `config_version`, or as it was at most a second ago. Refuses: ProgramNotFound."""
    known = _remembered.get(program_id)
    if config_version is None and known is not None:
        if time.monotonic() - known.checked_at < FRESH_SECONDS:
            return known.program
        config_version = session.row(_VERSION, (program_id,), into=scalar_row)
    if known is not None and known.program.config_version == config_version:
        known.checked_at = time.monotonic()
        return known.program
    program = load(session, program_id)
    _remembered[program_id] = _Remembered(program, time.monotonic())
    return program


def load(session: Session, program_id: UUID) -> Program:
    """The program as it is in the database at this instant. Refuses: ProgramNotFound."""
    row = session.row(_LOAD, (program_id,), into=dict_row)
    if row is None:
        raise ProgramNotFound
    return _program(row)


def at_version(session: Session, program_id: UUID, version: int) -> Program:
    """The program with the settings it had at `version`. No statement once it was read: versions never change.

    Ask for versions that are committed, such as the one that an order names. Refuses: ProgramVersionNotFound.
    """
    known = _at_version.get((program_id, version))
    if known is not None:
        return known
    row = session.row(_AT_VERSION, (program_id, version), into=tuple_row)
    if row is None:
        raise ProgramVersionNotFound(f"The program has no settings of version {version}.", version=version)
    document, config_version = row
    if len(_at_version) >= VERSIONS_REMEMBERED_MAX:
        _at_version.clear()
    found = program_from(document, program_id=program_id, version=version, config_version=config_version)
    _at_version[program_id, version] = found
    return found


def by_code(session: Session, code: str) -> Program:
    """The program called `code`. Refuses: ProgramNotFound."""
    program_id = session.row(_BY_CODE, (code,), into=scalar_row)
    if program_id is None:
        raise ProgramNotFound(f"There is no program '{code}'.", program=code)
    return load(session, program_id)


def clock(session: Session, program_id: UUID) -> ProgramClock:
    """The clock of a program, as it is in the database at this instant. Refuses: ProgramNotFound."""
    found = session.row(_CLOCK, (program_id,), into=class_row(ProgramClock))
    if found is None:
        raise ProgramNotFound
    return found


def moved_clocks(session: Session) -> dict[UUID, timedelta]:
    """The programs whose clock runs ahead of the real one, and by how much."""
    return dict(session.rows(_MOVED, into=tuple_row))


def codes(session: Session) -> list[str]:
    """The codes of all programs."""
    return session.rows(_ALL_CODES, into=scalar_row)


def _program(row: dict[str, Any]) -> Program:
    numbers = {name: row[name] for name in ("program_id", "version", "config_version", "notice_points")}
    return program_from({**row, **row["settings"]}, **numbers)
