"""What is asked of vouchers is found by an index, however many there are."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.core.ids import new_id
from loyalty.db.session import Session, array_of
from loyalty.members import queries as members
from loyalty.programs.domain import Program
from loyalty.vouchers import pools, queries
from loyalty.web import throttling
from tests.builders import NOW, a_program
from tests.rights import as_owner

MANY = 20_000
A_SECOND = timedelta(seconds=1)
# Half of them in one batch and one member's; a campaign that many orders used; a pool that is nearly empty.
FILL = """
WITH codes AS (
    SELECT n, 'CODE' || lpad(n::text, 6, '0') AS code,
           CASE WHEN n %% 2 = 0 THEN %(mine)s ELSE gen_random_uuid() END AS owner
    FROM generate_series(1, %(many)s) n
), keys AS (
    INSERT INTO natural_keys (program_id, kind, key, member_id)
    SELECT %(program_id)s, 'voucher', translate(code, 'ILO', '110'), owner FROM codes
), pool AS (
    INSERT INTO pool_codes (program_id, pool, code, added_at, given_at, member_id)
    SELECT %(program_id)s, 'p', code, %(now)s, CASE WHEN n < 19990 THEN %(now)s::timestamptz END,
           CASE WHEN n < 19990 THEN %(mine)s::uuid END FROM codes
), uses AS (
    INSERT INTO voucher_uses (member_id, code, order_id, program_id, customer_id, redeemed_at, content, receipt)
    SELECT %(mine)s, 'CODE000002', 'A-' || n, %(program_id)s, 'c-' || n, %(now)s, '', '' FROM codes
), attempts AS (
    INSERT INTO attempts (program_id, subject, clear_at)
    SELECT %(program_id)s, code, %(now)s + n * interval '1 second' FROM codes
)
INSERT INTO vouchers (member_id, code, key, program_id, bound, value, issued_at, uses_allowed, uses, origin, batch_id)
SELECT owner, code, translate(code, 'ILO', '110'), %(program_id)s, true, '{}', %(now)s + n * interval '1 second',
       CASE WHEN n <> 2 THEN 1 END, CASE WHEN n = 2 THEN %(many)s ELSE 0 END,
       'batch', 'b-' || n %% 2 FROM codes
"""
MERGED = """
INSERT INTO members (member_id, program_id, customer_id, status, enrolled_at, attributes, consents, referral_code,
                     merged_into, version, updated_at)
SELECT gen_random_uuid(), %(program_id)s, 'm-' || n, 'closed', %(now)s, '{}', '{}', 'x', gen_random_uuid(), 1, %(now)s
FROM generate_series(1, %(many)s) n
"""
TABLES = ("natural_keys", "vouchers", "voucher_uses", "pool_codes", "attempts", "members")


@pytest.fixture
def full(session: Session) -> tuple[Session, Program, dict[str, Any]]:
    """A program with many vouchers."""
    program = a_program(session)
    as_owner(session)
    where = {"mine": new_id(), "many": MANY, "now": NOW, "program_id": program.program_id}
    session.run(FILL, where)
    session.run(MERGED, where)
    for table in TABLES:
        session.run(f"ANALYZE {table}")
    return session, program, where


def pages_read(session: Session, statement: str, parameters: Any) -> int:
    """How many pages of tables and indices a statement looks at."""
    (told,) = session.rows(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters, into=scalar_row)
    return int(told[0]["Plan"]["Shared Hit Blocks"] + told[0]["Plan"]["Shared Read Blocks"])


def test_every_question_costs_the_same_however_many_vouchers_there_are(full: tuple[Session, Program, dict[str, Any]]):
    session, program, given = full
    mine, program_id = given["mine"], program.program_id
    one = {"program_id": program_id, "key": "C0DE000002", "now": NOW}
    asked: dict[str, tuple[str, Any]] = {
        "by code": (queries._HELD, one),
        "locked": (queries._LOCKED, one),
        "shown": (queries._ONE, one),
        "a use": (queries._USE, (mine, "CODE000002", "A-77")),
        "of a customer": (queries._USED_BY, (mine, "CODE000002", array_of(["c-77"]), "A-1")),
        "some orders": (queries._ORDERS, (mine, "CODE000002", 10)),
        "a page of a batch": (
            queries._OF_BATCH,
            {"program_id": program_id, "batch_id": "b-1", "after": "C0DE010000", "now": NOW, "limit": 51},
        ),
        "a page of a member": (
            queries._OF_MEMBER,
            {"owners": array_of([mine]), "at": NOW + 9000 * A_SECOND, "key": "", "status": None, "now": NOW,
             "limit": 51},
        ),
        "a code of a pool": (
            pools._TAKE, {"program_id": program_id, "pool": "p", "member_id": mine, "redemption_id": "r", "now": NOW}
        ),
        "what is left of a pool": (pools._FREE, (program_id, "p")),
        "who a member was": (members._IDENTITIES, (mine,)),
        "who failed": (throttling._CLEAR, (program_id, array_of(["CODE000002"]))),
        "whom to forget": (throttling._FORGET, (NOW + 9 * A_SECOND, 10)),
    }  # fmt: skip

    read = {what: pages_read(session, *question) for what, question in asked.items()}

    # A page of fifty vouchers joined with members is the most.
    assert {what: pages for what, pages in read.items() if pages > 250} == {}, read
