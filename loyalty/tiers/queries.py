"""Ladders, remembered by the program's configuration version; how they were published, and how members moved."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.session import Session
from loyalty.programs.domain import Program
from loyalty.tiers.domain import Ladder, Ladders
from loyalty.tiers.errors import LadderNotFound
from loyalty.tiers.storing import ladder_from

# Versions are numbered without gaps, from 1.
_NEWER = """
SELECT version, ladder, moving, effective_from, published_at, published_by FROM ladders
WHERE program_id = %s AND version > %s ORDER BY version
"""
_LADDERS = """
SELECT version, ladder, moving AS members, effective_from, published_at, published_by FROM ladders
WHERE program_id = %s ORDER BY version DESC
"""
_MOVES = """
SELECT version, moving AS members, m.effective_from, members_done, members_total, up, down, started_at, finished_at,
    CASE WHEN finished_at IS NOT NULL THEN 'done' WHEN started_at IS NOT NULL THEN 'running' ELSE 'queued' END AS status
FROM ladder_moves m JOIN ladders USING (program_id, version) WHERE program_id = %s ORDER BY version DESC
"""

_remembered: dict[UUID, tuple[int, tuple[Ladder, ...], Ladders]] = {}
_NONE = (0, (), Ladders((), "UTC"))


def ladders(session: Session, program: Program) -> Ladders:
    """Every ladder that counts. No statement while the configuration stays as it is."""
    version, published, found = _remembered.get(program.program_id, _NONE)
    if version < program.config_version:
        rows = session.rows(_NEWER, (program.program_id, len(published)), into=dict_row)
        published = (*published, *(ladder_from(row.pop("ladder"), **row) for row in rows))
        found = Ladders.of(published, program.time_zone)
        _remembered[program.program_id] = (program.config_version, published, found)
    return found


def stored_ladders(session: Session, program_id: UUID, *, now: datetime) -> list[dict[str, Any]]:
    """Every published ladder as it was written, newest first, each with its status.

    `scheduled`: will count from its `effective_from` on; `in_force`; or `archived`: counts only for what was bought
    while it was in force, if it ever was: a newer ladder may have come into force before it.
    """
    told: list[dict[str, Any]] = []
    soonest, found = None, False
    for each in session.rows(_LADDERS, (program_id,), into=dict_row):
        begins, status = each["effective_from"], "archived"
        if not found and (begins is None or begins <= now):
            status, found = "in_force", True
        elif not found and (soonest is None or begins < soonest):
            status, soonest = "scheduled", begins
        told.append({**each.pop("ladder"), **each, "status": status})
    return told


def stored_ladder(session: Session, program_id: UUID, *, version: int | None, now: datetime) -> dict[str, Any]:
    """One published ladder, by version or the one in force now. Refuses: LadderNotFound."""
    for stored in stored_ladders(session, program_id, now=now):
        if stored["version"] == version or (version is None and stored["status"] == "in_force"):
            return stored
    if version is None:
        raise LadderNotFound("No ladder is in force: this program has no tiers. PUT a draft and publish it.")
    raise LadderNotFound(f"No ladder was published as version {version}.", version=version)


def in_force(session: Session, program_id: UUID, *, now: datetime) -> dict[str, Any] | None:
    """The ladder in force now as it was written; None where there is none."""
    published = stored_ladders(session, program_id, now=now)
    return next((stored for stored in published if stored["status"] == "in_force"), None)


def moves(session: Session, program_id: UUID) -> list[dict[str, Any]]:
    """How far the members there were have been moved to each published ladder, newest first."""
    return session.rows(_MOVES, (program_id,), into=dict_row)
