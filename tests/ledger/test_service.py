"""A member's book out of the database and back: what is read, what is written, and with how many statements."""

from datetime import timedelta

import psycopg
import pytest

from loyalty.db.paging import Window
from loyalty.db.session import Session
from loyalty.ledger import balances, queries, to_spend
from loyalty.ledger import service as ledger
from loyalty.ledger.balances import Balance, Moment
from loyalty.ledger.errors import InsufficientPoints, UnitUnknown
from loyalty.members.domain import LockedMember
from loyalty.members.errors import MemberNotFound
from loyalty.programs.domain import Program
from tests.builders import NOW, a_member, a_program
from tests.ledger.books import earn, history, next_change, remaining, spend, touch
from tests.rights import as_owner
from tests.statements import statements

A_DAY = timedelta(days=1)


@pytest.fixture
def program(session: Session) -> Program:
    return a_program(session)


@pytest.fixture
def member(session: Session, program: Program) -> LockedMember:
    return a_member(session, program)


def balance(session: Session, program: Program, member: LockedMember, **given) -> Balance:
    moment = Moment(now=given.get("now", NOW))
    return balances.balance(session, program.program_id, member.customer_id, given.get("unit", "points"), moment)


# Reading


def test_a_member_who_never_earned_holds_nothing(session: Session, program: Program, member: LockedMember):
    held = balance(session, program, member)

    assert (held.unit, held.as_of, held.available, held.pending, held.held, held.debt) == ("points", NOW, 0, 0, 0, 0)
    assert (held.lifetime_earned, held.lifetime_spent, held.maturing, held.expiring) == (0, 0, [], [])


def test_a_balance_says_what_is_held_and_what_becomes_of_it(session: Session, program: Program, member: LockedMember):
    earn(session, program, member, 100, expires_at=NOW + 9 * A_DAY)
    earn(session, program, member, 50, expires_at=NOW + 5 * A_DAY)
    earn(session, program, member, 7, expires_at=NOW + 9 * A_DAY)
    earn(session, program, member, 20, matures_at=NOW + 3 * A_DAY, expires_at=NOW + 8 * A_DAY)
    earn(session, program, member, 3, matures_at=NOW + 2 * A_DAY)
    earn(session, program, member, 1)
    earn(session, program, member, 4, expires_at=NOW + A_DAY)
    spend(session, program, member, 14)

    held = balance(session, program, member)

    assert (held.available, held.pending, held.lifetime_earned, held.lifetime_spent) == (148, 23, 185, 14)
    assert held.expiring == [
        {"points": 40, "at": NOW + 5 * A_DAY},
        {"points": 20, "at": NOW + 8 * A_DAY},
        {"points": 107, "at": NOW + 9 * A_DAY},
    ]
    assert held.maturing == [{"points": 3, "at": NOW + 2 * A_DAY}, {"points": 20, "at": NOW + 3 * A_DAY}]


def test_a_read_sees_what_matured_and_lapsed_without_any_job(session: Session, program: Program, member: LockedMember):
    earn(session, program, member, 100, expires_at=NOW + 2 * A_DAY)
    earn(session, program, member, 20, matures_at=NOW + A_DAY, expires_at=NOW + 3 * A_DAY)
    before = history(session, member.member_id)

    seen = [balance(session, program, member, now=NOW + day * A_DAY) for day in range(4)]

    assert [(held.available, held.pending) for held in seen] == [(100, 20), (120, 0), (20, 0), (0, 0)]
    assert seen[1].expiring == [{"points": 100, "at": NOW + 2 * A_DAY}, {"points": 20, "at": NOW + 3 * A_DAY}]
    assert seen[2].expiring == [{"points": 20, "at": NOW + 3 * A_DAY}]
    assert seen[1].maturing == []
    assert history(session, member.member_id) == before


def test_instants_keep_their_fraction_of_a_second(session: Session, program: Program, member: LockedMember):
    odd = NOW + timedelta(microseconds=500_000)
    earn(session, program, member, 5, matures_at=odd)

    assert balance(session, program, member).maturing == [{"points": 5, "at": odd}]


def test_a_unit_that_the_program_does_not_have_is_refused(session: Session, program: Program, member: LockedMember):
    with pytest.raises(UnitUnknown) as refused:
        balance(session, program, member, unit="miles")

    assert refused.value.facts == {"unit": "miles"}


