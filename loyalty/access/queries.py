"""Reading keys."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from loyalty.access.domain import Caller, Key
from loyalty.db.paging import Page, Window, page
from loyalty.db.session import Session

LAST_ID = UUID(int=2**128 - 1)

_CALLER = """
SELECT k.program_id, k.key_id, k.scopes, k.expires_at, p.sandbox, p.clock_ahead
FROM api_keys k JOIN programs p ON p.program_id = k.program_id
WHERE k.secret_hash = %s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > %s)
"""

_KEYS = """
SELECT key_id, prefix, name, scopes, created_at, expires_at, revoked_at FROM api_keys
WHERE program_id = %(program_id)s AND key_id < %(before)s
ORDER BY key_id DESC LIMIT %(limit)s
"""


def caller_with(session: Session, secret_hash: bytes, *, now: datetime) -> Caller | None:
    """Whom the key with this hash belongs to, unless it is unknown, revoked or expired."""
    found = session.row(_CALLER, (secret_hash, now), into=class_row(Caller))
    return found and replace(found, scopes=frozenset(found.scopes))


def keys(session: Session, program_id: UUID, window: Window) -> Page[Key]:
    """The program's keys, newest first, revoked ones too."""
    after = window.position(str)
    parameters = {
        "program_id": program_id,
        "before": as_uuid(after[0]) if after else LAST_ID,
        "limit": window.limit + 1,
    }
    return page(session.rows(_KEYS, parameters, into=class_row(Key)), window, lambda k: [str(k.key_id)])


def as_uuid(text: str) -> UUID:
    """A UUID out of a cursor; the start of the list for anything else."""
    try:
        return UUID(text)
    except ValueError:
        return LAST_ID
