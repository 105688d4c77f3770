"""The inbox of a member, and of those who were merged into them: what is in it, and what was read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, scalar_row

from loyalty.db.paging import BIGINT_MAX, Page, Window, page
from loyalty.db.session import Session
from loyalty.members import queries as members
from loyalty.notifications import rendering
from loyalty.notifications.domain import Message
from loyalty.notifications.errors import MessageNotFound
from loyalty.templates.kinds import KINDS

# A badge says "99+" anyway.
UNREAD_COUNTED_MAX = 100

# A member and who was merged into them, each read by the index of messages in this order.
MINE = """
WITH RECURSIVE mine (member_id) AS (
    SELECT %(member_id)s::uuid
    UNION ALL
    SELECT s.member_id FROM mine JOIN members s ON s.merged_into = mine.member_id)"""
_IN_INBOX = "m.channel = 'inbox' AND m.status = 'sent'"
_UNREAD = f"{_IN_INBOX} AND m.read_at IS NULL"

_PAGE = f"""{MINE}
SELECT n.* FROM mine CROSS JOIN LATERAL (
    SELECT m.member_id, m.message_id, m.kind, m.channel, m.key, m.data, m.occurred_at, m.created_at, m.due_at,
           m.outdated_at, m.attempts, m.seq, m.sent_at, m.read_at
    FROM messages m WHERE m.member_id = mine.member_id AND {{which}} AND m.seq < %(before)s
    ORDER BY m.seq DESC LIMIT %(limit)s) n
ORDER BY n.seq DESC LIMIT %(limit)s
"""
_ALL = _PAGE.format(which=_IN_INBOX)
_ONLY_UNREAD = _PAGE.format(which=_UNREAD)
_COUNT_UNREAD = f"""{MINE}
SELECT count(*) FROM (
    SELECT FROM mine JOIN messages m ON m.member_id = mine.member_id WHERE {_UNREAD} LIMIT {UNREAD_COUNTED_MAX}) unread
"""
_FIND = f"""{MINE}
SELECT m.seq FROM mine JOIN messages m ON m.member_id = mine.member_id
WHERE m.message_id = %(message_id)s AND {_IN_INBOX}
"""
_MARK = f"""{MINE}
UPDATE messages m SET read_at = %(read_at)s FROM mine
WHERE m.member_id = mine.member_id AND m.message_id = %(message_id)s AND {_IN_INBOX}
AND (m.read_at IS NULL) = %(becomes_read)s
"""
_MARK_ALL = f"""{MINE}
UPDATE messages m SET read_at = %(read_at)s FROM mine
WHERE m.member_id = mine.member_id AND m.seq <= %(seq)s AND {_UNREAD}
"""


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message as it is read."""

    message_id: UUID
    kind: str
    category: str
    subject: str
    text: str
    language: str
    occurred_at: datetime
    sent_at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of the inbox, newest first. `unread`: how many are unread in all of it; more than 99 are 100."""

    data: list[InboxMessage]
    next: str | None
    unread: int


@dataclass(frozen=True, slots=True)
class Marked:
    """How many messages became read, or unread, and how many are unread now."""

    changed: int
    unread: int


def inbox(
    session: Session, program_id: UUID, customer_id: str, window: Window, *, unread: bool, now: datetime
) -> Inbox:
    """The inbox of a member, in their language. Refuses: MemberNotFound."""
    member = members.member(session, program_id, customer_id)
    after = window.position(int) or [BIGINT_MAX]
    where = {"member_id": member.member_id, "before": after[0], "limit": window.limit + 1}
    rows = session.rows(_ONLY_UNREAD if unread else _ALL, where, into=dict_row)
    found: Page[dict[str, Any]] = page(rows, window, lambda row: [row["seq"]])
    # What becomes of these when they are read is no business of the words.
    told = [(row.pop("sent_at"), row.pop("read_at")) for row in found.data]
    messages = [Message(**row) for row in found.data]
    words = rendering.words_of(session, program_id, member, messages, now=now)
    shown = [
        InboxMessage(
            message.message_id, message.kind, KINDS[message.kind].category, *said, message.occurred_at, *instants
        )
        for message, said, instants in zip(messages, words, told, strict=True)
    ]
    return Inbox(shown, found.next, _unread(session, member.member_id))


def mark(session: Session, program_id: UUID, customer_id: str, message_id: UUID, *, read_at: datetime | None) -> Marked:
    """Let a message be read at an instant, or unread (None). One that is so already stays as it is.

    Refuses: MemberNotFound, MessageNotFound.
    """
    member_id = members.member_id_of(session, program_id, customer_id)
    _seq(session, member_id, message_id)
    where = {"member_id": member_id, "message_id": message_id, "read_at": read_at, "becomes_read": read_at is not None}
    changed = session.run(_MARK, where)
    return Marked(changed, _unread(session, member_id))


def mark_all(session: Session, program_id: UUID, customer_id: str, *, up_to: UUID | None, read_at: datetime) -> Marked:
    """Let everything be read that came no later than one message; without it, everything there is.

    Refuses: MemberNotFound, MessageNotFound.
    """
    member_id = members.member_id_of(session, program_id, customer_id)
    seq = BIGINT_MAX if up_to is None else _seq(session, member_id, up_to)
    changed = session.run(_MARK_ALL, {"member_id": member_id, "seq": seq, "read_at": read_at})
    return Marked(changed, _unread(session, member_id))


def _seq(session: Session, member_id: UUID, message_id: UUID) -> int:
    found = session.row(_FIND, {"member_id": member_id, "message_id": message_id}, into=scalar_row)
    if found is None:
        raise MessageNotFound(message_id)
    return int(found)


def _unread(session: Session, member_id: UUID) -> int:
    return session.row(_COUNT_UNREAD, {"member_id": member_id}, into=scalar_row) or 0