def test_a_stranger_has_no_balance(session: Session, program: Program):
    with pytest.raises(MemberNotFound):
        balances.balance(session, program.program_id, "nobody", "points", Moment(now=NOW))


def test_members_of_other_programs_are_strangers(session: Session, member: LockedMember):
    with pytest.raises(MemberNotFound):
        balance(session, a_program(session), member)


# Writing


def test_the_next_write_records_what_happened_meanwhile_at_the_instants_it_happened(
    session: Session, program: Program, member: LockedMember
):
    earn(session, program, member, 100, expires_at=NOW + 2 * A_DAY)
    earn(session, program, member, 20, matures_at=NOW + A_DAY, expires_at=NOW + 3 * A_DAY)

    earn(session, program, member, 5, now=NOW + 10 * A_DAY)

    assert history(session, member.member_id) == [
        ("earn", 100, 100, NOW),
        ("earn", 20, 100, NOW),
        ("mature", 20, 120, NOW + A_DAY),
        ("expire", -100, 20, NOW + 2 * A_DAY),
        ("expire", -20, 0, NOW + 3 * A_DAY),
        ("earn", 5, 5, NOW + 10 * A_DAY),
    ]


def test_what_was_recorded_carries_the_time_it_was_recorded(session: Session, program: Program, member: LockedMember):
    earn(session, program, member, 100, expires_at=NOW + A_DAY)
    touch(session, program, member, now=NOW + 5 * A_DAY)

    now = NOW + 5 * A_DAY
    page = queries.entries(session, program.program_id, member.member_id, Window(), now=now)

    assert [(e["kind"], e["occurred_at"], e["recorded_at"]) for e in page.data] == [
        ("expire", NOW + A_DAY, NOW + 5 * A_DAY),
        ("earn", NOW, NOW),
    ]


@pytest.mark.parametrize("lots_read_at_once", [1, 100])
def test_a_redemption_spends_points_that_matured_meanwhile_and_none_that_lapsed(
    session: Session, program: Program, member: LockedMember, monkeypatch: pytest.MonkeyPatch, lots_read_at_once: int
):
    monkeypatch.setattr(to_spend, "LOTS_CHUNK", lots_read_at_once)
    lapsed = earn(session, program, member, 100, expires_at=NOW + A_DAY)
    matured = earn(session, program, member, 20, matures_at=NOW + A_DAY)

    with pytest.raises(InsufficientPoints):
        spend(session, program, member, 21, now=NOW + A_DAY)
    spend(session, program, member, 20, now=NOW + A_DAY)

    assert remaining(session, member.member_id) == {lapsed: 0, matured: 0}


def test_a_redemption_consumes_lots_from_the_one_that_lapses_first(
    session: Session, program: Program, member: LockedMember
):
    never = earn(session, program, member, 10)
    late = earn(session, program, member, 10, expires_at=NOW + 9 * A_DAY)
    soon = earn(session, program, member, 10, expires_at=NOW + 2 * A_DAY)
    older = earn(session, program, member, 10, expires_at=NOW + 9 * A_DAY, earned_at=NOW - A_DAY)

    spend(session, program, member, 25)

    assert remaining(session, member.member_id) == {soon: 0, older: 0, late: 5, never: 10}


@pytest.mark.parametrize("points", [29, 30, 31, 60, 100])
def test_a_redemption_may_consume_more_lots_than_are_read_at_once(
    session: Session, program: Program, member: LockedMember, monkeypatch: pytest.MonkeyPatch, points: int
):
    monkeypatch.setattr(to_spend, "LOTS_CHUNK", 3)
    for day in range(10):
        earn(session, program, member, 10, expires_at=NOW + (20 - day) * A_DAY)

    spend(session, program, member, points)

    left = remaining(session, member.member_id)
    assert sum(left.values()) == 100 - points
    assert [left[seq] for seq in sorted(left, reverse=True) if seq <= 10] == sorted(left.values())


def test_the_next_change_is_that_of_the_lots_that_were_not_touched(
    session: Session, program: Program, member: LockedMember
):
    earn(session, program, member, 1, expires_at=NOW + 3 * A_DAY)
    earn(session, program, member, 2, expires_at=NOW + A_DAY)
    earn(session, program, member, 3, matures_at=NOW + 2 * A_DAY, expires_at=NOW + 4 * A_DAY)
    earn(session, program, member, 4)
    earn(session, program, member, 5, matures_at=NOW + 6 * A_DAY)

    seen = [next_change(session, member.member_id)]
    for day in (1, 2, 3, 4, 6):
        touch(session, program, member, now=NOW + day * A_DAY)
        seen.append(next_change(session, member.member_id))

    assert seen == [*(NOW + day * A_DAY for day in (1, 2, 3, 4, 6)), None]


