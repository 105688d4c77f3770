"""The search for members who had enough points before the ledger was told to take note: once, in batches.

How far it has come is kept in the same transaction as what it found, so a search that was cut off goes on from there.
"""

from datetime import datetime
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.members import locks
from loyalty.programs.domain import POINTS

# So many accounts at once; of the members only those are locked who have enough.
BATCH = 1_000

_NEXT = """
SELECT s.program_id, s.after_member, p.notice_points, p.clock_ahead
FROM auto_redeem_sweeps s JOIN programs p ON p.program_id = s.program_id
WHERE s.begins_at <= %s + p.clock_ahead ORDER BY s.begins_at LIMIT 1 FOR UPDATE OF s SKIP LOCKED
"""
_ACCOUNTS = """
SELECT member_id, available FROM accounts WHERE program_id = %s AND member_id > %s AND unit = %s
ORDER BY member_id LIMIT %s
"""
_NOTICE = """
INSERT INTO account_notices (program_id, member_id, noticed_at)
SELECT %s, t.member_id, %s FROM unnest(%s::uuid[]) WITH ORDINALITY AS t (member_id, number) ORDER BY t.number
ON CONFLICT DO NOTHING
"""
_GO_ON = "UPDATE auto_redeem_sweeps SET after_member = %s WHERE program_id = %s"
_END = "DELETE FROM auto_redeem_sweeps WHERE program_id = %s"


def sweep_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Look at the next accounts of one program that is being searched; answers how much there was to do.

    Points that have matured and are not recorded yet are not seen here: the ledger notices them when they are.
    """
    found = session.row(_NEXT, (now,), into=tuple_row)
    if found is None:
        return 0
    program_id, after, enough, ahead = found
    accounts = [] if enough is None else session.rows(_ACCOUNTS, (program_id, after, POINTS, limit), into=tuple_row)
    _take_note(session, program_id, [member for member, available in accounts if available >= enough], now + ahead)
    if len(accounts) < limit:
        session.run(_END, (program_id,))
    else:
        session.run(_GO_ON, (accounts[-1][0], program_id))
    return len(accounts) + 1


def _take_note(session: Session, program_id: UUID, members: list[UUID], now: datetime) -> None:
    if not members:
        return
    # As everybody who writes notices: under the members' locks, in the order of their ids.
    locked = [member.member_id for member in locks.lock_by_ids(session, members)]
    session.run(_NOTICE, (program_id, now, array_of(locked)))
