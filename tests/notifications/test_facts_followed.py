"""From what happened to what is queued: once, by each program's clock, and of rewards only what the member can have."""

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from psycopg.rows import tuple_row

from loyalty.db.session import Session, transaction
from loyalty.members.domain import LockedMember
from loyalty.membership.service import merge_members
from loyalty.notifications import following, jobs, preferring
from loyalty.notifications.domain import Feedback, Preferences, Settings, Wanted
from loyalty.notifications.following import plan_program
from loyalty.notifications.queueing import enqueue
from loyalty.programs.domain import Program
from tests.builders import NOW, a_member, a_program, a_reward
from tests.clocks import it_is
from tests.events.following import a_fact, all_are_visible, told
from tests.ladders import publish_in
from tests.ledger.books import earn
from tests.notifications.told import POINTS, a_logged, messages, tells
from tests.shop import in_days

A_DAY = timedelta(days=1)


@pytest.fixture
def shop(session: Session) -> tuple[Program, LockedMember]:
    program = a_program(session)
    return program, a_member(session, program)


def act(session: Session, program: Program, *facts: Any, now: Any = NOW) -> None:
    following.act(session, program.program_id, facts, now=now)


def earned(member: LockedMember, points: int, available: int, **given: Any) -> Any:
    return a_logged("points.earned", member=member.member_id, points=points, available=available, **given)


def test_what_the_facts_say_is_queued(session: Session, shop: Any):
    program, member = shop
    fact = earned(member, 100, 100)
    act(session, program, fact)

    (row,) = messages(session, program.program_id)
    assert (row["kind"], row["channel"], row["key"]) == ("points_earned", "inbox", str(fact.event_id))
    assert row["data"]["points"] == 100


def test_what_is_over_is_not_sent_unless_it_is_just_being_sent(
    session: Session, shop: Any, monkeypatch: pytest.MonkeyPatch
):
    program, member = shop
    asks = Settings(channels=frozenset({"inbox", "email"}), feedback=Feedback("https://shop.example"))
    tells(monkeypatch, {program.program_id: asks})
    placed = {"guest": False, "placed_at": in_days(0)}
    for order_id in ("A-1", "A-2"):
        act(session, program, a_logged("order.recorded", member=member.member_id, order_id=order_id, **placed))
    session.run("UPDATE messages SET leased_until = now() + interval '1 minute' WHERE member_id = %s AND key = 'A-1' "
                "AND channel = 'email'", (member.member_id,))  # fmt: skip

    act(session, program, a_logged("order.cancelled", member=member.member_id, order_id="A-1", points=1))

    rows = messages(session, program.program_id)
    assert [(row["key"], row["channel"], row["status"], row["reason"]) for row in rows] == [
        ("A-1", "inbox", "suppressed", "order_gone"), ("A-1", "email", "queued", None),
        ("A-2", "inbox", "queued", None), ("A-2", "email", "queued", None),
    ]  # fmt: skip
    assert rows[0]["decided_at"] == NOW
    assert rows[2]["due_at"] == NOW + 7 * A_DAY


def reached(session: Session, program: Program) -> list[tuple[Any, ...]]:
    rows = messages(session, program.program_id, "reward_within_reach")
    return [(row["key"], row["data"]["points"], row["data"]["missing"]) for row in rows]


def test_a_reward_that_the_points_now_suffice_for_is_within_reach_once_a_month(session: Session, shop: Any):
    program, member = shop
    a_reward(session, program, "coffee", points=100)
    earn(session, program, member, 120)

    act(session, program, earned(member, 100, 120))
    act(session, program, earned(member, 100, 120))
    assert reached(session, program) == [("coffee:2026-03", 100, 0)]
    act(session, program, earned(member, 100, 120, occurred_at=NOW + 31 * A_DAY), now=NOW + 31 * A_DAY)
    assert [key for key, *_ in reached(session, program)] == ["coffee:2026-03", "coffee:2026-04"]


@pytest.mark.parametrize(
    ("given", "available", "near"),
    [
        ({}, 120, True),
        ({}, 80, False),  # spent meanwhile
        ({"stock": 0}, 120, False),
        ({"stock": 1}, 120, True),
        ({"tiers": ("gold",)}, 120, False),
        ({"points_by_tier": {"bronze": 200}}, 120, False),
        ({"points": 200, "points_by_tier": {"bronze": 100}}, 120, True),
        ({"valid_from": NOW + A_DAY}, 120, False),
        ({"when": "member.tier == 'gold'"}, 120, False),
    ],
)
def test_only_points_may_keep_away_what_is_within_reach(
    session: Session, shop: Any, given: Any, available: int, near: bool
):
    program, member = shop
    publish_in(session, program.program_id)
    a_reward(session, program, "coffee", **{"points": 100, **given})
    earn(session, program, member, available)

    act(session, program, earned(member, 100, 120))

    assert bool(reached(session, program)) is near


