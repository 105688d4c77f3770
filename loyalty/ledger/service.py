"""Opening members' books under the lock, and turning what was decided into rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.events import service as facts
from loyalty.ledger import events, holdings, to_spend
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Holdings
from loyalty.ledger.models import (
    AccountRow,
    AllocationRow,
    CheckpointRow,
    DebtRow,
    EntryRow,
    HoldRow,
    LotRow,
    NoticeRow,
    UpcomingRow,
)
from loyalty.ledger.settling import settle
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import POINTS, Program

_ACCOUNT = holdings.ACCOUNT_COLUMNS
_ENTRY = (
    "member_id", "seq", "unit", "kind", "points", "available", "pending", "held", "debt", "available_after",
    "occurred_at", "known_at", "late", "matures_at", "expires_at", "order_id", "rule_code", "rule_version",
    "reference", "reason", "detail",
)  # fmt: skip
_LOT = holdings.LOT_COLUMNS
_LOT_CHANGES = ("member_id", "seq", "remaining", "held", "pending", "matures_at", "expires_at", "expiry")
_ALLOCATION = ("member_id", "seq", "lot_seq", "points", "held")
_HOLD = holdings.HOLD_COLUMNS
_HOLD_CHANGES = ("member_id", "hold_id", "captured", "status", "resolved_at", "order_id")
_DEBT = ("member_id", "seq", "unit", "points", "remaining", "incurred_at", "order_id", "reference")
_DEBT_CHANGES = ("member_id", "seq", "remaining")
_CHECKPOINT = (
    "member_id", "unit", "seq", "available", "pending", "held", "debt", "lifetime_earned", "lifetime_spent",
    "latest_at", "known_at",
)  # fmt: skip


def open_books(
    session: Session,
    program: Program,
    members: Sequence[LockedMember],
    *,
    now: datetime,
    news_of: Mapping[UUID, datetime] | None = None,
    together: bool = False,
    named: Sequence[str] = (),
) -> dict[UUID, Book]:
    """The members' books, settled as of `now`. One statement, and one more where something is due or owed.

    `together`: what one gives the other gets, so both must see one time, even if only one's books are ahead of `now`.

    `named`: holds that come along with their lots, whatever has become of them.

    `news_of`: since when there are news of a member. Where points have lapsed by inactivity, or for want of an event,
    the book is settled up to that instant only: the news may say otherwise. The caller settles the rest.
    """
    ids = [member.member_id for member in members]
    # Of one who is known to have something due all is read at once.
    look = len(members) == 1 and members[0].is_due
    found = holdings.holdings_of(session, ids, now=now, look=look, named=named)
    if together:
        now = max([now, *(account.known_at for held in found.values() for account in held.accounts)])
    since = news_of or {}
    who = {member.member_id: member.customer_id for member in members}
    return {
        member_id: _settled(held, program, now, since.get(member_id), customer_id=who[member_id])
        for member_id, held in found.items()
    }


def foresee_book(
    session: Session, program: Program, member_id: UUID, *, now: datetime, since: datetime, named: Sequence[str] = ()
) -> Book:
    """A member's book as it stands, to try in it what a request would do. It is not locked: nothing of it is written.

    `since`: when the news happened that the request brings. `named`: see `open_books`.
    """
    held = holdings.holdings_of(session, [member_id], now=now, named=named)[member_id]
    return _settled(held, program, now, since)


def _settled(
    held: Holdings, program: Program, now: datetime, since: datetime | None, *, customer_id: str | None = None
) -> Book:
    book = Book(held, zone=program.time_zone, now=now, notice_points=program.notice_points, customer_id=customer_id)
    idle = any(idle.at <= book.now for account in book.accounts for idle in account.idle.values())
    missed = any(lot.deadline_at is not None and lot.deadline_at <= book.now for lot in book.lots)
    settle(book, min(since or book.now, book.now) if idle or missed else book.now)
    return book


def open_book(
    session: Session, program: Program, member: LockedMember, *, now: datetime, named: Sequence[str] = ()
) -> Book:
    """One member's book, settled as of `now`. `named`: see `open_books`."""
    return open_books(session, program, [member], now=now, named=named)[member.member_id]


