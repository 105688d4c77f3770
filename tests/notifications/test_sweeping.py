"""What falls due: told once by each lead time, on time or late, by the clock of the program; read is what is due."""

import json
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from psycopg.rows import scalar_row

from loyalty.db.session import Session, transaction
from loyalty.members.domain import LockedMember
from loyalty.notifications import expiring, sweeping
from loyalty.notifications.domain import Message, Settings
from loyalty.notifications.expiring import still_expiring
from loyalty.notifications.sweeping import sweep_batch
from loyalty.programs.domain import Program
from tests.builders import NOW, a_member, a_program
from tests.ledger.books import earn, spend
from tests.notifications.told import messages, tells

A_DAY = timedelta(days=1)
ENDS = NOW + 40 * A_DAY
MONTH_AND_WEEK = Settings(channels=frozenset({"inbox"}), expiring_days=(30, 7), lapsing_days=())


@pytest.fixture
def shop(session: Session, monkeypatch: pytest.MonkeyPatch) -> tuple[Program, LockedMember]:
    """A program that tells of points a month and a week ahead, in a database in which nobody was told anything yet."""
    session.run("DELETE FROM sweeps")
    program = a_program(session)
    tells(monkeypatch, {program.program_id: MONTH_AND_WEEK})
    return program, a_member(session, program)


def sweep(session: Session, now: datetime, **given: Any) -> int:
    """The job, until it finds nothing more."""
    total = 0
    while done := sweep_batch(session, now=now, **given):
        total += done
    return total


def told(session: Session, program: Program) -> list[tuple[int, datetime, int]]:
    """Points, when they lapse, and in how many days."""
    rows = messages(session, program.program_id, expiring.KIND)
    return [(row["data"]["points"], row["outdated_at"], row["data"]["days"]) for row in rows]


def test_members_are_told_once_by_each_lead_time(session: Session, shop: Any):
    program, member = shop
    earn(session, program, member, 100, expires_at=ENDS)
    sweep(session, NOW)
    assert told(session, program) == []

    for hours in range(0, 41 * 24, 8):
        sweep(session, NOW + timedelta(hours=hours))

    assert told(session, program) == [(100, ENDS, 30), (100, ENDS, 7)]
    rows = messages(session, program.program_id)
    assert [row["key"] for row in rows] == [f"points:{ENDS.isoformat()}:{days}" for days in (30, 7)]
    assert [row["created_at"] for row in rows] == [ENDS - 30 * A_DAY, NOW + timedelta(hours=33 * 24)]
    assert rows[0]["data"]["expires_at"] == ENDS.isoformat()


def test_points_that_lapse_at_one_instant_are_told_of_together_and_other_units_never(session: Session, shop: Any):
    program, member = shop
    sweep(session, NOW)
    earn(session, program, member, 100, expires_at=ENDS)
    earn(session, program, member, 50, expires_at=ENDS)
    earn(session, program, member, 7, expires_at=ENDS + A_DAY)
    earn(session, program, member, 9, expires_at=ENDS, unit="miles")

    sweep(session, ENDS - 29 * A_DAY)

    assert told(session, program) == [(150, ENDS, 29), (7, ENDS + A_DAY, 30)]


def test_a_worker_that_was_down_for_a_week_tells_each_once(session: Session, shop: Any):
    program, member = shop
    sweep(session, ENDS - 32 * A_DAY)
    for days in (0, 3, -23, -26):
        earn(session, program, member, 100 + days, expires_at=ENDS + days * A_DAY)

    sweep(session, ENDS - 25 * A_DAY)

    # Of those that a shorter lead time has reached meanwhile, it alone tells; of those that lapsed, nobody.
    assert told(session, program) == [(77, ENDS - 23 * A_DAY, 2), (100, ENDS, 25), (103, ENDS + 3 * A_DAY, 28)]


def test_a_lead_time_that_is_new_begins_with_the_next_day_of_it(
    session: Session, shop: Any, monkeypatch: pytest.MonkeyPatch
):
    program, member = shop
    for days in (13, 13.5, 14.5, 20):
        earn(session, program, member, 100, expires_at=NOW + days * A_DAY)
    tells(monkeypatch, {program.program_id: Settings(expiring_days=(14,), lapsing_days=())})
    sweep(session, NOW)
    assert told(session, program) == [(100, NOW + 13.5 * A_DAY, 14)]

    # It is given up for a time, and then begins anew.
    tells(monkeypatch, {program.program_id: Settings(expiring_days=(), lapsing_days=())})
    sweep(session, NOW + A_DAY)
    tells(monkeypatch, {program.program_id: Settings(expiring_days=(14,), lapsing_days=())})
    sweep(session, NOW + 5 * A_DAY)

    assert [at for _, at, _ in told(session, program)] == [NOW + 13.5 * A_DAY]


