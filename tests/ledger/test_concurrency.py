"""Sixteen threads do everything to twenty members at once, as fast as they can: real connections, real commits.

The clock runs twenty thousand times as fast, so that points mature and lapse and holds time out meanwhile.
"""

import random
import time
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from flask import Flask
from psycopg.rows import tuple_row

from loyalty.core.answers import Answer
from loyalty.db.session import Session, reading, transaction
from loyalty.ledger import adjustments, holds, transfers
from loyalty.ledger.adjustments import NewAdjustment
from loyalty.ledger.errors import HoldResolved, InsufficientPoints
from loyalty.ledger.holds import NewHold
from loyalty.ledger.settlement import settle_batch
from loyalty.ledger.transfers import NewTransfer
from loyalty.orders import returns
from loyalty.orders.errors import OverReturn
from loyalty.orders.returning import NewReturn, ReturnedLine
from loyalty.orders.service import record_order
from loyalty.programs.domain import Program
from loyalty.rewards.domain import NewRedemption
from loyalty.rewards.service import redeem_reward
from tests.builders import NOW, a_line, a_member, a_program, a_reward, an_order
from tests.ledger.books import earn, publish_rules
from tests.proof import assert_books_balance

SECONDS = 20
THREADS = 16
MEMBERS = [f"c-{number}" for number in range(20)]
HASTE = 20_000

RULES: dict[str, dict[str, Any]] = {
    "lasting": {"expiry": {"mode": "never"}},
    "fleeting": {"expiry": {"mode": "rolling", "days": 1}},
    "later": {"activation": {"mode": "delay", "days": 1}, "expiry": {"mode": "rolling", "days": 1}},
    "idle": {"expiry": {"mode": "inactivity", "days": 1}},
}
REFUSALS = (InsufficientPoints, HoldResolved, OverReturn)

# What the books say of each member, and what of it nobody was told, for it happened by itself.
BOOKS = """
SELECT m.customer_id, a.available + a.pending + a.held - a.debt, a.lifetime_earned, a.lifetime_spent,
  (SELECT coalesce(-sum(points), 0)::bigint FROM entries e WHERE e.member_id = m.member_id AND e.kind = 'expire')
FROM members m JOIN accounts a ON a.member_id = m.member_id WHERE m.program_id = %s
"""


@dataclass
class Shop:
    """What the threads share: the orders and holds that any of them may go on with."""

    app: Flask
    program: Program
    began: float = field(default_factory=time.monotonic)
    orders: deque[tuple[str, str]] = field(default_factory=deque)
    holds: deque[tuple[str, str]] = field(default_factory=deque)

    @property
    def program_id(self) -> Any:
        return self.program.program_id

    @property
    def is_open(self) -> bool:
        return time.monotonic() < self.began + SECONDS

    def now(self) -> datetime:
        return NOW + timedelta(seconds=HASTE * (time.monotonic() - self.began))


