"""Where the lives of points cross: clocks that ran out, holds that outlived them, credits that come late."""

from datetime import timedelta

import pytest

from loyalty.db.session import Session
from loyalty.ledger import adjustments, balances, holds
from loyalty.ledger import service as ledger
from loyalty.ledger.adjustments import NewAdjustment
from loyalty.ledger.balances import Balance, Moment
from loyalty.ledger.holds import NewHold
from loyalty.ledger.reversing import incur
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program
from tests.builders import NOW, a_member, a_program
from tests.ledger.books import close, earn, touch

A_DAY = timedelta(days=1)


@pytest.fixture
def program(session: Session) -> Program:
    """Points given by hand lapse when the member was not active for twenty days."""
    terms = {"activation": {}, "expiry": {"mode": "inactivity", "days": 20}}
    return a_program(session, settings={"units": {"points": terms}})


@pytest.fixture
def member(session: Session, program: Program) -> LockedMember:
    return a_member(session, program)


def adjust(session: Session, program: Program, member: LockedMember, points: int, *, day: int = 0) -> None:
    new = NewAdjustment(adjustment_id=f"a-{points}-{day}", points=points, reason="goodwill", actor="ada")
    adjustments.adjust(session, program.program_id, member.customer_id, new, now=NOW + day * A_DAY)


def balance(session: Session, program: Program, member: LockedMember, *, day: int) -> Balance:
    return balances.balance(session, program.program_id, member.customer_id, "points", Moment(now=NOW + day * A_DAY))


def test_new_points_start_the_clock_of_inactivity_anew_if_it_ran_out_with_nothing_to_lapse(
    session: Session, program: Program, member: LockedMember
):
    adjust(session, program, member, 10)
    adjust(session, program, member, -10)
    earn(session, program, member, 1, expires_at=NOW + 5 * A_DAY)
    touch(session, program, member, now=NOW + 6 * A_DAY)

    adjust(session, program, member, 7, day=40)

    seen = balance(session, program, member, day=40)
    assert (seen.available, [coming["points"] for coming in seen.expiring]) == (7, [7])


@pytest.mark.parametrize("job_runs", [False, True])
def test_points_that_lapse_by_inactivity_while_they_are_held_are_gone_when_they_are_free(
    session: Session, program: Program, member: LockedMember, job_runs: bool
):
    adjust(session, program, member, 10)
    new = NewHold(hold_id="h-1", points=10, hold_seconds=31 * 24 * 3600)
    holds.place_hold(session, program.program_id, member.customer_id, new, now=NOW)
    if not job_runs:
        # What is settled before leaves the account without anything that is due when the clock runs out.
        earn(session, program, member, 1, expires_at=NOW + A_DAY)
    touch(session, program, member, now=NOW + 22 * A_DAY if job_runs else NOW + 2 * A_DAY)
    earn(session, program, member, 7, now=NOW + 24 * A_DAY)

    holds.release_hold(session, program.program_id, "h-1", now=NOW + 25 * A_DAY)

    assert balance(session, program, member, day=25).available == 7


def test_points_that_had_lapsed_before_there_was_a_debt_do_not_pay_it_however_late_they_are_reported(
    session: Session, program: Program, member: LockedMember
):
    book = ledger.open_book(session, program, member, now=NOW)
    entry = book.record("debt", "points", -50, NOW, debt=50)
    incur(book, entry, order_id=None, reference=None)
    close(session, program, book, now=NOW)

    earn(session, program, member, 100, now=NOW + A_DAY, earned_at=NOW - 60 * A_DAY, expires_at=NOW - 30 * A_DAY)

    seen = balance(session, program, member, day=1)
    assert (seen.available, seen.debt) == (0, 50)
