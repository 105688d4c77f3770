"""Steps between two books: points that one member gives another, and two members who turn out to be one."""

from dataclasses import replace
from typing import Any

from loyalty.ledger.book import Book
from loyalty.ledger.crediting import give, pay_debts
from loyalty.ledger.domain import Credit, Debt, Lot
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


def merge(source: Book, target: Book, *, source_id: str, target_id: str) -> None:
    """Move all that a member holds and owes to another, lot by lot: each remembers where it was earned.

    The ids are those by which the entries name the other member. Both books must be settled, the source's must hold all
    its open lots, the target's enough to pay what the source owes. Refuses: HoldsOpen.
    """
    for account in source.accounts:
        if account.held:
            raise HoldsOpen(f"{account.held} {account.unit} are on hold; capture or release them first.")
    given: dict[str, Any] = {"reference": target_id, "reason": f"merged into {target_id}"}
    got: dict[str, Any] = {"reference": source_id, "reason": f"merged from {source_id}"}
    for account in source.accounts:
        # First of all, so that the target's history says why what follows is here.
        lived = {"lifetime_earned": account.lifetime_earned, "lifetime_spent": account.lifetime_spent}
        target.record("transfer_in", account.unit, 0, target.now, detail=lived, **got)
    for lot in [lot for lot in source.lots if lot.remaining]:
        _move_lot(source, target, lot, given, got)
    for debt in [debt for debt in source.debts if debt.remaining]:
        _move_debt(source, target, debt, given, got)
    for account in target.accounts:
        for lot in target.open_lots(account.unit):
            pay_debts(target, lot.seq, target.now)


def _move_lot(source: Book, target: Book, lot: Lot, given: dict[str, Any], got: dict[str, Any]) -> None:
    points = lot.remaining
    pending = points if lot.pending else 0
    entry = source.record(
        "transfer_out", lot.unit, -points, source.now, pending=-pending, available=pending - points, **given
    )
    source.allocate(entry, lot.seq, points)
    if lot.expiry and not lot.pending:
        # Nobody's time to spend them becomes shorter.
        target.extend_clock(lot.unit, lot.expiry, source.account(lot.unit).idle[lot.expiry].at)
    dates = Dates(lot.pending, lot.matures_at, lot.deadline_at, lot.expires_at, lot.expiry)
    credit = Credit(points=points, unit=lot.unit, earned_at=lot.earned_at, dates=dates, origin=lot.origin, **got)
    give(target, "transfer_in", credit)


def _move_debt(source: Book, target: Book, debt: Debt, given: dict[str, Any], got: dict[str, Any]) -> None:
    points, order_id = debt.remaining, debt.order_id
    moved = {"debt": debt.seq}
    source.record("transfer_out", debt.unit, points, source.now, debt=-points, order_id=order_id, detail=moved, **given)
    source.debts.put(replace(debt, remaining=0))
    entry = target.record("transfer_in", debt.unit, -points, target.now, debt=points, order_id=order_id, **got)
    incur(target, entry, order_id=order_id, reference=debt.reference)
