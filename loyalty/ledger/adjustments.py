"""Changes by hand, each with a reason and an actor: points given or taken, lapsed points brought back."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.core import calendar
from loyalty.core.answers import Answer
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session
from loyalty.db.writer import write
from loyalty.ledger import crediting, holdings, service, spending
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Credit, Lot
from loyalty.ledger.errors import LotNotFound, ReinstatementTooLate, UnitUnknown
from loyalty.members import locks, receipts
from loyalty.members.domain import LockedMember
from loyalty.members.errors import MemberClosed
from loyalty.members.receipts import Request
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program
from loyalty.programs.terms import Activation, Dates, dates_of

# What lapsed of a lot, when it last did, and what of it was brought back before.
_LAPSED = """
SELECT (SELECT coalesce(sum(x.points), 0)::bigint FROM allocations x
        JOIN entries e ON e.member_id = x.member_id AND e.seq = x.seq
        WHERE x.member_id = %(member_id)s AND x.lot_seq = %(lot)s AND e.kind = 'expire'),
       (SELECT max(e.occurred_at) FROM allocations x JOIN entries e ON e.member_id = x.member_id AND e.seq = x.seq
        WHERE x.member_id = %(member_id)s AND x.lot_seq = %(lot)s AND e.kind = 'expire'),
       (SELECT coalesce(sum(l.points), 0)::bigint FROM lots l
        JOIN entries e ON e.member_id = l.member_id AND e.seq = l.seq
        WHERE l.member_id = %(member_id)s AND l.origin_member_id = %(origin_member_id)s
          AND l.origin_seq = %(origin_seq)s AND e.kind = 'reinstate' AND e.reference = %(lot)s::text)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAdjustment:
    """Points to be given (positive) or taken (negative) by hand. `actor` is who decided it; None: who asks."""

    adjustment_id: str
    points: int
    reason: str
    actor: str | None = None
    unit: str = POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReinstatement:
    """Lapsed points to be brought back: of which lot, and how many (None: all that lapsed)."""

    reinstatement_id: str
    lot: int
    reason: str
    actor: str | None = None
    points: int | None = None


def adjust(
    session: Session, program_id: UUID, customer_id: str, new: NewAdjustment, *, now: datetime, by: str = ""
) -> Answer:
    """Give or take points. What is given lives by the terms of its unit, and pays what the member owes first.

    `by` is who asks: not a part of the request, which another key may repeat.
    Refuses: MemberNotFound, MemberClosed, UnitUnknown, InsufficientPoints, IdempotencyConflict.
    """
    member = locks.lock_member(session, program_id, customer_id)
    request = Request("adjustment", new.adjustment_id, fingerprint([customer_id, new]))
    if answer := receipts.first_answer(session, program_id, request, member.member_id):
        return answer
    program = _program_of(session, program_id, member)
    if new.unit not in program.units:
        raise UnitUnknown(new.unit)
    actor = new.actor or by
    detail = {"actor": actor}
    if new.points > 0:
        book = service.open_book(session, program, member, now=now)
        dates = dates_of(Activation(), program.units[new.unit].expiry, book.now, program.time_zone)
        credit = Credit(
            points=new.points, unit=new.unit, earned_at=book.now, dates=dates, reference=new.adjustment_id,
            reason=new.reason, detail=detail,
        )  # fmt: skip
        crediting.give(book, "adjust", credit)
    else:
        book = service.open_book_to_spend(session, program, member, new.unit, -new.points, now=now)
        spending.debit(
            book, "adjust", new.unit, -new.points, reference=new.adjustment_id, reason=new.reason, detail=detail
        )
    return _close(session, program, book, request, {**asdict(new), "actor": actor})


def reinstate(
    session: Session, program_id: UUID, customer_id: str, new: NewReinstatement, *, now: datetime, by: str = ""
) -> Answer:
    """Bring lapsed points back as a new lot that names the old one, within the program's window. `by`: who asks.

    Refuses: MemberNotFound, MemberClosed, LotNotFound, NothingToReinstate, ReinstatementTooLate, IdempotencyConflict.
    """
    member = locks.lock_member(session, program_id, customer_id)
    request = Request("reinstatement", new.reinstatement_id, fingerprint([customer_id, new]))
    if answer := receipts.first_answer(session, program_id, request, member.member_id):
        return answer
    program = _program_of(session, program_id, member)
    book = service.open_book(session, program, member, now=now)
    book.lots.take_in(holdings.lots_named(session, member.member_id, [new.lot]))
    lot = book.lots.get(new.lot)
    if lot is None:
        raise LotNotFound(new.lot)
    lapsed, lapsed_at = _lapsed(session, book, lot)
    zone, settings = program.time_zone, program.reinstatement
    if lapsed_at is not None:
        last = calendar.local_date(lapsed_at, zone) + timedelta(days=settings.window_days)
        if calendar.midnight(calendar.day_after(last), zone) <= book.now:
            raise ReinstatementTooLate(
                f"Lot {new.lot} lapsed more than {settings.window_days} days ago.", lot=new.lot, lapsed_at=lapsed_at
            )
    lives_to = calendar.local_date(book.now, zone) + timedelta(days=settings.valid_days)
    credit = Credit(
        points=lapsed if new.points is None else new.points,
        unit=lot.unit,
        earned_at=lot.earned_at,
        dates=Dates(expires_at=calendar.midnight(calendar.day_after(lives_to), zone)),
        reference=str(lot.seq),
        reason=new.reason,
        detail={"actor": new.actor or by},
        origin=lot.origin,
    )
    entry = crediting.reinstate(book, credit, lapsed=lapsed)
    shown = {
        "reinstatement_id": request.key, "lot": entry.seq, "of_lot": lot.seq, "unit": lot.unit, "points": credit.points,
        "expires_at": credit.dates.expires_at, "reason": new.reason, "actor": new.actor or by,
    }  # fmt: skip
    return _close(session, program, book, request, shown)


def _lapsed(session: Session, book: Book, lot: Lot) -> tuple[int, datetime | None]:
    """How many points of a lot lapsed and were not brought back, and when the last did; those just settled, too."""
    # What was brought back can lapse, and be brought back, again: its origin is the first lot, not this one.
    origin_member_id, origin_seq = lot.origin
    where = {"origin_member_id": origin_member_id, "origin_seq": origin_seq, "member_id": book.member_id}
    row = session.row(_LAPSED, {**where, "lot": lot.seq}, into=tuple_row)
    assert row is not None, "sums are a row"
    points, at, back = row
    for entry in book.entries:
        if entry.kind == "expire" and entry.reference == str(lot.seq):
            points, at = points - entry.points, max(at or entry.occurred_at, entry.occurred_at)
    return points - back, at


def _program_of(session: Session, program_id: UUID, member: LockedMember) -> Program:
    if member.status == "closed":
        raise MemberClosed(member.customer_id, merged_into=member.merged_into)
    return programs.current(session, program_id, config_version=member.config_version)


def _close(session: Session, program: Program, book: Book, request: Request, told: dict[str, Any]) -> Answer:
    changes = service.changes_of(book, program.program_id, now=book.now)
    told["balance"] = service.brief(book, told["unit"])
    answer = receipts.keep(changes, request, book.member_id, told)
    write(session, changes)
    return answer
