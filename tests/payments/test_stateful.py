"""A member pays with points in every way there is, and a model says what each payment must come to."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import orjson
import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run
from psycopg.rows import dict_row

from loyalty.core.errors import DomainError
from loyalty.db.session import Session, db
from loyalty.ledger import adjustments, settlement, verification
from loyalty.ledger.adjustments import NewAdjustment
from loyalty.orders import returns
from loyalty.orders.domain import PaidOrder
from loyalty.orders.returning import NewReturn, ReturnedLine
from loyalty.orders.service import record_order
from loyalty.payments import refunding, service
from loyalty.payments.domain import NewPayment
from loyalty.payments.refunding import NewRefund
from tests.builders import NOW, a_line, a_member, a_program

WIDTH = 8
PAYMENTS = """
SELECT p.payment_id, p.status, p.captured_points, p.refunded_points, p.given_back_points, p.captured_amount,
  p.refunded_amount, (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(p.given_back)) AS given_back,
  (SELECT coalesce(-sum(e.points), 0)::bigint FROM entries e WHERE e.member_id = p.member_id AND e.kind = 'redeem'
   AND e.reference = 'payment/' || p.payment_id) AS spent
FROM payments p WHERE p.program_id = %s
"""
chances = st.floats(0, 0.999)


@dataclass
class Paid:
    """A payment as it must be."""

    points: int
    expires_at: datetime
    status: str = "held"
    captured: int = 0
    refunded: int = 0
    given: int = 0
    order: str | None = None


@dataclass
class Ordered:
    """An order of so many units of one line, and how many came back."""

    back: int = 0
    payments: list[str] = field(default_factory=list)


class Checkout(RuleBasedStateMachine):
    """What happens to the payments of a member, in the books and in the model."""

    app: Flask

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(self.app.app_context())
        self.session = Session(self.stack.enter_context(db.engine.connect()))
        self.names = count(1)
        self.payments: dict[str, Paid] = {}
        self.orders: dict[str, Ordered] = {}
        self.now = NOW

    @initialize(step=st.sampled_from([1, 5]), points=st.sampled_from([1, 3]), days=st.sampled_from([2, 30, 400]))
    def begins(self, step: int, points: int, days: int) -> None:
        terms = {"activation": {"mode": "immediate"}, "expiry": {"mode": "rolling", "days": days}}
        pay = {"points": points, "amount": 2, "step": step}
        made = a_program(self.session, settings={"units": {"points": terms}, "pay": pay})
        self.rate, self.step, self.program_id = points, step, made.program_id
        a_member(self.session, made, "c-42")
        self.credit(2_000)
        self.hold(100, 500)

    def teardown(self) -> None:
        self.session.finish(keep=False)
        self.stack.close()

    def name(self) -> str:
        return f"n-{next(self.names)}"

    def tried(self, call: Any) -> dict[str, Any] | None:
        """The answer, or None if it was refused. What is refused leaves no trace."""
        self.session.run("SAVEPOINT before")
        try:
            made = call()
        except DomainError:
            self.session.run("ROLLBACK TO SAVEPOINT before")
            return None
        return made if isinstance(made, dict) else orjson.loads(made.body)

    def one(self, which: float, *, wanted: str = "") -> str:
        names = [name for name, paid in self.payments.items() if wanted in ("", paid.status)] or [*self.payments]
        return names[int(which * len(names))]

    @rule(points=st.integers(1, 300), hours=st.integers(0, 40))
    def points_come_and_time_passes(self, points: int, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.credit(points)
        for paid in self.payments.values():
            if paid.status == "held" and paid.expires_at <= self.now:
                paid.status = "expired"

    def credit(self, points: int) -> None:
        new = NewAdjustment(adjustment_id=self.name(), points=points, reason="goodwill")
        adjustments.adjust(self.session, self.program_id, "c-42", new, now=self.now, by="me")

    @rule()
    def the_job_runs(self) -> None:
        settlement.settle_program(self.session, self.program_id, now=self.now)

    @rule(steps=st.integers(1, 60), hours=st.integers(10, 200))
    def held(self, steps: int, hours: int) -> None:
        self.hold(steps * self.step, hours)

    def hold(self, points: int, hours: int) -> None:
        name = self.name()
        wish = NewPayment(payment_id=name, order_total=10_000, points=points, hold_seconds=3600 * hours)
        if self.tried(lambda: service.hold_payment(self.session, self.program_id, "c-42", wish, now=self.now)):
            self.payments[name] = Paid(points, self.now + timedelta(hours=hours))

    @precondition(lambda self: self.payments)
    @rule(which=chances, points=st.integers(1, 60) | st.none(), order=chances, alone=st.booleans())
    def captured(self, which: float, points: int | None, order: float, alone: bool) -> None:
        name = self.one(which, wanted="held")
        paid = self.payments[name]
        order_id = None if alone or not self.orders else [*self.orders][int(order * len(self.orders))]
        given = {"points": points, "order_id": order_id, "now": self.now}
        answer = self.tried(lambda: service.capture_payment(self.session, self.program_id, name, **given))

        wanted = paid.points if points is None else points
        fits = wanted <= paid.points and wanted % self.step == 0 and (wanted == paid.points or self.whole(wanted))
        assert (answer is not None) == (paid.status == "held" and fits)
        if answer is not None:
            self.is_captured(name, wanted, order_id)

    def whole(self, points: int) -> bool:
        """Whether each step of the points buys something."""
        return (points - self.step) * 2 // self.rate < points * 2 // self.rate

    def is_captured(self, name: str, points: int, order_id: str | None) -> None:
        paid = self.payments[name]
        paid.status, paid.captured, paid.order = "captured", points, order_id
        if order_id is not None:
            self.orders[order_id].payments.append(name)

    @precondition(lambda self: self.payments)
    @rule(which=chances)
    def released(self, which: float) -> None:
        name = self.one(which)
        given = {"now": self.now}
        answer = self.tried(lambda: service.release_payment(self.session, self.program_id, name, **given))

        assert (answer is not None) == (self.payments[name].status == "held")
        if answer is not None:
            self.payments[name].status = "released"

    @precondition(lambda self: self.payments)
    @rule(which=chances, part=st.sampled_from([1, 1, 2]))
    def ordered(self, which: float, part: int) -> None:
        name, order_id = self.one(which, wanted="held"), self.name()
        paid = self.payments[name]
        points = paid.points // part // self.step * self.step
        lines = (a_line(1_000, line_id="1", quantity=WIDTH),)
        new = PaidOrder(
            order_id=order_id, customer_id="c-42", currency="EUR", placed_at=self.now, lines=lines,
            points_paid=points * 2 // self.rate, payment_id=name,
        )  # fmt: skip
        answer = self.tried(lambda: record_order(self.session, self.program_id, new, now=self.now))

        assert (answer is not None) == (paid.status == "held" and new.points_paid > 0)
        if answer is not None:
            self.orders[order_id] = Ordered()
            # Of what the last step buys nothing with, nothing is taken.
            points = next(n for n in range(0, points + 1, self.step) if n * 2 // self.rate == new.points_paid)
            self.is_captured(name, points, order_id)

    @precondition(lambda self: self.orders)
    @rule(which=chances, units=st.integers(1, WIDTH))
    def returned(self, which: float, units: int) -> None:
        order_id = [*self.orders][int(which * len(self.orders))]
        order, return_id = self.orders[order_id], self.name()
        new = NewReturn(return_id=return_id, lines=(ReturnedLine("1", units),), returned_at=self.now)
        given = {"now": self.now}
        answer = self.tried(lambda: returns.return_lines(self.session, self.program_id, order_id, new, **given))

        assert (answer is not None) == (order.back + units <= WIDTH)
        if answer is not None:
            order.back += units
            paid = [self.payments[name] for name in order.payments]
            due = sum(each.captured for each in paid) * order.back // WIDTH - sum(each.given for each in paid)
            assert sum(back["points"] for back in answer["spent"]) == max(due, 0)
            self.look_up()

    @precondition(lambda self: self.payments)
    @rule(which=chances, points=st.integers(1, 50) | st.none())
    def refunded(self, which: float, points: int | None) -> None:
        name = self.one(which, wanted="captured")
        paid, new = self.payments[name], NewRefund(refund_id=self.name(), points=points)
        answer = self.tried(lambda: refunding.refund_payment(self.session, self.program_id, name, new, now=self.now))

        wanted = paid.captured - paid.given if points is None else points
        assert (answer is not None) == (paid.status == "captured" and 0 < wanted <= paid.captured - paid.given)
        if answer is not None:
            paid.refunded += wanted
            paid.given += wanted
            assert answer["points"] == wanted == sum(lot["points"] for lot in answer["lots"])

    def look_up(self) -> None:
        """A return is shared among the payments of an order by their lots: the books say how."""
        for row in self.session.rows(PAYMENTS, (self.program_id,), into=dict_row):
            self.payments[row["payment_id"]].given = row["given_back_points"]

    @invariant()
    def payments_are_what_they_must_be(self) -> None:
        for row in self.session.rows(PAYMENTS, (self.program_id,), into=dict_row) if self.payments else ():
            paid = self.payments[row["payment_id"]]
            assert row["status"] == ("held" if paid.status == "expired" else paid.status)
            assert row["captured_points"] == row["spent"] == paid.captured
            assert row["refunded_points"] == paid.refunded
            assert row["given_back_points"] == row["given_back"] == paid.given <= paid.captured
            assert row["captured_amount"] == paid.captured * 2 // self.rate

    @precondition(lambda self: self.payments)
    @rule()
    def the_books_are_proved(self) -> None:
        settlement.settle_program(self.session, self.program_id, now=self.now)
        assert verification.verify(self.session, program_id=self.program_id).findings == []


@pytest.fixture
def _machine(committed_db: Flask) -> None:
    Checkout.app = committed_db


@pytest.mark.usefixtures("_machine")
def test_payments_are_what_the_model_says():
    run(
        Checkout,
        settings=settings(
            max_examples=25, stateful_step_count=40, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
