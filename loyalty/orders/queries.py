"""Reading orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from psycopg.rows import dict_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.orders.domain import Order
from loyalty.orders.errors import OrderNotFound

_ANSWERS = """
SELECT k.key, k.fingerprint, o.receipt FROM natural_keys k
JOIN orders o ON o.member_id = k.member_id AND o.order_id = k.key
WHERE k.program_id = %s AND k.kind = 'order' AND k.key = ANY(%s::text[])
"""

_ORDER = """
SELECT o.order_id, o.customer_id, o.status, o.currency, o.placed_at, o.recorded_at, o.lines, o.shipping, o.discount,
       o.points_paid, o.channel, o.metadata, o.receipt
FROM natural_keys k JOIN orders o ON o.member_id = k.member_id AND o.order_id = k.key
WHERE k.program_id = %s AND k.kind = 'order' AND k.key = %s
"""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer that an order's first request got, and the fingerprint of that request."""

    fingerprint: bytes
    body: bytes


def stored_answers(session: Session, program_id: UUID, order_ids: Sequence[str]) -> dict[str, StoredAnswer]:
    """The answers of orders that were recorded before, by order id."""
    rows = session.rows(_ANSWERS, (program_id, array_of(order_ids)), into=tuple_row)
    return {key: StoredAnswer(fingerprint, body.encode()) for key, fingerprint, body in rows}


def order(session: Session, program_id: UUID, order_id: str) -> Order:
    """One order, as reported, with what it earned. Refuses: OrderNotFound."""
    row = session.row(_ORDER, (program_id, order_id), into=dict_row)
    if row is None:
        raise OrderNotFound(order_id)
    answered = orjson.loads(row.pop("receipt"))
    return Order(**row, points=answered["points"], awards=answered["awards"])
