"""Tiers that end: told of where a lower one follows, as long before as the program says, if that is still so then."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.db.session import Session
from loyalty.members.domain import LockedMember
from loyalty.notifications import lapsing, sweeping
from loyalty.notifications.domain import Message, Settings
from loyalty.notifications.lapsing import still_lapsing
from loyalty.notifications.sweeping import sweep_batch
from loyalty.orders import service as orders
from loyalty.programs.domain import Program
from tests.builders import NOW, a_line, a_member, a_program, an_order
from tests.ladders import TIERS, publish_in
from tests.notifications.told import messages, tells

A_DAY = timedelta(days=1)
# A year from NOW, and the day after.
ENDS = datetime(2027, 3, 2, tzinfo=UTC)
AHEAD = Settings(channels=frozenset({"inbox"}), expiring_days=(), lapsing_days=(30, 7))

Shop = tuple[Program, LockedMember]


@pytest.fixture
def shop(session: Session, monkeypatch: pytest.MonkeyPatch) -> Shop:
    session.run("DELETE FROM sweeps")
    program = a_program(session)
    tells(monkeypatch, {program.program_id: AHEAD})
    return program, a_member(session, program)


def ladder(session: Session, program: Program, **given: Any) -> None:
    publish_in(session, program.program_id, **given)


def buy(session: Session, shop: Shop, amount: int = 20_000, at: datetime = NOW) -> None:
    program, member = shop
    order = an_order(a_line(amount), customer_id=member.customer_id, placed_at=at)
    orders.record_order(session, program.program_id, order, now=at)


def sweep(session: Session, now: datetime) -> None:
    while sweep_batch(session, now=now):
        pass


def told(session: Session, program: Program) -> list[tuple[str, str, int]]:
    rows = messages(session, program.program_id, lapsing.KIND)
    return [(row["data"]["tier"], row["data"]["valid_until"], row["data"]["days"]) for row in rows]


def waiting(session: Session, program: Program) -> list[Message]:
    rows = messages(session, program.program_id, lapsing.KIND)
    return [Message(**{name: row[name] for name in Message.__dataclass_fields__}) for row in rows]


def test_members_are_told_a_month_and_a_week_before_they_lose_their_tier(session: Session, shop: Shop):
    ladder(session, shop[0])
    buy(session, shop)
    for days in range(40, -2, -1):
        sweep(session, ENDS - days * A_DAY)

    assert told(session, shop[0]) == [("gold", ENDS.isoformat(), 30), ("gold", ENDS.isoformat(), 7)]
    (first, _) = messages(session, shop[0].program_id)
    assert (first["key"], first["outdated_at"]) == (f"tier:{ENDS.isoformat()}:30", ENDS)


def test_who_keeps_the_tier_is_not_told(session: Session, shop: Shop):
    ladder(session, shop[0])
    buy(session, shop)
    buy(session, shop, at=NOW + 100 * A_DAY)
    sweep(session, ENDS - 31 * A_DAY)
    sweep(session, ENDS - 30 * A_DAY)

    assert told(session, shop[0]) == []


def test_where_there_is_a_grace_the_month_is_that_before_its_end(session: Session, shop: Shop):
    ladder(session, shop[0], grace={"days": 20})
    buy(session, shop)
    sweep(session, ENDS - 31 * A_DAY)
    sweep(session, ENDS - 30 * A_DAY)
    (row,) = messages(session, shop[0].program_id)

    lost_at = ENDS + 20 * A_DAY
    assert told(session, shop[0]) == [("gold", lost_at.isoformat(), 30)]
    assert row["due_at"] == lost_at - 30 * A_DAY


def test_what_was_bought_meanwhile_keeps_the_tier(session: Session, shop: Shop):
    program, _ = shop
    ladder(session, program)
    buy(session, shop)
    sweep(session, ENDS - 31 * A_DAY)
    sweep(session, ENDS - 30 * A_DAY)
    now = ENDS - 20 * A_DAY
    (message,) = waiting(session, program)
    assert still_lapsing(session, program.program_id, [message], now=now) == {message.message_id}

    buy(session, shop, at=now)

    assert still_lapsing(session, program.program_id, [message], now=now) == set()
    assert still_lapsing(session, program.program_id, [], now=now) == set()


def test_a_ladder_to_come_that_moves_everybody_down_is_told_only_of_those_who_are_found(session: Session, shop: Shop):
    program, _ = shop
    ladder(session, program)
    buy(session, shop)
    higher = [{**tier, "threshold": tier["threshold"] * 10} for tier in TIERS]
    publish_in(session, program.program_id, 2, effective_from=ENDS - 5 * A_DAY, tiers=higher)
    sweep(session, ENDS - 31 * A_DAY)
    sweep(session, ENDS - 30 * A_DAY)

    assert told(session, program) == [("gold", (ENDS - 5 * A_DAY).isoformat(), 25)]


def test_without_a_ladder_nobody_is_told(session: Session, shop: Shop):
    sweep(session, NOW)

    assert told(session, shop[0]) == []


def test_who_is_due_is_found_by_the_instant_and_the_member(session: Session, shop: Shop):
    # What the index can do, whatever is cheaper for a table that is almost empty.
    session.run("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    session.run("SET LOCAL plan_cache_mode = force_generic_plan")
    where = {"begin": NOW, "after": shop[1].member_id, "end": ENDS, "programs": "{}"}
    plan = "\n".join(session.rows(f"EXPLAIN {sweeping.statement(lapsing.DUE, 9)}", where, into=scalar_row))

    assert "ix_tier_standings_next_change_at" in plan
    assert "ROW(next_change_at, member_id) >" in plan
    assert "Sort" not in plan
