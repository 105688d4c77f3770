"""The numbers by which sets know members: in each program from 0, in the order in which they were first met.

A number is for ever, whatever is counted anew. Who gives numbers holds the place of the follower (`following.NAME`).
"""

from collections.abc import Collection
from uuid import UUID

from psycopg.rows import scalar_row, tuple_row

from loyalty.db.session import Session, array_of

_KNOWN = """
SELECT w.member_id, n.number FROM unnest(%s::uuid[]) AS w (member_id)
CROSS JOIN LATERAL (SELECT * FROM rollup_members b WHERE b.member_id = w.member_id LIMIT 1) n
"""
_LAST = "SELECT number FROM rollup_members WHERE program_id = %s ORDER BY number DESC LIMIT 1"
_GIVE = """
INSERT INTO rollup_members (program_id, member_id, number)
SELECT %s, member_id, number FROM unnest(%s::uuid[], %s::bigint[]) AS w (member_id, number)
"""


def numbers_of(
    session: Session, program_id: UUID, member_ids: Collection[UUID], *, temporary: bool = False
) -> dict[UUID, int]:
    """The numbers of members; those who have none get the next ones. `temporary`: without writing that down."""
    if not member_ids:
        return {}
    known: dict[UUID, int] = dict(session.rows(_KNOWN, (array_of(member_ids),), into=tuple_row))
    new = sorted(set(member_ids) - known.keys())
    if new:
        last = session.row(_LAST, (program_id,), into=scalar_row)
        first = 0 if last is None else last + 1
        given = dict(zip(new, range(first, first + len(new)), strict=True))
        if not temporary:
            session.run(_GIVE, (program_id, array_of(given), array_of(given.values())))
        known |= given
    return known
