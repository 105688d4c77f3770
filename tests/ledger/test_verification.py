"""The proof of the books finds any single row that was tampered with, and names the check, the member and the entry."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg.rows import dict_row, scalar_row

from loyalty.db.session import Session
from loyalty.ledger import verification
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program
from tests.builders import NOW, a_member, a_program
from tests.ledger.books import earn, history, remaining, spend
from tests.rights import as_owner

A_DAY = timedelta(days=1)


@pytest.fixture
def program(session: Session) -> Program:
    return a_program(session)


@pytest.fixture
def member(session: Session, program: Program) -> LockedMember:
    return a_member_with_a_history(session, program)


@pytest.fixture
def tampered(session: Session, member: LockedMember) -> Iterator[Session]:
    """The session, with the triggers and foreign keys that guard the books out of the way; all of it is rolled back."""
    as_owner(session)
    session.run("SET LOCAL session_replication_role = replica")
    yield session
    session.driver.rollback()


def a_member_with_a_history(session: Session, program: Program) -> LockedMember:
    """Eight entries, five lots: one spent, one lapsed, one matured and spent in part, one whole, one pending."""
    member = a_member(session, program)
    earn(session, program, member, 100, expires_at=NOW + 10 * A_DAY)
    earn(session, program, member, 50, matures_at=NOW + 2 * A_DAY, expires_at=NOW + 20 * A_DAY)
    earn(session, program, member, 30)
    spend(session, program, member, 120, now=NOW + 5 * A_DAY)
    earn(session, program, member, 40, now=NOW + 6 * A_DAY, expires_at=NOW + 8 * A_DAY)
    later = NOW + 12 * A_DAY
    earn(session, program, member, 60, now=later, matures_at=NOW + 25 * A_DAY, expires_at=NOW + 40 * A_DAY)
    return member


def found(result: verification.Verification, member_id: UUID | None) -> set[tuple[str, int]]:
    return {(finding["check"], finding["seq"]) for finding in result.findings if finding["member_id"] == member_id}


def test_the_history_to_be_tampered_with_is_in_order(session: Session, program: Program, member: LockedMember):
    assert [(kind, points) for kind, points, *_ in history(session, member.member_id)] == [
        ("earn", 100), ("earn", 50), ("earn", 30), ("mature", 50), ("redeem", -120), ("earn", 40), ("expire", -40),
        ("earn", 60),
    ]  # fmt: skip
    assert remaining(session, member.member_id) == {1: 0, 2: 30, 3: 30, 6: 0, 8: 60}

    result = verification.verify(session, program_id=program.program_id)

    assert result == verification.Verification(True, {"accounts": 1, "entries": 8, "lots": 5}, [])
    assert verification.verify(session, member_id=member.member_id) == result


# what is changed, how, and where it is found
ACCOUNT = [
    ("available = available + 1", ("account-equals-entries", 8)),
    ("available = available - 1", ("account-equals-lots", 8)),
    ("pending = pending + 1", ("account-equals-lots", 8)),
    ("held = 1", ("account-equals-entries", 8)),
    ("debt = 1", ("account-equals-entries", 8)),
    ("lifetime_earned = lifetime_earned - 1", ("account-equals-entries", 8)),
    ("lifetime_spent = lifetime_spent + 1", ("account-equals-entries", 8)),
    ("last_seq = 9", ("account-equals-entries", 9)),
    ("last_seq = 7", ("account-equals-entries", 7)),
    ("next_change_at = NULL", ("account-knows-what-comes", 8)),
    ("next_change_at = next_change_at + interval '1 us'", ("account-knows-what-comes", 8)),
    ("unit = 'miles'", ("account-exists", 8)),
    ("member_id = gen_random_uuid()", ("account-exists", 8)),
    ("program_id = gen_random_uuid()", ("account-of-its-program", 8)),
]
LOT = [
    (1, "remaining = 1", ("lot-equals-allocations", 1)),
    (2, "remaining = remaining - 1", ("account-equals-lots", 8)),
    (3, "remaining = 29", ("lot-equals-allocations", 3)),
    (3, "points = 31", ("lot-has-its-entry", 3)),
    (1, "points = 99", ("lot-equals-allocations", 1)),
    (3, "pending = true", ("lot-matures-once", 3)),
    (2, "pending = true", ("lot-matures-once", 2)),
    (8, "pending = false", ("lot-matures-once", 8)),
    (1, "pending = true", ("lot-matures-once", 1)),
    (3, "earned_at = earned_at - interval '1 us'", ("lot-has-its-entry", 3)),
    (3, "unit = 'miles'", ("lot-has-its-entry", 3)),
    (2, "matures_at = matures_at + interval '1 us'", ("entry-at-its-instant", 4)),
    (6, "expires_at = expires_at - interval '1 us'", ("entry-at-its-instant", 7)),
    (6, "expires_at = NULL", ("entry-at-its-instant", 7)),
    (2, "expires_at = expires_at - interval '1 us'", ("account-knows-what-comes", 8)),
    (8, "matures_at = matures_at - interval '10 days'", ("account-knows-what-comes", 8)),
    (3, "seq = 33", ("lot-has-its-entry", 3)),
    (3, "seq = 33", ("lot-has-its-entry", 33)),
    (3, "member_id = gen_random_uuid()", ("lot-has-its-entry", 3)),
]
ENTRY = [
    (3, "points = 31", ("lot-has-its-entry", 3)),
    (3, "points = 31, available = 31", ("lot-has-its-entry", 3)),
    (4, "points = 51", ("entry-adds-up", 4)),
    (5, "points = -121", ("entry-adds-up", 5)),
    (7, "points = -39", ("entry-adds-up", 7)),
    (3, "available = 31", ("running-balance", 3)),
    (4, "available = 49", ("entry-adds-up", 4)),
    (4, "available = 49, pending = -49", ("running-balance", 4)),
    (5, "available = -119", ("debit-equals-allocations", 5)),
    (7, "available = -41", ("debit-equals-allocations", 7)),
    (8, "pending = 59", ("entry-adds-up", 8)),
    (8, "pending = 0, available = 60", ("lot-matures-once", 8)),
    (4, "pending = -51", ("entry-adds-up", 4)),
    (3, "held = 1", ("entry-adds-up", 3)),
    (5, "debt = 1", ("entry-adds-up", 5)),
    (1, "available_after = 101", ("running-balance", 1)),
    (5, "available_after = 61", ("running-balance", 5)),
    (8, "available_after = 0", ("running-balance", 8)),
    (3, "kind = 'adjust'", ("lot-has-its-entry", 3)),
    (4, "kind = 'release'", ("lot-matures-once", 2)),
    (5, "kind = 'expire'", ("entry-at-its-instant", 5)),
    (7, "kind = 'redeem'", ("account-equals-entries", 8)),
    (3, "unit = 'miles'", ("lot-has-its-entry", 3)),
    (5, "unit = 'miles'", ("account-equals-entries", 8)),
    (3, "occurred_at = occurred_at - interval '1 us'", ("lot-has-its-entry", 3)),
    (4, "occurred_at = occurred_at - interval '1 us'", ("entry-at-its-instant", 4)),
    (7, "occurred_at = occurred_at + interval '1 us'", ("entry-at-its-instant", 7)),
    (4, "reference = '3'", ("entry-at-its-instant", 4)),
    (4, "reference = 'two'", ("entry-at-its-instant", 4)),
    (7, "reference = NULL", ("entry-at-its-instant", 7)),
    (7, "reference = '99999999999999999999'", ("entry-at-its-instant", 7)),
    (4, "seq = 44", ("seq-without-gaps", 4)),
    (8, "seq = 9", ("seq-without-gaps", 8)),
    (5, "member_id = gen_random_uuid()", ("seq-without-gaps", 5)),
]  # fmt: skip
ALLOCATION = [
    ("lot_seq = 2", "points = points + 1", ("debit-equals-allocations", 5)),
    ("lot_seq = 2", "points = points - 1", ("lot-equals-allocations", 2)),
    ("lot_seq = 6", "points = -points", ("debit-equals-allocations", 7)),
    ("lot_seq = 2", "lot_seq = 3", ("lot-equals-allocations", 3)),
    ("lot_seq = 2", "lot_seq = 33", ("lot-equals-allocations", 33)),
    ("lot_seq = 2", "seq = 7", ("debit-equals-allocations", 7)),
    ("lot_seq = 2", "seq = 55", ("debit-equals-allocations", 55)),
    ("lot_seq = 2", "member_id = gen_random_uuid()", ("debit-equals-allocations", 5)),
]
CHANGED: list[Any] = [
    *(("accounts", "true", change, at) for change, at in ACCOUNT),
    *(("lots", f"seq = {seq}", change, at) for seq, change, at in LOT),
    *(("entries", f"seq = {seq}", change, at) for seq, change, at in ENTRY),
    *(("allocations", which, change, at) for which, change, at in ALLOCATION),
]
DELETED = [
    ("accounts", "true", ("account-exists", 8)),
    ("members", "true", ("account-of-its-program", 8)),
    *(("lots", f"seq = {seq}", ("lot-has-its-entry", seq)) for seq in (1, 2, 3, 6, 8)),
    *(("entries", f"seq = {seq}", ("seq-without-gaps", seq)) for seq in range(1, 8)),
    ("entries", "seq = 8", ("account-equals-entries", 8)),
    *(("allocations", f"lot_seq = {lot}", ("lot-equals-allocations", lot)) for lot in (1, 2, 6)),
    ("allocations", "lot_seq = 6", ("debit-equals-allocations", 7)),
]
COPIED = [
    ("lots", "seq = 3", "seq", "4", ("lot-has-its-entry", 4)),
    ("entries", "seq = 8", "seq", "9", ("account-equals-entries", 8)),
    ("entries", "seq = 4", "seq", "9", ("lot-matures-once", 2)),
    ("allocations", "lot_seq = 2", "lot_seq", "3", ("debit-equals-allocations", 5)),
    ("allocations", "lot_seq = 2", "seq", "7", ("lot-equals-allocations", 2)),
    ("accounts", "true", "unit", "'miles'", ("account-equals-entries", 8)),
]


def assert_found(session: Session, program: Program, member: LockedMember, at: tuple[str, int]) -> None:
    result = verification.verify(session, member_id=member.member_id)
    assert at in found(result, member.member_id), result.findings
    assert not result.ok
    # The proofs of a program and of everybody find the same.
    for whose in ({"program_id": program.program_id, "member_id": None}, {"program_id": None, "member_id": None}):
        rows = session.rows(verification.statement(at[0], **whose), whose, into=dict_row)
        assert (member.member_id, at[1]) in {(row["member_id"], row["seq"]) for row in rows}


@pytest.mark.parametrize(("table", "which", "change", "at"), CHANGED)
def test_a_changed_row_is_found(
    tampered: Session, program: Program, member: LockedMember, table: str, which: str, change: str, at: tuple[str, int]
):
    touched = tampered.run(f"UPDATE {table} SET {change} WHERE member_id = %s AND {which}", (member.member_id,))

    assert touched == 1
    assert_found(tampered, program, member, at)


@pytest.mark.parametrize(("table", "which", "at"), DELETED)
def test_a_deleted_row_is_found(
    tampered: Session, program: Program, member: LockedMember, table: str, which: str, at: tuple[str, int]
):
    assert tampered.run(f"DELETE FROM {table} WHERE member_id = %s AND {which}", (member.member_id,)) == 1

    assert_found(tampered, program, member, at)


@pytest.mark.parametrize(("table", "which", "column", "value", "at"), COPIED)
def test_an_added_row_is_found(
    tampered: Session, program: Program, member: LockedMember, table: str, which: str, column: str, value: str, at: Any
):
    row = f"jsonb_populate_record(t, jsonb_build_object('{column}', {value}))"
    copy = f"INSERT INTO {table} SELECT ({row}).* FROM {table} t WHERE member_id = %s AND {which}"

    assert tampered.run(copy, (member.member_id,)) == 1
    assert_found(tampered, program, member, at)


def test_a_finding_says_what_was_expected_and_what_was_found(tampered: Session, member: LockedMember):
    tampered.run("UPDATE lots SET remaining = 20 WHERE member_id = %s AND seq = 3", (member.member_id,))

    findings = verification.verify(tampered, member_id=member.member_id).findings

    whose = {"member_id": member.member_id, "unit": "points"}
    assert findings == [
        {
            "check": "account-equals-lots", "detail": "The account is not the sum of its lots.", **whose, "seq": 8,
            "expected": [50, 60], "found": [60, 60],
        },
        {
            "check": "lot-equals-allocations", **whose, "seq": 3, "expected": 30, "found": 20,
            "detail": "What remains of a lot is not what it was opened with less what was taken from it.",
        },
    ]  # fmt: skip


def test_entries_of_somebody_who_is_not_a_member_are_found(tampered: Session, member: LockedMember):
    for table in ("members", "accounts"):
        tampered.run(f"DELETE FROM {table} WHERE member_id = %s", (member.member_id,))

    assert ("account-exists", 8) in found(verification.verify(tampered), member.member_id)


def test_the_books_of_others_are_not_blamed(tampered: Session, program: Program, member: LockedMember):
    neighbour = a_member_with_a_history(tampered, program)
    stranger_program = a_program(tampered)
    stranger = a_member_with_a_history(tampered, stranger_program)
    tampered.run("UPDATE entries SET available_after = 999 WHERE member_id = %s AND seq = 5", (member.member_id,))

    result = verification.verify(tampered, program_id=program.program_id)

    assert {finding["member_id"] for finding in result.findings} == {member.member_id}
    assert result.checked == {"accounts": 2, "entries": 16, "lots": 10}
    assert verification.verify(tampered, member_id=neighbour.member_id).ok
    assert verification.verify(tampered, member_id=stranger.member_id).ok
    assert verification.verify(tampered, program_id=stranger_program.program_id).ok


def test_a_posting_without_its_other_side_is_found(session: Session, program: Program, member: LockedMember):
    half = """CREATE OR REPLACE VIEW ledger_postings AS
              SELECT member_id, seq, unit, kind, occurred_at, 'member:available' AS account, available AS points
              FROM entries"""
    as_owner(session)
    session.run("SAVEPOINT as_it_was")
    session.run(half)

    result = verification.verify(session, program_id=program.program_id)

    session.run("ROLLBACK TO as_it_was")
    assert [(f["check"], f["expected"], f["found"]) for f in result.findings] == [("postings-sum-to-zero", 0, 60)]


def test_a_hundred_findings_are_enough(tampered: Session, member: LockedMember):
    some = """INSERT INTO allocations SELECT member_id, 1000 + n, lot_seq, 1 FROM allocations, generate_series(1, 150) n
              WHERE member_id = %s AND lot_seq = 2"""
    tampered.run(some, (member.member_id,))

    assert len(verification.verify(tampered, member_id=member.member_id).findings) == verification.FINDINGS_MAX


def test_the_proof_of_one_member_reads_the_rows_of_that_member_alone(session: Session, member: LockedMember):
    session.run("SAVEPOINT before_the_crowd")
    a_crowd(session)

    read = {}
    for check in verification.CHECKS:
        sql = verification.statement(check, program_id=None, member_id=member.member_id)
        explain = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}"
        plan = session.row(explain, {"member_id": member.member_id}, into=scalar_row)
        read[check] = rows_read(plan[0]["Plan"])

    session.run("ROLLBACK TO before_the_crowd")
    assert {check: rows for check, rows in read.items() if rows > 100} == {}


def a_crowd(session: Session) -> None:
    """Two thousand others, with an entry, a lot and an account each."""
    as_owner(session)
    session.run(
        """WITH e AS (INSERT INTO entries SELECT gen_random_uuid(), 1, 'points', 'earn', 1, 1, 0, 0, 0, 1, now(), now()
                      FROM generate_series(1, 2000) RETURNING member_id),
           l AS (INSERT INTO lots SELECT member_id, 1, 'points', 1, 1, false, now(), NULL, NULL FROM e)
           INSERT INTO accounts SELECT member_id, 'points', member_id, 1, 0, 0, 0, 1, 0, 1, NULL FROM e"""
    )
    session.run("ANALYZE entries, lots, accounts")


def rows_read(node: dict[str, Any]) -> int:
    """How many rows the scans of tables went through, filtered ones too."""
    read = 0
    if "Relation Name" in node:
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return int(read) + sum(rows_read(below) for below in node.get("Plans", ()))
