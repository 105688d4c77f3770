"""The proof of the books finds any single row that was tampered with, and names the check, the member and the entry."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import scalar_row

from loyalty.db.session import Session
from loyalty.ledger import verification
from loyalty.ledger.models import KINDS
from loyalty.ledger.verification import Whose, findings_of
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program
from tests.builders import a_program
from tests.ledger.lives import a_whole_life
from tests.rights import as_owner

MEMBERS = 3
LATER, EARLIER = "{0} + interval '1 us'", "{0} - interval '1 us'"
MORE_OR_LESS = ("{0} + 1", "{0} - 1")
SHIFTED = (LATER, EARLIER)
MOVED_OR_NULL = (*SHIFTED, "NULL")
SOME_DATE = "coalesce({0}, '2026-03-01Z') + interval '1 us'"
ELSEWHERE = {"member_id": ("gen_random_uuid()",), "unit": ("'other'",)}
OTHER_NUMBER = ("{0} + 1000",)

# Which of these reference what they refer to by what they do.
REFERRING = "kind IN ('mature', 'expire', 'hold', 'release', 'debt', 'debt_paid') OR held <> 0"
EARNED = "(SELECT kind FROM entries e WHERE e.member_id = t.member_id AND e.seq = t.seq) = 'earn'"

# table -> column -> what it is changed to; in which rows, if not in all
TAMPERED: dict[str, dict[str, Any]] = {
    "accounts": {
        **ELSEWHERE,
        "program_id": ("gen_random_uuid()",),
        **dict.fromkeys(("available", "pending", "held", "debt"), MORE_OR_LESS),
        **dict.fromkeys(("lifetime_earned", "lifetime_spent", "last_seq"), MORE_OR_LESS),
        "next_change_at": ((LATER, "NULL"), "next_change_at IS NOT NULL"),
        "latest_at": SHIFTED,
        "known_at": SHIFTED,
        "idle": (("'{{}}'", "jsonb_set({0}, '{{inactivity 30d,points}}', '1')"), "idle <> '{}'"),
    },
    "entries": {
        **ELSEWHERE,
        "seq": OTHER_NUMBER,
        "kind": tuple(f"'{kind}'" for kind in KINDS),
        **dict.fromkeys(("points", "available", "pending", "held", "debt", "available_after"), MORE_OR_LESS),
        "occurred_at": SHIFTED,
        "known_at": SHIFTED,
        "late": ("NOT {0}",),
        "matures_at": (SOME_DATE, "NULL"),
        "expires_at": (SOME_DATE, "NULL"),
        "reference": (("'7'", "NULL", "'99999999999999999999'"), REFERRING),
        "reason": (("'other'", "NULL"), "kind = 'hold' OR reason = 'not confirmed in time'"),
        "detail": (("NULL",), "detail ?| ARRAY['deadline_at', 'expiry']"),
    },
    "lots": {
        **ELSEWHERE,
        "seq": OTHER_NUMBER,
        **dict.fromkeys(("points", "remaining", "held"), MORE_OR_LESS),
        "pending": ("NOT {0}",),
        "earned_at": (SHIFTED, f"origin_seq IS NOT NULL AND origin_seq <> 51 OR {EARNED}"),
        **dict.fromkeys(("matures_at", "deadline_at", "expires_at"), (SOME_DATE, "NULL")),
        "expiry": ("'inactivity 31d'", "'never'", "NULL"),
        "origin_member_id": ("gen_random_uuid()", "NULL"),
        "origin_seq": ("coalesce({0}, 0) + 1000", "NULL"),
    },
    "allocations": {
        "member_id": ("gen_random_uuid()",),
        "seq": (*OTHER_NUMBER, "{0} + 1", "{0} - 1"),
        "lot_seq": (*OTHER_NUMBER, "{0} + 1", "{0} - 1"),
        "points": (*MORE_OR_LESS, "-{0}"),
        "held": (*MORE_OR_LESS, "-{0}"),
    },
    "holds": {
        **ELSEWHERE,
        "hold_id": ("'other'",),
        "points": MORE_OR_LESS,
        "captured": MORE_OR_LESS,
        "status": ("'held'", "'captured'", "'released'", "'expired'"),
        "seq": (*OTHER_NUMBER, "{0} + 1"),
        **dict.fromkeys(("held_at", "expires_at"), SHIFTED),
        "resolved_at": MOVED_OR_NULL,
        "order_id": ("'other'", "NULL"),
        "reason": ("'other'", "NULL"),
    },
    "debts": {
        **ELSEWHERE,
        "seq": (*OTHER_NUMBER, "{0} + 1"),
        "points": MORE_OR_LESS,
        "remaining": MORE_OR_LESS,
        "incurred_at": SHIFTED,
        "order_id": ("'other'", "NULL"),
        "reference": (("'other'", "NULL"), "unit <> 'stars'"),
    },
    "upcoming": {**ELSEWHERE, "at": SHIFTED, "maturing": MORE_OR_LESS, "expiring": MORE_OR_LESS},
    "checkpoints": {
        **ELSEWHERE,
        "seq": (*OTHER_NUMBER, "{0} + 1", "{0} - 1"),
        **dict.fromkeys(("available", "pending", "held", "debt"), MORE_OR_LESS),
        **dict.fromkeys(("lifetime_earned", "lifetime_spent"), MORE_OR_LESS),
        "latest_at": SHIFTED,
        "known_at": SHIFTED,
    },
}

# What nothing follows from, and that follows from nothing: it tells a person why, or when the row was written.
DESCRIPTIVE = {
    ("entries", "order_id"): "the order that it was for; its receipt names the entry",
    ("entries", "rule_code"): "the rule that gave the points",
    ("entries", "rule_version"): "the version of that rule",
    ("entries", "recorded_at"): "when the row was written; what is asked of the past is asked by known_at",
}
COLUMNS = [(table, column) for table, columns in TAMPERED.items() for column in columns]


@pytest.fixture
def program(session: Session) -> Program:
    return a_program(session)


@pytest.fixture
def member(session: Session, program: Program) -> LockedMember:
    return a_whole_life(session, program)


@pytest.fixture
def tampered(session: Session, member: LockedMember) -> Iterator[Session]:
    """The session, with the triggers and foreign keys that guard the books out of the way; all of it is rolled back."""
    as_owner(session)
    session.run("SET LOCAL session_replication_role = replica")
    yield session
    session.driver.rollback()


def found(result: verification.Verification, member_id: UUID | None) -> set[tuple[str, int]]:
    return {(finding["check"], finding["seq"]) for finding in result.findings if finding["member_id"] == member_id}


# One row of every sort: each of the fifty lots of the first day is like the other.
SORTS = {
    "entries": "kind, sign(available), sign(pending), sign(held), matures_at IS NULL, expires_at IS NULL, reason, late",
    "lots": "pending, sign(remaining), sign(held), matures_at IS NULL, expires_at IS NULL, expiry, origin_seq",
    "allocations": "seq, lot_seq > 50",
    "upcoming": "sign(maturing), sign(expiring)",
}
# Rows of zeros say nothing: what was to come at that instant has been spent.
SAYING = {"upcoming": "maturing > 0 OR expiring > 0"}


def rows_of(session: Session, table: str, member: LockedMember, which: str = "true") -> list[str]:
    """Where rows of the member lie, one of every sort."""
    sort = SORTS.get(table, "ctid")
    sql = f"""SELECT DISTINCT ON ({sort}) ctid::text FROM {table} t
              WHERE member_id = %s AND ({which}) AND ({SAYING.get(table, "true")})"""
    return session.rows(sql, (member.member_id,), into=scalar_row)


def goes_unnoticed(session: Session, program: Program, sql: str, row: str) -> bool:
    """Whether the database takes a change of a row and the proof of the program has nothing to say."""
    session.run("SAVEPOINT untouched")
    try:
        changed = session.run(sql, (row,))
        return changed == 1 and verification.verify(session, program_id=program.program_id).ok
    except psycopg.errors.IntegrityError:
        return False
    finally:
        session.run("ROLLBACK TO untouched")


def test_the_life_to_be_tampered_with_has_everything_and_is_in_order(
    session: Session, program: Program, member: LockedMember
):
    kinds = session.rows("SELECT kind FROM entries WHERE member_id = %s", (member.member_id,), into=scalar_row)
    states = session.rows("SELECT status FROM holds WHERE member_id = %s", (member.member_id,), into=scalar_row)
    assert set(kinds) == set(KINDS)
    assert set(states) == {"held", "captured", "released", "expired"}
    for table in TAMPERED:
        assert rows_of(session, table, member), table

    result = verification.verify(session, program_id=program.program_id)

    assert result.findings == []
    assert result.checked["entries"] > len(kinds)
    assert verification.verify(session, member_id=member.member_id).ok


def test_every_column_is_tampered_with_or_said_to_tell_a_person_something(session: Session):
    sql = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %s"
    for table, columns in TAMPERED.items():
        told = {column for at, column in DESCRIPTIVE if at == table}
        assert set(session.rows(sql, (table,), into=scalar_row)) == set(columns) | told


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_changed_value_is_found(tampered: Session, program: Program, member: LockedMember, table: str, column: str):
    given = TAMPERED[table][column]
    values, which = given if isinstance(given[0], tuple) else (given, "true")
    unnoticed = []
    for row in rows_of(tampered, table, member, which):
        for value in values:
            new = value.format(column)
            sql = f"UPDATE {table} SET {column} = {new} WHERE ctid = %s::tid AND {column} IS DISTINCT FROM {new}"
            if goes_unnoticed(tampered, program, sql, row):
                told = f"SELECT to_jsonb(t) FROM {table} t WHERE ctid = %s::tid"
                unnoticed.append((value, tampered.row(told, (row,), into=scalar_row)))

    assert unnoticed == []


@pytest.mark.parametrize("table", TAMPERED)
def test_a_deleted_row_is_found(tampered: Session, program: Program, member: LockedMember, table: str):
    rows = rows_of(tampered, table, member)

    sql = f"DELETE FROM {table} WHERE ctid = %s::tid"
    assert [row for row in rows if goes_unnoticed(tampered, program, sql, row)] == []


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("accounts", {"unit": "'other'"}),
        ("accounts", {"member_id": "gen_random_uuid()", "program_id": "program_id"}),
        ("entries", {"seq": "(SELECT max(seq) + 1 FROM entries)"}),
        ("lots", {"seq": "seq + 1000"}),
        ("allocations", {"lot_seq": "lot_seq + 1"}),
        ("allocations", {"seq": "seq + 1000"}),
        ("holds", {"hold_id": "'other'"}),
        ("debts", {"seq": "seq + 1"}),
        ("upcoming", {"at": "at + interval '1 us'"}),
        ("checkpoints", {"seq": "seq + 64"}),
        ("checkpoints", {"unit": "'other'"}),
    ],
)
def test_an_added_row_is_found(
    tampered: Session, program: Program, member: LockedMember, table: str, key: dict[str, str]
):
    other = ", ".join(f"'{column}', {value}" for column, value in key.items())
    row = f"jsonb_populate_record(t, jsonb_build_object({other}))"
    copy = f"INSERT INTO {table} SELECT ({row}).* FROM {table} t WHERE ctid = %s::tid"

    assert [row for row in rows_of(tampered, table, member) if goes_unnoticed(tampered, program, copy, row)] == []


@pytest.mark.parametrize(
    ("sql", "check", "seq"),
    [
        ("UPDATE entries SET kind = 'return_spent' WHERE seq = 79", "entry-of-its-kind", 79),
        ("UPDATE accounts SET held = 10 WHERE unit = 'points'", "account-equals-holds", 95),
        ("UPDATE accounts SET debt = 1 WHERE unit = 'miles'", "account-equals-debts", 74),
        ("UPDATE accounts SET next_change_at = NULL WHERE unit = 'points'", "account-knows-what-comes", 95),
        ("UPDATE accounts SET idle = '{}' WHERE unit = 'points'", "account-counts-what-is-idle", 95),
        ("UPDATE accounts SET program_id = gen_random_uuid()", "account-of-its-program", 95),
        ("UPDATE lots SET remaining = remaining - 1 WHERE seq = 94", "account-equals-lots", 95),
        ("UPDATE lots SET remaining = remaining - 1 WHERE seq = 94", "lot-follows-from-entries", 94),
        ("UPDATE lots SET earned_at = earned_at - interval '1 us' WHERE seq = 94", "lot-earned-with-its-entry", 94),
        ("UPDATE lots SET origin_seq = 1000 WHERE seq = 87", "lot-of-its-origin", 87),
        ("DELETE FROM allocations WHERE seq = 71 AND lot_seq = 52", "entry-equals-allocations", 71),
        ("UPDATE entries SET points = 401 WHERE seq = 75", "entry-adds-up", 75),
        ("UPDATE entries SET occurred_at = occurred_at - interval '1 us' WHERE seq = 60", "entry-at-its-instant", 60),
        ("UPDATE entries SET matures_at = NULL WHERE seq = 52", "promises-kept", 52),
        ("UPDATE entries SET occurred_at = occurred_at - interval '1 us' WHERE seq = 79", "entry-as-it-was-done", 79),
        ("UPDATE entries SET reference = '57' WHERE seq = 59", "entry-names-its-lot", 59),
        ("UPDATE entries SET available_after = 1 WHERE seq = 79", "running-balance", 79),
        ("UPDATE entries SET late = NOT late WHERE seq = 90", "entry-in-time", 90),
        ("UPDATE entries SET seq = 96 WHERE seq = 95", "seq-without-gaps", 95),
        ("UPDATE holds SET captured = 14 WHERE hold_id = 'h-captured'", "hold-follows-from-entries", 62),
        ("UPDATE debts SET remaining = 1 WHERE seq = 72", "debt-follows-from-entries", 72),
        ("DELETE FROM upcoming", "upcoming-equals-lots", None),
        ("UPDATE checkpoints SET available = 0 WHERE unit = 'points'", "checkpoint-equals-entries", 64),
    ],
)
def test_each_check_names_what_is_wrong_where(
    tampered: Session, program: Program, member: LockedMember, sql: str, check: str, seq: int | None
):
    also = " AND " if "WHERE" in sql else " WHERE "
    tampered.run(f"{sql}{also}member_id = %s", (member.member_id,))

    # The proofs of the member, of the program and of everybody find the same.
    assert (check, seq) in found(verification.verify(tampered, member_id=member.member_id), member.member_id)
    assert (check, seq) in found(verification.verify(tampered, program_id=program.program_id), member.member_id)
    assert (member.member_id, seq) in {(row["member_id"], row["seq"]) for row in findings_of(tampered, check, Whose())}
