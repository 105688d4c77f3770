"""Members as frozen values."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

Status = Literal["active", "suspended", "closed"]

# What a member may tell of himself; all optional, all erasable.
PROFILE = ("email", "phone", "first_name", "last_name", "birth_date", "locale", "attributes", "consents")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """A customer to enrol, or what is to be changed of a member: `given` names the fields the caller sent."""

    customer_id: str
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    birth_date: date | None = None
    locale: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    consents: dict[str, Any] = field(default_factory=dict)
    referred_by: str | None = None
    enrolled_at: datetime | None = None
    given: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LockedMember:
    """A member whose row this transaction has locked.

    Only `members.locks` makes one, so a function that takes it cannot be called without the lock. `is_due` is a hint:
    just before the lock, something had fallen due in the member's accounts, or was owed.
    """

    member_id: UUID
    customer_id: str
    status: Status
    enrolled_at: datetime
    merged_into: str | None
    config_version: int
    # Somebody is to be thanked at this member's first order.
    referral_waits: bool
    is_due: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member as it is read."""

    member_id: UUID
    customer_id: str
    status: Status
    enrolled_at: datetime
    email: str | None
    phone: str | None
    first_name: str | None
    last_name: str | None
    birth_date: date | None
    locale: str | None
    attributes: dict[str, Any]
    consents: dict[str, Any]
    referral_code: str
    referred_by: str | None
    merged_into: str | None