class Till:
    """A thread's work, and what it was told, by member: what these have, earned and spent."""

    def __init__(self, shop: Shop, number: int) -> None:
        self.shop, self.number, self.chance = shop, number, random.Random(number)
        self.has: Counter[str] = Counter()
        self.earned: Counter[str] = Counter()
        self.spent: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.turn = 0

    def work(self) -> "Till":
        doings = (self.order, self.order, self.order, self.redeem, self.hold, self.hold, self.resolve, self.resolve,
                  self.transfer, self.transfer, self.adjust, self.give_back, self.give_back, self.settle)  # fmt: skip
        with self.shop.app.app_context():
            while self.shop.is_open:
                self.turn += 1
                doing = self.chance.choice(doings)
                try:
                    doing(f"{self.number}-{self.turn}", self.chance.choice(MEMBERS))
                    self.done[doing.__name__] += 1
                except REFUSALS as refused:
                    self.done[type(refused).__name__] += 1
        return self

    def tell(self, service: Any, *given: Any) -> Any:
        """Ask for something, now and then twice; answers what was told."""
        answers = []
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            with transaction() as session:
                answers.append(service(session, self.shop.program_id, *given, now=self.shop.now()))
        first, again = answers[0], answers[-1]
        assert isinstance(first, Answer)
        assert again.body == first.body
        assert again.replayed == (len(answers) == 2)
        return orjson.loads(first.body)

    def order(self, name: str, member: str) -> None:
        placed_at = self.shop.now() - self.chance.choice((0, 0, 0, 1, 2)) * timedelta(days=1)
        line = a_line(100, line_id="1", quantity=self.chance.randint(1, 90), category=self.chance.choice([*RULES]))
        wanted = an_order(line, order_id=name, customer_id=member, placed_at=placed_at)
        awarded = self.tell(record_order, wanted)["points"]["awarded"]
        self.has[member] += awarded
        self.earned[member] += awarded
        self.shop.orders.append((name, member))

    def redeem(self, name: str, member: str) -> None:
        spent = self.tell(redeem_reward, member, NewRedemption(reward="cheap", redemption_id=name))["points"]
        self.has[member] -= spent
        self.spent[member] += spent

    def hold(self, name: str, member: str) -> None:
        seconds = self.chance.choice((600, 3600, 86_400))
        new = NewHold(hold_id=name, points=self.chance.randint(1, 80), hold_seconds=seconds)
        assert self.tell(holds.place_hold, member, new)["status"] == "held"
        self.shop.holds.append((name, member))

    def resolve(self, name: str, member: str) -> None:
        """Capture or release any hold. It stays on the list for a while, so that others try, too."""
        with suppress(IndexError):
            hold_id, member = self.chance.choice(self.shop.holds)
            if self.chance.random() < 0.3:
                self.shop.holds.popleft()
            order_id = next((order for order, of in list(self.shop.orders)[-50:] if of == member), None)
            with transaction() as session:
                if self.chance.random() < 0.3:
                    holds.release_hold(session, self.shop.program_id, hold_id, now=self.shop.now())
                    return
                given = {"points": self.chance.choice((None, 1)), "order_id": order_id, "now": self.shop.now()}
                told = holds.capture_hold(session, self.shop.program_id, hold_id, **given)
            self.has[member] -= told["captured"]
            self.spent[member] += told["captured"]

    def transfer(self, name: str, member: str) -> None:
        other = self.chance.choice([each for each in MEMBERS if each != member])
        new = NewTransfer(transfer_id=name, to=other, points=self.chance.randint(1, 60))
        moved = self.tell(transfers.transfer, member, new)["points"]
        self.has[member] -= moved
        self.has[other] += moved

    def adjust(self, name: str, member: str) -> None:
        change = self.chance.choice((-40, -5, 5, 40))
        new = NewAdjustment(adjustment_id=name, points=change, reason="a test", actor="a test")
        self.has[member] += self.tell(adjustments.adjust, member, new)["points"]

    def give_back(self, name: str, member: str) -> None:
        with suppress(IndexError):
            order_id, member = self.chance.choice(self.shop.orders)
            units = self.chance.randint(1, 30)
            told = self.tell(
                returns.return_lines, order_id, NewReturn(return_id=name, lines=(ReturnedLine("1", units),))
            )
            taken = told["points"]["reversed"] + told["points"]["debt"]
            returned = told["points"]["returned_to_member"]
            self.has[member] += returned - taken
            self.earned[member] -= taken
            self.spent[member] -= returned

    def settle(self, name: str, member: str) -> None:
        with transaction() as session:
            settle_batch(session, now=self.shop.now(), limit=10)


@pytest.fixture
def shop(committed_db: Flask) -> Shop:
    with transaction() as session:
        program = a_program(session, settings={"returns": {"policy": "debt"}})
        publish_rules(session, program, RULES)
        a_reward(session, program, "cheap", points=30)
        for customer_id in MEMBERS:
            a_member(session, program, customer_id)
    return Shop(committed_db, program)


def settle_all(session: Session, now: datetime) -> None:
    while settle_batch(session, now=now):
        pass


def in_all(tills: list[Till], name: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for till in tills:
        total.update(getattr(till, name))
    return total


def test_what_sixteen_threads_were_told_is_what_the_books_say(shop: Shop):
    with ThreadPoolExecutor(THREADS) as pool:
        tills = list(pool.map(lambda number: Till(shop, number).work(), range(THREADS)))

    with transaction() as session:
        settle_all(session, shop.now())
        assert_books_balance(session, shop.program_id)
    with reading() as session:
        books = {customer: said for customer, *said in session.rows(BOOKS, (shop.program_id,), into=tuple_row)}
    has, earned, spent, done = (in_all(tills, name) for name in ("has", "earned", "spent", "done"))
    assert {member: [worth + lapsed, got, used] for member, (worth, got, used, lapsed) in books.items()} == {
        member: [has[member], earned[member], spent[member]] for member in MEMBERS
    }
    # It was a real crowd: everything happened, and often.
    assert set(done) >= {"order", "redeem", "hold", "resolve", "transfer", "adjust", "give_back", "settle"}
    assert min(done.values()) > THREADS / 2, done


def test_giver_and_taker_see_one_time_even_if_the_books_of_only_one_of_them_are_ahead(session: Session):
    program = a_program(session)
    giver, taker = a_member(session, program), a_member(session, program)
    earn(session, program, giver, 100, expires_at=NOW + timedelta(days=1))
    earn(session, program, taker, 5, now=NOW + timedelta(days=2))
    new = NewTransfer(transfer_id="t-1", to=taker.customer_id, points=100)

    with pytest.raises(InsufficientPoints):
        transfers.transfer(session, program.program_id, giver.customer_id, new, now=NOW)
