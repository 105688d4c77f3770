"""Undoing what an order did to its member's points: what it earned is taken back, what was spent on it given back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from loyalty.core import calendar
from loyalty.db.session import Session
from loyalty.earning import undoing
from loyalty.earning.domain import Awarded
from loyalty.earning.undoing import Because
from loyalty.ledger import holdings, service, spending
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Credit, Lot
from loyalty.ledger.reversing import Reversal
from loyalty.ledger.settling import settle
from loyalty.orders.queries import RecordedOrder
from loyalty.orders.returning import Returned, ReturnedLine, points_of, share_of_spent, with_lines
from loyalty.programs.domain import POINTS, Program


@dataclass(slots=True)
class Undoing:
    """One return being decided. `told` is what the shop will be told, `state` what has come back then.

    `book` is that of the member, or of who the member was merged into.
    """

    session: Session
    order: RecordedOrder
    program: Program
    book: Book
    because: Because
    told: dict[str, Any]
    state: Returned

    def give_back(self) -> None:
        """Points that were spent on the order go back to their lots, in proportion to what came back."""
        spent = holdings.spent_on(self.session, self.order.member_id, self.order.order_id)
        self.book.lots.take_in(lot for lot, _ in spent if lot.member_id == self.book.member_id)
        for unit in sorted({lot.unit for lot, _ in spent}):
            pieces = self._pieces([(lot, points) for lot, points in spent if lot.unit == unit])
            credit = Credit(points=0, unit=unit, earned_at=self.book.now, **asdict(self.because))
            for back in spending.give_back(self.book, pieces, grace_until=self._grace_until(), credit=credit):
                self.told["spent"].append({"unit": unit, **asdict(back)})
                if unit == POINTS and back.outcome != "forfeited":
                    self.told["points"]["returned_to_member"] += back.points

    def reverse(self) -> None:
        """The points that the returned units earned are taken back, award by award."""
        claims = [(award, self._claimed(award)) for award in self.order.awards]
        taken = undoing.take_back(
            self.session, self.book, self.order.member_id, claims,
            settings=self.program.returns, because=self.because, counted=self.state.expired,
        )  # fmt: skip
        expired = dict(self.state.expired)
        for award, result in taken:
            expired[str(award.seq)] = expired.get(str(award.seq), 0) + result.expired
            self._tell(award, result)
        self.state = replace(self.state, expired=expired)

    def _claimed(self, award: Awarded) -> int:
        """How many points of an award the lines that come back now had earned; told line by line."""
        was = points_of(award, self.order.lines, self.order.returned.lines)
        now_is = points_of(award, self.order.lines, self.state.lines)
        if award.unit == POINTS:
            for line in self.told["lines"]:
                line["points"] += now_is[line["line_id"]] - was[line["line_id"]]
        return sum(now_is.values()) - sum(was.values())

    def _pieces(self, spent: list[tuple[Lot, int]]) -> list[tuple[Lot, int]]:
        """Which lots get how much back now. The last to lapse first: they are worth most to the member."""
        returned = dict(self.state.spent)
        before = sum(returned.get(_key(lot), 0) for lot, _ in spent)
        total = sum(points for _, points in spent)
        wanted = share_of_spent(total, self.order.lines, self.order.discount, self.state.lines) - before
        pieces = []
        for lot, points in sorted(spent, key=lambda piece: self._lives_longest(piece[0])):
            if (part := min(wanted, points - returned.get(_key(lot), 0))) > 0:
                pieces.append((lot, part))
                returned[_key(lot)] = returned.get(_key(lot), 0) + part
                wanted -= part
        self.state = replace(self.state, spent=returned)
        return pieces

    def _tell(self, award: Awarded, result: Reversal) -> None:
        self.told["awards"].append(undoing.shown(award, result))
        if award.unit == POINTS:
            for name, points in asdict(result).items():
                self.told["points"][name] += points

    def _grace_until(self) -> datetime | None:
        days, zone = self.program.returns.grace_days, self.program.time_zone
        if not days:
            return None
        last = calendar.local_date(self.book.now, zone) + timedelta(days=days)
        return calendar.midnight(calendar.day_after(last), zone)

    def _lives_longest(self, lot: Lot) -> tuple[bool, float, int]:
        ours = lot.member_id == self.book.member_id
        expires_at = self.book.expires_at(self.book.lots[lot.seq]) if ours else lot.expires_at
        return (expires_at is not None, -expires_at.timestamp() if expires_at else 0.0, -lot.seq)


def take_back(
    session: Session,
    order: RecordedOrder,
    program: Program,
    book: Book | None,
    lines: Sequence[ReturnedLine],
    *,
    because: Because,
) -> tuple[dict[str, Any], Returned]:
    """Decide what the return of `lines` does: what the shop is told, and what has come back then.

    A guest has no book. Refuses: LineUnknown, OverReturn.
    """
    state = replace(order.returned, lines=with_lines(order.returned.lines, order.lines, lines))
    told: dict[str, Any] = {
        "order_id": order.order_id,
        "points": dict.fromkeys(("reversed", "expired", "debt", "forgiven", "returned_to_member"), 0),
        "lines": [{"line_id": line.line_id, "quantity": line.quantity, "points": 0} for line in lines],
        "awards": [],
        "spent": [],
        "balance": None,
    }
    if book is None:
        return told, state
    undoing = Undoing(session, order, program, book, because, told, state)
    undoing.give_back()
    undoing.reverse()
    settle(book, book.now)
    told["balance"] = service.brief(book, POINTS)
    return told, undoing.state


def _key(lot: Lot) -> str:
    return f"{lot.member_id}/{lot.seq}"
