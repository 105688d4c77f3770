"""Which lots get how much back, and how long points live whose lot lapsed: what `spending.give_back` is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from loyalty.core import calendar
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Lot
from loyalty.programs.domain import Program


@dataclass(frozen=True, slots=True)
class Spent:
    """Points that were spent out of a lot, and how many went back since. `hold_id`: by which hold, if it matters."""

    lot: Lot
    points: int
    hold_id: str | None = None
    given: int = 0

    @property
    def key(self) -> str:
        """The lot, by a name under which it can be kept in a document."""
        return f"{self.lot.member_id}/{self.lot.seq}"


def share_out(book: Book, spent: Iterable[Spent], points: int) -> list[tuple[Spent, int]]:
    """Which lots get how much of `points` back, as far as they go. The last to lapse first: they are worth most."""
    shares = []
    for piece in sorted(spent, key=lambda piece: _lives_longest(book, piece.lot)):
        if (part := min(points, piece.points - piece.given)) > 0:
            shares.append((piece, part))
            points -= part
    return shares


def by_lot(shares: Sequence[tuple[Spent, int]]) -> list[tuple[Lot, int]]:
    """What lots get in all: one may have been spent from twice."""
    lots: dict[str, tuple[Lot, int]] = {}
    for piece, part in shares:
        lots[piece.key] = (piece.lot, lots.get(piece.key, (piece.lot, 0))[1] + part)
    return list(lots.values())


def grace_until(program: Program, now: datetime) -> datetime | None:
    """Until when points live on whose lot lapsed before they were given back; None: they do not."""
    days, zone = program.returns.grace_days, program.time_zone
    if not days:
        return None
    last = calendar.local_date(now, zone) + timedelta(days=days)
    return calendar.midnight(calendar.day_after(last), zone)


def _lives_longest(book: Book, lot: Lot) -> tuple[bool, float, int]:
    ours = lot.member_id == book.member_id
    expires_at = book.expires_at(book.lots[lot.seq]) if ours else lot.expires_at
    return (expires_at is not None, -expires_at.timestamp() if expires_at else 0.0, -lot.seq)
