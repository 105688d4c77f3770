"""Vouchers: a code that nobody else has, and what it is worth."""

import pytest
from psycopg.rows import dict_row, scalar_row

from loyalty.core import codes
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program
from loyalty.vouchers import service
from loyalty.vouchers.service import Voucher
from tests.builders import NOW, a_member, a_program

WORTH = {"type": "discount_amount", "amount": 500}


@pytest.fixture
def program(session: Session) -> Program:
    return a_program(session)


def issue(session: Session, program: Program, member: LockedMember) -> Voucher:
    changes = Changes()
    voucher = service.issue(session, changes, member, WORTH, program_id=program.program_id, now=NOW)
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
            "program_id": program.program_id,
            "value": WORTH,
            "issued_at": NOW,
            "expires_at": None,
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
