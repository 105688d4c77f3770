"""What follows from the entries can be made anew from them."""

from datetime import timedelta

import pytest
from psycopg.rows import tuple_row

from loyalty.db.session import Session
from loyalty.db.writer import write
from loyalty.ledger import moving, rebuilding, reversing, service, spending, verification
from loyalty.ledger.reversing import Claim
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program, ReturnSettings
from tests.builders import NOW, a_member, a_program
from tests.ledger.books import close, earn, spend

A_DAY = timedelta(days=1)
_IDLE = "SELECT idle FROM accounts WHERE unit = 'points' AND member_id = %s"
CACHES = ("accounts", "lots", "debts", "upcoming")


@pytest.fixture
def program(session: Session) -> Program:
    return a_program(session)


@pytest.fixture
def member(session: Session, program: Program) -> LockedMember:
    """A member whose books know every kind of thing: dates, clocks, holds, debts, another unit."""
    member = a_member(session, program)
    earn(session, program, member, 100, expires_at=NOW + 30 * A_DAY)
    earn(session, program, member, 40, matures_at=NOW + 10 * A_DAY, expires_at=NOW + 40 * A_DAY)
    earn(session, program, member, 25, expiry="inactivity 90d")
    earn(session, program, member, 15, expiry="rolling 12m", pending=True, deadline_at=NOW + 60 * A_DAY)
    owed = earn(session, program, member, 70, unit="miles")
    spend(session, program, member, 30, now=NOW + A_DAY)
    book = service.open_book_to_spend(session, program, member, "points", 60, now=NOW + 2 * A_DAY)
    spending.hold(book, "points", 60, hold_id="h-1", expires_at=NOW + 90 * A_DAY)
    close(session, program, book, now=NOW + 2 * A_DAY)
    book = service.open_book_to_spend(session, program, member, "miles", 70, now=NOW + 3 * A_DAY)
    spending.redeem(book, "miles", 70, reference="r-2", reason="a flight")
    claim = Claim(points=70, unit="miles", own=(owed,), reference="ret-1")
    reversing.reverse(book, claim, ReturnSettings(policy="debt"))
    close(session, program, book, now=NOW + 3 * A_DAY)
    return member


def caches(session: Session, member: LockedMember) -> dict[str, list[tuple]]:
    """Every row that follows from the entries; what is upcoming with no points says nothing."""
    some = {"upcoming": " AND (maturing <> 0 OR expiring <> 0)"}
    return {
        table: session.rows(
            f"SELECT * FROM {table} WHERE member_id = %s{some.get(table, '')} ORDER BY 1, 2, 3",
            (member.member_id,),
            into=tuple_row,
        )
        for table in CACHES
    }


def findings(session: Session, member: LockedMember) -> list[dict]:
    return verification.verify(session, member_id=member.member_id).findings


def test_rebuilding_what_is_in_order_changes_nothing(session: Session, member: LockedMember):
    before = caches(session, member)

    rebuilding.rebuild(session, member.member_id)

    assert caches(session, member) == before


@pytest.mark.parametrize(
    "corruption",
    [
        "UPDATE accounts SET available = available + 1 WHERE {mine}",
        "UPDATE accounts SET held = 0, pending = 7, debt = 9, lifetime_earned = 1, last_seq = 1 WHERE {mine}",
        "UPDATE accounts SET next_change_at = NULL WHERE {mine}",
        "UPDATE accounts SET latest_at = latest_at + interval '1 d', known_at = known_at + interval '1 d' WHERE {mine}",
        "UPDATE accounts SET idle = jsonb_set(idle, '{{inactivity 90d,points}}', '7') WHERE unit = 'points' AND {mine}",
        "UPDATE lots SET remaining = 0 WHERE {mine}",
        "UPDATE lots SET held = 0 WHERE {mine}",
        "UPDATE lots SET pending = NOT pending WHERE {mine}",
        "UPDATE lots SET matures_at = NULL, deadline_at = NULL, expires_at = NULL, expiry = NULL WHERE {mine}",
        "UPDATE debts SET remaining = 1 WHERE {mine}",
        "DELETE FROM debts WHERE {mine}",
        "DELETE FROM accounts WHERE {mine}",
        "DELETE FROM upcoming WHERE {mine}",
        "UPDATE upcoming SET expiring = expiring + 3, maturing = 5 WHERE {mine}",
    ],
)
def test_what_was_corrupted_is_found_and_made_anew_from_the_entries(
    session: Session, member: LockedMember, corruption: str
):
    before = caches(session, member)
    session.run(corruption.format(mine=f"member_id = '{member.member_id}'"))
    assert findings(session, member)

    rebuilding.rebuild(session, member.member_id)

    assert findings(session, member) == []
    assert caches(session, member) == before


def test_a_clock_that_was_lost_runs_from_the_last_activity(session: Session, member: LockedMember):
    session.run("UPDATE accounts SET idle = '{}' WHERE member_id = %s", (member.member_id,))
    assert [f["check"] for f in findings(session, member)] == ["account-counts-what-is-idle"]

    rebuilding.rebuild(session, member.member_id)

    ((idle,),) = session.rows(_IDLE, (member.member_id,), into=tuple_row)
    # The member last spent on 2 March; 90 days later is 31 May.
    assert idle == {"inactivity 90d": {"at": "2026-06-01T00:00:00+00:00", "points": 25}}


def test_books_of_merged_members_can_be_rebuilt(session: Session, program: Program, member: LockedMember):
    other = a_member(session, program)
    earn(session, program, other, 10, expires_at=NOW + 5 * A_DAY)
    books = service.open_books(session, program, [other, member], now=NOW + 3 * A_DAY)
    source, target = books[other.member_id], books[member.member_id]
    source.lots.take_in(service.holdings.open_lots(session, other.member_id))
    moving.merge(source, target, source_id="c-1", target_id="c-2")
    for book in (source, target):
        write(session, service.changes_of(book, program.program_id, now=NOW + 3 * A_DAY))
    before = caches(session, member)
    session.run("UPDATE accounts SET available = 0, lifetime_earned = 0 WHERE member_id = %s", (member.member_id,))

    rebuilding.rebuild(session, member.member_id)
    rebuilding.rebuild(session, other.member_id)

    assert caches(session, member) == before
