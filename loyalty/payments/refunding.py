"""Giving points of a payment back, by refunds or because its order came back: never more than were captured."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.core.answers import Answer
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.events import service as facts
from loyalty.ledger import service as ledger
from loyalty.ledger import spending
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Credit
from loyalty.ledger.giving_back import Spent, by_lot, grace_until, share_out
from loyalty.ledger.settling import settle
from loyalty.ledger.spending import GivenBack
from loyalty.ledger.spent import spent_by
from loyalty.members import locks, receipts
from loyalty.members.receipts import Request
from loyalty.payments import queries
from loyalty.payments.domain import Terms, payment_id_of
from loyalty.payments.errors import PaymentNotCaptured, PaymentNotFound, PaymentResolved, RefundExceedsPayment
from loyalty.payments.events import payment_became
from loyalty.payments.models import PaymentRow
from loyalty.payments.queries import Paid
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program

Shares = Sequence[tuple[Spent, int]]
Payments = Mapping[tuple[UUID, str], Paid]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRefund:
    """So many points of a payment to be given back; without `points`, all that are left."""

    refund_id: str
    points: int | None = None


def refund_payment(session: Session, program_id: UUID, payment_id: str, new: NewRefund, *, now: datetime) -> Answer:
    """Give points of a captured payment back to the lots they came from.

    Refuses: PaymentNotFound, PaymentNotCaptured, PaymentResolved, RefundExceedsPayment, IdempotencyConflict.
    """
    found = locks.lock_holder(session, program_id, "payment", payment_id)
    if found is None:
        raise PaymentNotFound(payment_id)
    owner_id, member = found
    request = Request("refund", new.refund_id, fingerprint([payment_id, new]))
    if answer := receipts.first_answer(session, program_id, request, owner_id):
        return answer
    key = (owner_id, payment_id)
    payment = queries.paid(session, [key])[key]
    points = _points(payment, new, now)
    program = programs.current(session, program_id, config_version=member.config_version)
    book = ledger.open_book(session, program, member, now=now)
    shares = share_out(book, _left(session, book, payment), points)
    outcomes = _give_back(book, program, payment, shares, new)
    after = _row(payment, shares)
    terms, given = Terms(**payment.rate), payment.given_back_points
    # The worth of what goes back step by step adds up to the worth of all of it.
    amount = terms.worth(after["given_back_points"]) - terms.worth(given)
    after |= {"refunded_points": payment.refunded_points + points, "refunded_amount": payment.refunded_amount + amount}
    changes = ledger.changes_of(book, program_id, now=now)
    changes.update(PaymentRow, after)
    fact = payment_became("refunded", book, payment_id, points=points, amount=amount, order_id=payment.order_id)
    facts.tell(changes, program_id, fact, now=now)
    whose = {"refund_id": new.refund_id, "customer_id": member.customer_id, "balance": ledger.brief(book, POINTS)}
    answer = receipts.keep(changes, request, owner_id, {**whose, **_told(payment, after, outcomes)})
    write(session, changes)
    return answer


def paid_with(session: Session, spent: Iterable[Spent]) -> Payments:
    """The payments by which points were spent. The caller has locked the member."""
    return queries.paid(session, (key for piece in spent if (key := payment_of(piece))))


def with_given(payments: Payments, spent: Iterable[Spent], otherwise: Mapping[str, int]) -> list[Spent]:
    """What was spent, with how much of it went back: of payments as they know, else as `otherwise` says, by lot."""
    return [
        replace(piece, given=(payments[key].given_back if (key := payment_of(piece)) else otherwise).get(piece.key, 0))
        for piece in spent
    ]


def given_back(payments: Payments, shares: Shares) -> Changes:
    """The rows of payments of which some goes back because their order came back."""
    changes = Changes()
    for key, payment in payments.items():
        changes.update(PaymentRow, _row(payment, [(piece, part) for piece, part in shares if payment_of(piece) == key]))
    return changes


def payment_of(piece: Spent) -> tuple[UUID, str] | None:
    """By which payment points were spent, by its member and id."""
    payment_id = payment_id_of(piece.hold_id)
    return None if payment_id is None else (piece.lot.member_id, payment_id)


def _points(payment: Paid, new: NewRefund, now: datetime) -> int:
    """How many points to refund."""
    if payment.status == "held" and payment.expires_at > now:
        raise PaymentNotCaptured(payment.payment_id)
    if payment.status != "captured":
        status = "expired" if payment.resolved_at is None else payment.status
        raise PaymentResolved(
            payment.payment_id, status=status, resolved_at=payment.resolved_at or payment.expires_at,
            order_id=payment.order_id,
        )  # fmt: skip
    left = payment.captured_points - payment.given_back_points
    points = left if new.points is None else new.points
    if not 0 < points <= left:
        raise RefundExceedsPayment(
            required=max(points, 1), captured=payment.captured_points, given_back=payment.given_back_points
        )
    return points


def _left(session: Session, book: Book, payment: Paid) -> list[Spent]:
    """Out of which lots the payment's points were spent; those of the member are in the book then."""
    assert payment.redeem_seq is not None, "what was captured was spent"
    spent = spent_by(session, payment.member_id, payment.redeem_seq)
    book.lots.take_in(piece.lot for piece in spent if piece.lot.member_id == book.member_id)
    return [replace(piece, given=payment.given_back.get(piece.key, 0)) for piece in spent]


def _give_back(book: Book, program: Program, payment: Paid, shares: Shares, new: NewRefund) -> list[GivenBack]:
    credit = Credit(
        points=0, unit=POINTS, earned_at=book.now, order_id=payment.order_id, reference=new.refund_id,
        reason=f"refund {new.refund_id}",
    )  # fmt: skip
    outcomes = spending.give_back(book, by_lot(shares), grace_until=grace_until(program, book.now), credit=credit)
    settle(book, book.now)
    return outcomes


def _row(payment: Paid, shares: Shares) -> dict[str, Any]:
    """What of the payment has gone back when `shares` have, too."""
    given = dict(payment.given_back)
    for piece, part in shares:
        given[piece.key] = given.get(piece.key, 0) + part
    return {
        "member_id": payment.member_id, "payment_id": payment.payment_id,
        "given_back_points": sum(given.values()), "given_back": given,
    }  # fmt: skip


def _told(payment: Paid, row: Mapping[str, Any], outcomes: list[GivenBack]) -> dict[str, Any]:
    forfeited = sum(each.points for each in outcomes if each.outcome == "forfeited")
    points = row["given_back_points"] - payment.given_back_points
    return {
        "payment_id": payment.payment_id,
        "order_id": payment.order_id,
        "points": points,
        "amount": row["refunded_amount"] - payment.refunded_amount,
        "currency": payment.currency,
        "returned_to_member": points - forfeited,
        "forfeited": forfeited,
        "lots": [asdict(each) for each in outcomes],
        "left_points": payment.captured_points - row["given_back_points"],
    }
