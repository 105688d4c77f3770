"""A book on paper: what a member holds as values, without a database, and how it reads."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from loyalty.ledger.book import Book
from loyalty.ledger.domain import Account, Debt, Entry, Hold, Holdings, Idle, Lot
from loyalty.ledger.settling import settle
from loyalty.ledger.spending import redeem
from tests.builders import NOW, new_id

Told = tuple[str, int, int, datetime]


def a_book(
    *lots: Lot,
    now: datetime = NOW,
    zone: str = "UTC",
    debts: Sequence[Debt] = (),
    idle: Mapping[str, Idle] | None = None,
    later: Mapping[str, datetime | None] | None = None,
) -> Book:
    """A book at `now` that holds all of a member's lots; the account in points is what they add up to."""
    member_id = new_id()
    lots = tuple(replace(lot, member_id=member_id) for lot in lots)
    changes = [
        at for lot in lots if lot.remaining and (at := _maturity(lot) if lot.pending else lot.expires_at) is not None
    ]
    account = Account(
        member_id=member_id,
        unit="points",
        available=sum(lot.remaining for lot in lots if not lot.pending),
        pending=sum(lot.remaining for lot in lots if lot.pending),
        debt=sum(debt.remaining for debt in debts),
        last_seq=max((owned.seq for owned in (*lots, *debts)), default=0),
        next_change_at=min((*changes, *(clock.at for clock in (idle or {}).values())), default=None),
        idle=idle or {},
    )
    held = Holdings(
        member_id=member_id,
        accounts=(account,),
        lots=lots,
        debts=tuple(replace(debt, member_id=member_id) for debt in debts),
        later=later or {"points": None},
    )
    return Book(held, zone=zone, now=now)


def a_debt(points: int = 100, **given: Any) -> Debt:
    """A debt in points that was incurred at NOW, nothing of which is paid."""
    defaults: dict[str, Any] = {
        "member_id": new_id(), "seq": 1, "unit": "points", "points": points, "remaining": points, "incurred_at": NOW,
    }  # fmt: skip
    return Debt(**{**defaults, **given})


def at(book: Book, now: datetime) -> Book:
    """The book as it is opened at a later time: all of it was read, and what fell due is settled."""
    units = [account.unit for account in book.accounts]
    held = Holdings(
        member_id=book.member_id,
        accounts=tuple(book.accounts),
        lots=tuple(book.lots),
        holds=tuple(book.holds),
        debts=tuple(book.debts),
        later=dict.fromkeys(units),
    )
    opened = Book(held, zone=book.zone, now=now)
    settle(opened, opened.now)
    return opened


def spend(book: Book, points: int) -> Entry:
    """Redeem points of a book."""
    return redeem(book, "points", points, reference="r-1", reason="5 off")


def buckets(book: Book) -> tuple[int, int, int, int]:
    """Available, pending, held and owed points; they are what the lots, the holds and the debts add up to."""
    account = book.account("points")
    lots = [lot for lot in book.lots if lot.unit == "points"]
    added_up = (
        sum(lot.remaining for lot in lots if not lot.pending),
        sum(lot.remaining for lot in lots if lot.pending),
        sum(lot.held for lot in lots),
        sum(debt.remaining for debt in book.debts if debt.unit == "points"),
    )
    assert (account.available, account.pending, account.held, account.debt) == added_up
    assert account.held == sum(hold.points for hold in book.holds if hold.status == "held")
    return added_up


def left(book: Book) -> dict[int, int]:
    """What remains of each lot."""
    return {lot.seq: lot.remaining for lot in book.lots}


def history(book: Book) -> list[Told]:
    """The entries written in this book: kind, points, available after, when it happened."""
    return [(entry.kind, entry.points, entry.available_after, entry.occurred_at) for entry in book.entries]


def told(book: Book) -> list[tuple[str, int]]:
    """The entries written in this book: kind and points."""
    return [(entry.kind, entry.points) for entry in book.entries]


def taken(book: Book) -> list[tuple[int, int, int]]:
    """What the entries of this book took from which lots: lot, points, held."""
    return [(taking.lot_seq, taking.points, taking.held) for taking in book.allocations]


def hold_of(book: Book, hold_id: str = "h-1") -> Hold:
    """A hold of the book."""
    return book.holds[hold_id]


def changed(values: Iterable[tuple[Any, bool]], name: str) -> dict[Any, bool]:
    """What changed of a shelf: by the name of each value, whether it is new."""
    return {getattr(value, name): is_new for value, is_new in values}


def _maturity(lot: Lot) -> datetime | None:
    return lot.matures_at or lot.deadline_at
