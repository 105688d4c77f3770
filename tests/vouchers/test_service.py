"""Vouchers: a code that nobody else has, and what it is worth."""

import pytest
from psycopg.rows import dict_row, scalar_row

from loyalty.core import codes
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program
from loyalty.vouchers import queries, redeeming, service
from loyalty.vouchers.domain import Voucher, VoucherTerms, Wish
from loyalty.vouchers.errors import VoucherNotFound, VoucherUsed
from tests.builders import NOW, a_member, a_program

WORTH = {"type": "discount_amount", "amount": 500}


@pytest.fixture
def program(session: Session) -> Program:
    return a_program(session)


def issue(session: Session, program: Program, member: LockedMember, **terms: object) -> Voucher:
    changes = Changes()
    given = VoucherTerms(WORTH, **terms)
    voucher = service.issue(
        session, changes, member, given, program_id=program.program_id, redemption_id="r-1", now=NOW
    )
    write(session, changes)
    return voucher


def test_a_voucher_belongs_to_its_member_and_says_what_it_is_worth(session: Session, program: Program):
    member = a_member(session, program)

    voucher = issue(session, program, member)

    stored = session.rows("SELECT * FROM vouchers WHERE member_id = %s", (member.member_id,), into=dict_row)
    assert stored == [
        {
            "member_id": member.member_id,
            "code": voucher.code,
            "key": codes.canonical(voucher.code),
            "program_id": program.program_id,
            "bound": True,
            "value": WORTH,
            "issued_at": NOW,
            "valid_from": None,
            "expires_at": None,
            "uses_allowed": 1,
            "uses": 0,
            "per_customer": None,
            "voided_at": None,
            "void_reason": None,
            "origin": "reward",
            "batch_id": None,
            "redemption_id": "r-1",
            "assignment_id": None,
        }
    ]


def test_a_code_has_sixty_bits_and_no_look_alikes(session: Session, program: Program):
    code = codes.canonical(issue(session, program, a_member(session, program)).code)

    assert len(code) == 12
    assert set(code) <= set(codes.ALPHABET)


def test_a_code_is_registered_in_the_form_in_which_it_will_be_looked_up(session: Session, program: Program):
    voucher = issue(session, program, a_member(session, program))

    key = "SELECT key FROM natural_keys WHERE program_id = %s AND kind = 'voucher'"
    assert session.row(key, (program.program_id,), into=scalar_row) == codes.canonical(voucher.code.lower())


def test_a_code_that_somebody_has_is_drawn_again(session: Session, program: Program, monkeypatch: pytest.MonkeyPatch):
    members = [a_member(session, program) for _ in range(2)]
    drawn = iter(["AAAA-AAAA-AAAA", "aaaa-aaaa-aaaa", "AAAA-AAAA-AAAA", "BBBB-BBBB-BBBB"])
    monkeypatch.setattr(codes, "new_code", lambda *, characters: next(drawn))

    issued = [issue(session, program, member).code for member in members]

    assert issued == ["AAAA-AAAA-AAAA", "BBBB-BBBB-BBBB"]


def test_two_programs_may_draw_the_same_code(session: Session, monkeypatch: pytest.MonkeyPatch):
    members = [(program, a_member(session, program)) for program in (a_program(session), a_program(session))]
    monkeypatch.setattr(codes, "new_code", lambda *, characters: "AAAA-AAAA-AAAA")

    assert {issue(session, program, member).code for program, member in members} == {"AAAA-AAAA-AAAA"}


def test_a_voucher_that_nobody_used_is_withdrawn_once(session: Session, program: Program):
    code = issue(session, program, a_member(session, program)).code
    program_id = program.program_id

    service.void(session, program_id, code.lower(), reason="cancelled", now=NOW)
    service.void(session, program_id, code, reason="again", now=NOW)

    found = queries.voucher(session, program_id, code, now=NOW)
    assert (found["status"], found["voided_at"], found["void_reason"]) == ("void", NOW, "cancelled")
    with pytest.raises(VoucherNotFound):
        service.void(session, program_id, "7KQ2-M9XD-0T4F", reason="cancelled", now=NOW)


def test_a_voucher_that_was_used_is_not_withdrawn_until_it_is_given_back(session: Session, program: Program):
    member = a_member(session, program)
    code, program_id = issue(session, program, member, uses_allowed=None).code, program.program_id
    wish = Wish(order_id="A-1", customer_id=member.customer_id)
    redeeming.redeem(session, program_id, code, wish, now=NOW)

    with pytest.raises(VoucherUsed) as refused:
        service.void(session, program_id, code, reason="cancelled", now=NOW)
    assert refused.value.facts == {"voucher": code, "uses": 1, "orders": ["A-1"]}

    redeeming.release(session, program_id, code, wish, now=NOW)
    service.void(session, program_id, code, reason="cancelled", now=NOW)
    assert queries.voucher(session, program_id, code, now=NOW)["status"] == "void"
