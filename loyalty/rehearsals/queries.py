"""Reading rehearsals."""

from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from loyalty.db.paging import Page, Window, page
from loyalty.db.session import Session
from loyalty.rehearsals.domain import Kind, Rehearsal
from loyalty.rehearsals.errors import RehearsalNotFound

LAST_ID = UUID(int=2**128 - 1)

_COLUMNS = """rehearsal_id, status, placed_from, placed_to, attempts, done, total, requested_by, requested_at,
       started_at, finished_at, error"""
_ONE = f"SELECT {_COLUMNS}, result FROM rehearsals WHERE program_id = %s AND kind = %s AND rehearsal_id = %s"
# Without results, which are long.
_LIST = f"""
SELECT {_COLUMNS} FROM rehearsals
WHERE program_id = %(program_id)s AND kind = %(kind)s AND rehearsal_id < %(before)s
ORDER BY rehearsal_id DESC LIMIT %(limit)s
"""


def rehearsal(session: Session, program_id: UUID, kind: Kind, rehearsal_id: UUID) -> Rehearsal:
    """One rehearsal, with its result. Refuses: RehearsalNotFound."""
    found = session.row(_ONE, (program_id, kind, rehearsal_id), into=class_row(Rehearsal))
    if found is None:
        raise RehearsalNotFound(f"There is no rehearsal '{rehearsal_id}'.", rehearsal_id=rehearsal_id)
    return found


def rehearsals(session: Session, program_id: UUID, kind: Kind, window: Window) -> Page[Rehearsal]:
    """The program's rehearsals of a kind, newest first, without their results."""
    after = window.position(str)
    where: dict[str, Any] = {
        "program_id": program_id, "kind": kind, "before": _as_uuid(after[0]) if after else LAST_ID,
        "limit": window.limit + 1,
    }  # fmt: skip
    return page(session.rows(_LIST, where, into=class_row(Rehearsal)), window, lambda r: [str(r.rehearsal_id)])


def _as_uuid(text: str) -> UUID:
    """A UUID out of a cursor; the start of the list for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return LAST_ID
