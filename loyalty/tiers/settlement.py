"""Tiers that end by themselves, and members whom a new ladder moves: recorded by jobs.

What a member has does not wait for them, for every read and every write settles what it touches.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.members import locks
from loyalty.members.domain import LockedMember
from loyalty.programs import queries as programs
from loyalty.tiers import queries, reading
from loyalty.tiers.domain import Ladders
from loyalty.tiers.keeping import changes_of, looked_at
from loyalty.tiers.reading import Asked
from loyalty.tiers.standing import Standing, settle

# One transaction, short enough for a request that waits for one of its members.
BATCH = 500

_FREEZE = "UPDATE tier_standings SET next_change_at = NULL WHERE member_id = %s"


def review_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Record what has ended of members' tiers by `now`, in programs whose clock is the real one; answers of how many.

    Members whom someone else has locked are passed over: whoever has them settles them.
    """
    due = locks.lock_due_members(session, "tier_standings", now=now, limit=limit)
    return sum(review(session, program_id, members, now=now) for program_id, members in due.items())


def review_program(session: Session, program_id: UUID, *, now: datetime, limit: int = BATCH) -> int:
    """`review_batch` for one program, by its own clock."""
    due = locks.lock_due_members_of(session, "tier_standings", program_id, now=now, limit=limit)
    return review(session, program_id, due, now=now)


def review_sandboxes(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """`review_batch` for the sandboxes whose clock was moved: each by its own, when the real one shows `now`."""
    reviewed = 0
    for program_id, ahead in programs.moved_clocks(session).items():
        if reviewed < limit:
            reviewed += review_program(session, program_id, now=now + ahead, limit=limit - reviewed)
    return reviewed


def review(session: Session, program_id: UUID, members: Sequence[LockedMember], *, now: datetime) -> int:
    """Settle the standings of locked members; answers how many there were."""
    if not members:
        return 0
    program = programs.load(session, program_id)
    ladders = queries.ladders(session, program)
    changes = Changes()
    who = {member.member_id: member.customer_id for member in members}
    for before, after in settled(session, ladders, [m for m in members if m.status != "closed"], now=now):
        if after is not before:
            changes.add(changes_of(after, ladders, program_id, who[after.member_id], now=now))
        else:
            changes.add(looked_at(after, ladders, program_id, now=now))
    write(session, changes)
    for member in members:
        if member.status == "closed":
            freeze(session, member)
    return len(members)


def freeze(session: Session, member: LockedMember) -> None:
    """Whoever has left stays where they stand."""
    session.run(_FREEZE, (member.member_id,))


def settled(
    session: Session, ladders: Ladders, members: Sequence[LockedMember], *, now: datetime
) -> list[tuple[Standing, Standing]]:
    """Where members stand as it is recorded, and as of `now`."""
    asked = [Asked(member.member_id, member.enrolled_at, now) for member in members]
    found = reading.standings(session, ladders, asked, now=now).values()
    return [(before, settle(before, ladders, now=now)) for before in found]
