"""Steps between two books: points that one member gives another, and two members who turn out to be one."""

from dataclasses import replace

from loyalty.ledger.book import Book
from loyalty.ledger.crediting import give, pay_debts
from loyalty.ledger.domain import Credit, Lot
from loyalty.ledger.errors import HoldsOpen
from loyalty.ledger.reversing import incur
from loyalty.ledger.spending import debit
from loyalty.programs.terms import Dates


def transfer(giver: Book, taker: Book, unit: str, points: int, *, reference: str, reason: str | None) -> None:
    """Move points to another member; each keeps the date on which it lapses. Refuses: InsufficientPoints.

    The giver's book must be settled and hold enough open lots. What the taker owes is paid first.
    """
    before = {lot.seq: lot.remaining for lot in giver.lots}
    debit(giver, "transfer_out", unit, points, reference=reference, reason=reason)
    by_expiry: dict[object, Credit] = {}
    for lot in giver.lots:
        if moved := before[lot.seq] - lot.remaining:
            expires_at = giver.expires_at(lot)
            credit = by_expiry.get(expires_at) or Credit(
                points=0, unit=unit, earned_at=lot.earned_at, dates=Dates(expires_at=expires_at),
                reference=reference, reason=reason,
            )  # fmt: skip
            by_expiry[expires_at] = replace(
                credit, points=credit.points + moved, earned_at=min(credit.earned_at, lot.earned_at)
            )
    for credit in by_expiry.values():
        give(taker, "transfer_in", credit)


def merge(source: Book, target: Book, *, reference: str, reason: str) -> None:
    """Move all that a member holds and owes to another, lot by lot: each remembers where it was earned.

    Both books must be settled, the source's must hold all its open lots. Refuses: HoldsOpen.
    """
    for account in source.accounts:
        if account.held:
            raise HoldsOpen(f"{account.held} {account.unit} are on hold; capture or release them first.")
    for lot in [lot for lot in source.lots if lot.remaining]:
        _move_lot(source, target, lot, reference=reference, reason=reason)
    for debt in [debt for debt in source.debts if debt.remaining]:
        points = debt.remaining
        source.record(
            "transfer_out", debt.unit, points, source.now, debt=-points, reference=reference, reason=reason,
            order_id=debt.order_id, detail={"debt": debt.seq},
        )  # fmt: skip
        source.debts.put(replace(debt, remaining=0))
        entry = target.record(
            "transfer_in", debt.unit, -points, target.now, debt=points, reference=reference, reason=reason,
            order_id=debt.order_id,
        )  # fmt: skip
        incur(target, entry, order_id=debt.order_id, reference=debt.reference)
    for account in target.accounts:
        for lot in target.open_lots(account.unit):
            pay_debts(target, lot.seq, target.now)


def _move_lot(source: Book, target: Book, lot: Lot, *, reference: str, reason: str) -> None:
    points = lot.remaining
    entry = source.record(
        "transfer_out",
        lot.unit,
        -points,
        source.now,
        pending=-points if lot.pending else 0,
        available=0 if lot.pending else -points,
        reference=reference,
        reason=reason,
    )
    source.allocate(entry, lot.seq, points)
    if lot.expiry and not lot.pending:
        # Nobody's time to spend them becomes shorter.
        clock = source.account(lot.unit).idle[lot.expiry]
        target.extend_clock(lot.unit, lot.expiry, clock.at)
    dates = Dates(lot.pending, lot.matures_at, lot.deadline_at, lot.expires_at, lot.expiry)
    credit = Credit(
        points=points, unit=lot.unit, earned_at=lot.earned_at, dates=dates, reference=reference, reason=reason,
        origin=lot.origin,
    )  # fmt: skip
    give(target, "transfer_in", credit)
