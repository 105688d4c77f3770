"""Pools of codes that somebody uploaded: each is given once, in the order of the upload."""

from collections import Counter

import pytest
from flask import Flask
from psycopg.rows import scalar_row

from loyalty.core.errors import InvalidRequest
from loyalty.core.ids import new_id
from loyalty.db.session import Session, transaction
from loyalty.db.writer import Changes, write
from loyalty.programs.domain import Program
from loyalty.vouchers import pools, queries, service
from loyalty.vouchers.domain import VoucherTerms
from loyalty.vouchers.errors import DuplicateCodes, VoucherNotFound
from tests.builders import NOW, a_member, a_program
from tests.orders.test_concurrency import in_parallel
from tests.statements import statements


@pytest.fixture
def program(session: Session) -> Program:
    return a_program(session)


def take(session: Session, program: Program, pool: str = "five-off") -> str | None:
    return pools.take(session, program.program_id, pool, member_id=new_id(), redemption_id="r-1", now=NOW)


def test_codes_are_given_in_the_order_of_the_upload_until_none_is_left(session: Session, program: Program):
    assert pools.add(session, program.program_id, "five-off", ["ZETA-1", "ALPHA-1"], now=NOW) == 2
    assert pools.add(session, program.program_id, "five-off", ["BETA-1"], now=NOW) == 1
    assert pools.add(session, program.program_id, "ten-off", ["OTHER-1"], now=NOW) == 1

    assert [take(session, program) for _ in range(4)] == ["ZETA-1", "ALPHA-1", "BETA-1", None]
    assert (pools.free(session, program.program_id, "five-off"), take(session, program, "unheard-of")) == (0, None)
    assert pools.free(session, program.program_id, "ten-off") == 1


def test_who_has_a_code_is_remembered(session: Session, program: Program):
    pools.add(session, program.program_id, "five-off", ["ZETA-1"], now=NOW)
    take(session, program)

    row = session.row(
        "SELECT redemption_id FROM pool_codes WHERE program_id = %s", (program.program_id,), into=scalar_row
    )
    assert row == "r-1"


def test_a_code_of_a_pool_is_a_voucher_once_it_is_given(session: Session, program: Program):
    program_id, member = program.program_id, a_member(session, program)
    pools.add(session, program_id, "five-off", ["Il0ve-You"], now=NOW)
    with pytest.raises(VoucherNotFound):
        queries.voucher(session, program_id, "Il0ve-You", now=NOW)
    code = pools.take(session, program_id, "five-off", member_id=member.member_id, redemption_id="r-1", now=NOW)

    changes, terms = Changes(), VoucherTerms({"type": "custom"})
    service.issue(session, changes, member, terms, program_id=program_id, redemption_id="r-2", now=NOW)
    issued = service.issue_code(changes, member, code, terms, program_id=program_id, redemption_id="r-1", now=NOW)
    write(session, changes)

    assert issued.code == "Il0ve-You"
    found = queries.voucher(session, program_id, "110VEY0U", now=NOW)
    assert (found["code"], found["redemption_id"], found["bound"]) == ("Il0ve-You", "r-1", True)


def test_codes_that_are_known_anywhere_in_the_program_are_refused(session: Session, program: Program):
    pools.add(session, program.program_id, "five-off", ["ZETA-1"], now=NOW)

    with pytest.raises(DuplicateCodes) as refused:
        pools.add(session, program.program_id, "ten-off", ["zeta.I", "NEW-1"], now=NOW)

    assert refused.value.facts["duplicates"] == [{"code": "zeta.I", "line": 1, "reason": "known_already"}]
    assert pools.free(session, program.program_id, "ten-off") == 0
    # Another program is another world.
    assert pools.add(session, a_program(session).program_id, "five-off", ["ZETA-1"], now=NOW) == 1


def test_the_first_fifty_duplicates_are_named_and_all_are_counted(session: Session, program: Program):
    with pytest.raises(DuplicateCodes) as refused:
        pools.add(session, program.program_id, "five-off", ["SAME-1"] * 101, now=NOW)

    named = refused.value.facts["duplicates"]
    assert (len(named), refused.value.facts["count"]) == (50, 100)
    assert named[0] == {"code": "SAME-1", "line": 2, "reason": "listed_twice", "same_as_line": 1}


@pytest.mark.parametrize("code", ["abc", "x" * 65, " ABCD", "ABCD ", "AB\x00CD", "-------", "a\nbcd"])
def test_what_can_be_no_code_is_refused(session: Session, program: Program, code: str):
    with pytest.raises(InvalidRequest) as refused:
        pools.add(session, program.program_id, "five-off", ["GOOD", code], now=NOW)

    assert [error["pointer"] for error in refused.value.facts["errors"]] == ["/codes/1"]


def test_a_large_upload_is_a_handful_of_statements(session: Session, program: Program):
    with statements() as sent:
        pools.add(session, program.program_id, "five-off", [f'c"{n}\\,{{}}' for n in range(1000, 11_000)], now=NOW)

    assert len(sent) == 2
    assert take(session, program) == 'c"1000\\,{}'


def test_of_fifty_codes_sixty_four_at_once_get_fifty_and_no_code_twice(committed_db: Flask):
    with transaction() as session:
        program = a_program(session)
        pools.add(session, program.program_id, "five-off", [f"CODE-{n}" for n in range(50)], now=NOW)

    def one(_number: int) -> str | None:
        with committed_db.app_context(), transaction() as session:
            return take(session, program)

    given = Counter(in_parallel(64, one))

    assert given.pop(None) == 14
    assert len(given) == 50
    assert set(given.values()) == {1}


def test_what_was_taken_and_rolled_back_is_there_again(committed_db: Flask):
    with transaction() as session:
        program = a_program(session)
        pools.add(session, program.program_id, "five-off", ["ZETA-1"], now=NOW)

    def taken_and_thought_better_of() -> None:
        with transaction() as session:
            assert take(session, program) == "ZETA-1"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        taken_and_thought_better_of()
    with transaction() as session:
        assert take(session, program) == "ZETA-1"
