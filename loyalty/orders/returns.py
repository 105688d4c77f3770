"""What happens to an order after it was recorded: it is confirmed, comes back line by line, or is cancelled."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from uuid import UUID

from loyalty.core.answers import Answer
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.earning import undoing
from loyalty.earning.domain import CLOCK_SKEW
from loyalty.earning.tiering import change_of
from loyalty.events import service as facts
from loyalty.events.domain import Fact
from loyalty.ledger import service
from loyalty.ledger.book import Book
from loyalty.ledger.errors import OrderCancelled
from loyalty.ledger.settling import mature, settle
from loyalty.members import locks, receipts
from loyalty.members.domain import LockedMember
from loyalty.members.receipts import Request
from loyalty.orders import events, queries
from loyalty.orders.errors import OrderNotFound, ReturnedBeforePlaced, ReturnedInFuture
from loyalty.orders.models import OrderRow, ReturnRow
from loyalty.orders.queries import RecordedOrder
from loyalty.orders.reinstating import reinstate
from loyalty.orders.returning import NewReturn, Returned, rest_of
from loyalty.orders.uncounting import uncount
from loyalty.orders.undoing import take_back as take_back_points
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program
from loyalty.tiers.keeping import changes_of
from loyalty.tiers.recounting import take_back
from loyalty.tiers.standing import News


@dataclass(frozen=True, slots=True)
class _Case:
    """An order under its lock, and the book it goes against; a guest's order has none."""

    order: RecordedOrder
    program: Program
    member: LockedMember | None
    book: Book | None


def return_lines(session: Session, program_id: UUID, order_id: str, new: NewReturn, *, now: datetime) -> Answer:
    """Take back what the returned units earned, by the awards that were given, and give back what was spent on them.

    Refuses: OrderNotFound, OrderCancelled, LineUnknown, OverReturn, ReturnedBeforePlaced, ReturnedInFuture,
    IdempotencyConflict.
    """
    request = Request("return", new.return_id, fingerprint([order_id, asdict(_in_order(new))]))
    case = _open(session, program_id, order_id, request, now=now)
    if isinstance(case, Answer):
        return case
    _refuse_when(case.order, new.returned_at, now)
    if case.order.status == "cancelled":
        raise OrderCancelled(order_id)
    returned_at = new.returned_at or now
    because = undoing.Because(order_id, new.return_id, f"return {new.return_id}")
    told, state, payments = take_back_points(session, case.order, case.program, case.book, new.lines, because=because)
    fact = events.returned(
        order_id, case.member, return_id=new.return_id, points=told["points"]["reversed"],
        complete=not rest_of(state.lines, case.order.lines), occurred_at=min(returned_at, now),
    )  # fmt: skip
    changes = _changes(case, state, fact, status=case.order.status, now=now)
    changes.add(payments)
    tier = _uncount(session, case, state, changes, cause=("return", new.return_id), now=now)
    changes.insert(
        ReturnRow,
        {
            "member_id": case.order.member_id, "order_id": order_id, "return_id": new.return_id,
            "program_id": program_id, "returned_at": returned_at, "recorded_at": now, "lines": told["lines"],
            "points": told["points"],
        },
    )  # fmt: skip
    answer = receipts.keep(changes, request, case.order.member_id, {"return_id": new.return_id, **told, "tier": tier})
    write(session, changes)
    return answer


def cancel_order(session: Session, program_id: UUID, order_id: str, *, now: datetime) -> Answer:
    """Return all that has not come back yet, and close the order. Refuses: OrderNotFound."""
    request = Request("cancellation", order_id, fingerprint(order_id))
    case = _open(session, program_id, order_id, request, now=now)
    if isinstance(case, Answer):
        return case
    rest = rest_of(case.order.returned.lines, case.order.lines)
    because = undoing.Because(order_id, order_id, "order cancelled")
    told, state, payments = take_back_points(session, case.order, case.program, case.book, rest, because=because)
    fact = events.cancelled(order_id, case.member, points=told["points"]["reversed"], occurred_at=now)
    changes = _changes(case, state, fact, status="cancelled", now=now)
    changes.add(payments)
    tier = _uncount(session, case, state, changes, cause=("cancellation", order_id), now=now)
    answer = receipts.keep(changes, request, case.order.member_id, {**told, "status": "cancelled", "tier": tier})
    write(session, changes)
    return answer


