"""Out of which lots points were spent: on an order, or by one entry."""

from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.session import Session
from loyalty.ledger.domain import Lot
from loyalty.ledger.giving_back import Spent
from loyalty.ledger.holdings import HOLDERS, LOT

_SPENT_ON = f"""
{HOLDERS}
SELECT {LOT}, s.spent, s.hold_id FROM (
    SELECT x.member_id, x.lot_seq, sum(x.points - x.held)::bigint AS spent,
           CASE WHEN starts_with(e.reference, %(apart)s) THEN e.reference END AS hold_id
    FROM entries e JOIN allocations x ON x.member_id = e.member_id AND x.seq = e.seq
    WHERE e.member_id IN (SELECT member_id FROM holders) AND e.order_id = %(order_id)s AND e.kind = 'redeem'
    GROUP BY x.member_id, x.lot_seq, 4) s
JOIN lots l ON l.member_id = s.member_id AND l.seq = s.lot_seq
"""

_SPENT_BY = f"""
SELECT {LOT}, (x.points - x.held)::bigint AS spent, NULL AS hold_id
FROM allocations x JOIN lots l ON l.member_id = x.member_id AND l.seq = x.lot_seq
WHERE x.member_id = %s AND x.seq = %s
"""


def spent_on(session: Session, owner: UUID, order_id: str, *, apart: str) -> list[Spent]:
    """The lots out of which points were spent on an order of `owner`, by whoever that has become, and how many.

    What was captured of holds whose ids begin with `apart` is told apart, hold by hold.
    """
    rows = session.rows(_SPENT_ON, {"owner": owner, "order_id": order_id, "apart": apart}, into=dict_row)
    return [_spent(row) for row in rows if row["spent"]]


def spent_by(session: Session, member_id: UUID, seq: int) -> list[Spent]:
    """The lots out of which an entry spent points, and how many."""
    return [_spent(row) for row in session.rows(_SPENT_BY, (member_id, seq), into=dict_row)]


def _spent(row: dict[str, Any]) -> Spent:
    points, hold_id = row.pop("spent"), row.pop("hold_id")
    return Spent(Lot(**row), points, hold_id)
