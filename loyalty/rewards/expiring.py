"""Recording the redemptions whose time ran out: what was kept for them goes back to the stock, and the shop is told.

Nobody waits for it. Their points came back at the instant (the ledger sees to that), they count for no limit from then
on, and what was kept for them can be had by others.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.db.writer import Changes, write
from loyalty.programs import queries as programs
from loyalty.rewards import stock
from loyalty.rewards.domain import Redemption
from loyalty.rewards.queries import COLUMNS
from loyalty.rewards.recording import tell

BATCH = 500

# Members that somebody else has locked are passed over: that one may be confirming.
_DUE = """
SELECT r.member_id, r.redemption_id, m.customer_id FROM redemptions r JOIN members m ON m.member_id = r.member_id
WHERE r.status = 'held' AND r.expires_at <= %(now)s AND {whose}
ORDER BY r.expires_at LIMIT %(limit)s FOR NO KEY UPDATE OF m SKIP LOCKED
"""
_OF_ALL = _DUE.format(whose="r.program_id NOT IN (SELECT program_id FROM programs WHERE clock_ahead > '0')")
_OF_ONE = _DUE.format(whose="r.program_id = %(program_id)s")

# Under the lock: what the other statement saw may have been confirmed before it got the lock.
_EXPIRE = f"""
UPDATE redemptions r SET status = 'expired', closed_at = expires_at
FROM unnest(%s::uuid[], %s::text[]) AS w (member_id, redemption_id)
WHERE r.member_id = w.member_id AND r.redemption_id = w.redemption_id AND r.status = 'held'
RETURNING r.program_id, {", ".join(f"r.{name}" for name in COLUMNS)}
"""


def expire_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Record redemptions that nobody confirmed by `now`, in programs whose clock is the real one; answers how many."""
    return _expire(session, session.rows(_OF_ALL, {"now": now, "limit": limit}, into=tuple_row), now=now)


def expire_program(session: Session, program_id: UUID, *, now: datetime, limit: int = BATCH) -> int:
    """`expire_batch` for one program, by its own clock."""
    where = {"now": now, "limit": limit, "program_id": program_id}
    return _expire(session, session.rows(_OF_ONE, where, into=tuple_row), now=now)


def expire_sandboxes(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """`expire_batch` for the sandboxes whose clock was moved: each by its own, when the real one shows `now`."""
    done = 0
    for program_id, ahead in programs.moved_clocks(session).items():
        if done < limit:
            done += expire_program(session, program_id, now=now + ahead, limit=limit - done)
    return done


def _expire(session: Session, due: Sequence[tuple[Any, ...]], *, now: datetime) -> int:
    if not due:
        return 0
    members, ids, customers = zip(*due, strict=True)
    named = dict(zip(members, customers, strict=True))
    changes, kept = Changes(), []
    rows = session.rows(_EXPIRE, (array_of(members), array_of(ids)), into=dict_row)
    for row in rows:
        program_id, made = row.pop("program_id"), Redemption(**row)
        tell(changes, program_id, (made.member_id, named[made.member_id]), made, now=now)
        if made.took_stock:
            kept.append((made.member_id, made.redemption_id))
    write(session, changes)
    if kept:
        stock.give_back(session, kept)
    return len(rows)
