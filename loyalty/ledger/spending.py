"""Steps that spend points: at once, or in two phases as a payment does; and points given back to where they came from.

Funds are checked when points are held; a capture can never fail for lack of points. What is captured is taken from the
lots that lapse first, the rest goes back to the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from loyalty.ledger.book import Book
from loyalty.ledger.crediting import give, pay_debts
from loyalty.ledger.domain import Credit, Entry, Hold, HoldStatus, Lot, consumption_key
from loyalty.ledger.errors import CaptureExceedsHold, HoldResolved, InsufficientPoints
from loyalty.programs.terms import Dates


def redeem(
    book: Book, unit: str, points: int, *, reference: str | None, reason: str | None, order_id: str | None = None
) -> Entry:
    """Spend points, from the lots that lapse first. Refuses: InsufficientPoints.

    The book must be settled and hold enough open lots to cover `points`.
    """
    entry = debit(book, "redeem", unit, points, reference=reference, reason=reason, order_id=order_id)
    book.stir(unit, book.now)
    return entry


def debit(book: Book, kind: str, unit: str, points: int, **given: Any) -> Entry:
    """Take available points, from the lots that lapse first. Refuses: InsufficientPoints."""
    pieces = _pieces(book, unit, points)
    entry = book.record(kind, unit, -points, book.now, available=-points, **given)
    for lot_seq, part in pieces:
        book.allocate(entry, lot_seq, part)
    return entry


def lapse(book: Book, lot_seq: int, at: datetime, *, settled: bool = True) -> None:
    """Let what remains of an available lot expire at `at`."""
    lot = book.lots[lot_seq]
    if points := lot.remaining:
        entry = book.record(
            "expire", lot.unit, -points, at, settled=settled, available=-points, reference=str(lot_seq),
            reason="expired",
        )  # fmt: skip
        book.allocate(entry, lot_seq, points)


def hold(
    book: Book,
    unit: str,
    points: int,
    *,
    hold_id: str,
    expires_at: datetime,
    order_id: str | None = None,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
) -> Hold:
    """Keep points for a payment, until `expires_at` at the latest. Refuses: InsufficientPoints."""
    pieces = _pieces(book, unit, points)
    entry = book.record(
        "hold", unit, -points, book.now, available=-points, held=points, expires_at=expires_at, order_id=order_id,
        reference=hold_id, reason=reason, detail=detail,
    )  # fmt: skip
    for lot_seq, part in pieces:
        book.allocate(entry, lot_seq, part, held=part)
    made = Hold(
        member_id=book.member_id,
        hold_id=hold_id,
        unit=unit,
        points=points,
        seq=entry.seq,
        held_at=book.now,
        expires_at=expires_at,
        order_id=order_id,
        reason=reason,
        pieces=tuple(pieces),
        detail=detail,
    )
    book.holds.put(made)
    book.expect(unit, expires_at)
    return made


def capture(
    book: Book,
    held: Hold,
    points: int,
    *,
    order_id: str | None = None,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
) -> Hold:
    """Spend `points` of a hold and release the rest. Refuses: HoldResolved, CaptureExceedsHold.

    The book must hold the lots of the hold's pieces.
    """
    _require_held(held)
    if points > held.points:
        raise CaptureExceedsHold(held=held.points, required=points)
    entry = book.record(
        "redeem", held.unit, -points, book.now, held=-points, order_id=order_id or held.order_id,
        reference=held.hold_id, reason=reason or held.reason, detail=detail,
    )  # fmt: skip
    left, rest = points, []
    for lot_seq, part in _in_order(book, held):
        spent = min(left, part)
        left -= spent
        if spent:
            book.allocate(entry, lot_seq, 0, held=-spent)
        if part > spent:
            rest.append((lot_seq, part - spent))
    book.stir(held.unit, book.now)
    resolved = replace(
        held, status="captured", captured=points, resolved_at=book.now, order_id=order_id or held.order_id
    )
    book.holds.put(resolved)
    _put_back(book, resolved, rest, at=book.now)
    return resolved


def release(
    book: Book, held: Hold, *, at: datetime, status: HoldStatus = "released", reason: str | None = None
) -> Hold:
    """Give the points of a hold back to their lots; `expired`, when nobody resolved it in time. Refuses: HoldResolved.

    The book must hold the lots of the hold's pieces. What lapsed while it was held lapses now.
    """
    _require_held(held)
    resolved = replace(held, status=status, resolved_at=at)
    book.holds.put(resolved)
    _put_back(book, resolved, _in_order(book, held), at=at, reason=reason)
    return resolved


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What became of points that were spent and are given back: to which lot they went, and until when they last.

    `returned` to the lot they came from; `extended`, to a new lot, because that one had lapsed; or `forfeited`.
    """

    outcome: Literal["returned", "extended", "forfeited"]
    points: int
    lot: int
    expires_at: datetime | None


