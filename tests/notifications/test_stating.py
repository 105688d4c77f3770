"""Statements: of the month before, on the program's day or later in the month, to those who have something to read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.db.session import Session
from loyalty.events.domain import Fact
from loyalty.members.domain import LockedMember
from loyalty.notifications import stating
from loyalty.notifications.domain import Settings
from loyalty.notifications.stating import due_month, state_batch
from loyalty.programs.domain import Program
from tests.builders import NOW, a_member, a_program
from tests.events.following import told as tell
from tests.ledger.books import earn
from tests.notifications.told import POINTS, messages, tells

A_DAY = timedelta(days=1)
APRIL = datetime(2026, 4, 1, 0, 30, tzinfo=UTC)
MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)

Shop = tuple[Program, LockedMember]


@pytest.fixture
def shop(session: Session, monkeypatch: pytest.MonkeyPatch) -> Shop:
    program = a_program(session)
    tells(monkeypatch, {program.program_id: Settings()})
    return program, a_member(session, program)


def state(session: Session, now: datetime, **given: Any) -> None:
    while state_batch(session, now=now, **given):
        pass


def fact(session: Session, shop: Shop, kind: str, points: int, at: datetime = NOW, **given: Any) -> None:
    program, member = shop
    data = {**POINTS, "points": points, **given}
    who = {"member_id": member.member_id, "customer_id": member.customer_id}
    tell(session, program.program_id, Fact(type=f"points.{kind}", version=1, occurred_at=at, data=data, **who))


def stated(session: Session, program: Program) -> list[dict[str, Any]]:
    return [row["data"] for row in messages(session, program.program_id, "balance_statement")]


@pytest.mark.parametrize(
    ("day", "zone", "now", "month"),
    [
        (1, "UTC", "2026-04-01T00:00:00", "2026-03"),
        (5, "UTC", "2026-04-04T23:59:59", None),
        (5, "UTC", "2026-04-30T12:00:00", "2026-03"),
        (31, "UTC", "2028-02-28T12:00:00", None),
        (31, "UTC", "2028-02-29T12:00:00", "2028-01"),
        (31, "UTC", "2026-02-28T12:00:00", "2026-01"),
        (1, "Europe/Warsaw", "2026-03-31T21:59:59", "2026-02"),
        (1, "Europe/Warsaw", "2026-03-31T22:00:00", "2026-03"),
        (1, "UTC", "2027-01-01T00:00:00", "2026-12"),
        (None, "UTC", "2026-04-01T00:00:00", None),
    ],
)
def test_the_month_before_is_due_from_the_day_on(day: int | None, zone: str, now: str, month: str | None):
    found = due_month(Settings(statement_day=day), zone, now=datetime.fromisoformat(now).replace(tzinfo=UTC))

    assert (found and found.name) == month


def test_no_channel_no_statement():
    assert due_month(Settings(kinds={"balance_statement": frozenset()}), "UTC", now=APRIL) is None


def test_a_statement_says_what_became_of_points_and_what_lapses_next(session: Session, shop: Shop):
    program, member = shop
    for days in (60, 10, 90, 50):
        earn(session, program, member, days, expires_at=APRIL + days * A_DAY)
    for kind, points in (("earned", 80), ("earned", 20), ("adjusted", 5), ("adjusted", -3), ("redeemed", 40),
                         ("returned", 10), ("expired", 7), ("matured", 99)):  # fmt: skip
        fact(session, shop, kind, points)
    fact(session, shop, "earned", 1_000, unit="miles")
    fact(session, shop, "earned", 2_000, at=datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC))
    fact(session, shop, "earned", 4_000, at=datetime(2026, 4, 1, tzinfo=UTC))

    state(session, APRIL)

    assert stated(session, program) == [{
        "month": "2026-03", "earned": 105 + 210, "redeemed": 30, "expired": 7,
        "expiring": [{"points": days, "at": (APRIL + days * A_DAY).isoformat()} for days in (10, 50, 60)],
    }]  # fmt: skip
    (row,) = messages(session, program.program_id)
    assert (row["key"], row["occurred_at"], row["outdated_at"]) == ("2026-03", APRIL.replace(minute=0), MAY)


def test_the_month_is_that_of_the_program_s_zone(session: Session, monkeypatch: pytest.MonkeyPatch):
    program = a_program(session, time_zone="Europe/Warsaw")
    tells(monkeypatch, {program.program_id: Settings()})
    shop = program, a_member(session, program)
    earn(session, *shop, 1)
    # The clocks go forward on 29 March: March ends at 22:00 UTC.
    fact(session, shop, "earned", 1, at=datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC))
    fact(session, shop, "earned", 2, at=datetime(2026, 3, 31, 22, tzinfo=UTC))

    state(session, datetime(2026, 3, 31, 21, 59, tzinfo=UTC))
    assert stated(session, program) == []
    state(session, datetime(2026, 3, 31, 22, 7, tzinfo=UTC))
    assert [each["earned"] for each in stated(session, program)] == [1 + 1]


def test_who_has_nothing_and_did_nothing_is_told_nothing(session: Session, shop: Shop):
    program, _ = shop
    earn(session, program, a_member(session, program), 5, expires_at=NOW + A_DAY)
    empty = a_member(session, program)
    earn(session, program, empty, 5)

    state(session, APRIL)

    assert len(stated(session, program)) == 2


def test_each_month_is_told_once_however_often_it_is_asked_and_late_rather_than_not(session: Session, shop: Shop):
    program, _ = shop
    for _ in range(5):
        earn(session, program, a_member(session, program), 5)
    for now in (APRIL, APRIL, APRIL + 20 * A_DAY):
        state(session, now, limit=2)
    assert [each["month"] for each in stated(session, program)] == ["2026-03"] * 5

    state(session, MAY + 25 * A_DAY)
    assert [each["month"] for each in stated(session, program)] == ["2026-03"] * 5 + ["2026-04"] * 5


def test_a_month_that_was_missed_wholly_is_passed_over(session: Session, shop: Shop):
    program, member = shop
    earn(session, program, member, 5)
    state(session, APRIL)

    state(session, JUNE)

    assert [each["month"] for each in stated(session, program)] == ["2026-03", "2026-05"]


def test_a_batch_that_was_cut_off_by_the_end_of_the_month_begins_the_next_with_everybody(session: Session, shop: Shop):
    program, member = shop
    earn(session, program, member, 5)
    earn(session, program, a_member(session, program), 5)
    state_batch(session, now=APRIL, limit=1)

    state(session, MAY)

    assert [each["month"] for each in stated(session, program)] == ["2026-03", "2026-04", "2026-04"]


def test_of_the_time_before_the_program_there_is_no_statement(session: Session, shop: Shop):
    program, member = shop
    earn(session, program, member, 5)

    state(session, NOW + A_DAY)

    assert stated(session, program) == []
    state(session, APRIL)
    assert len(stated(session, program)) == 1


def test_a_member_s_month_is_one_stretch_of_the_log(session: Session):
    session.run("SET LOCAL enable_seqscan = off")
    plan = "\n".join(session.rows(f"EXPLAIN {stating._MOVED}", ("{}", NOW, APRIL), into=scalar_row))

    assert "pk_events" in plan
    condition = next(line for line in plan.splitlines() if "Index Cond" in line)
    assert "owner_id = w.member_id" in condition
    assert "occurred_at >= " in condition
