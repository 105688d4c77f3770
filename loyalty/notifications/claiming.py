"""Taking messages that are due, for a while: whoever has them is the only one who deals with their members.

A claim is committed before anything is sent, so that no transaction is open while a mail server thinks. It is a lease:
if the worker is killed, it runs out, and what was sent and not recorded by then is sent a second time.
"""

from datetime import datetime, timedelta
from uuid import UUID

from psycopg.rows import class_row, scalar_row, tuple_row

from loyalty.db.session import Session
from loyalty.notifications.domain import Channel, Message

# Longer than a claim takes to be dealt with; see `carrying.ENOUGH`.
LEASE = timedelta(minutes=3)

_DUE_PROGRAMS = """
SELECT p.program_id, p.clock_ahead FROM programs p WHERE EXISTS (
    SELECT FROM messages m WHERE m.program_id = p.program_id AND m.channel = %(channel)s AND m.status = 'queued'
    AND m.due_at <= %(now)s + p.clock_ahead)
ORDER BY p.program_id
"""
# One claims at a time, so that two never have messages of one member. It lasts until the claim is committed.
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('messages ' || %s || ' ' || %s, 0))"
# A member whose message is being sent waits for it, and so does who has one to be tried again: the order is kept.
_CLAIM = """
WITH due AS (
    SELECT m.member_id, m.message_id FROM messages m
    WHERE m.program_id = %(program_id)s AND m.channel = %(channel)s AND m.status = 'queued' AND m.due_at <= %(now)s
    AND NOT EXISTS (
        SELECT FROM messages b
        WHERE b.member_id = m.member_id AND b.channel = m.channel AND b.status = 'queued'
        AND (b.leased_until > %(real_now)s OR (b.seq < m.seq AND b.attempts > 0 AND b.due_at > %(now)s)))
    ORDER BY m.due_at, m.seq LIMIT %(limit)s)
UPDATE messages m SET leased_until = %(until)s FROM due
WHERE m.member_id = due.member_id AND m.message_id = due.message_id
RETURNING m.member_id, m.message_id, m.kind, m.channel, m.key, m.data, m.occurred_at, m.created_at, m.due_at,
    m.outdated_at, m.attempts, m.seq
"""
_RELEASE = """
UPDATE messages SET leased_until = NULL
WHERE member_id = %s AND message_id = ANY(%s) AND status = 'queued'
"""


def programs_with_due(session: Session, channel: Channel, *, now: datetime) -> list[tuple[UUID, timedelta]]:
    """The programs that have something to send when the real clock shows `now`, and how far theirs runs ahead."""
    return session.rows(_DUE_PROGRAMS, {"channel": channel, "now": now}, into=tuple_row)


def claim(
    session: Session, program_id: UUID, channel: Channel, *, limit: int, now: datetime, real_now: datetime
) -> dict[UUID, list[Message]]:
    """Up to `limit` messages that are due at `now`, by member, each member's in order; nobody else gets them."""
    session.row(_ALONE, (str(program_id), channel), into=scalar_row)
    where = {
        "program_id": program_id, "channel": channel, "limit": limit, "now": now, "real_now": real_now,
        "until": real_now + LEASE,
    }  # fmt: skip
    claimed: dict[UUID, list[Message]] = {}
    for message in sorted(session.rows(_CLAIM, where, into=class_row(Message)), key=lambda each: each.seq):
        claimed.setdefault(message.member_id, []).append(message)
    return claimed


def release(session: Session, messages: list[Message]) -> None:
    """Give back what was claimed and not dealt with."""
    by_member: dict[UUID, list[UUID]] = {}
    for message in messages:
        by_member.setdefault(message.member_id, []).append(message.message_id)
    for member_id, ids in by_member.items():
        session.run(_RELEASE, (member_id, ids))