def give_back(
    book: Book, pieces: Sequence[tuple[Lot, int]], *, grace_until: datetime | None, credit: Credit
) -> list[GivenBack]:
    """Give spent points back to the lots they came from, with their expiry. `credit` says why.

    A lot that lapsed meanwhile is continued by a new one until `grace_until`; without a grace its points are forfeited.
    A lot of somebody who was merged into this member is continued here by a new one, too.
    """
    ours = [(lot.seq, points) for lot, points in pieces if lot.member_id == book.member_id]
    alive = [(seq, points) for seq, points in ours if not _lapsed(book, seq, book.now)]
    outcomes = _return(book, alive, credit) if alive else []
    returned = {seq for seq, _ in alive}
    for lot, points in pieces:
        if lot.member_id == book.member_id and lot.seq in returned:
            continue
        lapsed = lot.member_id == book.member_id or (lot.expires_at is not None and lot.expires_at <= book.now)
        if lapsed and (grace_until is None or grace_until <= book.now):
            outcomes.append(GivenBack("forfeited", points, lot.seq, None))
            continue
        dates = Dates(expires_at=grace_until) if lapsed else Dates(expires_at=lot.expires_at, expiry=lot.expiry)
        continued = replace(credit, points=points, earned_at=lot.earned_at, dates=dates, origin=lot.origin)
        entry = give(book, "return_spent", continued)
        expires_at = book.expires_at(book.lots[entry.seq])
        outcomes.append(GivenBack("extended" if lapsed else "returned", points, entry.seq, expires_at))
    return outcomes


def _return(book: Book, pieces: Sequence[tuple[int, int]], credit: Credit) -> list[GivenBack]:
    total = sum(points for _, points in pieces)
    entry = book.record(
        "return_spent", credit.unit, total, book.now, available=total, order_id=credit.order_id,
        reference=credit.reference, reason=credit.reason,
    )  # fmt: skip
    for seq, points in pieces:
        book.allocate(entry, seq, -points)
    for seq, _ in pieces:
        pay_debts(book, seq, book.now)
    return [GivenBack("returned", points, seq, book.expires_at(book.lots[seq])) for seq, points in pieces]


def _pieces(book: Book, unit: str, points: int) -> list[tuple[int, int]]:
    """Which lots cover `points`, and how many each. Refuses: InsufficientPoints."""
    assert points > 0, "to spend is to spend something"
    available = book.account(unit).available
    if available < points:
        raise InsufficientPoints(required=points, available=available, unit=unit)
    pieces, left = [], points
    for lot in book.open_lots(unit):
        if part := min(left, lot.remaining):
            pieces.append((lot.seq, part))
            left -= part
    assert left == 0, "the account promised what its lots do not hold"
    return pieces


def _in_order(book: Book, held: Hold) -> list[tuple[int, int]]:
    """The pieces of a hold, in the order of consumption."""

    def key(piece: tuple[int, int]) -> tuple[bool, datetime, datetime, int]:
        lot = book.lots[piece[0]]
        return consumption_key(lot, book.expires_at(lot))

    return sorted(held.pieces, key=key)


def _put_back(
    book: Book, held: Hold, pieces: Sequence[tuple[int, int]], *, at: datetime, reason: str | None = None
) -> None:
    points = sum(part for _, part in pieces)
    if not points:
        return
    entry = book.record(
        "release", held.unit, points, at, settled=held.status == "expired", available=points, held=-points,
        order_id=held.order_id, reference=held.hold_id, reason=reason or held.reason,
    )  # fmt: skip
    for lot_seq, part in pieces:
        book.allocate(entry, lot_seq, -part, held=-part)
    for lot_seq, _ in pieces:
        if _lapsed(book, lot_seq, at):  # while it was held, and is gone as soon as it is free
            lapse(book, lot_seq, at, settled=held.status == "expired")
        pay_debts(book, lot_seq, at, settled=held.status == "expired")


def _require_held(held: Hold) -> None:
    if held.status != "held":
        assert held.resolved_at is not None, "what is resolved was resolved at some time"
        raise HoldResolved(held.hold_id, status=held.status, resolved_at=held.resolved_at)


def _lapsed(book: Book, lot_seq: int, at: datetime) -> bool:
    expires_at = book.expires_at(book.lots[lot_seq])
    return expires_at is not None and expires_at <= at
