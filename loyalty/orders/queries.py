"""Reading orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import dict_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.earning.domain import Awarded
from loyalty.earning.undoing import awards_given
from loyalty.orders.domain import Order
from loyalty.orders.errors import OrderNotFound
from loyalty.orders.returning import Returned

_ANSWERS = """
SELECT k.key, k.fingerprint, o.receipt FROM natural_keys k
JOIN orders o ON o.member_id = k.member_id AND o.order_id = k.key
WHERE k.program_id = %s AND k.kind = 'order' AND k.key = ANY(%s::text[])
"""

_ORDER = """
SELECT o.order_id, o.customer_id, o.status, o.currency, o.placed_at, o.recorded_at, o.lines, o.shipping, o.discount,
       o.points_paid, o.payment_id, o.channel, o.metadata, o.receipt, o.confirmed_at, o.returned, o.judged
FROM natural_keys k JOIN orders o ON o.member_id = k.member_id AND o.order_id = k.key
WHERE k.program_id = %s AND k.kind = 'order' AND k.key = %s
"""

_RECORDED = """
SELECT member_id, order_id, status, placed_at, recorded_at, confirmed_at, lines, discount, returned, award_seqs, judged
FROM orders WHERE member_id = %s AND order_id = %s FOR NO KEY UPDATE
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
    back = row.pop("returned").get("lines", {})
    returned = [{"line_id": line_id, "quantity": quantity} for line_id, quantity in back.items()]
    return Order(**row, points=answered["points"], awards=answered["awards"], returned=returned)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedOrder:
    """An order as a later event finds it: what was bought and awarded, and what came back since."""

    member_id: UUID
    order_id: str
    status: str
    placed_at: datetime
    recorded_at: datetime
    confirmed_at: datetime | None
    lines: list[dict[str, Any]]
    discount: int
    returned: Returned
    judged: dict[str, Any]
    awards: tuple[Awarded, ...]


def recorded_order(session: Session, owner_id: UUID, order_id: str) -> RecordedOrder:
    """An order, locked, with what it was awarded."""
    row = session.row(_RECORDED, (owner_id, order_id), into=dict_row)
    assert row is not None, "the registry names orders that are there"
    seqs = row.pop("award_seqs")
    awards = awards_given(session, owner_id, seqs)
    return RecordedOrder(**{**row, "returned": Returned(**row["returned"]), "awards": awards})
