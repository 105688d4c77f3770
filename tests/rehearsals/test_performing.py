"""What a rehearsal finds, on small histories worked by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.db.session import transaction
from loyalty.earning import service as earning
from loyalty.membership.service import merge_members
from loyalty.orders import returns
from loyalty.orders.returning import NewReturn, ReturnedLine
from loyalty.programs.domain import Program
from loyalty.rehearsals import orders
from loyalty.rehearsals.domain import Span
from loyalty.rehearsals.performing import Interrupted, perform
from loyalty.rehearsals.service import rules_of
from tests.builders import NOW, a_program
from tests.rehearsals.builders import DAY, LAST_90_DAYS, base, bonus, buy, enrol, rehearsed, rule, written


@pytest.fixture
def program(committed_db: Flask) -> Program:
    with transaction() as session:
        return a_program(session)


def test_a_doubled_base_gives_exactly_double(program: Program):
    enrol(program, "ann", "bob")
    buy(program, "ann", NOW - 3 * DAY, 1_000, 2_000)
    buy(program, "ann", NOW - 2 * DAY, 500)
    buy(program, "bob", NOW - DAY, 700, discount=100)

    result = rehearsed(program, base("2"))

    assert result["points"] == {"draft": 82, "given": 41, "difference": 41}
    assert result["cost"] == {"draft": 82, "given": 41, "difference": 41}
    assert (result["orders"], result["members"], result["revenue"]) == (3, 2, 4_100)
    assert rule(result, "base")["awards"] == 3
    assert rule(result, "base")["orders_percent"] == 100.0
    assert [(d["date"], d["orders"], d["draft"], d["given"]) for d in result["days"]] == [
        ("2026-02-26", 1, 60, 30), ("2026-02-27", 1, 10, 5), ("2026-02-28", 1, 12, 6),
    ]  # fmt: skip


def test_cost_is_what_points_are_worth_when_they_pay(committed_db: Flask):
    with transaction() as session:
        program = a_program(session, settings={"pay": {"points": 3, "amount": 2, "min_points": 0, "max_percent": 100,
                                                       "step": 1}})  # fmt: skip
    enrol(program, "ann")
    buy(program, "ann", NOW - DAY)

    assert rehearsed(program, base("2"))["cost"] == {"draft": 13, "given": 6, "difference": 7}


def test_winners_and_losers_are_those_whom_it_touches_most(program: Program):
    enrol(program, "ann", "bob", "cid", "dot")
    buy(program, "ann", NOW - 4 * DAY, 1_000)
    buy(program, "bob", NOW - 3 * DAY, 2_000, channel="app")
    buy(program, "cid", NOW - 2 * DAY, 500)
    buy(program, "dot", NOW - DAY, 5_000, channel="app")

    result = rehearsed(program, base("1", channels=["app"]), bonus(15, channels=["app"], min_basis=3_000))

    assert (result["gain"], result["lose"], result["stay"]) == (1, 2, 1)
    assert result["winners"] == [{"customer_id": "dot", "before": 50, "after": 65, "difference": 15}]
    assert [(m["customer_id"], m["difference"]) for m in result["losers"]] == [("ann", -10), ("cid", -5)]
    assert rule(result, "base")["refused"] == {"channels": 2}
    assert rule(result, "bonus")["refused"] == {"channels": 2, "min_basis": 1}
    assert rule(result, "bonus")["examples"] != rule(result, "base")["examples"]


def test_a_milestone_sees_the_history_as_it_was(program: Program):
    enrol(program, "old", "new")
    buy(program, "old", NOW - 100 * DAY)
    first = buy(program, "new", NOW - 3 * DAY)
    for customer in ("old", "new"):
        buy(program, customer, NOW - 2 * DAY)

    result = rehearsed(program, bonus(100, milestone={"first": 1}))

    assert rule(result, "bonus")["examples"] == [first.order_id]
    assert rule(result, "bonus")["refused"] == {"milestone": 2}
    after_the_window = Span(NOW - 90 * DAY, NOW - 2 * DAY - timedelta(hours=1))
    assert rule(rehearsed(program, bonus(100, milestone={"nth": 1}), span=after_the_window), "bonus")["awards"] == 1


def test_conditions_see_sums_and_dates_of_the_history_as_it_was(program: Program):
    enrol(program, "ann")
    buy(program, "ann", NOW - 100 * DAY, 3_000)
    buy(program, "ann", NOW - 2 * DAY, 1_000)
    buy(program, "ann", NOW - DAY, 1_000)
    in_category = 'history.categories["coffee"].spend == {} && history.categories["coffee"].days_since_last_order == {}'

    result = rehearsed(
        program,
        bonus(1, code="a", priority=1, when="history.orders == 1 && history.spend == 3000"),
        bonus(1, code="b", priority=2, when="history.days_since_last_order == 98"),
        bonus(1, code="c", priority=3, when=in_category.format(3000, 98)),
        bonus(1, code="d", priority=4, when=in_category.format(4000, 1)),
    )

    assert [each["awards"] for each in result["rules"]] == [1, 1, 1, 1]


def test_what_came_back_since_does_not_disturb_the_history_before(program: Program):
    enrol(program, "ann")
    buy(program, "ann", NOW - 100 * DAY, 3_000)
    order = buy(program, "ann", NOW - 2 * DAY, 1_000, 500)
    buy(program, "ann", NOW - DAY, 700)
    wanted = NewReturn(return_id="r-1", lines=(ReturnedLine(line_id="0", quantity=1),))
    with transaction() as session:
        returns.return_lines(session, program.program_id, order.order_id, wanted, now=NOW)

    result = rehearsed(
        program,
        bonus(1, code="a", priority=1, when="history.orders == 1 && history.spend == 3000"),
        bonus(1, code="b", priority=2, when="history.orders == 2 && history.spend == 4500"),
    )

    assert [each["awards"] for each in result["rules"]] == [1, 1]
    assert "1 orders of which something came back count as they were placed." in result["notes"]


def test_caps_hold_within_the_window(program: Program):
    enrol(program, "ann", "bob")
    for days in (3, 2, 1):
        buy(program, "ann", datetime(2026, 2, 10, tzinfo=UTC) + days * DAY, 1_000)
    buy(program, "bob", NOW - DAY, 1_000)

    result = rehearsed(program, base("1", caps={"per_member": {"month": 15}}), bonus(5, limits={"ever": 1}))

    assert rule(result, "base")["points"] == 10 + 5 + 10
    assert rule(result, "base")["cut"] == 1
    assert rule(result, "base")["refused"] == {"caps": 1}
    assert rule(result, "bonus")["awards"] == 2
    assert rule(result, "bonus")["refused"] == {"limits": 2}


def test_a_budget_says_when_it_would_run_out_or_how_long_it_lasts(program: Program):
    enrol(program, "ann")
    buy(program, "ann", NOW - 3 * DAY, 1_000)
    second = buy(program, "ann", NOW - 2 * DAY, 1_000)
    buy(program, "ann", NOW - DAY, 1_000)

    short = rehearsed(program, base("1", caps={"budget": 15}))
    long = rehearsed(program, base("1", caps={"budget": 60}))

    assert short["points"]["draft"] == 15
    assert short["budgets"] == [
        {"rule": "base", "budget": 15, "spent": 15, "ran_out_at": second.placed_at, "lasts_days": None}
    ]
    assert long["budgets"][0]["ran_out_at"] is None
    assert long["budgets"][0]["lasts_days"] == 180


def test_a_condition_that_fails_is_counted_and_shown(program: Program):
    enrol(program, "ann")
    order = buy(program, "ann", NOW - DAY)

    result = rehearsed(program, base(), bonus(when="order.metadata.gift == true"))

    assert rule(result, "bonus")["failures"]["count"] == 1
    assert rule(result, "bonus")["failures"]["example"] == f"Order {order.order_id}: order.metadata.gift is missing."
    assert rule(result, "bonus")["refused"] == {"when": 1}
    assert any("could not be evaluated" in note for note in result["notes"])


def test_guests_are_counted_and_cancelled_orders_are_not(program: Program):
    enrol(program, "ann")
    buy(program, None, NOW - 2 * DAY, 900)
    cancelled = buy(program, "ann", NOW - 2 * DAY, 5_000)
    buy(program, "ann", NOW - DAY, 1_000)
    with transaction() as session:
        returns.cancel_order(session, program.program_id, cancelled.order_id, now=NOW)

    result = rehearsed(program, base("2"))

    assert (result["orders"], result["guest_orders"], result["revenue"]) == (2, 1, 1_900)
    assert result["points"] == {"draft": 20, "given": 10, "difference": 10}


def test_orders_of_members_who_became_one_are_judged_as_those_of_one(program: Program):
    enrol(program, "ann", "anna")
    buy(program, "anna", NOW - 2 * DAY)
    buy(program, "ann", NOW - DAY)
    with transaction() as session:
        merge_members(session, program.program_id, "anna", "ann", now=NOW)

    result = rehearsed(program, bonus(100, milestone={"first": 1}))

    assert (result["members"], rule(result, "bonus")["awards"]) == (1, 1)
    assert result["winners"][0]["customer_id"] == "ann"


def test_a_program_without_orders_has_nothing_to_say(program: Program):
    result = rehearsed(program, base())

    assert (result["orders"], result["members"], result["points"]["draft"]) == (0, 0, 0)
    assert "No orders were placed in this window." in result["notes"]


def test_nothing_is_written(program: Program):
    enrol(program, "ann")
    buy(program, "ann", NOW - DAY)
    before = written()

    rehearsed(program, base("3", caps={"per_member": {"day": 100}, "budget": 50}), bonus(milestone={"first": 9}))

    assert written() == before


def test_pages_fit_together(program: Program, monkeypatch: pytest.MonkeyPatch):
    enrol(program, "ann")
    for _ in range(5):
        buy(program, "ann", NOW - DAY)
    told = []
    monkeypatch.setattr(orders, "PAGE", 2)

    outcome = perform(
        program, rules_of({"rules": [base()], "segments": []}), LAST_90_DAYS,
        told=lambda done, total: told.append((done, total)) or True, now=NOW,
    )  # fmt: skip

    assert outcome.done == 5
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]
    with pytest.raises(Interrupted):
        perform(program, rules_of({"rules": [base()], "segments": []}), LAST_90_DAYS, told=lambda *_: False, now=NOW)


RULES = st.fixed_dictionaries(
    {},
    optional={
        "caps": st.sampled_from(
            [{"per_order": 7}, {"per_member": {"month": 25}}, {"per_member": {"day": 9, "ever": 40}}]
        ),
        "limits": st.sampled_from([{"ever": 2}, {"week": 1}]),
        "cooldown_days": st.sampled_from([3]),
        "milestone": st.sampled_from([{"first": 2}, {"every": 2}]),
        "min_basis": st.sampled_from([800]),
        "when": st.sampled_from(
            [
                "history.orders >= 1",
                'history.categories["coffee"].spend >= 900',
                "order.metadata.gift",
                "local.hour > 9",
            ]
        ),
    },
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=RULES,
    second=RULES,
    bought=st.lists(
        st.tuples(st.sampled_from(["ann", "bob"]), st.integers(0, 200), st.integers(1, 3_000)), min_size=1, max_size=8
    ),
)
def test_the_rules_that_judged_all_orders_give_what_was_given(committed_db, first, second, bought):
    draft = [base("1.5", **first), bonus(10, **second)]
    with transaction() as session:
        program = a_program(session)
        earning.save_draft(session, program.program_id, {"rules": draft, "segments": []}, now=NOW)
        earning.publish(session, program.program_id, effective_from=None, published_by="test", now=NOW)
    enrol(program, "ann", "bob")
    for customer, hours, price in sorted(bought, key=lambda each: each[1]):
        buy(program, customer, NOW - 20 * DAY + timedelta(hours=hours), price)

    result = rehearsed(program, *draft)

    assert result["points"]["difference"] == 0
    assert (result["gain"], result["lose"]) == (0, 0)
    assert all(day["draft"] == day["given"] for day in result["days"])
