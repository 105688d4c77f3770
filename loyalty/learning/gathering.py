"""Reading what features follow from: orders as they are now, what was learned of them, and who is who by now."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.learning.contributions import LearnedOrder
from loyalty.members.queries import staying

_ORDER = """
o.member_id, o.order_id, o.placed_at, o.lines, o.discount, coalesce(o.returned -> 'lines', '{}') AS back,
l.returned AS known, l.learner_id
"""
# A guest's order is nobody's. Each is found by its keys, in this order: who knows little of the tables, as when they
# were just filled, would go through all ids of the program instead.
_NAMED = f"""
SELECT {_ORDER}, m.merged_into IS NOT NULL FROM unnest(%s::text[]) AS w (order_id)
CROSS JOIN LATERAL (
    SELECT * FROM natural_keys n WHERE n.program_id = %s AND n.kind = 'order' AND n.key = w.order_id LIMIT 1) k
CROSS JOIN LATERAL (SELECT * FROM orders b WHERE b.member_id = k.member_id AND b.order_id = k.key LIMIT 1) o
CROSS JOIN LATERAL (SELECT * FROM members p WHERE p.member_id = o.member_id LIMIT 1) m
LEFT JOIN LATERAL (
    SELECT * FROM learned_orders h WHERE h.member_id = o.member_id AND h.order_id = o.order_id LIMIT 1) l ON true
"""
_OF_MEMBERS = f"""
SELECT {_ORDER} FROM orders o
LEFT JOIN learned_orders l ON l.member_id = o.member_id AND l.order_id = o.order_id
WHERE o.member_id = ANY(%s::uuid[])
"""
# As features know them, so those that came since they last looked are not there.
_SINCE = """
SELECT o.member_id, o.order_id, o.placed_at, o.lines, o.discount, l.returned FROM orders o
JOIN learned_orders l ON l.member_id = o.member_id AND l.order_id = o.order_id
WHERE o.member_id = ANY(%s::uuid[]) AND o.placed_at >= %s
"""
_FAMILY = """
WITH RECURSIVE family AS (
    SELECT s.member_id AS stays, s.member_id FROM unnest(%s::uuid[]) AS s (member_id)
    UNION ALL
    SELECT f.stays, m.member_id FROM family f JOIN members m ON m.merged_into = f.member_id)
"""
_FAMILIES = f"{_FAMILY} SELECT member_id, stays FROM family"
# Few, and each row says what has become of it: so they are counted anew, and never twice.
_REDEEMED = f"""
{_FAMILY}
SELECT f.stays, r.at FROM family f CROSS JOIN LATERAL (
    SELECT d.confirmed_at AS at FROM redemptions d
    WHERE d.member_id = f.member_id AND d.status IN ('confirmed', 'fulfilled')
    UNION ALL
    SELECT a.closed_at FROM assignments a WHERE a.member_id = f.member_id AND a.status = 'redeemed') r
"""


def named_orders(
    session: Session, program_id: UUID, order_ids: Collection[str]
) -> tuple[list[LearnedOrder], set[UUID]]:
    """Orders of members as they are now, by their ids; beside them, whose features one is in that is another's now."""
    if not order_ids:
        return [], set()
    rows = session.rows(_NAMED, (array_of(order_ids), program_id), into=tuple_row)
    merged = {row[0] for row in rows if row[-1]}
    stays = {row[0]: row[0] for row in rows} | (staying(session, merged) if merged else {})
    orders = [_order(row, stays[row[0]]) for row in rows]
    moved = {
        order.learner_id for order, row in zip(orders, rows, strict=True) if row[7] not in (None, order.learner_id)
    }
    return orders, moved


def orders_of(session: Session, families: dict[UUID, UUID]) -> tuple[list[LearnedOrder], set[tuple[UUID, str]]]:
    """All orders of members, and those of them that were learned as somebody else's than now."""
    rows = session.rows(_OF_MEMBERS, (array_of(families),), into=tuple_row)
    orders = [_order(row, families[row[0]]) for row in rows]
    return orders, {(row[0], row[1]) for row in rows if row[7] not in (None, families[row[0]])}


def orders_since(session: Session, families: dict[UUID, UUID], since: datetime) -> list[LearnedOrder]:
    """The orders placed from an instant on that are in the features of members, as if nothing were learned of them."""
    rows = session.rows(_SINCE, (array_of(families), since), into=tuple_row)
    return [_order((*row, None), families[row[0]]) for row in rows]


def families(session: Session, member_ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """Members who stay, and all who were merged into them: each with who stays."""
    return dict(session.rows(_FAMILIES, (array_of(member_ids),), into=tuple_row))


def redeemed(session: Session, member_ids: Collection[UUID]) -> dict[UUID, list[datetime]]:
    """When each member redeemed a reward or an offer that was not taken back since."""
    found: dict[UUID, list[datetime]] = {member_id: [] for member_id in member_ids}
    if found:
        for member_id, at in session.rows(_REDEEMED, (array_of(found),), into=tuple_row):
            found[member_id].append(at)
    return found


def _order(row: tuple[Any, ...], learner_id: UUID) -> LearnedOrder:
    member_id, order_id, placed_at, lines, discount, back, known, *_ = row
    return LearnedOrder(
        member_id=member_id, order_id=order_id, placed_at=placed_at, lines=lines, discount=discount, returned=back,
        learner_id=learner_id, known=known,
    )  # fmt: skip