def test_a_reward_is_near_before_it_can_be_had(session: Session, shop: Any, monkeypatch: pytest.MonkeyPatch):
    program, member = shop
    tells(monkeypatch, {program.program_id: Settings(within_reach_percent=80)})
    a_reward(session, program, "coffee", points=100)
    earn(session, program, member, 85)

    act(session, program, earned(member, 10, 85))

    assert reached(session, program) == [("coffee:2026-03", 100, 15)]


def test_whoever_is_suspended_is_not_asked_for(session: Session, shop: Any):
    program, member = shop
    a_reward(session, program, "coffee", points=100)
    earn(session, program, member, 120)
    session.run("UPDATE members SET status = 'suspended' WHERE member_id = %s", (member.member_id,))

    act(session, program, earned(member, 100, 120))

    assert reached(session, program) == []


# What follows needs a log that others see.


@pytest.fixture
def logged(committed_db: Flask) -> tuple[Program, LockedMember]:
    with transaction() as session:
        program = a_program(session)
        return program, a_member(session, program)


def tell(logged: tuple[Program, LockedMember], count: int, **given: Any) -> None:
    program, member = logged
    facts = [
        a_fact(member=member, type="points.earned", data={**POINTS, "points": n + 1}, **given) for n in range(count)
    ]
    with transaction() as session:
        told(session, program.program_id, *facts)
    all_are_visible(program.program_id)


def planned(program: Program, **given: Any) -> int:
    with transaction() as session:
        return plan_program(session, program.program_id, **{"now": NOW, **given})


def queued(program: Program) -> list[int]:
    with transaction() as session:
        return [row["data"]["points"] for row in messages(session, program.program_id, "points_earned")]


def test_each_fact_is_acted_on_once_page_by_page_in_order(logged: Any):
    tell(logged, 5)
    with transaction() as session:
        session.run("DELETE FROM followers WHERE program_id = %s", (logged[0].program_id,))

    done = [planned(logged[0], limit=2) for _ in range(10)]

    assert queued(logged[0]) == [1, 2, 3, 4, 5]
    assert done[-1] == 0
    assert planned(logged[0]) == 0


def test_who_is_cut_off_begins_the_page_again(logged: Any):
    tell(logged, 2)

    def cut_off() -> None:
        with transaction() as session:
            assert plan_program(session, logged[0].program_id, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cut_off()
    assert queued(logged[0]) == []
    planned(logged[0])
    assert queued(logged[0]) == [1, 2]


def test_two_at_once_do_it_once(logged: Any, committed_db: Flask):
    tell(logged, 1)
    planned(logged[0])
    tell(logged, 3)
    both, done = Barrier(2, timeout=30), []

    def go() -> None:
        with committed_db.app_context(), transaction() as session:
            both.wait()
            done.append(plan_program(session, logged[0].program_id, now=NOW))
            both.wait()

    threads = [Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 0 in done
    while planned(logged[0]):
        pass
    assert queued(logged[0]) == [1, 1, 2, 3]


def test_the_job_goes_by_the_clock_of_each_program(logged: Any, monkeypatch: pytest.MonkeyPatch):
    program, _ = logged
    ahead = 100 * A_DAY
    with transaction() as session:
        session.run("UPDATE programs SET sandbox = true, clock_ahead = %s WHERE program_id = %s",
                    (ahead, program.program_id))  # fmt: skip
    tell(logged, 1, occurred_at=NOW + ahead)
    it_is(monkeypatch, NOW)

    for _ in range(1_000):
        with transaction() as session:
            if not jobs.plan(session):
                break

    with transaction() as session:
        rows = session.rows("SELECT created_at FROM messages WHERE program_id = %s", (program.program_id,),
                            into=tuple_row)  # fmt: skip
    assert rows == [(NOW + ahead,)]


def test_what_is_queued_twice_by_different_ways_is_queued_once(session: Session, shop: Any):
    program, member = shop
    fact = earned(member, 100, 100)
    wish = Wanted(member_id=member.member_id, kind="points_earned", key=str(fact.event_id), data={}, occurred_at=NOW)
    enqueue(session, program.program_id, [wish], Settings(), now=NOW)

    act(session, program, fact)

    assert len(messages(session, program.program_id)) == 1


def test_who_takes_over_a_member_refuses_what_that_one_refused(committed_db: Flask):
    off, on = {"email": False}, {"email": True}
    with transaction() as session:
        program = a_program(session)
        ada, bob = a_member(session, program, "ada"), a_member(session, program, "bob")
        theirs = Preferences(channels={"apprise": False, "inbox": True}, kinds={"new_reward": off, "tier_up": off})
        hers = Preferences(kinds={"tier_up": on}, digest="weekly")
        for member, wants in ((bob, theirs), (ada, hers)):
            preferring.change(session, preferring.of_member(session, member.member_id), wants, now=NOW)
    with transaction() as session:
        merge_members(session, program.program_id, "bob", "ada", now=NOW)
    all_are_visible(program.program_id)
    for _ in range(2):
        with transaction() as session:
            plan_program(session, program.program_id, now=NOW)

    with transaction() as session:
        found = preferring.of_member(session, ada.member_id)
    assert found.wants == Preferences(
        channels={"apprise": False}, kinds={"new_reward": off, "tier_up": on}, digest="weekly"
    )
    assert found.version == 2