def test_books_of_several_members_are_opened_together(session: Session, program: Program):
    rich, poor, new = (a_member(session, program) for _ in range(3))
    earn(session, program, rich, 100, expires_at=NOW + A_DAY)
    earn(session, program, poor, 1)

    with statements() as sent:
        books = ledger.open_books(session, program, [rich, poor, new], now=NOW + A_DAY)

    assert {m: book.account("points").available for m, book in books.items()} == {
        rich.member_id: 0,
        poor.member_id: 1,
        new.member_id: 0,
    }
    # All accounts, then what is due, of however many members.
    assert len(sent) == 2


# Statements


@pytest.mark.parametrize(("days", "count"), [(0, 1), (1, 2)])
def test_a_balance_takes_one_statement_and_another_when_something_is_due(
    session: Session, program: Program, member: LockedMember, days: int, count: int
):
    earn(session, program, member, 100, expires_at=NOW + A_DAY)
    balance(session, program, member, now=NOW + A_DAY)  # now the zone of the program is remembered

    with statements() as sent:
        balance(session, program, member, now=NOW + days * A_DAY)

    assert len(sent) == count


@pytest.mark.parametrize(("days", "count"), [(0, 1), (1, 2)])
def test_opening_a_book_to_spend_takes_one_statement_and_another_when_something_is_due(
    session: Session, program: Program, member: LockedMember, days: int, count: int
):
    earn(session, program, member, 50, expires_at=NOW + A_DAY)
    earn(session, program, member, 100)

    with statements() as sent:
        ledger.open_book_to_spend(session, program, member, "points", 70, now=NOW + days * A_DAY)

    assert len(sent) == count


def test_a_book_that_cannot_pay_is_not_asked_for_its_lots(session: Session, program: Program, member: LockedMember):
    earn(session, program, member, 50)

    with statements() as sent:
        ledger.open_book_to_spend(session, program, member, "points", 51, now=NOW)

    assert len(sent) == 1


# What the database itself refuses


def copy_of_an_entry(
    *, kind: str = "kind", available_after: str = "available_after", known_at: str = "known_at"
) -> str:
    return f"""INSERT INTO entries SELECT (jsonb_populate_record(e, jsonb_build_object(
                   'seq', seq + 1, 'kind', {kind}, 'available_after', {available_after}, 'known_at', {known_at}))).*
               FROM entries e"""


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entries SET points = 1",
        "DELETE FROM entries",
        "TRUNCATE entries CASCADE",
        "UPDATE allocations SET points = 1",
        "DELETE FROM allocations",
        "TRUNCATE allocations",
        "DELETE FROM checkpoints",
        "UPDATE checkpoints SET available = 1",
        "TRUNCATE checkpoints",
    ],
)
def test_history_only_grows_whoever_asks(session: Session, program: Program, member: LockedMember, sql: str):
    earn(session, program, member, 50)
    spend(session, program, member, 20)
    as_owner(session)

    with pytest.raises(psycopg.errors.RestrictViolation):
        session.run(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE accounts SET available = -1",
        "UPDATE accounts SET pending = -1",
        "UPDATE accounts SET held = -1",
        "UPDATE accounts SET debt = -1",
        "UPDATE lots SET remaining = -1",
        "UPDATE lots SET remaining = points + 1",
        "UPDATE lots SET held = -1",
        "UPDATE lots SET held = points + 1",
        copy_of_an_entry(kind="'gift'"),
        copy_of_an_entry(available_after="-1"),
        copy_of_an_entry(known_at="occurred_at - interval '1 us'"),
    ],
)
def test_the_database_holds_no_negative_points_and_no_unknown_kind(
    session: Session, program: Program, member: LockedMember, sql: str
):
    earn(session, program, member, 50)

    with pytest.raises(psycopg.errors.CheckViolation):
        session.run(sql)


def test_a_member_cannot_have_two_histories(session: Session, program: Program, member: LockedMember):
    earn(session, program, member, 50)

    with pytest.raises(psycopg.errors.UniqueViolation):
        session.run("INSERT INTO entries SELECT * FROM entries WHERE member_id = %s", (member.member_id,))
