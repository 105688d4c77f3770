"""Recording orders in one batch gives the answers, and leaves the books, of recording them one by one: exactly."""

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from loyalty.core.answers import Answer
from loyalty.core.errors import DomainError
from loyalty.db.session import Session
from loyalty.members.service import set_status
from loyalty.orders.domain import NewOrder
from loyalty.orders.service import record_order, record_orders
from loyalty.programs.domain import Program
from tests.builders import NOW, a_line, a_member, a_program, an_order
from tests.statements import statements

A_DAY = timedelta(days=1)

BOOKS = (
    """SELECT m.customer_id, e.seq, e.unit, e.kind, e.points, e.available, e.pending, e.available_after, e.occurred_at,
              e.recorded_at, e.order_id, e.rule_code, e.rule_version, e.reference, e.reason, e.detail
       FROM entries e JOIN members m USING (member_id) WHERE m.program_id = %s ORDER BY 1, 2""",
    """SELECT m.customer_id, l.seq, l.unit, l.points, l.remaining, l.pending, l.earned_at, l.matures_at, l.expires_at
       FROM lots l JOIN members m USING (member_id) WHERE m.program_id = %s ORDER BY 1, 2""",
    """SELECT m.customer_id, a.unit, a.available, a.pending, a.lifetime_earned, a.last_seq, a.next_change_at
       FROM accounts a JOIN members m USING (member_id) WHERE m.program_id = %s ORDER BY 1, 2""",
    """SELECT m.customer_id, x.seq, x.lot_seq, x.points
       FROM allocations x JOIN members m USING (member_id) WHERE m.program_id = %s ORDER BY 1, 2, 3""",
    """SELECT order_id, customer_id, status, placed_at, recorded_at, total, lines, receipt
       FROM orders WHERE program_id = %s ORDER BY 1""",
)

# Points wait for three days and live for ten more, so orders of the last month are in every state of their life.
TERMS = {
    "points": {
        "activation": {"mode": "delay", "days": 3, "months": 0},
        "expiry": {"mode": "rolling", "days": 10, "months": 0, "years": 0, "round_to": None, "dates": []},
    }
}

kinds = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(["ada", "bob", "asleep", "nobody", None]),
        "currency": st.sampled_from(["EUR", "EUR", "EUR", "PLN"]),
        "placed_at": st.integers(-30, 1).map(lambda days: NOW + days * A_DAY),
        "lines": st.lists(st.integers(1, 5000), min_size=1, max_size=3),
    }
)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(kinds, min_size=1, max_size=9), st.integers(0, 4), st.booleans())
def test_a_batch_comes_to_the_same_as_its_orders_one_by_one(
    session: Session, given_orders: list[Any], known: int, auto_enrol: bool
):
    orders = [an_order_of(number, **given) for number, given in enumerate(given_orders)]
    earlier = NOW - 2 * A_DAY
    before = [order for order in orders[:known] if order.placed_at <= earlier]  # the others of the batch repeat these
    together, apart = (a_shop(session, auto_enrol=auto_enrol) for _ in range(2))

    record_orders(session, together.program_id, before, now=earlier)
    outcomes = record_orders(session, together.program_id, orders, now=NOW)
    for order in before:
        one_by_one(session, apart, order, now=earlier)
    singly = {order.order_id: one_by_one(session, apart, order, now=NOW) for order in orders}

    assert {key: told(outcome) for key, outcome in outcomes.items()} == {k: told(o) for k, o in singly.items()}
    assert books(session, together) == books(session, apart)


def test_a_large_batch_takes_as_many_statements_as_a_small_one(session: Session):
    program = a_shop(session)
    record_orders(session, program.program_id, [an_order(customer_id="ada")], now=NOW)
    orders = [an_order(customer_id=name) for name in ("ada", "bob") for _ in range(50)]

    with statements() as sent:
        outcomes = record_orders(session, program.program_id, orders, now=NOW)

    assert all(isinstance(outcome, Answer) for outcome in outcomes.values())
    assert len(sent) == 3


def a_shop(session: Session, **given: Any) -> Program:
    program = a_program(session, settings={"units": TERMS, **given})
    for name in ("ada", "bob", "asleep"):
        member = a_member(session, program, name)
    set_status(session, program.program_id, member, "suspended", now=NOW)
    return program


def an_order_of(number: int, *, lines: list[int], **given: Any) -> NewOrder:
    bought = [a_line(price, line_id=str(place)) for place, price in enumerate(lines)]
    return an_order(*bought, order_id=f"o-{number}", **given)


def one_by_one(session: Session, program: Program, order: NewOrder, **when: Any) -> Answer | DomainError:
    session.run("SAVEPOINT one_order")
    try:
        return record_order(session, program.program_id, order, **when)
    except DomainError as refusal:
        session.run("ROLLBACK TO one_order")
        return refusal


def told(outcome: Answer | DomainError) -> Any:
    if isinstance(outcome, Answer):
        return outcome
    return type(outcome), outcome.detail, outcome.facts


def books(session: Session, program: Program) -> list[list[dict[str, Any]]]:
    return [session.rows(sql, (program.program_id,), into=dict_row) for sql in BOOKS]
