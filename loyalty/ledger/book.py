"""A member's book, open while one decision is made.

A `Book` begins with what was read under the member's lock, has steps applied to it, and ends as the rows to be written.
It does no input or output and asks no clock. This module keeps the pages straight: entries, lots, what is upcoming. The
steps are in `settling` (what falls due by itself), `crediting`, `spending`, `reversing` and `moving`; each leaves every
account equal to its lots.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Generic, TypeVar

from loyalty.ledger.domain import (
    BEGINNING,
    Account,
    Allocation,
    Checkpoint,
    Credit,
    Debt,
    Entry,
    Hold,
    Holdings,
    Idle,
    Lot,
    applied,
    consumption_key,
)
from loyalty.programs.terms import expiry_from

K = TypeVar("K")
V = TypeVar("V")

# A read of the past adds up so many entries at most, beyond those that came late.
CHECKPOINT_EVERY = 64


class Shelf(Generic[K, V]):
    """Values by key, and which of them are not what they were when they were read."""

    def __init__(self, key: Callable[[V], K], values: Iterable[V]) -> None:
        self._key = key
        self._now = {key(value): value for value in values}
        self._read = dict(self._now)

    def __getitem__(self, key: K) -> V:
        return self._now[key]

    def __iter__(self) -> Iterator[V]:
        return iter(list(self._now.values()))

    def get(self, key: K) -> V | None:
        """The value, if there is one."""
        return self._now.get(key)

    def put(self, value: V) -> None:
        """Put a value where its key says."""
        self._now[self._key(value)] = value

    def read(self, key: K) -> V | None:
        """The value as it was read."""
        return self._read.get(key)

    def take_in(self, values: Iterable[V]) -> None:
        """Take in what was read later; what was decided already stands."""
        for value in values:
            self._read.setdefault(self._key(value), value)
            self._now.setdefault(self._key(value), value)

    def changed(self) -> Iterator[tuple[V, bool]]:
        """The values that are not what was read, each with whether it is new."""
        for key, value in self._now.items():
            if value is not (read := self._read.get(key)):
                yield value, read is None


class Book:
    """What one member holds and what a decision adds to it.

    `now` never lies before what the books know already, however the clocks of two servers differ. `notice_points`: who
    has so many when the book is closed is made a note of. `customer_id`: None in one that is looked at, never written.
    """

    def __init__(
        self, holdings: Holdings, *, zone: str, now: datetime, notice_points: int | None = None,
        customer_id: str | None = None,
    ) -> None:  # fmt: skip
        self.member_id = holdings.member_id
        self.customer_id = customer_id
        self.zone = zone
        self.notice_points = notice_points
        self.now = max([now, *(account.known_at for account in holdings.accounts)])
        self.accounts: Shelf[str, Account] = Shelf(lambda account: account.unit, holdings.accounts)
        self.lots: Shelf[int, Lot] = Shelf(lambda lot: lot.seq, holdings.lots)
        self.holds: Shelf[str, Hold] = Shelf(lambda hold: hold.hold_id, holdings.holds)
        self.debts: Shelf[int, Debt] = Shelf(lambda debt: debt.seq, holdings.debts)
        self.entries: list[Entry] = []
        self.allocations: list[Allocation] = []
        self.checkpoints: list[Checkpoint] = []
        # (unit, instant) -> how many points more mature, and how many more lapse, then.
        self.upcoming: dict[tuple[str, datetime], tuple[int, int]] = {}
        self._later = {account.unit: account.next_change_at for account in holdings.accounts} | dict(holdings.later)
        self._last_seq = max((account.last_seq for account in holdings.accounts), default=0)

    def account(self, unit: str) -> Account:
        """The account in `unit`, empty if there was none."""
        return self.accounts.get(unit) or Account(member_id=self.member_id, unit=unit)

    def open_lots(self, unit: str) -> list[Lot]:
        """The lots read that have something to spend, in the order of consumption."""
        lots = [lot for lot in self.lots if lot.unit == unit and lot.remaining and not lot.pending]
        return sorted(lots, key=lambda lot: consumption_key(lot, self.expires_at(lot)))

    def expires_at(self, lot: Lot) -> datetime | None:
        """The first instant at which an available lot is gone, as things stand; None: never."""
        if lot.expiry is None or lot.pending:
            return lot.expires_at
        idle = self.account(lot.unit).idle.get(lot.expiry)
        # The clock of its terms has run out and was put away.
        return idle.at if idle else BEGINNING

    def record(self, kind: str, unit: str, points: int, at: datetime, *, settled: bool = False, **given: Any) -> Entry:
        """Write an entry and move the account by it. `settled`: it fell due by itself, hence was known at its time."""
        account = self.account(unit)
        self._last_seq += 1
        entry = Entry(
            member_id=self.member_id,
            seq=self._last_seq,
            unit=unit,
            kind=kind,
            points=points,
            occurred_at=at,
            known_at=max(at, account.known_at) if settled else self.now,
            late=at < account.latest_at,
            available_after=account.available + given.get("available", 0),
            **given,
        )
        assert entry.available_after >= 0, "available points are never negative"
        self.entries.append(entry)
        self.accounts.put(applied(account, entry))
        if entry.seq % CHECKPOINT_EVERY == 0:
            self.checkpoints += [_checkpoint(each, entry.seq) for each in self.accounts]
        return entry

    def open_lot(self, kind: str, credit: Credit, *, at: datetime) -> Entry:
        """Record a credit, and open the lot that holds it. Pending, if it does not mature by `at`."""
        assert credit.points > 0, "only points make a lot"
        dates = credit.dates
        pending = dates.pending and (dates.matures_at is None or dates.matures_at > at)
        unfixed = {"expiry": dates.expiry, "deadline_at": dates.deadline_at}
        promised = {name: value for name, value in unfixed.items() if value is not None}
        entry = self.record(
            kind,
            credit.unit,
            credit.points,
            at,
            pending=credit.points if pending else 0,
            available=0 if pending else credit.points,
            matures_at=dates.matures_at,
            expires_at=dates.expires_at,
            order_id=credit.order_id,
            rule_code=credit.rule_code,
            rule_version=credit.rule_version,
            reference=credit.reference,
            reason=credit.reason,
            detail={**(credit.detail or {}), **promised} or None,
        )
        if dates.expiry and not pending and not self._is_running(credit.unit, dates.expiry, at):
            self.start_clock(credit.unit, dates.expiry, at)
        self.put_lot(
            Lot(
                member_id=self.member_id,
                seq=entry.seq,
                unit=credit.unit,
                points=credit.points,
                remaining=credit.points,
                pending=pending,
                # The clock of whom it came from may be ahead.
                earned_at=min(credit.earned_at, at),
                matures_at=dates.matures_at,
                deadline_at=dates.deadline_at,
                expires_at=dates.expires_at,
                expiry=dates.expiry,
                origin_member_id=credit.origin and credit.origin[0],
                origin_seq=credit.origin and credit.origin[1],
            )
        )
        return entry

    def allocate(self, entry: Entry, lot_seq: int, points: int, *, held: int = 0) -> None:
        """Let an entry take `points` out of what remains of a lot, and `held` into what it holds."""
        lot = self.lots[lot_seq]
        self.allocations.append(
            Allocation(member_id=self.member_id, seq=entry.seq, lot_seq=lot_seq, points=points, held=held)
        )
        self.put_lot(replace(lot, remaining=lot.remaining - points, held=lot.held + held))

    def put_lot(self, lot: Lot) -> None:
        """Put a new or changed lot on its shelf, and what it changes of what is upcoming with it."""
        before = self.lots.get(lot.seq)
        if before is not None:
            self._foresee(before, -before.remaining)
        self._foresee(lot, lot.remaining)
        self.lots.put(lot)
        if lot.remaining:
            self.expect(lot.unit, (lot.matures_at or lot.deadline_at) if lot.pending else self.expires_at(lot))

    def start_clock(self, unit: str, code: str, at: datetime) -> None:
        """Let the terms `code`, by which points lapse through inactivity, run from `at` at the least."""
        lapses_at = expiry_from(code).expires_at(at, self.zone)
        assert lapses_at is not None, "inactivity has a length"
        self.extend_clock(unit, code, lapses_at)

    def extend_clock(self, unit: str, code: str, lapses_at: datetime) -> None:
        """Let the points of the terms `code` live until `lapses_at` at the least."""
        idle = self.account(unit).idle.get(code)
        if idle is None or (idle.at <= self.now and not idle.points):
            # One that ran out with nothing to lapse is put away only by chance: it must make no difference.
            idle = Idle(lapses_at, 0)
        self._put_idle(unit, code, replace(idle, at=max(idle.at, lapses_at)))

    def stir(self, unit: str, at: datetime) -> None:
        """The member was active at `at`: what lapses through inactivity, and has not yet, lives longer."""
        for code in self.account(unit).idle:
            if self._is_running(unit, code, at):
                self.start_clock(unit, code, at)

    def _is_running(self, unit: str, code: str, at: datetime) -> bool:
        """Whether there is a clock that has not run out."""
        idle = self.account(unit).idle.get(code)
        return idle is not None and idle.at > at

    def stop_clock(self, unit: str, code: str) -> None:
        """Put the clock of lapsed points away."""
        account = self.account(unit)
        self.accounts.put(replace(account, idle={c: idle for c, idle in account.idle.items() if c != code}))

    def note_clocks(self) -> None:
        """Let the last entry of each account say what its clocks show, if they moved: entries can be proved."""
        last = {entry.unit: number for number, entry in enumerate(self.entries)}
        for unit, number in last.items():
            before = self.accounts.read(unit)
            was = {code: idle.at for code, idle in before.idle.items()} if before else {}
            clocks = {code: idle.at for code, idle in self.account(unit).idle.items()}
            if clocks != was:
                entry = self.entries[number]
                self.entries[number] = replace(entry, detail={**(entry.detail or {}), "clocks": clocks})

    def expect(self, unit: str, at: datetime | None) -> None:
        """Remember that something falls due at `at`."""
        account = self.account(unit)
        if at is not None and (account.next_change_at is None or at < account.next_change_at):
            self.accounts.put(replace(account, next_change_at=at))

    def look_ahead(self, unit: str) -> None:
        """Set the account's next change to the soonest that is known, once what was due is settled."""
        account = self.account(unit)
        # A clock that has run out is put away even if nothing lapsed: what it stood for may be on hold.
        coming = [self._later.get(unit), *(idle.at for idle in account.idle.values())]
        coming += [hold.expires_at for hold in self.holds if hold.unit == unit and hold.status == "held"]
        for lot in self.lots:
            if lot.unit == unit and lot.remaining:
                coming.append((lot.matures_at or lot.deadline_at) if lot.pending else lot.expires_at)
        soonest = min((at for at in coming if at is not None), default=None)
        if soonest != account.next_change_at:
            self.accounts.put(replace(account, next_change_at=soonest))

    def _foresee(self, lot: Lot, points: int) -> None:
        if not points:
            return
        if lot.pending and lot.matures_at is not None:
            maturing, expiring = self.upcoming.get((lot.unit, lot.matures_at), (0, 0))
            self.upcoming[lot.unit, lot.matures_at] = (maturing + points, expiring)
        if lot.expires_at is not None:
            maturing, expiring = self.upcoming.get((lot.unit, lot.expires_at), (0, 0))
            self.upcoming[lot.unit, lot.expires_at] = (maturing, expiring + points)
        # Where the clock was put away, the points came back from a hold to lapse at once.
        elif lot.expiry and not lot.pending and (idle := self.account(lot.unit).idle.get(lot.expiry)):
            self._put_idle(lot.unit, lot.expiry, replace(idle, points=idle.points + points))

    def _put_idle(self, unit: str, code: str, idle: Idle) -> None:
        account = self.account(unit)
        if account.idle.get(code) != idle:
            self.accounts.put(replace(account, idle={**account.idle, code: idle}))


def _checkpoint(account: Account, seq: int) -> Checkpoint:
    return Checkpoint(
        member_id=account.member_id,
        unit=account.unit,
        seq=seq,
        available=account.available,
        pending=account.pending,
        held=account.held,
        debt=account.debt,
        lifetime_earned=account.lifetime_earned,
        lifetime_spent=account.lifetime_spent,
        latest_at=account.latest_at,
        known_at=account.known_at,
    )
