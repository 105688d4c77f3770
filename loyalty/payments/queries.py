"""Reading payments as they stand: one that nobody resolved in time has expired."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row

from loyalty.db.paging import BIGINT_MAX, Page, Window, page
from loyalty.db.session import Session, array_of
from loyalty.payments.errors import PaymentNotFound

_SHOWN = """
p.payment_id, m.customer_id, p.order_id, p.order_total, p.points, p.amount, p.currency, p.captured_points,
p.captured_amount, p.refunded_points, p.refunded_amount, p.given_back_points, p.held_at, p.expires_at,
CASE WHEN p.status = 'held' AND p.expires_at <= %(now)s THEN 'expired' ELSE p.status END AS status,
CASE WHEN p.status = 'held' AND p.expires_at <= %(now)s THEN p.expires_at ELSE p.resolved_at END AS resolved_at
"""
_ONE = f"""
SELECT {_SHOWN} FROM natural_keys k
JOIN payments p ON p.member_id = k.member_id AND p.payment_id = k.key
JOIN members m ON m.member_id = p.member_id
WHERE k.program_id = %(program_id)s AND k.kind = 'payment' AND k.key = %(payment_id)s
"""
_LIST = f"""
SELECT p.seq, {_SHOWN} FROM payments p JOIN members m ON m.member_id = p.member_id
WHERE p.member_id = %(member_id)s AND p.seq < %(before)s
ORDER BY p.seq DESC LIMIT %(limit)s
"""
_PAID = """
SELECT member_id, payment_id, order_id, status, currency, rate, captured_points, refunded_points, refunded_amount,
       given_back_points, given_back, redeem_seq, expires_at, resolved_at
FROM payments WHERE (member_id, payment_id) IN (
    SELECT * FROM unnest(%s::uuid[], %s::text[]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """A payment as a later event finds it, under its member's lock."""

    member_id: UUID
    payment_id: str
    order_id: str | None
    status: str
    currency: str
    rate: Mapping[str, int]
    captured_points: int
    refunded_points: int
    refunded_amount: int
    given_back_points: int
    given_back: Mapping[str, int]
    redeem_seq: int | None
    expires_at: datetime
    resolved_at: datetime | None


def payment(session: Session, program_id: UUID, payment_id: str, *, now: datetime) -> dict[str, Any]:
    """A payment as it stands. Refuses: PaymentNotFound."""
    row = session.row(_ONE, {"program_id": program_id, "payment_id": payment_id, "now": now}, into=dict_row)
    if row is None:
        raise PaymentNotFound(payment_id)
    return row


def payments(session: Session, member_id: UUID, window: Window, *, now: datetime) -> Page[dict[str, Any]]:
    """A member's payments, newest first."""
    position = window.position(int)
    where = {"member_id": member_id, "before": position[0] if position else BIGINT_MAX, "limit": window.limit + 1}
    return page(session.rows(_LIST, {**where, "now": now}, into=dict_row), window, lambda row: [row["seq"]])


def paid(session: Session, keys: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], Paid]:
    """Payments of members whom the caller has locked, by member and payment id. Without keys, no statement."""
    if not (wanted := sorted(set(keys))):
        return {}
    ids, names = array_of(member for member, _ in wanted), array_of(name for _, name in wanted)
    found = session.rows(_PAID, (ids, names), into=class_row(Paid))
    return {(each.member_id, each.payment_id): each for each in found}
