"""Whose books a proof reads, what it says of them, and that it has nothing to say of books in order."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.db.session import Session
from loyalty.ledger import reversing, spending, verification
from loyalty.ledger.book import Book
from loyalty.ledger.crediting import earn, give
from loyalty.ledger.domain import Hold
from loyalty.ledger.moving import merge, transfer
from loyalty.ledger.reversing import Claim
from loyalty.ledger.settling import mature, settle
from loyalty.ledger.verification import Whose
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program, ReturnSettings
from tests.builders import NOW, a_credit, a_member, a_program
from tests.ledger.books import earn as earned
from tests.ledger.lives import A_DAY, a_whole_life, books, day, kept
from tests.rights import as_owner

TERMS: list[dict[str, Any]] = [
    {}, {"expires_at": 9}, {"matures_at": 4}, {"matures_at": 4, "expires_at": 9}, {"expiry": "inactivity 12d"},
    {"matures_at": 3, "expiry": "inactivity 7d"}, {"pending": True, "deadline_at": 6, "expiry": "rolling 9d"},
    {"pending": True, "expiry": "inactivity 7d"}, {"pending": True, "deadline_at": 20, "expiry": "never"},
]  # fmt: skip


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


# Books in order


@pytest.mark.parametrize("seed", range(12))
def test_books_are_in_order_whatever_happens_to_members_in_whatever_order(session: Session, seed: int):
    chance = Random(seed)
    program = a_program(session, settings={"time_zone": chance.choice(["UTC", "Europe/Warsaw", "America/New_York"])})
    ann, bob = (a_member(session, program) for _ in range(2))
    open_holds: list[str] = []
    for number in range(40):
        now = NOW + number * A_DAY * chance.choice([1, 1, 1.37])
        with books(session, program, ann, bob, now=now) as [book, other]:
            for step in range(chance.randint(1, 4)):
                something_happens(session, chance, book, other, open_holds, f"{number}-{step}")
        assert verification.verify(session, program_id=program.program_id).findings == []

    with books(session, program, bob, ann, now=day(60)) as [source, target]:
        merge(source, target, source_id="c-1", target_id="c-2")
    assert verification.verify(session, program_id=program.program_id).findings == []


def something_happens(
    session: Session, chance: Random, book: Book, other: Book, open_holds: list[str], name: str
) -> None:
    available = book.account("points").available
    waiting = [lot for lot in book.lots if lot.pending and lot.remaining and lot.matures_at is None]
    what = chance.choice(["earn", "earn", "earn", "spend", "hold", "resolve", "return", "give", "transfer", "confirm"])
    if what == "earn":
        earn(book, a_credit(chance.randint(1, 99), **dated(book, chance.choice(TERMS), late=chance.choice([0, 0, 5]))))
        settle(book, book.now)
    elif what == "give":
        give(book, "adjust", a_credit(7, **dated(book, chance.choice(TERMS[:2] + TERMS[4:5]))))
    elif what == "return":
        own = tuple(lot.seq for lot in book.lots if lot.unit == "points")[:1]
        settings = ReturnSettings(chance.choice(["debt", "debt", "clamp"]), max_debt=chance.choice([None, 50]))
        reversing.reverse(book, Claim(points=chance.randint(1, 200), unit="points", own=own, order_id="A"), settings)
    elif what == "confirm" and waiting:
        mature(book, waiting[0], book.now)
    elif what == "resolve" and open_holds:
        resolve(chance, book, kept(session, book, open_holds.pop()))
    elif available and what in ("spend", "transfer", "hold"):
        take(chance, book, other, chance.randint(1, available), what, name)
        open_holds += [name] if what == "hold" else []


def resolve(chance: Random, book: Book, held: Hold) -> None:
    if held.status == "held" and chance.random() < 0.5:
        spending.capture(book, held, chance.randint(1, held.points))
    elif held.status == "held":
        spending.release(book, held, at=book.now)


def take(chance: Random, book: Book, other: Book, points: int, what: str, name: str) -> None:
    if what == "spend":
        spending.redeem(book, "points", points, reference="r", reason=None)
    elif what == "transfer":
        transfer(book, other, "points", points, reference="t", reason=None)
    else:
        expires_at = book.now + chance.choice([1, 3, 20]) * A_DAY
        spending.hold(book, "points", points, hold_id=name, expires_at=expires_at)


def dated(book: Book, terms: dict[str, Any], late: int = 0) -> dict[str, Any]:
    """Terms, in days from when the points were earned, as dates."""
    earned_at = book.now - late * A_DAY
    instants = {name: earned_at + value * A_DAY for name, value in terms.items() if name.endswith("_at")}
    return {**terms, **instants, "earned_at": earned_at}


# What a proof says


def test_a_finding_says_what_was_expected_and_what_was_found(session: Session, program: Program):
    member = a_member(session, program)
    earned(session, program, member, 30)
    session.run("SAVEPOINT untouched")
    session.run("UPDATE lots SET remaining = 20 WHERE member_id = %s", (member.member_id,))

    findings = verification.verify(session, member_id=member.member_id).findings

    session.run("ROLLBACK TO untouched")
    whose = {"member_id": member.member_id, "unit": "points", "seq": 1}
    dates = [None] * 4
    assert findings == [
        {
            "check": "account-equals-lots", "detail": "The account is not the sum of its lots.", **whose,
            "expected": [20, 0, 0], "found": [30, 0, 0],
        },
        {
            "check": "lot-follows-from-entries", "detail": "A lot is not what the entries made of it.", **whose,
            "expected": ["points", 30, 30, 0, False, *dates], "found": ["points", 30, 20, 0, False, *dates],
        },
    ]  # fmt: skip


def test_a_hundred_findings_are_enough(tampered: Session, member: LockedMember):
    some = """INSERT INTO allocations SELECT member_id, 1000 + n, lot_seq, 1 FROM allocations, generate_series(1, 150) n
              WHERE member_id = %s AND seq = 59"""
    tampered.run(some, (member.member_id,))

    assert len(verification.verify(tampered, member_id=member.member_id).findings) == verification.FINDINGS_MAX


def test_a_posting_without_its_other_side_is_found(session: Session, program: Program):
    earned(session, program, a_member(session, program), 60)
    half = """CREATE OR REPLACE VIEW ledger_postings AS
              SELECT member_id, seq, unit, kind, occurred_at, 'member:available' AS account, available AS points
              FROM entries"""
    session.run("SAVEPOINT as_it_was")
    as_owner(session)
    session.run(half)

    result = verification.verify(session, program_id=program.program_id)

    session.run("ROLLBACK TO as_it_was")
    assert [(f["check"], f["expected"], f["found"]) for f in result.findings] == [("postings-sum-to-zero", 0, 60)]


def test_points_that_one_gave_and_nobody_got_are_found(tampered: Session, program: Program, member: LockedMember):
    tampered.run(
        "UPDATE entries SET kind = 'adjust' WHERE member_id = %s AND kind = 'transfer_out'", (member.member_id,)
    )

    result = verification.verify(tampered, program_id=program.program_id)

    assert [(f["check"], f["member_id"], f["found"]) for f in result.findings] == [("transfers-cancel-out", None, 10)]


# Whose books


def test_the_books_of_others_are_not_blamed(tampered: Session, program: Program, member: LockedMember):
    neighbour = a_whole_life(tampered, program)
    elsewhere = a_program(tampered)
    stranger = a_whole_life(tampered, elsewhere)
    tampered.run("UPDATE entries SET available_after = 999 WHERE member_id = %s AND seq = 79", (member.member_id,))

    result = verification.verify(tampered, program_id=program.program_id)

    assert {finding["member_id"] for finding in result.findings} == {member.member_id}
    assert verification.verify(tampered, member_id=neighbour.member_id).ok
    assert verification.verify(tampered, member_id=stranger.member_id).ok
    assert verification.verify(tampered, program_id=elsewhere.program_id).ok


def test_entries_of_somebody_who_is_not_a_member_are_found(tampered: Session, member: LockedMember):
    for table in ("members", "accounts"):
        tampered.run(f"DELETE FROM {table} WHERE member_id = %s", (member.member_id,))

    findings = verification.verify(tampered).findings
    assert ("account-equals-entries", member.member_id) in {(f["check"], f["member_id"]) for f in findings}


def test_members_are_checked_some_at_a_time(session: Session, program: Program, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verification, "BATCH", 2)
    for _ in range(5):
        earned(session, program, a_member(session, program), 10)

    result = verification.verify(session, program_id=program.program_id)

    assert (result.ok, result.checked) == (True, {"accounts": 5, "entries": 5, "lots": 5})


def test_the_proof_of_one_member_reads_the_rows_of_that_member_alone(session: Session, member: LockedMember):
    session.run("SAVEPOINT before_the_crowd")
    a_crowd(session, member)
    whose = Whose(members=(member.member_id,))
    verification.take_your_time(session)

    read = {}
    for check, (_, sql) in verification.CHECKS.items():
        explain = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {whose.over(sql)}"
        plan = session.row(explain, whose.parameters, into=scalar_row)
        read[check] = rows_read(plan[0]["Plan"])

    session.run("ROLLBACK TO before_the_crowd")
    # A check may go through the some hundred rows of this member again and again, as the planner likes that day;
    # one that looks at others goes through all of them.
    assert {check: rows for check, rows in read.items() if rows >= CROWD} == {}


CROWD = 20_000


def a_crowd(session: Session, like: LockedMember) -> None:
    """So many others, each with an entry, a lot and an account like the first of this one."""
    session.run(
        f"CREATE TEMP TABLE crowd ON COMMIT DROP AS SELECT gen_random_uuid() AS id FROM generate_series(1, {CROWD})"
    )
    for table, first in (("entries", "seq = 1"), ("lots", "seq = 1"), ("accounts", "unit = 'points'")):
        other = "jsonb_populate_record(t, jsonb_build_object('member_id', id))"
        copy = f"INSERT INTO {table} SELECT ({other}).* FROM {table} t, crowd WHERE member_id = %s AND {first}"
        session.run(copy, (like.member_id,))
    as_owner(session)  # who may, for the service would be refused without a word
    session.run("ANALYZE entries, lots, accounts, allocations")


def rows_read(node: dict[str, Any]) -> int:
    """How many rows the scans of tables went through, filtered ones too."""
    read = 0
    if "Relation Name" in node:
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
    return int(read) + sum(rows_read(below) for below in node.get("Plans", ()))