def open_book_to_spend(
    session: Session, program: Program, member: LockedMember, unit: str, points: int, *, now: datetime
) -> Book:
    """A member's book with enough open lots to spend `points`, if there are enough. One statement, mostly."""
    held = to_spend.holdings_to_spend(session, member.member_id, unit, now=now, look=member.is_due)
    book = _settled(held, program, now, None, customer_id=member.customer_id)
    read = [lot for lot in book.lots if lot.unit == unit]
    if book.account(unit).available >= points and not to_spend.cover(read, points):
        read_lots_to_spend(session, book, unit, points)
    return book


def read_lots_to_spend(session: Session, book: Book, unit: str, points: int) -> None:
    """Read as many open lots into a book as it takes to take `points`, or all that there are."""
    # What is read does not know what the book took already.
    taken = sum(allocation.points for allocation in book.allocations if allocation.points > 0)
    book.lots.take_in(to_spend.lots_to_spend(session, book.account(unit), points + taken, now=book.now))


def changes_of(book: Book, program_id: UUID, *, now: datetime) -> Changes:
    """The rows of what was decided in a book, and the facts that it tells; `now` is when they are written."""
    changes = Changes()
    book.note_clocks()
    if book.entries:
        assert book.customer_id is not None, "what is written is a member's, whom somebody has locked"
        read = {was.unit: was for account in book.accounts if (was := book.accounts.read(account.unit)) is not None}
        told = events.facts_of(book.entries, read, book.member_id, book.customer_id)
        facts.tell(changes, program_id, *told, now=now)
    for account, is_new in book.accounts.changed():
        assert not account.is_due(book.now), "a book is settled before it is closed"
        row = _row(account, _ACCOUNT)
        changes.keep(AccountRow, {**row, "program_id": program_id} if is_new else row, is_new=is_new)
    for entry in book.entries:
        changes.insert(EntryRow, {**_row(entry, _ENTRY), "recorded_at": now})
    for lot, is_new in book.lots.changed():
        changes.keep(LotRow, _row(lot, _LOT if is_new else _LOT_CHANGES), is_new=is_new)
    for allocation in book.allocations:
        changes.insert(AllocationRow, _row(allocation, _ALLOCATION))
    for hold, is_new in book.holds.changed():
        changes.keep(HoldRow, _row(hold, _HOLD if is_new else _HOLD_CHANGES), is_new=is_new)
    for debt, is_new in book.debts.changed():
        changes.keep(DebtRow, _row(debt, _DEBT if is_new else _DEBT_CHANGES), is_new=is_new)
    for checkpoint in book.checkpoints:
        changes.insert(CheckpointRow, _row(checkpoint, _CHECKPOINT))
    _keep_upcoming(changes, book)
    if book.notice_points is not None and book.account(POINTS).available >= book.notice_points:
        # Of one who had as many before, too: what they can do with them may have changed along with this.
        changes.increase(NoticeRow, {"program_id": program_id, "member_id": book.member_id, "noticed_at": book.now})
    return changes


def _keep_upcoming(changes: Changes, book: Book) -> None:
    """Add what a book changed of what is upcoming; what has come is no longer upcoming."""
    settled = set()
    for (unit, at), (maturing, expiring) in book.upcoming.items():
        if at <= book.now:
            settled.add(unit)
        elif maturing or expiring:
            row = {"member_id": book.member_id, "unit": unit, "at": at, "maturing": maturing, "expiring": expiring}
            changes.increase(UpcomingRow, row)
    for unit in sorted(settled):
        changes.delete_until(UpcomingRow, {"member_id": book.member_id, "unit": unit, "at": book.now})


def _row(value: Any, columns: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(value, name) for name in columns}


def brief(book: Book, unit: str) -> dict[str, int]:
    """The four buckets of an account, for receipts."""
    account = book.account(unit)
    return {name: getattr(account, name) for name in ("available", "pending", "held", "debt")}
