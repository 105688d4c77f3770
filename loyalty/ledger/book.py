"""A member's book, open while one decision is made.

A `Book` begins with what was read under the member's lock (accounts, and the lots that matter to the decision), applies
steps to it, and ends as the entries, lots and allocations to be written. It does no input or output, asks no clock, and
every step keeps the account equal to its lots. Steps that take points date what they find matured or lapsed first, so
a balance is exact even if every job was down.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.ledger.domain import Account, Allocation, Credit, Entry, Lot, applied, consumption_key
from loyalty.ledger.errors import InsufficientPoints


class Book:
    """What one member holds and what a decision adds to it."""

    def __init__(
        self,
        member_id: UUID,
        accounts: Iterable[Account],
        lots: Iterable[Lot] = (),
        later: Mapping[str, datetime | None] | None = None,
    ) -> None:
        """Open the book with all accounts of the member and some of the lots.

        `later` gives, by unit, the next change among the lots that were not read; by default that of the account.
        """
        self.member_id = member_id
        self.accounts = {account.unit: account for account in accounts}
        self._accounts_read = dict(self.accounts)
        self._later = {unit: account.next_change_at for unit, account in self.accounts.items()} | dict(later or {})
        self.lots = {lot.seq: lot for lot in lots}
        self.entries: list[Entry] = []
        self.allocations: list[Allocation] = []
        self._lots_read = dict(self.lots)
        self._last_seq = max((account.last_seq for account in self.accounts.values()), default=0)

    def account(self, unit: str) -> Account:
        """The account in `unit`, empty if there was none."""
        return self.accounts.get(unit) or Account(member_id=self.member_id, unit=unit)

    def add_lots(self, lots: Iterable[Lot]) -> None:
        """Take in lots that were read later; what the book already decided about a lot stands."""
        read = {lot.seq: lot for lot in lots}
        self._lots_read = read | self._lots_read
        self.lots = read | self.lots

    def changed_accounts(self) -> Iterator[tuple[Account, bool]]:
        """The accounts that are not what they were when they were read, each with whether it is new."""
        for unit, account in self.accounts.items():
            if account is not (read := self._accounts_read.get(unit)):
                yield account, read is None

    def changed_lots(self) -> Iterator[tuple[Lot, bool]]:
        """The lots that are not what they were when they were read, each with whether it is new."""
        for seq, lot in self.lots.items():
            if lot is not (read := self._lots_read.get(seq)):
                yield lot, read is None

    def earn(self, credit: Credit) -> Entry:
        """Open a lot of earned points, pending if they mature later than they were earned."""
        assert credit.points > 0, "only points that are earned make an entry"
        pending = credit.matures_at is not None and credit.matures_at > credit.earned_at
        entry = self._record(
            "earn",
            credit.unit,
            credit.points,
            credit.earned_at,
            pending=credit.points if pending else 0,
            available=0 if pending else credit.points,
            order_id=credit.order_id,
            rule_code=credit.rule_code,
            rule_version=credit.rule_version,
            reason=credit.reason,
            detail=credit.detail,
        )
        self.lots[entry.seq] = Lot(
            member_id=self.member_id,
            seq=entry.seq,
            unit=credit.unit,
            points=credit.points,
            remaining=credit.points,
            pending=pending,
            earned_at=credit.earned_at,
            matures_at=credit.matures_at,
            expires_at=credit.expires_at,
        )
        self._expect_change(credit.unit, credit.matures_at if pending else credit.expires_at)
        return entry

    def settle(self, now: datetime) -> None:
        """Record what has matured or lapsed by `now`, each at its true instant and in the order of the instants.

        The book must hold every lot that is due.
        """
        units = [unit for unit, account in self.accounts.items() if account.is_due(now)]
        for unit in units:
            while due := self._next_due(unit, now):
                _, _, lot = due
                self._mature(lot) if lot.pending else self._expire(lot)
            upcoming = [_next_change(lot) for lot in self.lots.values() if lot.unit == unit and lot.remaining]
            upcoming.append(self._later.get(unit))
            soonest = min((at for at in upcoming if at is not None), default=None)
            self.accounts[unit] = replace(self.accounts[unit], next_change_at=soonest)

    def redeem(self, unit: str, points: int, *, now: datetime, reference: str, reason: str) -> Entry:
        """Spend points, from the lots that lapse first. Refuses: InsufficientPoints.

        The book must be settled as of `now` and hold enough open lots to cover `points`.
        """
        assert points > 0, "a redemption costs points"
        available = self.account(unit).available
        if available < points:
            raise InsufficientPoints(required=points, available=available, unit=unit)
        entry = self._record("redeem", unit, -points, now, available=-points, reference=reference, reason=reason)
        open_lots = [lot for lot in self.lots.values() if lot.unit == unit and lot.remaining and not lot.pending]
        left = points
        for lot in sorted(open_lots, key=consumption_key):
            taken = min(left, lot.remaining)
            if taken:
                self._take(entry, lot, taken)
                left -= taken
        assert left == 0, "the account promised what its lots do not hold"
        return entry

    def _next_due(self, unit: str, now: datetime) -> tuple[datetime, int, Lot] | None:
        due = []
        for lot in self.lots.values():
            if (
                lot.unit == unit
                and lot.remaining
                and (lot.matures_by(now) or (not lot.pending and lot.expires_by(now)))
            ):
                at = lot.matures_at if lot.pending else lot.expires_at
                assert at is not None, "what is due has an instant"
                due.append((at, lot.seq, lot))
        return min(due, key=lambda d: d[:2], default=None)

    def _mature(self, lot: Lot) -> None:
        assert lot.matures_at is not None, "a lot without an instant does not mature by itself"
        points = lot.remaining
        self._record(
            "mature", lot.unit, points, lot.matures_at, pending=-points, available=points, reference=str(lot.seq)
        )
        self.lots[lot.seq] = replace(lot, pending=False)

    def _expire(self, lot: Lot) -> None:
        assert lot.expires_at is not None, "a lot without an expiry does not lapse"
        points = lot.remaining
        entry = self._record(
            "expire", lot.unit, -points, lot.expires_at, available=-points, reference=str(lot.seq), reason="expired"
        )
        self._take(entry, lot, points)

    def _take(self, entry: Entry, lot: Lot, points: int) -> None:
        self.allocations.append(Allocation(member_id=self.member_id, seq=entry.seq, lot_seq=lot.seq, points=points))
        self.lots[lot.seq] = replace(lot, remaining=lot.remaining - points)

    def _record(self, kind: str, unit: str, points: int, occurred_at: datetime, **effect: Any) -> Entry:
        self._last_seq += 1
        account = self.account(unit)
        entry = Entry(
            member_id=self.member_id,
            seq=self._last_seq,
            unit=unit,
            kind=kind,
            points=points,
            occurred_at=occurred_at,
            available_after=account.available + effect.get("available", 0),
            **effect,
        )
        assert entry.available_after >= 0, "available points are never negative"
        self.entries.append(entry)
        self.accounts[unit] = applied(account, entry)
        return entry

    def _expect_change(self, unit: str, at: datetime | None) -> None:
        account = self.accounts[unit]
        if at is not None and (account.next_change_at is None or at < account.next_change_at):
            self.accounts[unit] = replace(account, next_change_at=at)


def _next_change(lot: Lot) -> datetime | None:
    return lot.matures_at if lot.pending else lot.expires_at
