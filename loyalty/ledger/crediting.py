"""Steps that give points: earning, credits by hand, lapsed points brought back; and what a credit pays first."""

from dataclasses import replace
from datetime import datetime

from loyalty.ledger.book import Book
from loyalty.ledger.domain import Credit, Entry
from loyalty.ledger.errors import NothingToReinstate


def earn(book: Book, credit: Credit) -> Entry:
    """Open a lot of earned points, pending if they mature later than they were earned.

    What was earned in the past is dated then; it may have matured, or lapsed, since: settle the book afterwards.
    """
    at = min(credit.earned_at, book.now)
    book.stir(credit.unit, at)
    entry = book.open_lot("earn", replace(credit, earned_at=at), at=at)
    pay_debts(book, entry.seq, at)
    return entry


def give(book: Book, kind: str, credit: Credit) -> Entry:
    """Open a lot of points that were not earned (`adjust`, `transfer_in`, `return_spent`, `reinstate`), as of now."""
    entry = book.open_lot(kind, credit, at=book.now)
    pay_debts(book, entry.seq, book.now)
    return entry


def reinstate(book: Book, credit: Credit, *, lapsed: int) -> Entry:
    """Bring lapsed points back as a new lot. `lapsed`: how many there are. Refuses: NothingToReinstate."""
    # All of nothing is asked for, where nothing lapsed and no number was given.
    if not 0 < credit.points <= lapsed:
        raise NothingToReinstate(required=max(1, credit.points), lapsed=lapsed)
    return give(book, "reinstate", credit)


def pay_debts(book: Book, lot_seq: int, at: datetime, *, settled: bool = False) -> None:
    """Let an available lot pay what the member owes, the oldest debt first."""
    unit = book.lots[lot_seq].unit
    if not book.account(unit).debt:
        return
    for debt in sorted((debt for debt in book.debts if debt.unit == unit), key=lambda debt: debt.seq):
        lot = book.lots[lot_seq]
        # A credit that arrives late cannot pay before there was a debt, nor with what had lapsed by then.
        paid_at = max(at, debt.incurred_at)
        gone = (lapses_at := book.expires_at(lot)) is not None and lapses_at <= paid_at
        points = 0 if lot.pending or gone else min(lot.remaining, debt.remaining)
        if points:
            entry = book.record(
                "debt_paid",
                unit,
                -points,
                paid_at,
                settled=settled,
                available=-points,
                debt=-points,
                order_id=debt.order_id,
                reference=str(debt.seq),
            )
            book.allocate(entry, lot_seq, points)
            book.debts.put(replace(debt, remaining=debt.remaining - points))
