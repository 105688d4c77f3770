"""Spending the points of a payment, by itself or with the order that it pays for: steps in a member's book."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.events.domain import Fact
from loyalty.ledger import spending
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Hold
from loyalty.payments.domain import hold_id_of, part_worth, payment_id_of, promise_from
from loyalty.payments.errors import PaymentNotFound, PaymentResolved, PointsPaidMismatch
from loyalty.payments.events import payment_became


@dataclass(frozen=True, slots=True)
class Part:
    """The points of a hold that pay for an order; `is_done` if they were captured for it before."""

    held: Hold
    points: int
    is_done: bool


def require_held(held: Hold, *, at: datetime) -> None:
    """Refuse a payment that was resolved, or whose time is over. Refuses: PaymentResolved."""
    if held.status != "held":
        assert held.resolved_at is not None, "what is resolved was resolved at some time"
        raise PaymentResolved(name_of(held), status=held.status, resolved_at=held.resolved_at, order_id=held.order_id)
    if held.expires_at <= at:
        raise PaymentResolved(name_of(held), status="expired", resolved_at=held.expires_at, order_id=held.order_id)


def part_for(book: Book, payment_id: str, *, order_id: str, points_paid: int, spoken_for: Mapping[str, str]) -> Part:
    """The part of a payment that pays `points_paid` of an order. The book holds it, if it is the member's.

    `spoken_for`: which orders, by hold, other payments of the book are about to be captured for.

    Refuses: PaymentNotFound, PaymentResolved, PointsPaidMismatch.
    """
    hold_id = hold_id_of(payment_id)
    held = book.holds.get(hold_id)
    if held is None:
        raise PaymentNotFound(payment_id)
    promise = promise_from(held.detail or {})
    if held.status == "captured" and held.order_id == order_id:
        if (expected := promise.terms.worth(held.captured)) != points_paid:
            raise PointsPaidMismatch(expected=expected, given=points_paid)
        return Part(held, held.captured, is_done=True)
    if hold_id in spoken_for:
        raise PaymentResolved(payment_id, status="captured", resolved_at=book.now, order_id=spoken_for[hold_id])
    require_held(held, at=book.now)
    return Part(held, part_worth(promise, held.points, points_paid), is_done=False)


def capture(book: Book, held: Hold, points: int, *, order_id: str | None) -> tuple[Hold, dict[str, Any]]:
    """Spend points of a payment in the book, which holds its lots; answers what changes in the table of payments."""
    promise = promise_from(held.detail or {})
    worth = promise.terms.worth(points)
    # What is about to be recorded comes behind what there is.
    before = len(book.entries)
    captured = spending.capture(
        book, held, points, order_id=order_id, detail={"amount": worth, "currency": promise.currency}
    )
    return captured, {
        "member_id": captured.member_id, "payment_id": name_of(captured), "status": captured.status,
        "order_id": captured.order_id, "captured_points": points, "captured_amount": worth,
        "redeem_seq": book.entries[before].seq, "resolved_at": captured.resolved_at,
    }  # fmt: skip


def captured(book: Book, row: Mapping[str, Any]) -> Fact:
    """What a capture tells. `row`: what changes in the table of payments."""
    return payment_became(
        "captured", book, row["payment_id"], points=row["captured_points"], amount=row["captured_amount"],
        order_id=row["order_id"],
    )  # fmt: skip


def name_of(held: Hold) -> str:
    """The payment that a hold is of."""
    payment_id = payment_id_of(held.hold_id)
    assert payment_id is not None, "only holds of payments come here"
    return payment_id
