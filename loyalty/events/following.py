"""Following the log: whoever acts on facts keeps its place in it, in the transaction of what it does about them.

So each fact is acted on exactly once, whenever the follower is cut off and however long nobody runs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, scalar_row, tuple_row

from loyalty.db.session import Session, array_of

# The oldest transaction under way: nothing can come into the log before it any more.
HORIZON = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"

_BEHIND = f"""
SELECT p.program_id FROM programs p LEFT JOIN followers f ON f.name = %(name)s AND f.program_id = p.program_id
WHERE EXISTS (
    SELECT FROM events e WHERE e.program_id = p.program_id
    AND (e.xid, e.seq) > (coalesce(f.xid, -1), coalesce(f.seq, -1)) AND e.xid < {HORIZON})
ORDER BY p.program_id
"""
# To insert a place that is there would wait for whoever is moving it.
_BEGIN = """
INSERT INTO followers (name, program_id, xid, seq) SELECT %(name)s, %(program_id)s, -1, -1
WHERE NOT EXISTS (SELECT FROM followers f WHERE f.name = %(name)s AND f.program_id = %(program_id)s)
ON CONFLICT DO NOTHING
"""
_PLACE = "SELECT xid, seq FROM followers WHERE name = %s AND program_id = %s FOR UPDATE SKIP LOCKED"
_HOLD = "SELECT 1 FROM followers WHERE name = %s AND program_id = %s FOR UPDATE"
_NEXT = f"""
WITH page AS MATERIALIZED (
    SELECT owner_id, event_id, type, version, customer_id, occurred_at, recorded_at, data, xid, seq FROM events
    WHERE program_id = %(program_id)s AND (xid, seq) > (%(xid)s::bigint, %(seq)s::bigint) AND xid < {HORIZON}
    ORDER BY xid, seq LIMIT %(limit)s)
SELECT * FROM page WHERE type = ANY(%(types)s)
OR (xid, seq) = (SELECT p.xid, p.seq FROM page p ORDER BY p.xid DESC, p.seq DESC LIMIT 1)
ORDER BY xid, seq
"""
_MOVE = "UPDATE followers SET xid = %s, seq = %s WHERE name = %s AND program_id = %s"


@dataclass(frozen=True, slots=True)
class LoggedFact:
    """A fact as its followers see it: of a member, by both ids, or of the program, whose id `owner_id` is then."""

    owner_id: UUID
    event_id: UUID
    type: str
    version: int
    customer_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    data: dict[str, Any]
    xid: int
    seq: int


def behind(session: Session, name: str) -> list[UUID]:
    """The programs that have facts which the follower called `name` has not seen."""
    return session.rows(_BEHIND, {"name": name}, into=scalar_row)


def follow(
    session: Session, name: str, program_id: UUID, types: Sequence[str], *, limit: int
) -> list[LoggedFact] | None:
    """What is new of some types among the next `limit` facts of a program, and the place after these is kept.

    None if there is nothing new at all, or if somebody else follows under this name at the moment.
    """
    session.run(_BEGIN, {"name": name, "program_id": program_id})
    place = session.row(_PLACE, (name, program_id), into=tuple_row)
    if place is None:
        return None
    where = {"program_id": program_id, "xid": place[0], "seq": place[1], "limit": limit, "types": array_of(types)}
    rows = session.rows(_NEXT, where, into=dict_row)
    if not rows:
        return None
    session.run(_MOVE, (rows[-1]["xid"], rows[-1]["seq"], name, program_id))
    # A transaction that waited for a member whom another one had may have begun before that one, but wrote after it.
    found = sorted(rows, key=lambda row: row["seq"])
    return [LoggedFact(**row) for row in found if row["type"] in types]


def hold(session: Session, name: str, program_id: UUID) -> None:
    """Keep everybody from following a program under this name until the transaction ends; waits for who does."""
    session.run(_BEGIN, {"name": name, "program_id": program_id})
    session.run(_HOLD, (name, program_id))
