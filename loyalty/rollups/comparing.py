"""Comparing two generations of what was counted, row by row."""

from uuid import UUID

from psycopg.rows import scalar_row, tuple_row
from pyroaring import BitMap

from loyalty.db.session import Session
from loyalty.ledger.verification import take_your_time

_BOTH = """
SELECT count(*) FROM (SELECT * FROM {table} WHERE program_id = %(program_id)s AND generation = %(one)s AND {counts}) a
FULL JOIN (SELECT * FROM {table} WHERE program_id = %(program_id)s AND generation = %(other)s AND {counts}) b
USING ({key}) WHERE {differ}
"""
_SUMS = _BOTH.format(
    table="rollup_sums", counts="amount <> 0", key="measure, unit, dimension, key, day",
    differ="a.amount IS DISTINCT FROM b.amount",
)  # fmt: skip
_CURSORS = _BOTH.format(
    table="rollup_cursors", counts="true", key="number", differ="(a.seq, a.tier) IS DISTINCT FROM (b.seq, b.tier)"
)
_RETURNED = _BOTH.format(
    table="rollup_returns", counts="true", key="order_id", differ="a.lines IS DISTINCT FROM b.lines"
)
_SETS = _BOTH.format(
    table="rollup_sets", counts="true", key="name, dimension, key, span, starts",
    differ="(a.size, a.members) IS DISTINCT FROM (b.size, b.members)",
).replace("count(*)", "a.members, b.members", 1)  # fmt: skip


def differences(session: Session, program_id: UUID, one: int, other: int) -> int:
    """How many rows two generations do not have in common. A sum that came to nothing is none."""
    where = {"program_id": program_id, "one": one, "other": other}
    take_your_time(session)
    found = sum(sum(session.rows(sql, where, into=scalar_row)) for sql in (_SUMS, _CURSORS, _RETURNED))
    # The same set may be written in other ways.
    sets = session.binary_rows(_SETS, where, into=tuple_row)
    return found + sum(a is None or b is None or BitMap.deserialize(a) != BitMap.deserialize(b) for a, b in sets)
