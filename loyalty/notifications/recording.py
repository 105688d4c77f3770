"""Writing down what became of messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.core.ids import new_id
from loyalty.db.writer import Changes
from loyalty.events import service as facts
from loyalty.notifications import events
from loyalty.notifications.domain import Defer, Message, Recipient, Send, Suppress
from loyalty.notifications.models import MessageRow

# A mail server that greylists wants some minutes, one that is being mended a night; after three days nobody waits.
BACK_OFF = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 3 * 60, 6 * 60, 12 * 60, 12 * 60, 24 * 60, 14 * 60)
)
DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Words:
    """What a message was put into words by."""

    language: str | None = None
    template_version: int | None = None


UNSAID = Words()


def suppressed(changes: Changes, decision: Suppress, *, now: datetime) -> None:
    """A message will not be sent, and why."""
    _change(changes, decision.message, status="suppressed", reason=decision.reason, decided_at=now)


def deferred(changes: Changes, decision: Defer) -> None:
    """A message is looked at again at its time; that was no attempt."""
    _change(changes, decision.message, due_at=decision.until)


def failed(changes: Changes, message: Message, reason: str, detail: str, *, now: datetime) -> None:
    """A message cannot be sent, and why. Whoever mends that may put it back."""
    _change(changes, message, status="failed", reason=reason, last_error=detail, decided_at=now)


def missed(changes: Changes, message: Message, detail: str, *, now: datetime) -> None:
    """An attempt has failed: there will be another one, later each time, until there were enough."""
    if message.attempts >= len(BACK_OFF):
        failed(changes, message, "gave_up", detail, now=now)
        return
    again = now + BACK_OFF[message.attempts]
    _change(changes, message, due_at=again, attempts=message.attempts + 1, last_error=detail)


def sent(
    changes: Changes, program_id: UUID, who: Recipient, send: Send, words: Words = UNSAID, *, now: datetime
) -> None:
    """What was sent: a message; or a digest, which is a message of its own, and what went with it."""
    first = send.messages[0]
    if send.is_digest:
        message_id, kind = _digest(changes, program_id, send.messages, words, now=now), DIGEST
        for message in send.messages:
            _change(changes, message, status="digested", digest_id=message_id, decided_at=now)
    else:
        message_id, kind = first.message_id, first.kind
        _change(
            changes, first, status="sent", sent_at=now, decided_at=now, language=words.language,
            template_version=words.template_version,
        )  # fmt: skip
    fact = events.message_sent(
        who.member_id, who.customer_id, message_id=message_id, kind=kind, channel=first.channel, occurred_at=now
    )
    facts.tell(changes, program_id, fact, now=now)


def _digest(changes: Changes, program_id: UUID, messages: Sequence[Message], words: Words, *, now: datetime) -> UUID:
    first, message_id = messages[0], new_id()
    row = {
        "member_id": first.member_id, "message_id": message_id, "program_id": program_id, "kind": DIGEST,
        "channel": first.channel, "key": str(message_id), "marketing": first.is_marketing, "status": "sent",
        "data": {"messages": [str(message.message_id) for message in messages]}, "occurred_at": first.occurred_at,
        "created_at": now, "due_at": now, "decided_at": now, "sent_at": now, "attempts": 0,
        "language": words.language, "template_version": words.template_version,
    }  # fmt: skip
    changes.insert(MessageRow, row)
    return message_id


def _change(changes: Changes, message: Message, **given: Any) -> None:
    """What is given of a message; it waits on otherwise, and nobody has it any more."""
    as_it_was = {
        "member_id": message.member_id, "message_id": message.message_id, "status": "queued", "reason": None,
        "due_at": message.due_at, "attempts": message.attempts, "decided_at": None, "sent_at": None,
        "leased_until": None, "last_error": None, "digest_id": None, "language": None, "template_version": None,
    }  # fmt: skip
    changes.update(MessageRow, {**as_it_was, **given})
