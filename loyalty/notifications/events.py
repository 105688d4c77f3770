"""The facts that messages tell. The shapes of their data stand in `fact_schemas`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.events.domain import Fact


def message_sent(
    member_id: UUID, customer_id: str, *, message_id: UUID, kind: str, channel: str, occurred_at: datetime
) -> Fact:
    """`message.sent`: a message has gone out, or lies in the inbox."""
    data = {"message_id": str(message_id), "kind": kind, "channel": channel}
    return Fact(
        type="message.sent", version=1, member_id=member_id, customer_id=customer_id, occurred_at=occurred_at, data=data
    )


def message_requested(
    member_id: UUID, customer_id: str, *, message_id: UUID, kind: str, category: str, language: str,
    data: dict[str, Any], occurred_at: datetime,
) -> Fact:  # fmt: skip
    """`message.requested`: the shop is to send a message in its own words. `data` is what it is about."""
    told = {"message_id": str(message_id), "kind": kind, "category": category, "language": language, "data": data}
    return Fact(
        type="message.requested", version=1, member_id=member_id, customer_id=customer_id, occurred_at=occurred_at,
        data=told,
    )  # fmt: skip
