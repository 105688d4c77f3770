"""Three members of one program do everything that can be done with points, and a model says what must come of it.

The suite runs the same stories each time. To run others, or longer: `STORIES=2000 STORY_SEED=random pytest …`.
"""

import math
import os
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run
from psycopg.rows import scalar_row

from loyalty.core.errors import DomainError
from loyalty.db.session import Session, db
from loyalty.db.writer import write
from loyalty.ledger import adjustments, balances, holds, service, transfers, verification
from loyalty.ledger.adjustments import NewAdjustment, NewReinstatement
from loyalty.ledger.balances import Balance, Moment
from loyalty.ledger.errors import HoldResolved, HoldsOpen, InsufficientPoints, NothingToReinstate, ReinstatementTooLate
from loyalty.ledger.holds import NewHold
from loyalty.ledger.spending import redeem
from loyalty.ledger.transfers import NewTransfer
from loyalty.members import locks
from loyalty.membership.service import merge_members
from loyalty.orders import returns
from loyalty.orders.returning import NewReturn, ReturnedLine
from loyalty.orders.service import record_order
from loyalty.programs import queries as programs
from tests.builders import a_line, a_member, a_program, an_order
from tests.ledger.books import publish_rules
from tests.ledger.model import BUCKETS, Holding
from tests.ledger.promises import BY_HAND, PROMISES, RETURNS, STARTS, TERMS_BY_HAND, ZONES
from tests.ledger.terms import FOR_EVER, Lot, Order, day_begins, day_of

STORIES = int(os.environ.get("STORIES", "25"))
STEPS = int(os.environ.get("STORY_STEPS", "50"))
SEED = os.environ.get("STORY_SEED")
PHASES = [Phase.generate, Phase.shrink] if os.environ.get("STORY_SHRINK", "1") == "1" else [Phase.generate]

MEMBERS = range(3)
ORDERS_BEFORE_A_MERGE = 10
A_SECOND, A_DAY = timedelta(seconds=1), timedelta(days=1)

members = st.sampled_from(MEMBERS)
others = st.sampled_from(MEMBERS[1:])
points = st.integers(1, 100)
shares = st.floats(0.01, 1)
# From now on, or into the past.
spans = st.one_of(
    st.integers(1, 90_000).map(lambda n: n * A_SECOND),
    st.integers(1, 45).map(lambda n: n * A_DAY),
    st.sampled_from((60, 100, 200)).map(lambda n: n * A_DAY),
)
lately = st.just(timedelta()) | spans