def test_it_goes_on_where_it_was_however_small_the_batches_and_many_the_members(session: Session, shop: Any):
    program, _ = shop
    sweep(session, NOW)
    for _ in range(7):
        earn(session, program, a_member(session, program), 10, expires_at=ENDS)

    assert sweep(session, ENDS - 30 * A_DAY, limit=2) == 7
    assert sweep(session, ENDS - 30 * A_DAY, limit=2) == 0
    assert len(told(session, program)) == 7


def test_who_is_told_by_nobody_is_passed_over(session: Session, shop: Any):
    program, member = shop
    other = a_program(session)
    sweep(session, NOW)
    earn(session, program, member, 10, expires_at=ENDS)
    earn(session, other, a_member(session, other), 10, expires_at=ENDS)

    sweep(session, ENDS - 30 * A_DAY, limit=1)

    assert len(told(session, program)) == 1
    assert messages(session, other.program_id) == []


@pytest.fixture
def sleepers(session: Session, shop: Any) -> tuple[Program, LockedMember]:
    """A member whose points lapse 40 and 60 days after the last order, some by one rule and some by another."""
    program, member = shop
    earn(session, program, member, 100, expires_at=ENDS)
    clocks = {"a": {"at": ENDS.isoformat(), "points": 5}, "b": {"at": (ENDS + 20 * A_DAY).isoformat(), "points": 7}}
    clocks |= {"c": {"at": (ENDS + 90 * A_DAY).isoformat(), "points": 9}}
    session.run("SAVEPOINT books")
    session.run("UPDATE accounts SET idle = %s::jsonb WHERE member_id = %s", (json.dumps(clocks), member.member_id))
    return program, member


def test_points_that_lapse_by_inactivity_are_found_by_the_first_of_their_clocks(session: Session, sleepers: Any):
    program, _ = sleepers
    sweep(session, ENDS - 32 * A_DAY)
    sweep(session, ENDS - 30 * A_DAY)

    # What the second clock says is due within the month of the first one's end, and waits for its time.
    assert told(session, program) == [(105, ENDS, 30), (7, ENDS + 20 * A_DAY, 30)]
    assert [row["due_at"] for row in messages(session, program.program_id)] == [ENDS - 30 * A_DAY, ENDS - 10 * A_DAY]
    session.run("ROLLBACK TO SAVEPOINT books")


def test_what_is_used_meanwhile_expires_no_more(session: Session, shop: Any):
    program, member = shop
    earn(session, program, member, 100, expires_at=ENDS)
    earn(session, program, member, 50, expires_at=ENDS + A_DAY)
    sweep(session, ENDS - 30 * A_DAY)
    sweep(session, ENDS - 29 * A_DAY)
    waiting = [as_message(row) for row in messages(session, program.program_id)]
    assert list(still_expiring(session, waiting).values()) == [100, 50]

    spend(session, program, member, 120)

    assert still_expiring(session, waiting) == {waiting[0].message_id: 0, waiting[1].message_id: 30}
    assert still_expiring(session, []) == {}


def as_message(row: dict[str, Any]) -> Message:
    return Message(**{name: row[name] for name in Message.__dataclass_fields__})


def test_a_sandbox_goes_by_its_own_clock(session: Session, shop: Any, monkeypatch: pytest.MonkeyPatch):
    program, member = shop
    sandbox = a_program(session, sandbox=True)
    tells(monkeypatch, {program.program_id: MONTH_AND_WEEK, sandbox.program_id: MONTH_AND_WEEK})
    for where, who in ((program, member), (sandbox, a_member(session, sandbox))):
        for days in (0, 20, 300):
            earn(session, where, who, 10, expires_at=ENDS + days * A_DAY)
    sweep(session, NOW)
    session.run("UPDATE programs SET clock_ahead = %s WHERE program_id = %s", (50 * A_DAY, sandbox.program_id))

    sweep(session, NOW, limit=1)

    assert told(session, program) == []
    # What lapsed while the clock was moved is over; of what is due since, it is told though the clock jumped over it.
    assert told(session, sandbox) == [(10, ENDS + 20 * A_DAY, 10)]


