"""Entries, lots and accounts as frozen values, and the consequences of each for the others.

Vocabulary: an *entry* changes the buckets of one account (available, pending, held, debt); a credit opens a *lot*;
what takes points from lots says so in *allocations* (entry, lot, points).
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a member holds in one unit, and the next instant at which that changes by itself."""

    member_id: UUID
    unit: str
    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    lifetime_earned: int = 0
    lifetime_spent: int = 0
    last_seq: int = 0
    next_change_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether something matured or lapsed that is not recorded yet."""
        return self.next_change_at is not None and self.next_change_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Points that came together and lapse together. `seq` is that of the entry that opened it.

    `remaining` is what is left of `points`, pending or available. While `pending`, the lot waits for `matures_at`.
    """

    member_id: UUID
    seq: int
    unit: str
    points: int
    remaining: int
    pending: bool
    earned_at: datetime
    matures_at: datetime | None
    expires_at: datetime | None

    def matures_by(self, now: datetime) -> bool:
        """Whether the lot is pending and its instant has come."""
        return self.pending and self.matures_at is not None and self.matures_at <= now

    def expires_by(self, now: datetime) -> bool:
        """Whether the lot has lapsed: an expiry equal to the instant has."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a member's history. `points` is the change as the member reads it, the four buckets its effect."""

    member_id: UUID
    seq: int
    unit: str
    kind: str
    points: int
    occurred_at: datetime
    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    available_after: int = 0
    order_id: str | None = None
    rule_code: str | None = None
    rule_version: int | None = None
    reference: str | None = None
    reason: str | None = None
    detail: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """`points` that the entry `seq` took from the lot `lot_seq`."""

    member_id: UUID
    seq: int
    lot_seq: int
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Points to be earned: how many, when they become available, when they lapse, and why."""

    points: int
    unit: str
    earned_at: datetime
    matures_at: datetime | None
    expires_at: datetime | None
    order_id: str | None = None
    rule_code: str | None = None
    rule_version: int | None = None
    reason: str | None = None
    detail: dict[str, Any] | None = None


def consumption_key(lot: Lot) -> tuple[bool, float, datetime, int]:
    """The order in which lots are spent: soonest expiry, never-expiring last, then earliest earned, then lot id."""
    never = lot.expires_at is None
    return (never, 0.0 if lot.expires_at is None else lot.expires_at.timestamp(), lot.earned_at, lot.seq)


def applied(account: Account, entry: Entry) -> Account:
    """The account after `entry`."""
    earned = entry.points if entry.kind == "earn" else 0
    spent = -entry.points if entry.kind == "redeem" else 0
    return replace(
        account,
        available=account.available + entry.available,
        pending=account.pending + entry.pending,
        held=account.held + entry.held,
        debt=account.debt + entry.debt,
        lifetime_earned=account.lifetime_earned + earned,
        lifetime_spent=account.lifetime_spent + spent,
        last_seq=entry.seq,
    )
