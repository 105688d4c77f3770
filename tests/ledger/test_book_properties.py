"""Whatever happens to a member in whatever order, the account, the lots and the entries tell the same story."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from loyalty.ledger.book import Book
from loyalty.ledger.crediting import earn
from loyalty.ledger.domain import Account, Allocation, Entry, Holdings, Lot, consumption_key
from loyalty.ledger.errors import InsufficientPoints
from loyalty.ledger.settling import settle
from tests.builders import NOW, a_credit, new_id
from tests.ledger.paper import spend

A_DAY = timedelta(days=1)
points = st.integers(1, 200)


@dataclass
class Portion:
    """The model of a lot: so many points, to be had from one instant and until another."""

    points: int
    earned_at: datetime
    usable_from: datetime
    usable_until: datetime | None

    def is_usable(self, now: datetime) -> bool:
        return self.usable_from <= now and not self.is_gone(now)

    def is_gone(self, now: datetime) -> bool:
        return self.usable_until is not None and self.usable_until <= now


class Holding(RuleBasedStateMachine):
    """One member: earns, spends and lets time pass. Each step opens a book as the service does: with what it needs."""

    def __init__(self) -> None:
        super().__init__()
        self.member_id = new_id()
        self.now = NOW
        self.portions: list[Portion] = []
        # What the tables hold.
        self.account: Account | None = None
        self.lots: dict[int, Lot] = {}
        self.entries: list[Entry] = []
        self.allocations: list[Allocation] = []

    # What happens

    @rule(days=st.integers(1, 40))
    def time_passes(self, days: int) -> None:
        self.now += days * A_DAY

    @rule(earned=points, late=st.integers(0, 60), waits=st.integers(0, 20), lasts=st.none() | st.integers(1, 60))
    def earns(self, earned: int, late: int, waits: int, lasts: int | None) -> None:
        earned_at = self.now - late * A_DAY
        usable_from = earned_at + waits * A_DAY
        until = None if lasts is None else usable_from + lasts * A_DAY
        self.portions.append(Portion(earned, earned_at, usable_from, until))

        book = self.open_book()
        matures_at = usable_from if waits else None
        earn(book, a_credit(earned, earned_at=earned_at, matures_at=matures_at, expires_at=until))
        settle(book, self.now)
        self.write(book)

    @precondition(lambda self: self.available)
    @rule(share=st.floats(0.01, 1))
    def spends(self, share: float) -> None:
        wanted = max(1, int(self.available * share))
        left = wanted
        for portion in sorted((p for p in self.portions if p.is_usable(self.now)), key=soonest_gone):
            taken = min(left, portion.points)
            portion.points -= taken
            left -= taken

        self.write(self.redeem(wanted))

    @rule(more=points)
    def wants_more_than_there_is(self, more: int) -> None:
        with pytest.raises(InsufficientPoints) as refused:
            self.redeem(self.available + more)

        assert refused.value.facts["available"] == self.available
        assert refused.value.facts["missing"] == more

    @rule()
    def is_touched(self) -> None:
        self.write(self.open_book())

    # What the tables hold, read and written as the service does

    def open_book(self) -> Book:
        read = Holdings(member_id=self.member_id, accounts=(self.account,) if self.account else ())
        if self.account and self.account.is_due(self.now):
            later = {"points": min(self.coming(self.open_lots), default=None)}
            read = replace(read, lots=tuple(lot for lot in self.open_lots if self.is_due(lot)), later=later)
        book = Book(read, zone="UTC", now=self.now)
        settle(book, self.now)
        return book

    def is_due(self, lot: Lot) -> bool:
        return self.has_come(lot.expires_at) or (lot.pending and self.has_come(lot.matures_at))

    def has_come(self, at: datetime | None) -> bool:
        return at is not None and at <= self.now

    def redeem(self, wanted: int) -> Book:
        book = self.open_book()
        usable = [
            lot
            for lot in self.open_lots
            if (not lot.pending or self.has_come(lot.matures_at)) and not self.has_come(lot.expires_at)
        ]
        enough: list[Lot] = []
        for lot in sorted(usable, key=lambda lot: consumption_key(lot, lot.expires_at)):
            if sum(held.remaining for held in enough) < wanted:
                enough.append(lot)
        book.lots.take_in(enough)
        spend(book, wanted)
        return book

    def write(self, book: Book) -> None:
        for lot, is_new in book.lots.changed():
            assert is_new == (lot.seq not in self.lots)
            self.lots[lot.seq] = lot
        for account, is_new in book.accounts.changed():
            assert is_new == (self.account is None)
            self.account = account
        self.entries += book.entries
        self.allocations += book.allocations

    @property
    def open_lots(self) -> list[Lot]:
        return [lot for lot in self.lots.values() if lot.remaining]

    def coming(self, lots: list[Lot]) -> list[datetime]:
        instants = [at for lot in lots for at in (lot.matures_at if lot.pending else None, lot.expires_at)]
        return [at for at in instants if at is not None and at > self.now]

    # The model's answers

    @property
    def available(self) -> int:
        return sum(portion.points for portion in self.portions if portion.is_usable(self.now))

    @property
    def pending(self) -> int:
        return sum(portion.points for portion in self.portions if portion.usable_from > self.now)

    # The audit after every step

    @invariant()
    def a_reader_sees_what_the_model_holds(self) -> None:
        account = self.open_book().account("points")

        assert (account.available, account.pending) == (self.available, self.pending)

    @invariant()
    def the_account_is_the_sum_of_its_lots_and_of_its_entries(self) -> None:
        account = self.account or Account(member_id=self.member_id, unit="points")
        held = (
            sum(lot.remaining for lot in self.lots.values() if not lot.pending),
            sum(lot.remaining for lot in self.lots.values() if lot.pending),
        )

        assert (account.available, account.pending) == held
        assert held == (sum(e.available for e in self.entries), sum(e.pending for e in self.entries))
        assert account.lifetime_earned == sum(e.points for e in self.entries if e.kind == "earn")
        assert account.lifetime_spent == -sum(e.points for e in self.entries if e.kind == "redeem")

    @invariant()
    def every_lot_is_what_was_earned_less_what_was_taken(self) -> None:
        taken: Counter[int] = Counter()
        for allocation in self.allocations:
            taken[allocation.lot_seq] += allocation.points

        for lot in self.lots.values():
            assert 0 <= lot.remaining == lot.points - taken[lot.seq]

    @invariant()
    def every_debit_says_where_its_points_came_from(self) -> None:
        taken: Counter[int] = Counter()
        for allocation in self.allocations:
            assert allocation.points > 0
            taken[allocation.seq] += allocation.points

        assert +taken == {e.seq: -e.points for e in self.entries if e.kind in ("redeem", "expire")}

    @invariant()
    def the_history_has_no_gap_and_every_entry_follows_from_the_one_before(self) -> None:
        assert [entry.seq for entry in self.entries] == list(range(1, len(self.entries) + 1))
        running = 0
        for entry in self.entries:
            running += entry.available
            assert entry.available_after == running >= 0

    @invariant()
    def nothing_is_recorded_before_it_happened(self) -> None:
        for entry in self.entries:
            assert entry.occurred_at <= self.now

    @invariant()
    def the_next_change_is_never_later_than_what_comes_next(self) -> None:
        soonest = min((at for lot in self.open_lots if (at := next_change(lot)) is not None), default=None)

        expected = self.account.next_change_at if self.account else None
        assert soonest is None or (expected is not None and expected <= soonest)


def soonest_gone(portion: Portion) -> tuple[bool, datetime, datetime]:
    return portion.usable_until is None, portion.usable_until or NOW, portion.earned_at


def next_change(lot: Lot) -> datetime | None:
    return lot.matures_at if lot.pending else lot.expires_at


TestHolding = Holding.TestCase
TestHolding.settings = settings(deadline=None, max_examples=150, stateful_step_count=30)