def confirm_order(
    session: Session, program_id: UUID, order_id: str, *, confirmed_at: datetime | None, now: datetime
) -> Answer:
    """Let the points mature that waited for the order to be confirmed, at the instant it was.

    Refuses: OrderNotFound, OrderCancelled, ReturnedBeforePlaced, ReturnedInFuture.
    """
    request = Request("confirmation", order_id, fingerprint(order_id))
    case = _open(session, program_id, order_id, request, now=now, news_at=confirmed_at)
    if isinstance(case, Answer):
        return case
    _refuse_when(case.order, confirmed_at, now)
    if case.order.status == "cancelled":
        raise OrderCancelled(order_id)
    at = min(confirmed_at or now, now)
    points = 0
    if (book := case.book) is not None:
        lots = undoing.lots_of_awards(session, book, case.order.member_id, case.order.awards)
        waiting = [book.lots[found.lot.seq] for found in lots if found.lot.member_id == book.member_id]
        for lot in waiting:
            if lot.pending and lot.matures_at is None and lot.remaining:
                mature(book, lot, max(at, lot.earned_at))
                points += lot.remaining if lot.unit == POINTS else 0
        settle(book, book.now)
    fact = events.confirmed(order_id, case.member, occurred_at=at)
    changes = _changes(case, case.order.returned, fact, status="confirmed", now=now, confirmed_at=at)
    told = {"order_id": order_id, "status": "confirmed", "points": {"matured": points}, "balance": _balance(case)}
    answer = receipts.keep(changes, request, case.order.member_id, told)
    write(session, changes)
    return answer


def _open(
    session: Session, program_id: UUID, order_id: str, request: Request, *, now: datetime,
    news_at: datetime | None = None,
) -> _Case | Answer:  # fmt: skip
    """The order, locked with its member, or the answer that the first such request got. Refuses: OrderNotFound."""
    owner = locks.holder(session, program_id, "order", order_id)
    if owner is None:
        raise OrderNotFound(order_id, "Record the order first, then send this again.")
    member = locks.lock_by_id(session, owner.member_id)
    if answer := receipts.first_answer(session, program_id, request, owner.member_id):
        return answer
    order = queries.recorded_order(session, owner.member_id, order_id)
    if member is None:
        return _Case(order, programs.current(session, program_id), None, None)
    program = programs.current(session, program_id, config_version=member.config_version)
    news_of = {member.member_id: news_at} if news_at else {}
    book = service.open_books(session, program, [member], now=now, news_of=news_of)[member.member_id]
    return _Case(order, program, member, book)


def _in_order(new: NewReturn) -> NewReturn:
    """The same lines named in another order are the same return."""
    return replace(new, lines=tuple(sorted(new.lines, key=lambda line: line.line_id)))


def _refuse_when(order: RecordedOrder, at: datetime | None, now: datetime) -> None:
    if at is not None and at < order.placed_at:
        raise ReturnedBeforePlaced(placed_at=order.placed_at)
    if at is not None and at > now + CLOCK_SKEW:
        raise ReturnedInFuture(f"This lies in the future; it is {now.isoformat()} here.")


def _changes(
    case: _Case, state: Returned, fact: Fact, *, status: str, now: datetime, confirmed_at: datetime | None = None
) -> Changes:
    order = case.order
    changes = Changes()
    row = {"member_id": order.member_id, "order_id": order.order_id, "status": status, "returned": asdict(state)}
    changes.update(OrderRow, {**row, "confirmed_at": confirmed_at or order.confirmed_at})
    facts.tell(changes, case.program.program_id, fact, now=now)
    if case.book is not None:
        changes.add(service.changes_of(case.book, case.program.program_id, now=now))
    return changes


def _uncount(
    session: Session, case: _Case, state: Returned, changes: Changes, *, cause: tuple[str, str], now: datetime
) -> dict[str, str | None] | None:
    """Count less of everything that counted; answers what became of the member's tier."""
    if case.book is None or case.member is None:
        return None
    program_id = case.program.program_id
    tally, less = uncount(session, case.order, case.program, case.book, state.lines)
    changes.add(tally.changes(program_id))
    changes.add(reinstate(session, case.program, case.member, case.order, state.lines, now=now))
    # On the day on which it counted: not that of a shop whose clock runs ahead.
    news = News(min(case.order.placed_at, case.order.recorded_at), less, *cause)
    before, after, ladders = take_back(session, case.program, case.member, news, now=now)
    changes.add(changes_of(after, ladders, program_id, case.member.customer_id, now=now))
    tier = change_of(before, after)
    return asdict(tier) if tier else None


def _balance(case: _Case) -> dict[str, int] | None:
    return None if case.book is None else service.brief(case.book, POINTS)
