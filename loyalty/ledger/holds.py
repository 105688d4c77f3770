"""Paying in two phases: points are held, then captured (all or part), released, or freed when their time is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.core.answers import Answer
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session
from loyalty.db.writer import write
from loyalty.ledger import holdings, service, spending
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Hold
from loyalty.ledger.errors import HoldNotFound, OrderCancelled, UnitUnknown
from loyalty.ledger.settling import settle
from loyalty.members import locks, receipts
from loyalty.members.domain import LockedMember
from loyalty.members.receipts import Request
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHold:
    """A wish to keep points for a payment, for so many seconds at the most."""

    hold_id: str
    points: int
    hold_seconds: int
    unit: str = POINTS
    order_id: str | None = None
    reason: str | None = None


def place_hold(session: Session, program_id: UUID, customer_id: str, new: NewHold, *, now: datetime) -> Answer:
    """Hold points of a member.

    Refuses: MemberNotFound, MemberClosed, MemberSuspended, UnitUnknown, InsufficientPoints, IdempotencyConflict.
    """
    member = locks.lock_member(session, program_id, customer_id)
    request = Request("hold", new.hold_id, fingerprint([customer_id, new]))
    if answer := receipts.first_answer(session, program_id, request, member.member_id):
        return answer
    locks.require_active(member)
    program = programs.current(session, program_id, config_version=member.config_version)
    if new.unit not in program.units:
        raise UnitUnknown(new.unit)
    book = service.open_book_to_spend(session, program, member, new.unit, new.points, now=now)
    held = spending.hold(
        book,
        new.unit,
        new.points,
        hold_id=new.hold_id,
        expires_at=book.now + timedelta(seconds=new.hold_seconds),
        order_id=new.order_id,
        reason=new.reason,
    )
    changes = service.changes_of(book, program_id, now=now)
    answer = receipts.keep(changes, request, member.member_id, _shown(held, member, book))
    write(session, changes)
    return answer


def capture_hold(
    session: Session, program_id: UUID, hold_id: str, *, points: int | None, order_id: str | None, now: datetime
) -> dict[str, Any]:
    """Spend points of a hold, all of them unless said otherwise, and release the rest.

    Refuses: HoldNotFound, HoldResolved, CaptureExceedsHold, OrderCancelled.
    """
    member, program, book = _open(session, program_id, hold_id, now=now)
    held = book.holds[hold_id]
    if held.status == "held":
        refuse_cancelled(session, program_id, order_id or held.order_id)
    captured = spending.capture(book, held, points or held.points, order_id=order_id)
    return _resolve(session, program, member, book, captured)


def release_hold(session: Session, program_id: UUID, hold_id: str, *, now: datetime) -> dict[str, Any]:
    """Give all points of a hold back. Refuses: HoldNotFound, HoldResolved."""
    member, program, book = _open(session, program_id, hold_id, now=now)
    return _resolve(session, program, member, book, spending.release(book, book.holds[hold_id], at=book.now))


def refuse_cancelled(session: Session, program_id: UUID, order_id: str | None) -> None:
    """Nothing is spent on an order that was cancelled: nothing would ever give it back. Refuses: OrderCancelled."""
    if order_id is not None and locks.holder(session, program_id, "cancellation", order_id) is not None:
        raise OrderCancelled(order_id)


def _open(session: Session, program_id: UUID, hold_id: str, *, now: datetime) -> tuple[LockedMember, Program, Book]:
    """The book of the hold's member, with the hold and its lots. Payments under way end, whoever is suspended."""
    found = locks.lock_holder(session, program_id, "hold", hold_id)
    if found is None:
        raise HoldNotFound(hold_id)
    owner_id, member = found
    program = programs.current(session, program_id, config_version=member.config_version)
    book = service.open_book(session, program, member, now=now, named=[hold_id])
    if book.member_id != owner_id or book.holds.get(hold_id) is None:
        # Its member was merged into this one, which takes that nothing is on hold any more.
        held = holdings.hold(session, owner_id, hold_id)
        if held is None:
            raise HoldNotFound(hold_id)
        book.holds.take_in([held])
    return member, program, book


def _resolve(session: Session, program: Program, member: LockedMember, book: Book, held: Hold) -> dict[str, Any]:
    settle(book, book.now)
    write(session, service.changes_of(book, program.program_id, now=book.now))
    return _shown(held, member, book)


def _shown(held: Hold, member: LockedMember, book: Book) -> dict[str, Any]:
    shown = ("hold_id", "unit", "status", "points", "captured", "held_at", "expires_at", "resolved_at", "order_id",
             "reason")  # fmt: skip
    return {
        **{name: getattr(held, name) for name in shown},
        "customer_id": member.customer_id,
        "balance": service.brief(book, held.unit),
    }
