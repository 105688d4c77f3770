"""Opening a member's book under the lock, and turning what was decided into rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.ledger import queries
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Account, Lot
from loyalty.ledger.models import AccountRow, AllocationRow, EntryRow, LotRow
from loyalty.members.domain import LockedMember

_ACCOUNT = (
    "member_id", "unit", "available", "pending", "held", "debt", "lifetime_earned", "lifetime_spent", "last_seq",
    "next_change_at",
)  # fmt: skip
_ENTRY = (
    "member_id", "seq", "unit", "kind", "points", "available", "pending", "held", "debt", "available_after",
    "occurred_at", "order_id", "rule_code", "rule_version", "reference", "reason", "detail",
)  # fmt: skip
_LOT = ("member_id", "seq", "unit", "points", "remaining", "pending", "earned_at", "matures_at", "expires_at")
_ALLOCATION = ("member_id", "seq", "lot_seq", "points")


def open_books(session: Session, members: Sequence[LockedMember], *, now: datetime) -> Mapping[UUID, Book]:
    """The members' books, settled as of `now`. One statement; two more when something has matured or lapsed."""
    ids = [member.member_id for member in members]
    accounts: dict[UUID, list[Account]] = {member_id: [] for member_id in ids}
    for account in queries.accounts_of(session, ids):
        accounts[account.member_id].append(account)
    due = [m for m, held in accounts.items() if any(account.is_due(now) for account in held)]
    lots: dict[UUID, list[Lot]] = {}
    later: dict[UUID, dict[str, datetime | None]] = {}
    if due:
        for lot in queries.due_lots(session, due, now=now):
            lots.setdefault(lot.member_id, []).append(lot)
        later = queries.next_changes(session, due, now=now)
    books = {m: Book(m, accounts[m], lots.get(m, ()), later.get(m)) for m in ids}
    for member_id in due:
        books[member_id].settle(now)
    return books


def open_book_to_spend(session: Session, member: LockedMember, unit: str, points: int, *, now: datetime) -> Book:
    """A member's book with enough open lots to spend `points`, if there are enough."""
    book = open_books(session, [member], now=now)[member.member_id]
    if book.account(unit).available >= points:
        book.add_lots(queries.lots_to_spend(session, member.member_id, unit, points, now=now))
    return book


def changes_of(book: Book, program_id: UUID, *, now: datetime) -> Changes:
    """The rows of what was decided in a book: new entries, lots and allocations, and accounts and lots that changed."""
    changes = Changes()
    for account, is_new in book.changed_accounts():
        row = {name: getattr(account, name) for name in _ACCOUNT}
        if is_new:
            changes.insert(AccountRow, {**row, "program_id": program_id})
        else:
            changes.update(AccountRow, row)
    for entry in book.entries:
        changes.insert(EntryRow, {**{name: getattr(entry, name) for name in _ENTRY}, "recorded_at": now})
    for lot, is_new in book.changed_lots():
        if is_new:
            changes.insert(LotRow, {name: getattr(lot, name) for name in _LOT})
        else:
            changes.update(LotRow, {name: getattr(lot, name) for name in ("member_id", "seq", "remaining", "pending")})
    for allocation in book.allocations:
        changes.insert(AllocationRow, {name: getattr(allocation, name) for name in _ALLOCATION})
    return changes
