"""What is asked of whom, by what they did before: how many orders they have, what they were asked, and answered."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import orjson
from psycopg.rows import scalar_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.feedback import queries as feedback
from loyalty.feedback.queries import Asked as Question
from loyalty.notifications.domain import Message, Wanted
from loyalty.notifications.surveying import Asked

# The number of an order among those of its member that were not cancelled, by when they were placed.
_NUMBERS = """
SELECT o.member_id, o.order_id, count(*) FROM unnest(%s::uuid[], %s::text[]) AS w (member_id, order_id)
JOIN orders o ON o.member_id = w.member_id AND o.order_id = w.order_id
JOIN orders e ON e.member_id = o.member_id AND e.status <> 'cancelled'
    AND (e.placed_at, e.order_id) <= (o.placed_at, o.order_id)
GROUP BY o.member_id, o.order_id
"""
# Anything else that was asked lately, on whichever channel; of two that are due together, what came to be first goes.
_ASKED_LATELY = """
SELECT DISTINCT w.message_id FROM jsonb_to_recordset(%(rows)s::jsonb) AS w (
    message_id uuid, member_id uuid, kind text, key text, seq bigint, since timestamptz)
JOIN messages m ON m.member_id = w.member_id AND m.kind = w.kind AND m.key <> w.key
WHERE m.status IN ('sent', 'digested') AND m.decided_at > w.since
   OR m.status = 'queued' AND m.due_at <= %(now)s AND m.seq < w.seq
"""


def in_turn(session: Session, asked: Sequence[Asked]) -> list[Wanted]:
    """The questions whose turn it is, by the number of the order. One statement, or none."""
    if not asked:
        return []
    where = [(each.wanted.member_id, each.order_id) for each in asked]
    # Several questions may be about one order.
    owners, orders = zip(*set(where), strict=True)
    rows = session.rows(_NUMBERS, (array_of(owners), array_of(orders)), into=tuple_row)
    numbers = {(member_id, order_id): number for member_id, order_id, number in rows}
    return [
        each.wanted
        for each, place in zip(asked, where, strict=True)
        if place in numbers and each.is_in_turn(numbers[place])
    ]


def pointless(session: Session, messages: Sequence[Message], *, now: datetime) -> dict[UUID, str]:
    """Why some questions are not asked when they could be, by message. Two statements."""
    rows = [
        {
            "message_id": message.message_id, "member_id": message.member_id, "kind": message.kind, "key": message.key,
            "seq": message.seq, "since": now - timedelta(days=message.data["cooldown_days"]),
        }
        for message in messages if message.data["cooldown_days"]
    ]  # fmt: skip
    where = {"rows": orjson.dumps(rows).decode(), "now": now}
    lately = set(session.rows(_ASKED_LATELY, where, into=scalar_row))
    answered = feedback.answered(session, [_question(message) for message in messages])
    reasons = dict.fromkeys(lately, "asked_lately")
    return reasons | {messages[place].message_id: "already_answered" for place in answered}


def _question(message: Message) -> Question:
    data = message.data
    return Question(
        member_id=message.member_id, kind=data["asks"], order_id=data["order_id"], touchpoint=data["touchpoint"],
        since=data["since"],
    )  # fmt: skip
