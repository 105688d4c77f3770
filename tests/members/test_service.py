"""Enrolling, changing and locking members."""

from datetime import date, timedelta
from typing import Any

import pytest
from psycopg.rows import dict_row, scalar_row

from loyalty.core import codes
from loyalty.db.session import Session
from loyalty.db.writer import write
from loyalty.members import locks, queries, service
from loyalty.members.domain import PROFILE, NewMember
from loyalty.members.errors import (
    EnrolmentFixed,
    MemberClosed,
    MemberNotFound,
    MemberSuspended,
    ReferralCircle,
    ReferrerNotFound,
)
from loyalty.members.locks import Claim
from loyalty.programs.domain import Program
from tests.builders import NOW, a_member, a_program, new_id
from tests.statements import statements

A_DAY = timedelta(days=1)
PRINT = b"\x00" * 32


@pytest.fixture
def program(session: Session) -> Program:
    return a_program(session)


def enrol(session: Session, program: Program, *new: NewMember) -> dict[str, Any]:
    enrolment = service.enrol(session, program.program_id, new, now=NOW)
    write(session, enrolment.changes)
    return dict(enrolment.members)


def change(session: Session, program: Program, customer_id: str, **given: Any) -> None:
    locked = locks.lock_member(session, program.program_id, customer_id)
    new = NewMember(customer_id=customer_id, given=frozenset(given), **given)
    service.change_profile(session, locked, new, now=NOW + A_DAY)
    session.orm.flush()


# Enrolling


def test_a_new_member_is_kept_as_it_was_told(session: Session, program: Program):
    told: dict[str, Any] = {
        "email": "ada@example.com", "phone": "+48221234567", "first_name": "Ada", "last_name": "Lovelace",
        "birth_date": date(1815, 12, 10), "locale": "en", "attributes": {"vip": True}, "consents": {"mail": False},
    }  # fmt: skip

    ids = enrol(session, program, NewMember(customer_id="c-1", enrolled_at=NOW - A_DAY, **told))

    member = queries.member(session, program.program_id, "c-1")
    assert {name: getattr(member, name) for name in PROFILE} == told
    assert (member.member_id, member.status, member.enrolled_at) == (ids["c-1"], "active", NOW - A_DAY)
    assert member.referred_by is None
    assert queries.member_id_of(session, program.program_id, "c-1") == ids["c-1"]


def test_who_says_nothing_enrols_now_with_an_empty_profile(session: Session, program: Program):
    enrol(session, program, NewMember(customer_id="c-1"))

    member = queries.member(session, program.program_id, "c-1")
    assert member.enrolled_at == NOW
    assert {name: getattr(member, name) for name in PROFILE} == {
        **dict.fromkeys(PROFILE), "attributes": {}, "consents": {},
    }  # fmt: skip


def test_who_is_enrolled_already_is_not_enrolled_again(session: Session, program: Program):
    first = enrol(session, program, NewMember(customer_id="c-1"), NewMember(customer_id="c-2"))

    again = enrol(session, program, NewMember(customer_id="c-2"), NewMember(customer_id="c-3"))

    assert list(again) == ["c-3"]
    assert queries.member_id_of(session, program.program_id, "c-2") == first["c-2"]


def test_every_member_gets_a_referral_code_of_its_own(session: Session, program: Program):
    enrol(session, program, *(NewMember(customer_id=f"c-{number}") for number in range(20)))

    drawn = {queries.member(session, program.program_id, f"c-{n}").referral_code for n in range(20)}
    assert len(drawn) == 20
    assert {len(codes.canonical(code)) for code in drawn} == {service.REFERRAL_CODE_CHARACTERS}


def test_a_referral_code_that_somebody_has_is_drawn_again(
    session: Session, program: Program, monkeypatch: pytest.MonkeyPatch
):
    drawn = iter(["AAAA", "AAAA", "BBBB", "aaaa", "CCCC"])
    monkeypatch.setattr(codes, "new_code", lambda *, characters: next(drawn))

    for customer_id in ("c-1", "c-2", "c-3"):
        enrol(session, program, NewMember(customer_id=customer_id))

    found = [queries.member(session, program.program_id, f"c-{n}").referral_code for n in (1, 2, 3)]
    assert found == ["AAAA", "BBBB", "CCCC"]


def test_a_hundred_members_are_enrolled_with_three_statements(session: Session, program: Program):
    new = [NewMember(customer_id=f"c-{number}") for number in range(100)]

    with statements() as sent:
        enrolled = enrol(session, program, *new)

    assert (len(enrolled), len(sent)) == (100, 3)


