"""Putting messages into the queue: what a member is to be told, once on each channel that is used for it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from loyalty.core.ids import new_id
from loyalty.db.session import Session
from loyalty.notifications.domain import IMMEDIATE, PUSHED, Settings, Wanted
from loyalty.templates.kinds import KINDS

# Rows of one document, in its order: what came first has the lower `seq`. What is there already, stays as it is.
_ENQUEUE = """
INSERT INTO messages (member_id, message_id, program_id, kind, channel, key, marketing, data, status, occurred_at,
    created_at, due_at, outdated_at, attempts)
SELECT member_id, message_id, %(program_id)s, kind, channel, key, marketing, data, 'queued', occurred_at,
    %(now)s, due_at, outdated_at, 0
FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (member_id uuid, message_id uuid, kind text, channel text, key text,
    marketing boolean, data jsonb, occurred_at timestamptz, due_at timestamptz, outdated_at timestamptz)
ON CONFLICT (member_id, kind, key, channel) DO NOTHING
"""


def enqueue(session: Session, program_id: UUID, wanted: Sequence[Wanted], settings: Settings, *, now: datetime) -> int:
    """Queue what members are to be told, and has not been queued before; answers how many messages that makes.

    One statement; none where no channel is used for any of it.
    """
    rows = [row for each in wanted for row in _rows(each, settings, now)]
    if not rows:
        return 0
    return session.run(_ENQUEUE, {"program_id": program_id, "rows": orjson.dumps(rows).decode(), "now": now})


def _rows(wanted: Wanted, settings: Settings, now: datetime) -> Iterator[dict[str, Any]]:
    for channel in settings.channels_of(wanted.kind):
        yield {
            "member_id": wanted.member_id,
            "message_id": new_id(),
            "kind": wanted.kind,
            "channel": channel,
            "key": wanted.key,
            "marketing": KINDS[wanted.kind].category == "marketing",
            "data": wanted.data,
            "occurred_at": wanted.occurred_at,
            "due_at": _due_at(wanted, channel, settings, now),
            "outdated_at": wanted.outdated_at,
        }


def _due_at(wanted: Wanted, channel: str, settings: Settings, now: datetime) -> datetime:
    """When it is looked at first: what disturbs people waits a little for what may come with it."""
    earliest = now
    if settings.digest is not None and channel in PUSHED and wanted.kind not in IMMEDIATE:
        earliest += timedelta(minutes=settings.digest.minutes)
    return max(earliest, wanted.not_before or earliest)
