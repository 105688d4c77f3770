"""Settling sandboxes: each by its own clock, and nobody by another's."""

from datetime import UTC, datetime, timedelta

from loyalty.db.session import Session
from loyalty.ledger import settlement
from loyalty.programs import service as programs
from loyalty.programs.domain import Program
from tests.builders import a_member, a_program
from tests.ledger.books import earn, history

# In 1980 none of the members of the other tests has anything due.
THEN = datetime(1980, 1, 1, 12, 0, tzinfo=UTC)
A_DAY = timedelta(days=1)


def a_shop(session: Session, *, ahead: timedelta, members: int = 1) -> tuple[Program, list[str]]:
    """A sandbox whose clock runs ahead, and the ids of members whose points lapse five days from THEN."""
    program = a_program(session, sandbox=True)
    ids = []
    for _ in range(members):
        member = a_member(session, program)
        earn(session, program, member, 100, now=THEN, expires_at=THEN + 5 * A_DAY)
        ids.append(member.member_id)
    programs.set_clock(session, program.program_id, ahead=ahead)
    return program, ids


def lapsed(session: Session, ids: list[str]) -> list[int]:
    """How often each member's points have lapsed."""
    return [sum(kind == "expire" for kind, *_ in history(session, member_id)) for member_id in ids]


def test_a_sandbox_is_settled_by_its_own_clock_and_by_no_other(session: Session):
    _, present = a_shop(session, ahead=timedelta(0))
    _, soon = a_shop(session, ahead=2 * A_DAY)
    _, late = a_shop(session, ahead=30 * A_DAY)

    assert settlement.settle_batch(session, now=THEN) == 0
    assert settlement.settle_sandboxes(session, now=THEN) == 1
    assert lapsed(session, present + soon + late) == [0, 0, 1]

    assert settlement.settle_batch(session, now=THEN + 6 * A_DAY) == 1
    assert lapsed(session, present + soon + late) == [1, 0, 1]
    assert settlement.settle_sandboxes(session, now=THEN + 6 * A_DAY) == 1
    assert settlement.settle_sandboxes(session, now=THEN + 6 * A_DAY) == 0
    assert lapsed(session, present + soon + late) == [1, 1, 1]


def test_what_fell_due_is_dated_at_its_instant_whatever_the_clock_shows(session: Session):
    _, ids = a_shop(session, ahead=400 * A_DAY)

    settlement.settle_sandboxes(session, now=THEN)

    assert history(session, ids[0])[-1] == ("expire", -100, 0, THEN + 5 * A_DAY)


def test_a_batch_of_sandboxes_is_bounded_as_a_whole(session: Session):
    ids = [member for _ in range(2) for member in a_shop(session, ahead=30 * A_DAY, members=3)[1]]

    assert [settlement.settle_sandboxes(session, now=THEN, limit=4) for _ in range(3)] == [4, 2, 0]
    assert lapsed(session, ids) == [1] * 6