@pytest.mark.parametrize("named", ["ada", "code", "CODE"])
def test_a_referrer_is_known_by_customer_id_or_by_code(session: Session, program: Program, named: str):
    enrol(session, program, NewMember(customer_id="ada"))
    code = queries.member(session, program.program_id, "ada").referral_code
    said = {"ada": "ada", "code": codes.canonical(code).lower(), "CODE": code}[named]

    enrol(session, program, NewMember(customer_id="bob", referred_by=said))

    assert queries.member(session, program.program_id, "bob").referred_by == "ada"


@pytest.mark.parametrize("named", ["nobody", "elsewhere"])
def test_nobody_and_members_of_other_programs_refer_nobody(session: Session, program: Program, named: str):
    a_member(session, a_program(session), "elsewhere")

    with pytest.raises(ReferrerNotFound) as refused:
        enrol(session, program, NewMember(customer_id="bob", referred_by=named))

    assert refused.value.facts == {"referred_by": named}


@pytest.mark.parametrize("size", [2, 3])
def test_those_who_are_enrolled_together_do_not_come_through_each_other(session: Session, program: Program, size: int):
    ring = [NewMember(customer_id=f"c-{n}", referred_by=f"c-{(n + 1) % size}") for n in range(size)]

    with pytest.raises(ReferralCircle):
        enrol(session, program, NewMember(customer_id="outside", referred_by="c-0"), *ring)


def test_those_who_are_enrolled_together_may_come_through_one_of_them(session: Session, program: Program):
    chain = [NewMember(customer_id=f"c-{n}", referred_by=f"c-{n + 1}") for n in range(3)]

    enrol(session, program, *chain, NewMember(customer_id="c-3"))

    assert queries.member(session, program.program_id, "c-0").referred_by == "c-1"


# Changing


def test_a_change_moves_what_was_given_and_nothing_else(session: Session, program: Program):
    a_member(session, program, "c-1", first_name="Ada", email="ada@example.com", attributes={"a": 1, "b": 2})

    change(session, program, "c-1", first_name=None, last_name="King", attributes={"b": 3})

    member = queries.member(session, program.program_id, "c-1")
    assert (member.first_name, member.last_name, member.email) == (None, "King", "ada@example.com")
    assert member.attributes == {"b": 3}


def test_a_change_moves_the_version_and_the_time_of_change(session: Session, program: Program):
    member = a_member(session, program, "c-1")

    change(session, program, "c-1", first_name="Ada")

    stored = session.row("SELECT * FROM members WHERE member_id = %s", (member.member_id,), into=dict_row)
    assert stored is not None
    assert (stored["version"], stored["updated_at"], stored["enrolled_at"]) == (2, NOW + A_DAY, NOW)


def test_when_and_through_whom_somebody_came_is_history(session: Session, program: Program):
    for customer_id in ("ada", "eve"):
        a_member(session, program, customer_id)
    a_member(session, program, "bob", referred_by="ada")

    change(session, program, "bob", enrolled_at=NOW, referred_by="ada")
    for other in ({"enrolled_at": NOW + A_DAY}, {"referred_by": "eve"}):
        with pytest.raises(EnrolmentFixed):
            change(session, program, "bob", **other)
    with pytest.raises(EnrolmentFixed):
        change(session, program, "eve", referred_by="ada")

    assert queries.member(session, program.program_id, "bob").referred_by == "ada"


@pytest.mark.parametrize("status", ["suspended", "closed", "active"])
def test_a_status_is_set_and_setting_it_again_changes_nothing(session: Session, program: Program, status: str):
    member = a_member(session, program, "c-1")

    service.set_status(session, program.program_id, member, status, now=NOW)
    again = locks.lock_member(session, program.program_id, "c-1")
    with statements() as sent:
        service.set_status(session, program.program_id, again, status, now=NOW)

    assert again.status == status
    assert sent == []


def test_what_is_closed_stays_closed(session: Session, program: Program):
    service.set_status(session, program.program_id, a_member(session, program, "c-1"), "closed", now=NOW)
    closed = locks.lock_member(session, program.program_id, "c-1")

    for status in ("active", "suspended"):
        with pytest.raises(MemberClosed):
            service.set_status(session, program.program_id, closed, status, now=NOW)
    with pytest.raises(MemberClosed):
        change(session, program, "c-1", first_name="Ada")


# Finding


def test_members_are_found_by_address_in_any_case_and_by_phone_in_their_program(session: Session, program: Program):
    contact = {"email": "Ada@Example.com", "phone": "+48221234567"}
    a_member(session, program, "c-1", **contact)
    a_member(session, a_program(session), "c-2", **contact)

    by_email = queries.members_by_contact(session, program.program_id, email="aDA@example.COM", phone=None)
    by_phone = queries.members_by_contact(session, program.program_id, email=None, phone="+48221234567")

    assert [member.customer_id for member in by_email] == [member.customer_id for member in by_phone] == ["c-1"]


