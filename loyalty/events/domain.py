"""A fact as a frozen value."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that happened, for whoever wants to know: of a member, or (without one) of the program.

    `type` is dotted, such as `redemption.confirmed`; type and version say what `data` holds. No secret, no code and
    nothing of a person but the shop's own id stands in a fact: it stays when the person has gone.
    """

    type: str
    version: int
    occurred_at: datetime
    data: dict[str, Any]
    member_id: UUID | None = None
    customer_id: str | None = None


def moment(at: datetime | None) -> str | None:
    """An instant as the data of a fact says it: in UTC, with a Z."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
