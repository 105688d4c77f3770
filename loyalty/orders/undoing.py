"""Undoing what an order did to its member's points: what it earned is taken back, what was spent on it given back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.earning import undoing
from loyalty.earning.domain import Awarded
from loyalty.earning.undoing import Because
from loyalty.ledger import service, spending
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Credit
from loyalty.ledger.giving_back import Spent, by_lot, grace_until, share_out
from loyalty.ledger.reversing import Reversal
from loyalty.ledger.settling import settle
from loyalty.ledger.spent import spent_on
from loyalty.orders.queries import RecordedOrder
from loyalty.orders.returning import Returned, ReturnedLine, points_of, share_of_spent, with_lines
from loyalty.payments.domain import HOLDS
from loyalty.payments.refunding import given_back, paid_with, payment_of, with_given
from loyalty.programs.domain import POINTS, Program


@dataclass(slots=True)
class Undoing:
    """One return being decided. `told` is what the shop will be told, `state` what has come back then.

    `book` is that of the member, or of who the member was merged into. `changes` are those of payments.
    """

    session: Session
    order: RecordedOrder
    program: Program
    book: Book
    because: Because
    told: dict[str, Any]
    state: Returned
    changes: Changes = field(default_factory=Changes)

    def give_back(self) -> None:
        """Points that were spent on the order go back to their lots, in proportion to what came back."""
        spent = spent_on(self.session, self.order.member_id, self.order.order_id, apart=HOLDS)
        payments = paid_with(self.session, spent)
        spent = with_given(payments, spent, self.state.spent)
        self.book.lots.take_in(piece.lot for piece in spent if piece.lot.member_id == self.book.member_id)
        shares: list[tuple[Spent, int]] = []
        for unit in sorted({piece.lot.unit for piece in spent}):
            mine = self._shares([piece for piece in spent if piece.lot.unit == unit])
            credit = Credit(points=0, unit=unit, earned_at=self.book.now, **asdict(self.because))
            grace = grace_until(self.program, self.book.now)
            for back in spending.give_back(self.book, by_lot(mine), grace_until=grace, credit=credit):
                self.told["spent"].append({"unit": unit, **asdict(back)})
                if unit == POINTS and back.outcome != "forfeited":
                    self.told["points"]["returned_to_member"] += back.points
            shares += mine
        self.changes.add(given_back(payments, shares))
        self._note([(piece, part) for piece, part in shares if payment_of(piece) is None])

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

    def _shares(self, spent: list[Spent]) -> list[tuple[Spent, int]]:
        """What goes back now: what is due for all that has come back, less what went back before, by refunds, too."""
        due = share_of_spent(
            sum(piece.points for piece in spent), self.order.lines, self.order.discount, self.state.lines
        )
        return share_out(self.book, spent, due - sum(piece.given for piece in spent))

    def _note(self, shares: list[tuple[Spent, int]]) -> None:
        """Remember what goes back with the order, as far as no payment does."""
        returned = dict(self.state.spent)
        for piece, part in shares:
            returned[piece.key] = returned.get(piece.key, 0) + part
        self.state = replace(self.state, spent=returned)

    def _tell(self, award: Awarded, result: Reversal) -> None:
        self.told["awards"].append(undoing.shown(award, result))
        if award.unit == POINTS:
            for name, points in asdict(result).items():
                self.told["points"][name] += points


def take_back(
    session: Session,
    order: RecordedOrder,
    program: Program,
    book: Book | None,
    lines: Sequence[ReturnedLine],
    *,
    because: Because,
) -> tuple[dict[str, Any], Returned, Changes]:
    """Decide what the return of `lines` does: what the shop is told, what has come back then, and rows of payments.

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
        return told, state, Changes()
    undoing = Undoing(session, order, program, book, because, told, state)
    undoing.give_back()
    undoing.reverse()
    settle(book, book.now)
    told["balance"] = service.brief(book, POINTS)
    return told, undoing.state, undoing.changes