class Story(RuleBasedStateMachine):
    """What happens to three members, in the books and in the model."""

    app: Flask

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(self.app.app_context())
        self.session = Session(self.stack.enter_context(db.engine.connect()))
        self.names = count(1)
        self.began = False
        self.merged: dict[int, int] = {}
        self.orders_made: list[tuple[str, Order]] = []
        self.holds: dict[str, int] = {}
        self.remembered: dict[tuple[int, datetime], Balance] = {}

    @initialize(
        zone=st.sampled_from(ZONES), now=st.sampled_from(STARTS), returns=st.sampled_from(RETURNS),
        by_hand=st.sampled_from([*BY_HAND]), codes=st.lists(st.sampled_from([*PROMISES]), min_size=2, max_size=4),
    )  # fmt: skip
    def begins(self, zone: str, now: datetime, returns: dict[str, Any], by_hand: str, codes: list[str]) -> None:
        # Few promises meet more often than many.
        self.codes = codes
        self.now, self.zone, self.returns, self.by_hand = now, zone, returns, BY_HAND[by_hand]
        terms = {"activation": {}, "expiry": TERMS_BY_HAND[by_hand]}
        made = a_program(self.session, time_zone=zone, settings={"returns": returns, "units": {"points": terms}})
        self.program_id = made.program_id
        publish_rules(self.session, made, {code: terms for code, (_, terms) in PROMISES.items()}, now=now)
        self.program = programs.current(self.session, self.program_id)
        self.ids = [a_member(self.session, made, f"c-{number}").member_id for number in MEMBERS]
        self.held = [Holding(zone) for _ in MEMBERS]
        self.began = True

    def teardown(self) -> None:
        self.session.finish(keep=False)
        self.stack.close()

    # Time

    @rule(span=spans)
    def time_passes(self, span: timedelta) -> None:
        self.go_to(self.now + span)

    @rule(which=shares, off=st.sampled_from((-1, 0, 0, 0, 1)))
    def the_next_thing_happens(self, which: float, off: int) -> None:
        coming = sorted({event[0] for held in self.held for event in held.next_events() if event[0] > self.now})
        if coming:
            at = coming[int(which * (len(coming) - 1))] + off * timedelta(microseconds=1)
            self.go_to(max(at, self.now))

    def go_to(self, then: datetime) -> None:
        foretold = [self.balance(member, as_of=then) for member in MEMBERS]
        self.now = then
        assert foretold == [self.balance(member) for member in MEMBERS], "it came otherwise than was foretold"

    @rule(member=members)
    def the_job_runs(self, member: int) -> None:
        locked = locks.lock_by_id(self.session, self.ids[self.owner(member)])
        book = service.open_book(self.session, self.program, locked, now=self.now)
        write(self.session, service.changes_of(book, self.program_id, now=self.now))
        self.settled(member)

    # What members do

    @rule(member=members, earned=points, code=shares)
    def orders(self, member: int, earned: int, code: float) -> None:
        self.order(member, earned, code, self.now)

    @rule(member=members, earned=points, code=shares, late=spans)
    def ordered_and_nobody_was_told(self, member: int, earned: int, code: float, late: timedelta) -> None:
        self.order(member, earned, code, self.now - late)

    def order(self, member: int, earned: int, which: float, placed_at: datetime) -> None:
        code = self.one_of(self.codes, which)
        if member in self.merged:
            return
        name = self.name()
        line = a_line(100, quantity=earned, category=code, line_id="1")
        order = an_order(line, order_id=name, customer_id=f"c-{member}", placed_at=placed_at)
        record_order(self.session, self.program_id, order, now=self.now)

        lot = self.held[member].earn(earned, PROMISES[code][0], placed_at, self.now)
        self.orders_made.append((name, Order(member, lot, earned, placed_at)))

    @rule(member=members, share=shares)
    def spends(self, member: int, share: float) -> None:
        if member in self.merged:
            return
        locked = locks.lock_member(self.session, self.program_id, f"c-{member}")
        wanted = self.some(member, share)
        book = service.open_book_to_spend(self.session, self.program, locked, "points", wanted, now=self.now)
        with self.refused_unless(self.can_spend(member, wanted), InsufficientPoints) as allowed:
            redeem(book, "points", wanted, reference=None, reason=None)
        if allowed:
            write(self.session, service.changes_of(book, self.program_id, now=self.now))
            self.settled(member).spend(wanted, self.now)

    @rule(member=members, share=shares, lasts=st.sampled_from((1, 600, 86_400, 31 * 86_400)))
    def keeps_for_a_payment(self, member: int, share: float, lasts: int) -> None:
        if member in self.merged:
            return
        wanted, name = self.some(member, share), self.name()
        new = NewHold(hold_id=name, points=wanted, hold_seconds=lasts)
        with self.refused_unless(self.can_spend(member, wanted), InsufficientPoints) as allowed:
            holds.place_hold(self.session, self.program_id, f"c-{member}", new, now=self.now)
        if allowed:
            self.settled(member).hold(name, wanted, self.now, self.now + lasts * A_SECOND)
            self.holds[name] = member

    @precondition(lambda self: self.holds)
    @rule(which=shares, share=shares, order=st.none() | shares)
    def captures(self, which: float, share: float, order: float | None) -> None:
        name = self.one_of([*self.holds], which)
        holding = self.held[self.holds[name]]
        hold = holding.at(self.now).holds[name]
        wanted = max(1, int(share * sum(part for _, part in hold.pieces)))
        mine = [(order_id, made) for order_id, made in self.orders_made if self.is_theirs(made, self.holds[name])]
        order_id, made = self.one_of(mine, order) if mine and order is not None else (None, None)
        with self.refused_unless(hold.open, HoldResolved) as allowed:
            holds.capture_hold(self.session, self.program_id, name, points=wanted, order_id=order_id, now=self.now)
        if allowed:
            holding.settle(self.now)
            spent = holding.capture(name, wanted, self.now)
            if made is not None:
                made.spent += spent

    @precondition(lambda self: self.holds)
    @rule(which=shares)
    def releases(self, which: float) -> None:
        name = self.one_of([*self.holds], which)
        holding = self.held[self.holds[name]]
        with self.refused_unless(holding.at(self.now).holds[name].open, HoldResolved) as allowed:
            holds.release_hold(self.session, self.program_id, name, now=self.now)
        if allowed:
            holding.settle(self.now)
            holding.end(holding.holds[name], self.now)

    @precondition(lambda self: self.orders_made)
    @rule(which=shares, ago=lately)
    def order_is_confirmed(self, which: float, ago: timedelta) -> None:
        order_id, order = self.one_of(self.orders_made, which)
        at = max(order.placed_at, self.now - ago)
        if not order.confirmed and order.returned < order.units:
            returns.confirm_order(self.session, self.program_id, order_id, confirmed_at=at, now=self.now)
            self.held[self.owner(order.owner)].confirm(order, at, self.now)
            order.confirmed = True

    @precondition(lambda self: self.orders_made)
    @rule(which=shares, share=shares)
    def units_come_back(self, which: float, share: float) -> None:
        order_id, order = self.one_of(self.orders_made, which)
        if units := math.ceil(share * (order.units - order.returned)):
            new = NewReturn(return_id=self.name(), lines=(ReturnedLine("1", units),))
            returns.return_lines(self.session, self.program_id, order_id, new, now=self.now)
            grace = self.returns["grace_days"]
            most = 0 if self.returns["policy"] == "clamp" else self.returns.get("max_debt", 10**9)
            holding = self.settled(order.owner)
            order.returned += units
            holding.give_back(order, self.now, self.in_days(grace) if grace else None)
            holding.take_back(order, units, self.now, most_owed=most)
            holding.settle(self.now)

    # What is done by hand

    @rule(member=members, up=points)
    def are_given_points(self, member: int, up: int) -> None:
        if member not in self.merged:
            self.adjust(member, up)
            self.settled(member).adjust(up, self.by_hand, self.now)

    @rule(member=members, share=shares)
    def are_taken_points(self, member: int, share: float) -> None:
        if member not in self.merged:
            wanted = self.some(member, share)
            with self.refused_unless(self.can_spend(member, wanted), InsufficientPoints) as allowed:
                self.adjust(member, -wanted)
            if allowed:
                self.settled(member).adjust(-wanted, self.by_hand, self.now)

    def adjust(self, member: int, change: int) -> None:
        new = NewAdjustment(adjustment_id=self.name(), points=change, reason="a test", actor="a test")
        adjustments.adjust(self.session, self.program_id, f"c-{member}", new, now=self.now)

    @rule(member=members, others=others, share=shares)
    def transfers(self, member: int, others: int, share: float) -> None:
        other = (member + others) % len(MEMBERS)
        if {member, other} & self.merged.keys():
            return
        wanted = self.some(member, share)
        new = NewTransfer(transfer_id=self.name(), to=f"c-{other}", points=wanted)
        with self.refused_unless(self.can_spend(member, wanted), InsufficientPoints) as allowed:
            transfers.transfer(self.session, self.program_id, f"c-{member}", new, now=self.now)
        if allowed:
            self.settled(member).transfer(self.settled(other), wanted, self.now)

    @rule(member=members, which=shares, share=shares)
    def get_back_what_lapsed(self, member: int, which: float, share: float) -> None:
        lapsed = [lot for lot in self.held[member].at(self.now).lots if lot.lapsed]
        if not lapsed or member in self.merged:
            return
        lot = self.one_of(lapsed, which)
        wanted = math.ceil(share * lot.lapsed)
        new = NewReinstatement(
            reinstatement_id=self.name(), lot=self.seq_of(member, lot), points=wanted, reason="a test", actor="a test"
        )
        in_time = self.now < day_begins(day_of(lot.lapsed_at, self.zone) + 91 * A_DAY, self.zone)
        enough = wanted <= lot.lapsed - lot.brought_back
        with self.refused_unless(in_time and enough, ReinstatementTooLate, NothingToReinstate) as allowed:
            adjustments.reinstate(self.session, self.program_id, f"c-{member}", new, now=self.now)
        if allowed:
            holding = self.settled(member)
            holding.reinstate(holding.lots[lot.number - 1], wanted, self.now, self.in_days(30))

    @precondition(lambda self: len(self.orders_made) > ORDERS_BEFORE_A_MERGE and not self.merged)
    @rule(member=members, others=others)
    def turn_out_to_be_one(self, member: int, others: int) -> None:
        other = (member + others) % len(MEMBERS)
        with self.refused_unless(not self.held[member].at(self.now).held, HoldsOpen) as allowed:
            merge_members(self.session, self.program_id, f"c-{member}", f"c-{other}", now=self.now)
        if allowed:
            self.settled(member).merge_into(self.settled(other), self.now)
            self.merged[member] = other

    # What can be seen

    @invariant()
    def books_and_members_say_what_the_model_says(self) -> None:
        if not self.began:
            return
        result = verification.verify(self.session, program_id=self.program_id)
        assert result.ok, result.findings
        for member in MEMBERS:
            seen, expected = self.balance(member), self.held[member].at(self.now)
            assert sums_of(seen) == expected.sums(self.now), f"c-{member}"
            assert sums_of(seen).items() >= expected.buckets.items(), "the model contradicts itself"
            assert listed(seen.maturing) == expected.maturing(self.now), f"c-{member}"
            assert listed(seen.expiring) == expected.expiring(self.now), f"c-{member}"
            self.remembered[member, self.now] = seen

    @rule(member=members, span=spans)
    def look_ahead(self, member: int, span: timedelta) -> None:
        then = self.now + span
        seen, expected = self.balance(member, as_of=then), self.held[member].at(then)
        assert sums_of(seen) == expected.sums(then)
        assert listed(seen.maturing) == expected.maturing(then)
        assert listed(seen.expiring) == expected.expiring(then)

    @rule(member=members, ago=spans, lag=lately, is_lagging=st.booleans())
    def look_back(self, member: int, ago: timedelta, lag: timedelta, is_lagging: bool) -> None:
        as_of = self.now - ago
        known_at = min(self.now, as_of + lag) if is_lagging else None
        seen = self.balance(member, as_of=as_of, known_at=known_at)
        expected = self.held[member].at(as_of)
        assert sums_of(seen) == expected.sums(as_of, known_at or FOR_EVER)

    @precondition(lambda self: self.remembered)
    @rule(which=shares)
    def remember(self, which: float) -> None:
        (member, then), seen = self.one_of([*self.remembered.items()], which)
        again = self.balance(member, as_of=then, known_at=then)
        assert sums_of(again) == sums_of(seen), f"c-{member} at {then}"
        if not self.held[member].has_open_dates:
            assert again == seen, f"c-{member} at {then}"

    def balance(self, member: int, **when: Any) -> Balance:
        moment = Moment(now=self.now, **when)
        return balances.balance(self.session, self.program_id, f"c-{member}", "points", moment)

    # Choosing

    def name(self) -> str:
        return f"x-{next(self.names)}"

    def one_of(self, values: list[Any], which: float) -> Any:
        return values[round(which * (len(values) - 1))]

    def owner(self, member: int) -> int:
        return self.merged.get(member, member)

    def settled(self, member: int) -> Holding:
        """The member's holding, or that of whom they were merged into, ready for something to happen."""
        holding = self.held[self.owner(member)]
        holding.settle(self.now)
        return holding

    def is_theirs(self, order: Order, member: int) -> bool:
        return self.owner(order.owner) == self.owner(member)

    def some(self, member: int, share: float) -> int:
        """A part of what a member can spend, and now and then a little more."""
        return math.ceil(share * 1.1 * self.held[member].at(self.now).available) or 1

    def can_spend(self, member: int, wanted: int) -> bool:
        return self.held[member].at(self.now).available >= wanted

    def in_days(self, days: int) -> datetime:
        return day_begins(day_of(self.now, self.zone) + (days + 1) * A_DAY, self.zone)

    def seq_of(self, member: int, lot: Lot) -> int:
        """The name that the books have for a lot: both open the same lots in the same order."""
        sql = "SELECT seq FROM lots WHERE member_id = %s ORDER BY seq"
        return self.session.rows(sql, (self.ids[member],), into=scalar_row)[lot.number - 1]

    @contextmanager
    def refused_unless(self, allowed: bool, *refusals: type[DomainError]) -> Iterator[bool]:
        """What follows is refused unless it is allowed. A refusal leaves nothing behind."""
        if allowed:
            yield True
            return
        self.session.run("SAVEPOINT before")
        with pytest.raises(refusals):
            yield False
        self.session.run("ROLLBACK TO before")


def sums_of(seen: Balance) -> dict[str, int]:
    return {name: getattr(seen, name) for name in BUCKETS}


def listed(coming: list[dict[str, Any]]) -> dict[datetime, int]:
    return {each["at"]: each["points"] for each in coming}


def test_whatever_members_do_in_whatever_order_the_books_say_what_the_specification_says(app: Flask):
    Story.app = app
    profile = settings(
        max_examples=STORIES, stateful_step_count=STEPS, deadline=None, derandomize=SEED is None, database=None,
        phases=PHASES,
        suppress_health_check=list(HealthCheck), print_blob=False,
    )  # fmt: skip
    if SEED is not None:
        Story._hypothesis_internal_use_seed = random.randrange(2**32) if SEED == "random" else int(SEED)
    run(Story, settings=profile)
