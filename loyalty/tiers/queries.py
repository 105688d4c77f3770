"""Ladders, remembered by the program's configuration version."""

from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.session import Session
from loyalty.programs.domain import Program
from loyalty.tiers.domain import Ladder, Ladders
from loyalty.tiers.storing import ladder_from

# Versions are numbered without gaps, from 1.
_NEWER = """
SELECT version, ladder, moving, effective_from, published_at, published_by FROM ladders
WHERE program_id = %s AND version > %s ORDER BY version
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
