"""Settling the accounts that nobody touches: what has matured or lapsed is recorded by a job.

Balances do not wait for it, for every read and every write settles what it touches. The job is for those who ask the
database itself: history and reports hold what is due within a minute or so.
"""

from datetime import datetime

from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.ledger.models import AccountRow
from loyalty.ledger.service import changes_of, open_books
from loyalty.members import locks

# One transaction, short enough for a request that waits for one of its members.
BATCH = 500


def settle_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Settle members who have something due at `now`; answers how many.

    Members that someone else has locked are passed over: whoever has them settles them. A member who would be due again
    at once is not counted, so whoever calls until nothing is left comes to an end.
    """
    settled, changes = 0, Changes()
    for program_id, members in locks.lock_due_members(session, now=now, limit=limit).items():
        for book in open_books(session, members, now=now).values():
            change = changes_of(book, program_id, now=now)
            settled += _moves_on(change, now)
            changes.add(change)
    write(session, changes)
    return settled


def _moves_on(change: Changes, now: datetime) -> bool:
    accounts = change.updated.get(AccountRow, ())
    return any(row["next_change_at"] is None or row["next_change_at"] > now for row in accounts)
