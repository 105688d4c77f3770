"""What falls due by itself: points mature and lapse, holds time out, events that were waited for have not come.

Each happens at its true instant, in the order of the instants, whenever it is written down; so a balance is exact even
if every job was down. At one instant, points mature before holds end, and holds end before points lapse.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from heapq import heapify, heappop, heappush

from loyalty.ledger.book import Book
from loyalty.ledger.crediting import pay_debts
from loyalty.ledger.domain import Lot
from loyalty.ledger.spending import lapse, release
from loyalty.programs.terms import expiry_from

MATURE, TIME_OUT, MISS, LAPSE, IDLE = range(5)

# Why points go that waited for an event which did not come.
MISSED = "not confirmed in time"

# (when, what happens, to which lot, to which hold or terms); what happens first at one instant is the smaller number
Event = tuple[datetime, int, int, str]


def settle(book: Book, until: datetime) -> None:
    """Record what falls due by `until`. The book must hold every lot and hold that is due then."""
    for account in book.accounts:
        if account.is_due(until):
            _settle(book, account.unit, until)


def mature(book: Book, lot: Lot, at: datetime, *, settled: bool = False) -> None:
    """Let a pending lot become available at `at`; it pays what the member owes. Its expiry begins to run."""
    points = lot.remaining
    matured = replace(lot, pending=False, matures_at=at)
    if lot.expiry is not None:
        expiry = expiry_from(lot.expiry)
        if expiry.mode == "inactivity":
            book.start_clock(lot.unit, lot.expiry, at)
        else:
            matured = replace(matured, expires_at=expiry.expires_at(at, book.zone), expiry=None)
    book.record(
        "mature",
        lot.unit,
        points,
        at,
        settled=settled,
        pending=-points,
        available=points,
        matures_at=at,
        expires_at=matured.expires_at,
        reference=str(lot.seq),
    )
    book.put_lot(matured)
    pay_debts(book, lot.seq, at, settled=settled)


def _settle(book: Book, unit: str, until: datetime) -> None:
    queue = list(_events_of_lots(lot for lot in book.lots if lot.unit == unit))
    queue += [(h.expires_at, TIME_OUT, h.seq, h.hold_id) for h in book.holds if h.unit == unit and h.status == "held"]
    queue += [(idle.at, IDLE, 0, code) for code, idle in book.account(unit).idle.items()]
    heapify(queue)
    while queue and queue[0][0] <= until:
        for event in _happen(book, unit, heappop(queue)):
            heappush(queue, event)
    book.look_ahead(unit)


def _events_of_lots(lots: Iterator[Lot]) -> Iterator[Event]:
    for lot in lots:
        at, what = lot.expires_at, LAPSE
        if lot.pending:
            at, what = (lot.matures_at, MATURE) if lot.matures_at else (lot.deadline_at, MISS)
        if lot.remaining and at is not None:
            yield at, what, lot.seq, ""


def _happen(book: Book, unit: str, event: Event) -> Iterator[Event]:
    """Record an event; answers what may follow from it."""
    at, what, seq, name = event
    if what == MATURE:
        mature(book, book.lots[seq], at, settled=True)
        yield from _events_of_lots(iter([book.lots[seq]]))
        yield from ((idle.at, IDLE, 0, code) for code, idle in book.account(unit).idle.items())
    elif what == TIME_OUT:
        release(book, book.holds[name], at=at, status="expired")
        yield from _events_of_lots(book.lots[lot_seq] for lot_seq, _ in book.holds[name].pieces)
    elif what == MISS:
        _miss(book, book.lots[seq], at)
    elif what == LAPSE:
        lapse(book, seq, at)
    elif (idle := book.account(unit).idle.get(name)) is not None and idle.at <= at:
        for lot in book.lots:
            if lot.unit == unit and lot.expiry == name and not lot.pending:
                lapse(book, lot.seq, at)
        book.stop_clock(unit, name)


def _miss(book: Book, lot: Lot, at: datetime) -> None:
    points = lot.remaining
    if points:
        entry = book.record(
            "reverse",
            lot.unit,
            -points,
            at,
            settled=True,
            pending=-points,
            reference=str(lot.seq),
            reason=MISSED,
        )
        book.allocate(entry, lot.seq, points)
