"""What became of messages: those of a member, those of a program that were not sent, and how many there are."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, scalar_row

from loyalty.audit import service as audit
from loyalty.db.paging import BIGINT_MAX, Page, Window, cursor, page
from loyalty.db.session import Session, array_of
from loyalty.members import queries as members
from loyalty.notifications.domain import REASONS, STATUSES
from loyalty.notifications.inbox import MINE
from loyalty.templates.kinds import KINDS

# Of a status, so many messages are looked at for one page. Where a filter finds too few among them, the page is
# shorter than it could be, and the next one goes on from there.
LOOKED_AT_MAX = 5_000
# Of each status, so many messages are counted, the newest: a second at most, however many there are.
COUNTED_MAX = 20_000
# So many messages are put back at once: a second or two.
REQUEUED_MAX = 10_000

_COLUMNS = """
m.message_id, m.kind, m.channel, m.status, m.reason, m.data, m.occurred_at, m.created_at, m.due_at, m.decided_at,
m.sent_at, m.read_at, m.attempts, m.last_error, m.digest_id, m.language, m.template_version, m.seq"""
_FILTER = """
(%(channel)s::text IS NULL OR m.channel = %(channel)s) AND (%(kind)s::text IS NULL OR m.kind = %(kind)s)"""

_OF_MEMBER = f"""{MINE},
newest AS (
    SELECT n.* FROM mine CROSS JOIN LATERAL (
        SELECT * FROM messages m WHERE m.member_id = mine.member_id AND m.seq < %(before)s AND {_FILTER}
        AND (%(status)s::text IS NULL OR m.status = %(status)s) ORDER BY m.seq DESC LIMIT %(limit)s) n)
SELECT c.customer_id, {_COLUMNS} FROM newest m JOIN members c USING (member_id)
ORDER BY m.seq DESC LIMIT %(limit)s
"""
_OF_PROGRAM = f"""
WITH looked_at AS (
    SELECT * FROM messages WHERE program_id = %(program_id)s AND status = %(status)s AND seq < %(before)s
    ORDER BY seq DESC LIMIT %(looked_at)s),
found AS (SELECT * FROM looked_at m WHERE {_FILTER} ORDER BY seq DESC LIMIT %(limit)s)
SELECT c.customer_id, {_COLUMNS}, l.count AS looked_at, l.lowest
FROM (SELECT count(*), min(seq) AS lowest FROM looked_at) l LEFT JOIN found m ON true
LEFT JOIN members c USING (member_id) ORDER BY m.seq DESC
"""
_SUMMARY = """
SELECT kind, channel, status, reason, count(*) AS messages FROM unnest(%(statuses)s::text[]) AS s (one)
CROSS JOIN LATERAL (
    SELECT m.kind, m.channel, m.status, m.reason, m.created_at FROM messages m
    WHERE m.program_id = %(program_id)s AND m.status = s.one ORDER BY m.seq DESC LIMIT %(most)s) newest
WHERE created_at >= %(since)s GROUP BY kind, channel, status, reason ORDER BY kind, channel, status, reason
"""
_AGAIN = """
UPDATE messages m SET status = 'queued', reason = NULL, attempts = 0, due_at = %(now)s, decided_at = NULL,
    leased_until = NULL, last_error = NULL
FROM (SELECT member_id, message_id FROM messages
      WHERE program_id = %(program_id)s AND status = 'failed' AND {which}
      ORDER BY seq LIMIT %(limit)s FOR UPDATE) again
