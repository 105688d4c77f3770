"""Deleting messages that are old: what was not sent after a season, what was sent after two years."""

from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import scalar_row

from loyalty.db.session import Session
from loyalty.programs import queries as programs

# Long enough to answer why somebody heard nothing, or heard something; after that nobody asks.
KEEP = {
    "suppressed": timedelta(days=90),
    "digested": timedelta(days=90),
    "failed": timedelta(days=180),
    "sent": timedelta(days=730),
}
BATCH = 2_000

# The oldest of a status, by the order in which they came to be. What waits is never deleted.
_FORGET = """
DELETE FROM messages m USING (
    SELECT o.member_id, o.message_id FROM (
        SELECT member_id, message_id, created_at, seq FROM messages
        WHERE program_id = %(program_id)s AND status = %(status)s ORDER BY seq LIMIT %(limit)s) o
    WHERE o.created_at < %(before)s) old
WHERE m.member_id = old.member_id AND m.message_id = old.message_id
"""
_PROGRAMS = "SELECT program_id FROM programs"


def forget_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Delete up to `limit` old messages of each status of each program, by its own clock; answers how many."""
    ahead = programs.moved_clocks(session)
    done = 0
    for program_id in session.rows(_PROGRAMS, into=scalar_row):
        for status, keep in KEEP.items():
            before = now + ahead.get(program_id, timedelta(0)) - keep
            done += _forget(session, program_id, status, before, limit)
    return done


def _forget(session: Session, program_id: UUID, status: str, before: datetime, limit: int) -> int:
    return session.run(_FORGET, {"program_id": program_id, "status": status, "before": before, "limit": limit})
