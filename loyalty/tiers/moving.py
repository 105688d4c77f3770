"""Moving the members there are to a ladder that has come into force, batch by batch, from wherever it was left off."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, scalar_row

from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.members import locks
from loyalty.programs import queries as programs
from loyalty.tiers import queries
from loyalty.tiers.keeping import changes_of
from loyalty.tiers.settlement import BATCH, settled

# One at a time: who else looks for work meanwhile finds another, or none.
_DUE = """
SELECT v.program_id, v.version, v.after, v.started_at, p.clock_ahead
FROM ladder_moves v JOIN programs p USING (program_id)
WHERE v.finished_at IS NULL AND v.effective_from <= %s + p.clock_ahead
ORDER BY v.effective_from LIMIT 1 FOR NO KEY UPDATE OF v SKIP LOCKED
"""
# Members `m` of a program who can be moved at all.
PRESENT = "m.program_id = %(program_id)s AND m.merged_into IS NULL AND m.status <> 'closed'"
# Who of them may stand elsewhere than at the beginning: asked by key, member by member. With EXISTS, the standings of
# everybody would be hashed for every batch.
MEMBERS = f"""
FROM members m WHERE {PRESENT} AND m.member_id > %(after)s AND coalesce(
    (SELECT true FROM tier_standings s WHERE s.member_id = m.member_id),
    (SELECT true FROM tier_days d WHERE d.member_id = m.member_id LIMIT 1), false)
"""
_NEXT = f"SELECT m.member_id {MEMBERS} ORDER BY m.member_id LIMIT %(limit)s"
_TOTAL = f"SELECT count(*) {MEMBERS}"
_ADVANCE = """
UPDATE ladder_moves SET after = %(after)s, members_done = members_done + %(done)s, up = up + %(up)s,
    down = down + %(down)s, started_at = coalesce(started_at, %(now)s),
    members_total = coalesce(members_total, %(total)s), finished_at = CASE WHEN %(over)s THEN %(now)s END
WHERE program_id = %(program_id)s AND version = %(version)s
"""


def move_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Move the next members to a ladder that has come into force by `now`; answers how many, 0 when all are moved.

    A ladder that another has followed meanwhile is followed through: members end up where the newest leaves them.
    """
    move = session.row(_DUE, (now,), into=dict_row)
    if move is None:
        return 0
    program_id, there = move["program_id"], now + move["clock_ahead"]
    rest = {"program_id": program_id, "after": move["after"], "limit": limit}
    ids: list[UUID] = session.rows(_NEXT, rest, into=scalar_row)
    total = None if move["started_at"] else _total(session, rest)
    up, down = _move(session, program_id, ids, there)
    where: dict[str, Any] = {
        "program_id": program_id, "version": move["version"], "after": ids[-1] if ids else move["after"],
        "done": len(ids), "up": up, "down": down, "now": there, "total": total, "over": len(ids) < limit,
    }  # fmt: skip
    session.run(_ADVANCE, where)
    # Who is told of none looks no further, and the next move may wait.
    return max(1, len(ids))


def _total(session: Session, rest: dict[str, Any]) -> int | None:
    """How many there are to be moved. Counted once, of millions in seconds, which is more than a request may take."""
    session.run("SET LOCAL statement_timeout = '5min'")
    return session.row(_TOTAL, rest, into=scalar_row)


def _move(session: Session, program_id: UUID, ids: list[UUID], now: datetime) -> tuple[int, int]:
    """Settle members under the ladder in force; answers how many went up and down."""
    members = locks.lock_by_ids(session, ids)
    # Read when they are locked, so that nobody stands under a ladder that is not known here.
    ladders = queries.ladders(session, programs.load(session, program_id))
    ladder = ladders.at(now)
    if ladder is None or not ids:
        return 0, 0
    changes, up, down = Changes(), 0, 0
    who = {member.member_id: member.customer_id for member in members}
    for before, after in settled(session, ladders, members, now=now):
        if after is before:
            continue
        changes.add(changes_of(after, ladders, program_id, who[after.member_id], now=now))
        old, new = ladder.rank(before.tier) or 0, ladder.rank(after.tier) or 0
        up, down = up + (new > old), down + (new < old)
    write(session, changes)
    return up, down