def test_at_most_fifty_are_found(session: Session, program: Program):
    enrol(session, program, *(NewMember(customer_id=f"c-{n}", email="all@example.com") for n in range(51)))

    assert len(queries.members_by_contact(session, program.program_id, email="all@example.com", phone=None)) == 50


@pytest.mark.parametrize(
    ("sql", "index"),
    [(queries._BY_EMAIL, "ix_members_program_id_email"), (queries._BY_PHONE, "ix_members_program_id_phone")],
)
def test_a_search_goes_by_an_index(session: Session, program: Program, sql: str, index: str):
    session.run("SET LOCAL enable_seqscan = off")

    plan = session.rows(f"EXPLAIN {sql}", (program.program_id, "ada@example.com"), into=scalar_row)

    assert index in "\n".join(plan)


# The lock and the registry of ids


def test_a_lock_tells_who_was_locked_and_by_which_configuration(session: Session, program: Program):
    a_member(session, program, "c-1")

    locked = locks.lock_member(session, program.program_id, "c-1")

    assert (locked.customer_id, locked.status, locked.enrolled_at) == ("c-1", "active", NOW)
    assert locked.config_version == program.config_version


def test_strangers_cannot_be_locked(session: Session, program: Program):
    a_member(session, a_program(session), "elsewhere")

    with pytest.raises(MemberNotFound):
        locks.lock_member(session, program.program_id, "elsewhere")

    a_member(session, program, "c-1")
    assert list(locks.lock_members(session, program.program_id, ["c-1", "elsewhere"])) == ["c-1"]


def test_a_member_is_not_mistaken_for_the_owner_of_an_order_with_the_same_id(session: Session, program: Program):
    ada, bob = a_member(session, program, "ada"), a_member(session, program, "bob")
    locks.claim(session, program.program_id, "order", [("bob", ada.member_id, None), ("eve", ada.member_id, None)])

    assert locks.lock_member(session, program.program_id, "bob").member_id == bob.member_id
    assert queries.member(session, program.program_id, "bob").customer_id == "bob"
    with pytest.raises(MemberNotFound):
        locks.lock_member(session, program.program_id, "eve")
    with pytest.raises(MemberNotFound):
        queries.member_id_of(session, program.program_id, "eve")


def test_a_key_is_claimed_once_and_by_active_members_alone(session: Session, program: Program):
    member = a_member(session, program, "c-1")
    service.set_status(session, program.program_id, a_member(session, program, "asleep"), "suspended", now=NOW)
    wanted = [Claim(customer, f"k-{customer}", PRINT) for customer in ("c-1", "asleep", "nobody")]

    first = locks.lock_and_claim(session, program.program_id, "order", wanted, now=NOW)
    again = locks.lock_and_claim(session, program.program_id, "order", wanted, now=NOW)

    assert {key: claimed.is_new for key, claimed in first.items()} == {
        "k-c-1": True, "k-asleep": False, "k-nobody": False,
    }  # fmt: skip
    assert not again["k-c-1"].is_new
    assert (first["k-asleep"].member and first["k-asleep"].member.status, first["k-nobody"].member) == (
        "suspended",
        None,
    )
    holder = locks.holder(session, program.program_id, "order", "k-c-1")
    assert holder == locks.Holder(member.member_id, PRINT)
    assert locks.holder(session, program.program_id, "order", "k-asleep") is None


def test_the_same_key_may_be_of_several_kinds_and_programs(session: Session, program: Program):
    owner, other = new_id(), a_program(session)

    assert locks.claim(session, program.program_id, "order", [("k", owner, None)]) == {"k"}
    assert locks.claim(session, program.program_id, "voucher", [("k", owner, None)]) == {"k"}
    assert locks.claim(session, other.program_id, "order", [("k", owner, None)]) == {"k"}
    assert locks.claim(session, program.program_id, "order", [("k", owner, None), ("l", owner, None)]) == {"l"}
    assert locks.claim(session, program.program_id, "order", []) == set()


@pytest.mark.parametrize(("status", "refusal"), [("suspended", MemberSuspended), ("closed", MemberClosed)])
def test_who_is_not_active_is_refused_by_name(
    session: Session, program: Program, status: str, refusal: type[Exception]
):
    active = a_member(session, program, "c-1")
    locks.require_active(active)
    service.set_status(session, program.program_id, active, status, now=NOW)

    with pytest.raises(refusal, match="c-1"):
        locks.require_active(locks.lock_member(session, program.program_id, "c-1"))