WHERE m.member_id = again.member_id AND m.message_id = again.message_id
"""
_THESE_AGAIN = _AGAIN.format(which="message_id = ANY(%(message_ids)s::uuid[])")
_ALIKE_AGAIN = _AGAIN.format(which="channel = %(channel)s AND reason = %(reason)s")
_LEFT = """
SELECT EXISTS (SELECT FROM messages WHERE program_id = %(program_id)s AND status = 'failed'
               AND channel = %(channel)s AND reason = %(reason)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedMessage:
    """A message, and what became of it. `why`: the reason for which it was not sent, as a sentence."""

    message_id: UUID
    customer_id: str
    kind: str
    category: str
    channel: str
    status: str
    reason: str | None
    why: str | None
    data: dict[str, Any]
    occurred_at: datetime
    created_at: datetime
    due_at: datetime
    decided_at: datetime | None
    sent_at: datetime | None
    read_at: datetime | None
    attempts: int
    last_error: str | None
    digest_id: UUID | None
    language: str | None
    template_version: int | None


@dataclass(frozen=True, slots=True)
class Summary:
    """How many messages came to be since an instant. Of a status in `incomplete`, only the newest were counted."""

    since: datetime
    data: list[dict[str, Any]]
    incomplete: list[str]


@dataclass(frozen=True, slots=True)
class Requeued:
    """How many messages wait to be sent again, and whether there are more like them."""

    requeued: int
    more: bool


def of_member(
    session: Session, program_id: UUID, customer_id: str, window: Window, *, channel: str | None, status: str | None
) -> Page[ListedMessage]:
    """The messages to a member, and to those who were merged into them, newest first. Refuses: MemberNotFound."""
    member_id = members.member_id_of(session, program_id, customer_id)
    where = {"member_id": member_id, "channel": channel, "status": status, "kind": None, **_place(window)}
    rows = session.rows(_OF_MEMBER, where, into=dict_row)
    found = page(rows, window, lambda row: [row["seq"]])
    return Page([_listed(row) for row in found.data], found.next)


def of_program(
    session: Session, program_id: UUID, window: Window, *, status: str, kind: str | None, channel: str | None
) -> Page[ListedMessage]:
    """The messages of a program in one status, newest first.

    A page may be shorter than it could be, even empty, though there are more: whoever filters is to follow `next`.
    """
    filtered = kind is not None or channel is not None
    where = {"program_id": program_id, "status": status, "kind": kind, "channel": channel, **_place(window)}
    where["looked_at"] = LOOKED_AT_MAX if filtered else where["limit"]
    rows = session.rows(_OF_PROGRAM, where, into=dict_row)
    looked_at, lowest = rows[0]["looked_at"], rows[0]["lowest"]
    found = page([row for row in rows if row["seq"] is not None], window, lambda row: [row["seq"]])
    further = found.next
    if further is None and filtered and looked_at == LOOKED_AT_MAX:
        further = cursor([lowest])
    return Page([_listed(row) for row in found.data], further)


def summary(session: Session, program_id: UUID, *, days: int, now: datetime) -> Summary:
    """How many messages came to be in the last days, by kind, channel, status and reason."""
    since = now - timedelta(days=days)
    where = {"program_id": program_id, "statuses": array_of(STATUSES), "most": COUNTED_MAX, "since": since}
    rows = session.rows(_SUMMARY, where, into=dict_row)
    counted = dict.fromkeys(STATUSES, 0)
    for row in rows:
        counted[row["status"]] += row["messages"]
    return Summary(since, rows, [status for status in STATUSES if counted[status] == COUNTED_MAX])


def requeue(
    session: Session,
    program_id: UUID,
    *,
    message_ids: list[UUID] | None = None,
    channel: str | None = None,
    reason: str | None = None,
    actor: str,
    now: datetime,
) -> Requeued:
    """Let failed messages be tried again, as if they had come to be now; what is not among the failed stays.

    Either those that are named, or those that failed on a channel for one reason: the oldest 10,000 at once.
    """
    which: dict[str, Any] = {"program_id": program_id, "channel": channel, "reason": reason}
    if message_ids is not None:
        told: dict[str, Any] = {"message_ids": message_ids}
        where = {**which, "message_ids": array_of(message_ids), "limit": len(message_ids), "now": now}
        changed, more = session.run(_THESE_AGAIN, where), False
    else:
        told = {"channel": channel, "reason": reason}
        changed = session.run(_ALIKE_AGAIN, {**which, "limit": REQUEUED_MAX, "now": now})
        more = changed == REQUEUED_MAX and bool(session.row(_LEFT, which, into=scalar_row))
    audit.record(
        session, program_id, actor=actor, action="messages.requeued", resource="messages",
        after={**told, "requeued": changed}, now=now,
    )  # fmt: skip
    return Requeued(changed, more)


def _place(window: Window) -> dict[str, Any]:
    after = window.position(int) or [BIGINT_MAX]
    return {"before": after[0], "limit": window.limit + 1}


def _listed(row: dict[str, Any]) -> ListedMessage:
    known = {name: value for name, value in row.items() if name not in {"seq", "looked_at", "lowest"}}
    return ListedMessage(**known, category=KINDS[row["kind"]].category, why=REASONS.get(row["reason"]))
