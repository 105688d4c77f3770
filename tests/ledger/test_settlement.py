"""Settling those whom nobody touches: once each, at the true instants, beside everybody else, to be broken off at will.

It happens in 1990, when none of the members of the other tests has anything due.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

from loyalty.db.batches import in_batches
from loyalty.db.session import Session, transaction
from loyalty.ledger.settlement import settle_batch
from loyalty.members import locks, service
from loyalty.programs.domain import Program
from tests.builders import a_member, a_program
from tests.ledger.books import earn, history, next_change
from tests.orders.test_concurrency import in_parallel
from tests.statements import statements

THEN = datetime(1990, 1, 1, 12, 0, tzinfo=UTC)
A_DAY = timedelta(days=1)
LATER = THEN + 10 * A_DAY


def members_with_points(session: Session, program: Program, count: int, *, first: int = 0) -> list[UUID]:
    """Members with 100 points each that lapse a second after each other, the last one a day after THEN."""
    ids = []
    for number in range(count):
        member = a_member(session, program, f"c-{first + number}")
        ids.append(member.member_id)
        at = THEN + A_DAY - timedelta(seconds=count - number - 1)
        earn(session, program, member, 100, now=THEN, expires_at=at)
    return ids


def lapsed(session: Session, ids: Sequence[UUID]) -> list[int]:
    """How often each member's points have lapsed."""
    return [sum(kind == "expire" for kind, *_ in history(session, member_id)) for member_id in ids]


@pytest.fixture
def shop(committed_db: Flask) -> tuple[Program, list[UUID]]:
    """A program of twenty members who have something due, committed."""
    with transaction() as session:
        program = a_program(session)
        return program, members_with_points(session, program, 20)


def test_what_matured_and_lapsed_is_recorded_at_its_instant(session: Session):
    program = a_program(session)
    member = a_member(session, program)
    earn(session, program, member, 100, now=THEN, matures_at=THEN + A_DAY, expires_at=THEN + 5 * A_DAY)
    earn(session, program, member, 30, now=THEN, expires_at=THEN + 20 * A_DAY)

    assert settle_batch(session, now=LATER) == 1

    assert history(session, member.member_id)[2:] == [
        ("mature", 100, 130, THEN + A_DAY),
        ("expire", -100, 30, THEN + 5 * A_DAY),
    ]
    assert next_change(session, member.member_id) == THEN + 20 * A_DAY


def test_settling_again_changes_nothing(session: Session):
    ids = members_with_points(session, a_program(session), 3)

    assert [settle_batch(session, now=LATER) for _ in range(2)] == [3, 0]
    assert lapsed(session, ids) == [1, 1, 1]


def test_when_nobody_has_anything_due_that_is_found_by_one_statement(session: Session):
    members_with_points(session, a_program(session), 1)

    with statements() as sent:
        assert settle_batch(session, now=THEN) == 0
    assert len(sent) == 1


def test_a_batch_is_bounded_and_begins_with_those_who_have_waited_longest(session: Session):
    ids = members_with_points(session, a_program(session), 5)

    assert settle_batch(session, now=LATER, limit=2) == 2
    assert lapsed(session, ids) == [1, 1, 0, 0, 0]
    assert [settle_batch(session, now=LATER, limit=2) for _ in range(3)] == [2, 1, 0]
    assert lapsed(session, ids) == [1] * 5


def test_a_member_with_two_units_is_settled_once(session: Session):
    program = a_program(session)
    member = a_member(session, program)
    for unit in ("points", "miles"):
        earn(session, program, member, 10, now=THEN, unit=unit, expires_at=THEN + A_DAY)

    assert [settle_batch(session, now=LATER) for _ in range(2)] == [1, 0]
    assert lapsed(session, [member.member_id]) == [2]


def test_members_of_all_programs_and_of_any_status_are_settled(session: Session):
    ids = []
    for status in ("active", "suspended", "closed"):
        program = a_program(session)
        ids += members_with_points(session, program, 1)
        service.set_status(
            session, program.program_id, locks.lock_member(session, program.program_id, "c-0"), status, now=THEN
        )

    assert settle_batch(session, now=LATER) == 3
    assert lapsed(session, ids) == [1, 1, 1]


def test_books_that_contradict_themselves_are_left_alone_and_hold_up_nobody(session: Session):
    broken, *sound = members_with_points(session, a_program(session), 3)
    session.run("UPDATE accounts SET available = 0 WHERE member_id = %s", (broken,))

    assert settle_batch(session, now=LATER) == 2
    assert settle_batch(session, now=LATER) == 0
    assert lapsed(session, [broken, *sound]) == [0, 1, 1]

    session.run("UPDATE accounts SET available = 100 WHERE member_id = %s", (broken,))


def test_a_member_who_is_being_served_is_passed_over_and_settled_the_next_time(shop: tuple[Program, list[UUID]]):
    program, ids = shop
    with transaction() as request, transaction() as session:
        locks.lock_member(request, program.program_id, "c-0")

        assert settle_batch(session, now=LATER, limit=5) == 5
        assert lapsed(session, ids) == [0, *[1] * 5, *[0] * 14]

    assert in_batches(lambda session: settle_batch(session, now=LATER, limit=5)) == 15
    with transaction() as session:
        assert lapsed(session, ids) == [1] * 20


def test_several_at_once_share_the_work_and_settle_everybody_once(
    committed_db: Flask, shop: tuple[Program, list[UUID]]
):
    _, ids = shop

    def settle(_number: int) -> int:
        with committed_db.app_context():
            return in_batches(lambda session: settle_batch(session, now=LATER, limit=3))

    settled = in_parallel(4, settle)
    settled.append(settle(0))

    # Two may choose the same member at the same instant; the second finds nothing to do, and counts nobody.
    assert sum(settled) == 20
    with transaction() as session:
        assert lapsed(session, ids) == [1] * 20


def test_members_served_and_settled_at_once_do_not_wait_for_each_other_in_a_circle(
    committed_db: Flask, shop: tuple[Program, list[UUID]]
):
    program, ids = shop
    names = [f"c-{number}" for number in range(20)]

    def act(number: int) -> None:
        with committed_db.app_context():
            if number % 2:
                in_batches(lambda session: settle_batch(session, now=LATER, limit=4))
                return
            with transaction() as session:
                for member in locks.lock_members(session, program.program_id, names).values():
                    earn(session, program, member, 1, now=LATER)

    in_parallel(6, act)

    with transaction() as session:
        assert lapsed(session, ids) == [1] * 20


def test_what_was_settled_before_an_interruption_stays_and_the_rest_follows(shop: tuple[Program, list[UUID]]):
    _, ids = shop
    batches = 0

    def interrupted(session: Session) -> int:
        nonlocal batches
        batches += 1
        settled = settle_batch(session, now=LATER, limit=6)
        if batches == 3:
            raise KeyboardInterrupt
        return settled

    with pytest.raises(KeyboardInterrupt):
        in_batches(interrupted)
    with transaction() as session:
        assert sum(lapsed(session, ids)) == 12

    assert in_batches(lambda session: settle_batch(session, now=LATER, limit=6)) == 8
    with transaction() as session:
        assert lapsed(session, ids) == [1] * 20
