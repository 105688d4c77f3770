"""Reading the changes."""

from functools import lru_cache
from uuid import UUID

from psycopg.rows import class_row

from loyalty.audit.domain import Record
from loyalty.db.paging import Page, Window, page
from loyalty.db.session import Session

LAST_ID = UUID(int=2**128 - 1)


def changes(
    session: Session, program_id: UUID, window: Window, *, actor: str | None = None, resource: str | None = None
) -> Page[Record]:
    """The changes of a program, newest first: all, those by one actor, those of one resource, or both."""
    after = window.position(str)
    filters = {name: value for name, value in (("actor", actor), ("resource", resource)) if value is not None}
    parameters = {
        "program_id": program_id,
        "before": _as_uuid(after[0]) if after else LAST_ID,
        "limit": window.limit + 1,
        **filters,
    }
    rows = session.rows(_page(tuple(filters)), parameters, into=class_row(Record))
    return page(rows, window, lambda found: [str(found.audit_id)])


@lru_cache(maxsize=4)
def _page(filters: tuple[str, ...]) -> str:
    """A statement for these filters alone: one that could do without them would not use their index."""
    conditions = "".join(f" AND {name} = %({name})s" for name in filters)
    order = ", ".join(f"{name} DESC" for name in (*filters, "audit_id"))
    return (
        "SELECT audit_id, at, actor, action, resource, before, after FROM audit_log"
        f" WHERE program_id = %(program_id)s AND audit_id < %(before)s{conditions}"
        f" ORDER BY {order} LIMIT %(limit)s"
    )


def _as_uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return LAST_ID
