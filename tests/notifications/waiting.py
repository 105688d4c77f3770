"""Builders of messages that wait, and of those they are for."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from loyalty.core.ids import new_id
from loyalty.notifications.domain import Message, Preferences, Recipient

# A Wednesday, noon in Riga and 10:00 in UTC.
NOON = datetime(2026, 3, 11, 10, 0, tzinfo=UTC)
ADA = UUID("01931f3e-7c1a-7d2b-9f00-000000000001")
_seq = count(1)


def a_message(kind: str = "points_expiring", channel: str = "email", **given: Any) -> Message:
    """One that is due, of a kind that is not urgent, unless said otherwise."""
    seq = next(_seq)
    usual: dict[str, Any] = {
        "member_id": ADA, "message_id": new_id(), "kind": kind, "channel": channel, "key": str(seq), "data": {},
        "occurred_at": NOON - timedelta(hours=1), "created_at": NOON - timedelta(hours=1), "due_at": NOON,
        "outdated_at": None, "attempts": 0, "seq": seq,
    }  # fmt: skip
    return Message(**{**usual, **given})


def a_recipient(*, prefers: dict[str, Any] | None = None, **given: Any) -> Recipient:
    """An active member in Riga, with an address on every channel and consent to all."""
    usual: dict[str, Any] = {
        "member_id": ADA, "customer_id": "c-42", "status": "active", "enrolled_at": NOON - timedelta(days=400),
        "email": "ada@shop.example", "phone": "+37120000000", "first_name": "Ada", "last_name": None, "locale": None,
        "consents": {"email": True, "webhook": True, "apprise": True}, "time_zone": "Europe/Riga",
        "preferences": Preferences(**(prefers or {})),
    }  # fmt: skip
    return Recipient(**{**usual, **given})
