"""Paying with points in two phases: held while the customer pays the rest, captured with the order, or released."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.core.answers import Answer
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session
from loyalty.db.writer import write
from loyalty.events import service as facts
from loyalty.events.domain import Fact
from loyalty.ledger import balances, holdings, holds, spending
from loyalty.ledger import service as ledger
from loyalty.ledger.balances import Moment
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Hold
from loyalty.ledger.errors import CaptureExceedsHold
from loyalty.ledger.settling import settle
from loyalty.members import locks, receipts
from loyalty.members import queries as members
from loyalty.members.domain import LockedMember
from loyalty.members.errors import MemberNotFound
from loyalty.members.receipts import Request
from loyalty.payments import capturing
from loyalty.payments.domain import (
    NewPayment,
    Promise,
    Quote,
    check,
    check_multiple,
    hold_id_of,
    promise_from,
    quote,
    terms_of,
)
from loyalty.payments.errors import PaymentNotFound
from loyalty.payments.events import payment_became
from loyalty.payments.models import PaymentRow
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program


@dataclass(frozen=True, slots=True)
class _Open:
    """A payment under its member's lock."""

    member: LockedMember
    program: Program
    book: Book
    held: Hold


def quote_payment(
    session: Session, program_id: UUID, customer_id: str, *, order_total: int, points: int | None, now: datetime
) -> Quote:
    """How many points the member could use for an order now. Refuses: MemberNotFound, MemberClosed, MemberSuspended."""
    program = programs.load(session, program_id)
    locks.require_active(members.member(session, program_id, customer_id))
    balance = balances.balance(session, program_id, customer_id, POINTS, Moment(now=now))
    return quote(
        program.pay, order_total=order_total, available=balance.available, asked=points, currency=program.currency
    )


def hold_payment(session: Session, program_id: UUID, customer_id: str, new: NewPayment, *, now: datetime) -> Answer:
    """Hold points for an order, by what is allowed and available now, whatever a quote has said.

    Refuses: MemberNotFound, MemberClosed, MemberSuspended, PaymentBelowMinimum, PaymentOverLimit, PaymentNotAMultiple,
    InsufficientPoints, OrderCancelled, IdempotencyConflict.
    """
    request = Request("payment", new.payment_id, fingerprint([customer_id, new]))
    claim = locks.Claim(customer_id, request.key, request.content)
    claimed = locks.lock_and_claim(session, program_id, request.kind, [claim], now=now)[request.key]
    if not claimed.is_new and (answer := receipts.answer_given(session, program_id, request)):
        return answer
    if (member := claimed.member) is None:
        raise MemberNotFound(customer_id)
    locks.require_active(member)
    program = programs.current(session, program_id, config_version=member.config_version)
    check(program.pay, order_total=new.order_total, points=new.points)
    holds.refuse_cancelled(session, program_id, new.order_id)
    book = ledger.open_book_to_spend(session, program, member, POINTS, new.points, now=now)
    terms = terms_of(program.pay)
    promise = Promise(
        amount=terms.worth(new.points), currency=program.currency, order_total=new.order_total, terms=terms
    )
    held = spending.hold(
        book, POINTS, new.points, hold_id=hold_id_of(new.payment_id), order_id=new.order_id,
        expires_at=book.now + timedelta(seconds=new.hold_seconds), reason=f"payment {new.payment_id}",
        detail=promise.document(),
    )  # fmt: skip
    changes = ledger.changes_of(book, program_id, now=now)
    changes.insert(PaymentRow, {"program_id": program_id, "given_back": {}, **_row(held, new.payment_id, promise)})
    fact = payment_became(
        "held", book, new.payment_id, points=held.points, amount=promise.amount, order_id=held.order_id
    )
    facts.tell(changes, program_id, fact, now=now)
    answer = receipts.keep(changes, request, member.member_id, _shown(held, member, book))
    write(session, changes)
    return answer


