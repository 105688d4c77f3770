"""Pools of codes that somebody uploaded, given out one by one, each once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.core.ids import new_id
from loyalty.db.session import Session, array_of
from loyalty.vouchers import claiming

_ADD = """
INSERT INTO pool_codes (program_id, pool, code, added_at)
SELECT %s, %s, u.code, %s FROM unnest(%s::text[]) WITH ORDINALITY AS u (code, line) ORDER BY u.line
"""

# Who takes one waits for nobody: a code that another transaction is taking is passed over. The subquery is run once,
# and locks what it finds.
_TAKE = """
UPDATE pool_codes SET given_at = %(now)s, member_id = %(member_id)s, redemption_id = %(redemption_id)s
WHERE program_id = %(program_id)s AND pool = %(pool)s AND position = (
    SELECT position FROM pool_codes WHERE program_id = %(program_id)s AND pool = %(pool)s AND given_at IS NULL
    ORDER BY position LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING code
"""
_FREE = "SELECT count(*) FROM pool_codes WHERE program_id = %s AND pool = %s AND given_at IS NULL"


def add(session: Session, program_id: UUID, pool: str, codes: Sequence[str], *, now: datetime) -> int:
    """Put codes into a pool, all or none; answers how many. They are given out in this order.

    From now on no voucher has one of them but through the pool. Refuses: InvalidRequest, DuplicateCodes.
    """
    upload = new_id()
    claiming.claim_uploaded(session, program_id, codes, lambda: upload)
    return session.run(_ADD, (program_id, pool, now, array_of(codes)))


def take(
    session: Session, program_id: UUID, pool: str, *, member_id: UUID, redemption_id: str | None, now: datetime
) -> str | None:
    """The oldest free code of a pool, given to a member for ever; None when none is left."""
    wanted = {"program_id": program_id, "pool": pool, "member_id": member_id, "redemption_id": redemption_id}
    return session.row(_TAKE, {**wanted, "now": now}, into=scalar_row)


def free(session: Session, program_id: UUID, pool: str) -> int:
    """How many codes of a pool are left."""
    return session.row(_FREE, (program_id, pool), into=scalar_row) or 0
