"""Reading the log, so that whoever follows it misses nothing.

Transactions end in another order than they began, so "everything after the last one I saw" would skip what a slow one
writes. The log is therefore in the order of transactions' numbers, and a read stops before the oldest one that is still
under way: of all that it shows, nothing can come in between any more.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from loyalty.db.paging import Page, Window, cursor, page
from loyalty.db.session import Session

BEGINNING = [-1, -1]


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """A fact as it stands in the log."""

    event_id: UUID
    type: str
    version: int
    customer_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]
    xid: int
    seq: int

    @property
    def cursor(self) -> str:
        """Its place in the log: what comes after it is what its reader has not seen."""
        return cursor([self.xid, self.seq])


def facts(session: Session, program_id: UUID, window: Window, *, of_type: str | None = None) -> Page[RecordedFact]:
    """The facts of a program, or those of one type, in the order of the log."""
    xid, seq = window.position(int, int) or BEGINNING
    parameters = {"program_id": program_id, "type": of_type, "xid": xid, "seq": seq, "limit": window.limit + 1}
    rows = session.rows(_page(filtered=of_type is not None), parameters, into=class_row(RecordedFact))
    return page(rows, window, lambda fact: [fact.xid, fact.seq])


@lru_cache(maxsize=2)
def _page(*, filtered: bool) -> str:
    """A statement for each: one that could do without the type would not use its index."""
    return f"""
SELECT event_id, type, version, customer_id, occurred_at, recorded_at, data, xid, seq FROM events
WHERE program_id = %(program_id)s {"AND type = %(type)s" if filtered else ""}
AND (xid, seq) > (%(xid)s::bigint, %(seq)s::bigint)
AND xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
ORDER BY xid, seq LIMIT %(limit)s
"""
