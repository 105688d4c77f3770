"""Settling the accounts that nobody touches: what has matured or lapsed is recorded by a job.

Balances do not wait for it, for every read and every write settles what it touches. The job is for those who ask the
database itself: history and reports hold what is due within a minute or so.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog

from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.ledger.book import Book
from loyalty.ledger.service import changes_of, open_books
from loyalty.members import locks
from loyalty.members.domain import LockedMember
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program

log = structlog.get_logger()

# One transaction, short enough for a request that waits for one of its members.
BATCH = 500


def settle_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Settle members who have something due at `now`, in programs whose clock is the real one; answers how many.

    Members that someone else has locked are passed over: whoever has them settles them. A member who would be due again
    at once is not counted, so whoever calls until nothing is left comes to an end.
    """
    return _settle(session, locks.lock_due_members(session, "accounts", now=now, limit=limit), now=now)


def settle_program(session: Session, program_id: UUID, *, now: datetime, limit: int = BATCH) -> int:
    """`settle_batch` for one program, by its own clock."""
    due = locks.lock_due_members_of(session, "accounts", program_id, now=now, limit=limit)
    return _settle(session, {program_id: due} if due else {}, now=now)


def settle_sandboxes(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """`settle_batch` for the sandboxes whose clock was moved: each by its own, when the real one shows `now`."""
    settled = 0
    for program_id, ahead in programs.moved_clocks(session).items():
        if settled < limit:
            settled += settle_program(session, program_id, now=now + ahead, limit=limit - settled)
    return settled


def _settle(session: Session, due: dict[UUID, list[LockedMember]], *, now: datetime) -> int:
    settled, changes = 0, Changes()
    for program_id, members in due.items():
        program = programs.load(session, program_id)
        for book in _sound_books(session, program, members, now=now):
            changes.add(changes_of(book, program_id, now=now))
            settled += any(True for _ in book.accounts.changed())
    write(session, changes)
    return settled


def _sound_books(session: Session, program: Program, members: list[LockedMember], *, now: datetime) -> Iterable[Book]:
    """The members' books, settled. One that contradicts itself is left to those who mend it, and holds up nobody."""
    try:
        return open_books(session, program, members, now=now).values()
    except AssertionError:
        if len(members) == 1:
            log.exception("books contradict themselves", member_id=str(members[0].member_id))
            return ()
        return [book for member in members for book in _sound_books(session, program, [member], now=now)]
