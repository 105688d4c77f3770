"""The tie of orders to payments with points: what an order says was paid is captured, in its own transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from loyalty.core.errors import DomainError
from loyalty.db.writer import Changes
from loyalty.events import service as facts
from loyalty.ledger.book import Book
from loyalty.ledger.settling import settle
from loyalty.orders.domain import NewOrder, payment_of
from loyalty.payments import capturing
from loyalty.payments.capturing import Part
from loyalty.payments.domain import hold_id_of
from loyalty.payments.errors import PaymentMissing, PaymentNotFound
from loyalty.payments.models import PaymentRow
from loyalty.programs.domain import Program


@dataclass(frozen=True, slots=True)
class Plan:
    """Which parts of payments are to be captured, by order, and which orders are refused because of them."""

    parts: dict[str, Part] = field(default_factory=dict)
    refused: dict[str, DomainError] = field(default_factory=dict)

    def carry_out(self, book: Book, order: NewOrder, program_id: UUID, *, now: datetime) -> Changes:
        """Capture what pays for the order. The book is settled, and what the order earned is in it."""
        changes = Changes()
        part = self.parts.get(order.order_id)
        if part is not None and not part.is_done:
            _, row = capturing.capture(book, part.held, part.points, order_id=order.order_id)
            changes.update(PaymentRow, row)
            facts.tell(changes, program_id, capturing.captured(book, row), now=now)
            # The rest may have gone back to lots that lapsed while it was held.
            settle(book, book.now)
        return changes


def holds_of(orders: Sequence[NewOrder]) -> list[str]:
    """The holds of the payments that orders name."""
    return [hold_id_of(payment_id) for order in orders if (payment_id := payment_of(order))]


def plan(program: Program, orders: Sequence[NewOrder], books: Mapping[str, Book | None]) -> Plan:
    """Judge the payments of orders, in the order given. `books`: those of their members, by order; a guest has none."""
    made, spoken_for = Plan(), dict[str, str]()
    for order in orders:
        try:
            part = _part(program, order, books[order.order_id], spoken_for)
        except DomainError as refusal:
            made.refused[order.order_id] = refusal
            continue
        if part is not None:
            made.parts[order.order_id] = part
            spoken_for[part.held.hold_id] = order.order_id
    return made


def _part(program: Program, order: NewOrder, book: Book | None, spoken_for: Mapping[str, str]) -> Part | None:
    """The part of a payment that pays for the order; None if the order names none.

    Refuses: PaymentMissing, PaymentNotFound, PaymentResolved, PointsPaidMismatch.
    """
    payment_id = payment_of(order)
    if payment_id is None:
        if order.points_paid and program.pay.require_payment:
            raise PaymentMissing(points_paid=order.points_paid)
        return None
    if book is None:
        raise PaymentNotFound(payment_id)
    return capturing.part_for(
        book, payment_id, order_id=order.order_id, points_paid=order.points_paid, spoken_for=spoken_for
    )