def test_two_at_once_search_once_and_do_not_wait_for_each_other(committed_db: Flask, monkeypatch: pytest.MonkeyPatch):
    with transaction() as session:
        program = a_program(session)
        tells(monkeypatch, {program.program_id: MONTH_AND_WEEK})
        session.run("UPDATE programs SET sandbox = true, clock_ahead = '1 day' WHERE program_id = %s",
                    (program.program_id,))  # fmt: skip
        earn(session, program, a_member(session, program), 10, expires_at=NOW + A_DAY + 7 * A_DAY)
        earn(session, program, a_member(session, program), 10, expires_at=NOW + A_DAY + 30 * A_DAY)
        session.run("INSERT INTO sweeps (name, scope, until) SELECT 'points_expiring:' || d, %s, %s::timestamptz + "
                    "d * interval '1 day' FROM unnest('{7,30}'::int[]) d", (program.program_id, NOW))  # fmt: skip
    both, found = Barrier(2, timeout=30), []

    def go() -> None:
        with committed_db.app_context(), transaction() as session:
            both.wait()
            found.append(sweep_batch(session, now=NOW))
            both.wait()

    threads = [Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with transaction() as session:
        assert len(told(session, program)) == sum(found) == 2


def test_what_is_read_is_what_is_due(session: Session, shop: Any):
    """20,000 accounts, whose points lapse on one of 500 days: of a day, a day's members are read."""
    program, _ = shop
    that_day = (NOW + 30 * A_DAY, NOW + 31 * A_DAY)
    others = session.row("SELECT count(*) FROM upcoming WHERE at > %s AND at <= %s", that_day, into=scalar_row)
    fill(session, program, 20_000)
    where = {
        "begin": NOW + 30 * A_DAY, "after": sweeping.LAST, "end": NOW + 31 * A_DAY,
        "programs": "{" + str(program.program_id) + "}",
    }  # fmt: skip
    search = sweeping.statement(expiring.DUE, 1_000)
    session.run("ANALYZE upcoming, accounts")
    for what in ("seqscan", "bitmapscan", "sort"):
        session.run(f"SET LOCAL enable_{what} = off")
    session.run("SET LOCAL plan_cache_mode = force_generic_plan")
    plan = session.rows(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT TEXT) {search}", where, into=scalar_row)
    forget(session, program)

    text = "\n".join(plan)
    assert "ix_upcoming_due" in text
    assert "ix_accounts_idle" in text
    assert "Seq Scan" not in text
    read = [float(line.split("rows=")[2].split()[0]) for line in plan if "ix_upcoming_due" in line]
    # 20,000 members over 500 days: 40 a day, beside what other tests have left of that day.
    assert 40 <= sum(read) <= 40 + others
    assert sum(float(line.split(":")[1]) for line in plan if "Rows Removed" in line) <= others


def fill(session: Session, program: Program, members: int) -> None:
    """Accounts without books: who fills, forgets."""
    member = "('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
    series = f"FROM generate_series(1, {members}) n"
    session.run(
        f"""INSERT INTO accounts (member_id, unit, program_id, available, pending, held, debt, lifetime_earned,
                lifetime_spent, last_seq, latest_at, known_at, idle)
            SELECT {member}, 'points', %s, 0, 0, 0, 0, 0, 0, 0, %s, %s, '{{}}' {series}""",
        (program.program_id, NOW, NOW),
    )
    session.run(
        f"""INSERT INTO upcoming (member_id, unit, at, maturing, expiring)
            SELECT {member}, 'points', %s + (n %% 500) * interval '1 day' + interval '1 hour', 0, 5 {series}""",
        (NOW,),
    )


def forget(session: Session, program: Program) -> None:
    session.run("DELETE FROM upcoming WHERE member_id IN (SELECT member_id FROM accounts WHERE program_id = %s)",
                (program.program_id,))  # fmt: skip
    session.run("DELETE FROM accounts WHERE program_id = %s", (program.program_id,))


@pytest.mark.parametrize("wall", ["2028-02-29 00:00", "2026-03-29 02:00"])
def test_a_leap_day_and_a_day_of_23_hours_are_days(session: Session, shop: Any, wall: str):
    program, member = shop
    ends = datetime.fromisoformat(wall).replace(tzinfo=UTC)
    earn(session, program, member, 100, expires_at=ends)
    sweep(session, ends - 30 * A_DAY - timedelta(minutes=5))
    sweep(session, ends - 30 * A_DAY + timedelta(minutes=5))

    assert told(session, program) == [(100, ends, 30)]
