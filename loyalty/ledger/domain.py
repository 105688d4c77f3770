"""Entries, lots, holds, debts and accounts as frozen values, and the consequences of each for the others.

Vocabulary: an *entry* changes the buckets of one account (available, pending, held, debt); a credit opens a *lot*;
what moves points out of lots, or back, says so in *allocations*; a *hold* keeps points for a payment that is under way;
a *debt* is what a return could not take back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from loyalty.programs.terms import Dates

HoldStatus = Literal["held", "captured", "released", "expired"]

AVAILABLE_FOR_GOOD = Dates()
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Idle:
    """The points of an account that lapse together at `at`, unless the member earns or spends before."""

    at: datetime
    points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a member holds in one unit, and the next instant at which that changes by itself.

    `latest_at` and `known_at` are the latest `occurred_at` and `known_at` of its entries. `idle` holds, by the code of
    their terms, the points that lapse by inactivity.
    """

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
    latest_at: datetime = BEGINNING
    known_at: datetime = BEGINNING
    idle: Mapping[str, Idle] = field(default_factory=dict)

    def is_due(self, now: datetime) -> bool:
        """Whether something matured, lapsed or timed out that is not recorded yet."""
        return self.next_change_at is not None and self.next_change_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Points that came together and lapse together. `seq` is that of the entry that opened it.

    `remaining` is what is left of `points`, pending or available; `held` is kept by holds. The rest was spent, lapsed
    or reversed. For the instants see `programs.terms.Dates`. `origin_*` name the lot of which this one continues the
    life: it was moved here by a merge, or brought back.
    """

    member_id: UUID
    seq: int
    unit: str
    points: int
    remaining: int
    held: int = 0
    pending: bool
    earned_at: datetime
    matures_at: datetime | None
    deadline_at: datetime | None = None
    expires_at: datetime | None
    expiry: str | None = None
    origin_member_id: UUID | None = None
    origin_seq: int | None = None

    @property
    def origin(self) -> tuple[UUID, int]:
        """The lot that the points were earned in."""
        if self.origin_member_id is None or self.origin_seq is None:
            return self.member_id, self.seq
        return self.origin_member_id, self.origin_seq


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a member's history. `points` is the change as the member reads it, the four buckets its effect.

    `occurred_at` is when it took effect; `known_at` from when on a reader of the books could know: what falls due by
    itself is known at its instant, whenever it is written down. `late`: an earlier entry took effect later.
    `matures_at` and `expires_at` are what the entry promised to the lot that it opened or let mature, or to its hold.
    """

    member_id: UUID
    seq: int
    unit: str
    kind: str
    points: int
    occurred_at: datetime
    known_at: datetime
    late: bool = False
    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    available_after: int = 0
    matures_at: datetime | None = None
    expires_at: datetime | None = None
    order_id: str | None = None
    rule_code: str | None = None
    rule_version: int | None = None
    reference: str | None = None
    reason: str | None = None
    detail: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """What the entry `seq` took from the lot `lot_seq`: `points` out of what remained, `held` into what is held.

    Negative numbers are the way back. To hold is (n, +n), to release (-n, -n), to capture (0, -n), to spend (n, 0).
    """

    member_id: UUID
    seq: int
    lot_seq: int
    points: int
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Points kept for a payment under way, until `expires_at`. `pieces`: from which lots, how many.

    `detail` is what the entry says that made it; it is read with holds that are asked for by name.
    """

    member_id: UUID
    hold_id: str
    unit: str
    points: int
    captured: int = 0
    status: HoldStatus = "held"
    seq: int
    held_at: datetime
    expires_at: datetime
    resolved_at: datetime | None = None
    order_id: str | None = None
    reason: str | None = None
    pieces: tuple[tuple[int, int], ...] = ()
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """Points that a return could not take back. `seq` is that of the entry that recorded it."""

    member_id: UUID
    seq: int
    unit: str
    points: int
    remaining: int
    incurred_at: datetime
    order_id: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The sums of an account's entries up to `seq`, so that the past is read without reading all of it."""

    member_id: UUID
    unit: str
    seq: int
    available: int
    pending: int
    held: int
    debt: int
    lifetime_earned: int
    lifetime_spent: int
    latest_at: datetime
    known_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Points to be credited: how many, since when, the dates they live by, and why."""

    points: int
    unit: str
    earned_at: datetime
    dates: Dates = AVAILABLE_FOR_GOOD
    order_id: str | None = None
    rule_code: str | None = None
    rule_version: int | None = None
    reference: str | None = None
    reason: str | None = None
    detail: dict[str, Any] | None = None
    origin: tuple[UUID, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What was read of a member before a decision: all accounts, and what is due or owed.

    `later` gives, by unit, the next change among what was not read.
    """

    member_id: UUID
    accounts: tuple[Account, ...] = ()
    lots: tuple[Lot, ...] = ()
    holds: tuple[Hold, ...] = ()
    debts: tuple[Debt, ...] = ()
    later: Mapping[str, datetime | None] = field(default_factory=dict)


def consumption_key(lot: Lot, expires_at: datetime | None) -> tuple[bool, datetime, datetime, int]:
    """The order in which lots are spent: soonest expiry, never-expiring last, then earliest earned, then lot id."""
    return (expires_at is None, expires_at or BEGINNING, lot.earned_at, lot.seq)


def applied(account: Account, entry: Entry) -> Account:
    """The account after `entry`. What is reversed was not earned after all, what is given back not spent.

    Who takes over another member takes over what that one ever earned and spent.
    """
    earned = entry.points if entry.kind in ("earn", "reverse", "debt") else 0
    spent = -entry.points if entry.kind in ("redeem", "return_spent") else 0
    if entry.kind == "transfer_in" and entry.detail:
        earned, spent = entry.detail.get("lifetime_earned", 0), entry.detail.get("lifetime_spent", 0)
    return replace(
        account,
        available=account.available + entry.available,
        pending=account.pending + entry.pending,
        held=account.held + entry.held,
        debt=account.debt + entry.debt,
        lifetime_earned=account.lifetime_earned + earned,
        lifetime_spent=account.lifetime_spent + spent,
        last_seq=entry.seq,
        latest_at=max(account.latest_at, entry.occurred_at),
        known_at=entry.known_at,
    )
