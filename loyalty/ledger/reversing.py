"""Taking back what an order earned: from where it is, else from what there is, else as a debt or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from loyalty.ledger.book import Book
from loyalty.ledger.domain import Debt, Entry, Lot
from loyalty.programs.domain import ReturnSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Points of an award to be taken back.

    `own`: the lots that the award's points are in now; `waiting`: they have not become available yet, or never will;
    `lapsed`: how many of them lapsed unspent, and were not claimed before. What lapsed is gone already: nobody had it.
    """

    points: int
    unit: str
    own: tuple[int, ...]
    waiting: bool = False
    lapsed: int = 0
    order_id: str | None = None
    rule_code: str | None = None
    rule_version: int | None = None
    reference: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """What became of a claim: taken back, gone already, owed from now on, or forgiven."""

    reversed: int = 0
    expired: int = 0
    debt: int = 0
    forgiven: int = 0


def reverse(book: Book, claim: Claim, settings: ReturnSettings) -> Reversal:
    """Take back the points of an award: pending first, then its own lots, then the other lots in order of consumption.

    What these do not hold is a debt or forgiven, as the program decides. The book must be settled, hold the award's own
    lots, and enough open lots.
    """
    own = [book.lots[seq] for seq in claim.own]
    if claim.waiting:
        # Before it matures nobody can spend an award: what is not there was cancelled, and cannot be owed.
        pieces = _take(own, claim.points)
        pending = sum(points for _, points in pieces)
        result = Reversal(reversed=pending, expired=claim.points - pending)
        _record(book, claim, pieces, pending=pending, result=result)
        return result
    pieces = _take(_in_order(book, own), claim.points)
    missing = claim.points - sum(points for _, points in pieces)
    expired = min(missing, claim.lapsed)
    missing -= expired
    others = [lot for lot in book.open_lots(claim.unit) if lot.seq not in claim.own]
    pieces += _take(others, missing)
    taken = sum(points for _, points in pieces)
    missing = claim.points - expired - taken
    debt = _owed(book, claim.unit, missing, settings)
    result = Reversal(reversed=taken, expired=expired, debt=debt, forgiven=missing - debt)
    _record(book, claim, pieces, pending=0, result=result)
    if debt:
        _owe(book, claim, debt)
    return result


def _owed(book: Book, unit: str, missing: int, settings: ReturnSettings) -> int:
    account = book.account(unit)
    limit = 0 if settings.policy == "clamp" else settings.max_debt
    if limit is None:
        return missing
    # What is on hold is not gone, whatever the policy: it pays when it is free again.
    return min(missing, max(0, max(limit, account.held) - account.debt))


def _record(book: Book, claim: Claim, pieces: Sequence[tuple[int, int]], *, pending: int, result: Reversal) -> None:
    """One entry for what is taken and what is forgiven, if there is either."""
    if not result.reversed and not result.forgiven:
        return
    left_alone = {"forgiven": result.forgiven, "expired": result.expired}
    entry = _entry(
        book,
        "reverse",
        claim,
        -result.reversed,
        pending=-pending,
        available=pending - result.reversed,
        detail={name: points for name, points in left_alone.items() if points} or None,
    )
    for seq, points in pieces:
        book.allocate(entry, seq, points)


def _owe(book: Book, claim: Claim, points: int) -> None:
    entry = _entry(book, "debt", claim, -points, debt=points)
    incur(book, entry, order_id=claim.order_id, reference=claim.reference)


def incur(book: Book, entry: Entry, *, order_id: str | None, reference: str | None) -> None:
    """Note the debt that an entry records."""
    book.debts.put(
        Debt(
            member_id=book.member_id,
            seq=entry.seq,
            unit=entry.unit,
            points=entry.debt,
            remaining=entry.debt,
            incurred_at=entry.occurred_at,
            order_id=order_id,
            reference=reference,
        )
    )


def _entry(book: Book, kind: str, claim: Claim, points: int, **effect: Any) -> Entry:
    return book.record(
        kind, claim.unit, points, book.now, order_id=claim.order_id, rule_code=claim.rule_code,
        rule_version=claim.rule_version, reference=claim.reference, reason=claim.reason, **effect,
    )  # fmt: skip


def _in_order(book: Book, lots: Sequence[Lot]) -> list[Lot]:
    wanted = {lot.seq for lot in lots}
    return [lot for lot in book.open_lots(lots[0].unit) if lot.seq in wanted] if lots else []


def _take(lots: Sequence[Lot], points: int) -> list[tuple[int, int]]:
    """Which lots give how much of `points`, in their order, as far as they go."""
    pieces = []
    for lot in lots:
        if part := min(points, lot.remaining):
            pieces.append((lot.seq, part))
            points -= part
    return pieces
