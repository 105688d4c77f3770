"""Recording orders in one batch or one by one comes to the same."""

from datetime import date, timedelta

import orjson
import pytest
from psycopg.rows import dict_row

from loyalty.core.answers import Answer
from loyalty.core.errors import IdempotencyConflict
from loyalty.earning import service as earning
from loyalty.members.errors import MemberNotFound, MemberSuspended
from loyalty.members.service import set_status
from loyalty.orders.errors import CurrencyMismatch
from loyalty.orders.service import record_order, record_orders
from loyalty.programs import service as programs
from tests.builders import NOW, a_line, a_member, a_program, an_order
from tests.statements import statements

ENTRIES = """
SELECT m.customer_id, e.seq, e.kind, e.points, e.available, e.pending, e.available_after, e.occurred_at, e.order_id,
       e.rule_code, e.detail
FROM entries e JOIN members m USING (member_id) WHERE m.program_id = %s ORDER BY 1, 2
"""
LOTS = """
SELECT m.customer_id, l.seq, l.points, l.remaining, l.pending, l.earned_at, l.matures_at, l.expires_at
FROM lots l JOIN members m USING (member_id) WHERE m.program_id = %s ORDER BY 1, 2
"""
ACCOUNTS = """
SELECT m.customer_id, a.unit, a.available, a.pending, a.lifetime_earned, a.last_seq, a.next_change_at
FROM accounts a JOIN members m USING (member_id) WHERE m.program_id = %s ORDER BY 1, 2
"""

DELAYED = {
    "units": {
        "points": {
            "activation": {"mode": "delay", "days": 14, "months": 0},
            "expiry": {"mode": "rolling", "days": 0, "months": 1, "years": 0, "round_to": None, "dates": []},
        }
    }
}


def orders_of_three_members():
    """Thirty orders over half a year, so that some have matured and some have lapsed by NOW."""
    return [
        an_order(
            a_line(997 * (number + 1), line_id="1"),
            a_line(350, line_id="2"),
            order_id=f"o-{number}",
            customer_id=f"c-{number % 3}",
            placed_at=NOW - timedelta(days=180 - 6 * number),
            discount=number,
        )
        for number in range(30)
    ]


@pytest.mark.parametrize("settings", [{}, DELAYED])
def test_a_batch_leaves_the_same_books_as_its_orders_one_by_one(session, settings):
    books = []
    for batched in (True, False):
        program = a_program(session, settings=settings)
        for number in range(3):
            a_member(session, program, f"c-{number}")
        orders = orders_of_three_members()
        if batched:
            outcomes = record_orders(session, program.program_id, orders, now=NOW)
            assert all(isinstance(outcome, Answer) for outcome in outcomes.values())
        else:
            for order in orders:
                record_order(session, program.program_id, order, now=NOW)
        where = (program.program_id,)
        books.append([session.rows(sql, where, into=dict_row) for sql in (LOTS, ACCOUNTS)])

    (lots, accounts), (lots_singly, accounts_singly) = books
    # One by one, what is due is settled between two orders, so the numbers of later entries differ; nothing else does.
    strip = ("seq", "last_seq")
    plain = [[{k: v for k, v in row.items() if k not in strip} for row in rows] for rows in (lots, lots_singly)]
    assert plain[0] == plain[1]
    plain = [[{k: v for k, v in r.items() if k not in strip} for r in rows] for rows in (accounts, accounts_singly)]
    assert plain[0] == plain[1]
    assert sum(row["available"] + row["pending"] for row in accounts) == sum(row["remaining"] for row in lots) > 0


def test_a_refused_order_in_a_batch_harms_no_other(session):
    program = a_program(session)
    a_member(session, program, "c-42")
    suspended = a_member(session, program, "c-43")
    set_status(session, program.program_id, suspended, "suspended", now=NOW)
    known = an_order(order_id="known")
    record_order(session, program.program_id, known, now=NOW)

    outcomes = record_orders(
        session,
        program.program_id,
        [
            an_order(order_id="good"),
            an_order(order_id="stranger", customer_id="nobody"),
            an_order(order_id="asleep", customer_id="c-43"),
            an_order(order_id="foreign", currency="PLN"),
            an_order(order_id="guest", customer_id=None),
            known,
        ],
        now=NOW,
    )

    kinds = {order_id: type(outcome) for order_id, outcome in outcomes.items()}
    assert kinds == {
        "good": Answer,
        "stranger": MemberNotFound,
        "asleep": MemberSuspended,
        "foreign": CurrencyMismatch,
        "guest": Answer,
        "known": Answer,
    }
    assert outcomes["known"].replayed
    assert not outcomes["good"].replayed
    assert len(session.rows(ENTRIES, (program.program_id,), into=dict_row)) == 2


def test_a_refused_order_leaves_its_id_free(session):
    program = a_program(session)
    a_member(session, program, "c-42")
    record_orders(session, program.program_id, [an_order(order_id="o", currency="PLN")], now=NOW)
    assert not record_order(session, program.program_id, an_order(order_id="o"), now=NOW).replayed


def test_an_id_that_a_guest_used_is_taken_for_members_too(session):
    program = a_program(session)
    a_member(session, program, "c-42")
    record_order(session, program.program_id, an_order(order_id="o", customer_id=None), now=NOW)
    with pytest.raises(IdempotencyConflict):
        record_order(session, program.program_id, an_order(order_id="o"), now=NOW)


def test_recording_an_order_takes_three_statements(session):
    program = a_program(session)
    a_member(session, program, "c-42")
    record_order(session, program.program_id, an_order(), now=NOW)  # now settings and rules are remembered

    with statements() as sent:
        record_order(session, program.program_id, an_order(a_line(100), a_line(200), a_line(300)), now=NOW)

    assert len(sent) == 3, sent


def test_recording_an_order_takes_no_more_statements_when_points_have_lapsed_meanwhile(session):
    program = a_program(session)
    a_member(session, program, "c-42")
    record_order(session, program.program_id, an_order(), now=NOW)
    later = NOW + timedelta(days=400)

    with statements() as sent:
        record_order(session, program.program_id, an_order(placed_at=later), now=later)

    assert len(sent) == 3, sent


def test_recording_an_order_takes_five_statements_whatever_the_rules_ask(session):
    program = a_program(session)
    a_member(session, program, "c-42", birth_date=date(1990, 3, 1), attributes={"club": "A"})
    rules = [
        {"code": "base", "kind": "base", "priority": 1, "points_per": {"amount": 100, "points": "1"}},
        {
            "code": "all", "kind": "bonus", "points": 5, "priority": 2,
            "caps": {"budget": 1000, "per_member": {"ever": 50, "month": 20}}, "limits": {"day": 3},
            "cooldown_days": 1, "birthday": {"days_before": 180, "days_after": 180},
            "when": "history.orders > 0 && member.attributes.club == 'A' && history.categories['food'].orders == 0",
        },
    ]  # fmt: skip
    programs.touch(session, program.program_id)
    earning.save_draft(session, program.program_id, {"rules": rules, "segments": []}, now=NOW)
    earning.publish(session, program.program_id, effective_from=None, published_by="me", now=NOW)
    later = NOW + timedelta(days=400)
    record_order(session, program.program_id, an_order(), now=NOW)

    with statements() as sent:
        answer = record_order(session, program.program_id, an_order(placed_at=later), now=later)

    assert [award["points"] for award in orjson.loads(answer.body)["awards"]] == [100, 5]
    assert len(sent) == 5, sent