def capture_payment(
    session: Session, program_id: UUID, payment_id: str, *, points: int | None, order_id: str | None, now: datetime
) -> dict[str, Any]:
    """Spend the points of a payment: all, or a part that is a multiple, and release the rest.

    Refuses: PaymentNotFound, PaymentResolved, CaptureExceedsHold, PaymentNotAMultiple, OrderCancelled.
    """
    case = _open(session, program_id, payment_id, now=now)
    if points is not None and points > case.held.points:
        raise CaptureExceedsHold(held=case.held.points, required=points)
    if points is not None and points != case.held.points:
        check_multiple(promise_from(case.held.detail or {}).terms, points)
    holds.refuse_cancelled(session, program_id, order_id or case.held.order_id)
    captured, row = capturing.capture(case.book, case.held, points or case.held.points, order_id=order_id)
    return _resolve(session, case, captured, row, capturing.captured(case.book, row))


def release_payment(session: Session, program_id: UUID, payment_id: str, *, now: datetime) -> dict[str, Any]:
    """Give all points of a payment that was not captured back. Refuses: PaymentNotFound, PaymentResolved."""
    case = _open(session, program_id, payment_id, now=now)
    released = spending.release(case.book, case.held, at=case.book.now)
    row = {
        "member_id": released.member_id, "payment_id": payment_id, "status": released.status,
        "resolved_at": released.resolved_at,
    }  # fmt: skip
    fact = payment_became(
        "released", case.book, payment_id, points=released.points,
        amount=promise_from(released.detail or {}).amount, order_id=released.order_id,
    )  # fmt: skip
    return _resolve(session, case, released, row, fact)


def _open(session: Session, program_id: UUID, payment_id: str, *, now: datetime) -> _Open:
    """A payment that is held; it ends, whoever is suspended. Refuses: PaymentNotFound, PaymentResolved."""
    found = locks.lock_holder(session, program_id, "payment", payment_id)
    if found is None:
        raise PaymentNotFound(payment_id)
    owner_id, member = found
    program = programs.current(session, program_id, config_version=member.config_version)
    hold_id = hold_id_of(payment_id)
    book = ledger.open_book(session, program, member, now=now, named=[hold_id])
    # Who was merged had nothing on hold any more.
    held = book.holds.get(hold_id) if book.member_id == owner_id else None
    held = held or holdings.hold(session, owner_id, hold_id)
    assert held is not None, "a payment has a hold"
    capturing.require_held(held, at=book.now)
    return _Open(member, program, book, held)


def _resolve(session: Session, case: _Open, resolved: Hold, row: dict[str, Any], fact: Fact) -> dict[str, Any]:
    settle(case.book, case.book.now)
    changes = ledger.changes_of(case.book, case.program.program_id, now=case.book.now)
    facts.tell(changes, case.program.program_id, fact, now=case.book.now)
    changes.update(PaymentRow, row)
    write(session, changes)
    return _shown(resolved, case.member, case.book)


def _row(held: Hold, payment_id: str, promise: Promise) -> dict[str, Any]:
    promised = promise.document()
    named = ("member_id", "order_id", "points", "status", "seq", "held_at", "expires_at", "resolved_at")
    nothing_yet = ("captured_points", "captured_amount", "refunded_points", "refunded_amount", "given_back_points")
    return {
        **{name: getattr(held, name) for name in named}, **promised, **dict.fromkeys(nothing_yet, 0),
        "payment_id": payment_id, "redeem_seq": None,
    }  # fmt: skip


def _shown(held: Hold, member: LockedMember, book: Book) -> dict[str, Any]:
    promise = promise_from(held.detail or {})
    shown = ("status", "points", "order_id", "held_at", "expires_at", "resolved_at")
    return {
        "payment_id": capturing.name_of(held),
        "customer_id": member.customer_id,
        **{name: getattr(held, name) for name in shown},
        "order_total": promise.order_total,
        "amount": promise.amount,
        "currency": promise.currency,
        "captured_points": held.captured,
        "captured_amount": promise.terms.worth(held.captured),
        **dict.fromkeys(("refunded_points", "refunded_amount", "given_back_points"), 0),
        "balance": ledger.brief(book, POINTS),
    }
