"""The newest finished statistics of a program, remembered by their version."""

import time
from dataclasses import dataclass
from uuid import UUID

from psycopg.rows import dict_row, scalar_row, tuple_row

from loyalty.db.session import Session
from loyalty.features.domain import Cuts, cuts_from
from loyalty.features.outlook import Outlook, outlook_from
from loyalty.features.statistics import NO_STATISTICS, Statistics, statistics_from

# New statistics are seen by every process within this time, at the cost of one tiny statement a second and program.
FRESH_SECONDS = 1.0
# Those of a large shop are some twenty megabytes.
PROGRAMS_REMEMBERED_MAX = 16

_NEWEST = """
SELECT version FROM feature_statistics WHERE program_id = %s AND finished_at IS NOT NULL ORDER BY version DESC LIMIT 1
"""
_LOAD = "SELECT version, as_of, cuts, document, weights FROM feature_statistics WHERE program_id = %s AND version = %s"
_WITH_CUTS = """
SELECT cuts, outlook FROM feature_statistics
WHERE program_id = %s AND finished_at IS NOT NULL ORDER BY version DESC LIMIT 1
"""


@dataclass(slots=True)
class _Remembered:
    statistics: Statistics
    checked_at: float


_remembered: dict[UUID, _Remembered] = {}


def newest_version(session: Session, program_id: UUID) -> int:
    """The version of the newest finished count; 0: there is none."""
    return session.row(_NEWEST, (program_id,), into=scalar_row) or 0


def statistics(session: Session, program_id: UUID, *, version: int | None = None) -> Statistics:
    """The newest finished count, or that of a version read just now; `NO_STATISTICS` before the first one."""
    known = _remembered.get(program_id)
    if version is None:
        if known is not None and time.monotonic() - known.checked_at < FRESH_SECONDS:
            return known.statistics
        version = newest_version(session, program_id)
    if known is None or known.statistics.version != version:
        known = _Remembered(_load(session, program_id, version), 0.0)
        if len(_remembered) >= PROGRAMS_REMEMBERED_MAX:
            _remembered.clear()
        _remembered[program_id] = known
    known.checked_at = time.monotonic()
    return known.statistics


def cuts_and_outlook(session: Session, program_id: UUID) -> tuple[Cuts | None, Outlook | None]:
    """Where members fall into fifths, and what is to be expected of them, as of the newest finished count."""
    row = session.row(_WITH_CUTS, (program_id,), into=tuple_row)
    return (None, None) if row is None else (cuts_from(row[0]), outlook_from(row[1]))


def _load(session: Session, program_id: UUID, version: int) -> Statistics:
    row = session.row(_LOAD, (program_id, version), into=dict_row) if version else None
    # Versions are kept for days after the next is there; one that is gone was not read just now.
    return NO_STATISTICS if row is None else statistics_from(**row)
