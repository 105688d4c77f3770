"""New rewards: told once to every active member who may have them, from their day on, until they are withdrawn."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.db.session import Session
from loyalty.notifications.announcing import announce, announce_batch
from loyalty.notifications.domain import Settings
from loyalty.notifications.planning import Announced
from loyalty.orders import service as orders
from loyalty.programs import service as programs
from loyalty.programs.domain import Program
from loyalty.rewards import editing
from tests.builders import NOW, a_line, a_member, a_program, a_reward, an_order
from tests.ladders import publish_in
from tests.notifications.told import messages, tells

A_DAY = timedelta(days=1)


@pytest.fixture
def program(session: Session, monkeypatch: pytest.MonkeyPatch) -> Program:
    made = a_program(session)
    tells(monkeypatch, {made.program_id: Settings()})
    return made


def begin(session: Session, program: Program, at: Any = NOW, reward: str = "coffee") -> None:
    announce(session, program.program_id, [Announced(reward, 1, at)])


def go(session: Session, now: Any = NOW, **given: Any) -> None:
    while announce_batch(session, now=now, **given):
        pass


def told(session: Session, program: Program) -> list[Any]:
    return [row["member_id"] for row in messages(session, program.program_id, "new_reward")]


def test_every_active_member_is_told_once(session: Session, program: Program):
    a_reward(session, program, "coffee", valid_to=NOW + 9 * A_DAY)
    members = [a_member(session, program).member_id for _ in range(5)]
    session.run("UPDATE members SET status = 'suspended' WHERE member_id = %s", (members[1],))
    begin(session, program)
    begin(session, program)

    go(session, limit=2)
    go(session)

    assert told(session, program) == [members[0], *members[2:]]
    row = messages(session, program.program_id)[0]
    assert (row["key"], row["data"]) == ("coffee:1", {"reward": "coffee", "version": 1})
    assert row["outdated_at"] == NOW + 9 * A_DAY


def test_nobody_is_told_before_its_day(session: Session, program: Program):
    a_reward(session, program, "coffee", valid_from=NOW + A_DAY)
    a_member(session, program)
    begin(session, program, NOW + A_DAY)

    go(session)
    assert told(session, program) == []
    go(session, NOW + A_DAY)
    assert len(told(session, program)) == 1


def test_a_sandbox_goes_by_its_own_clock(session: Session, program: Program):
    a_reward(session, program, "coffee")
    a_member(session, program)
    session.run("UPDATE programs SET sandbox = true, clock_ahead = %s WHERE program_id = %s",
                (A_DAY, program.program_id))  # fmt: skip
    begin(session, program, NOW + A_DAY)

    go(session)

    assert [row["created_at"] for row in messages(session, program.program_id)] == [NOW + A_DAY]


def test_of_what_was_withdrawn_or_is_over_nobody_is_told_any_more(session: Session, program: Program):
    a_reward(session, program, "coffee")
    a_reward(session, program, "cake", valid_to=NOW + A_DAY)
    for _ in range(3):
        a_member(session, program)
    begin(session, program)
    announce_batch(session, now=NOW, limit=1)
    programs.touch(session, program.program_id)
    editing.withdraw(session, program.program_id, "coffee", now=NOW)
    begin(session, program, NOW, "cake")

    go(session, NOW + A_DAY, limit=1)

    assert len(told(session, program)) == 1
    assert announce_batch(session, now=NOW + A_DAY) == 0


def test_only_those_are_told_whose_tier_may_have_it(session: Session, program: Program):
    publish_in(session, program.program_id)
    a_reward(session, program, "coffee", tiers=("gold",))
    bronze, gold = a_member(session, program), a_member(session, program)
    order = an_order(a_line(20_000), customer_id=gold.customer_id)
    orders.record_order(session, program.program_id, order, now=NOW)
    begin(session, program)

    go(session)

    assert told(session, program) == [gold.member_id]
    assert bronze.member_id not in told(session, program)
