"""Rewards and redemptions as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from loyalty.rules.expressions import Condition, condition

RewardType = Literal[
    "discount_amount", "discount_percent", "free_product", "gift_card", "experience", "donation", "custom"
]
TYPES: tuple[RewardType, ...] = (
    "discount_amount", "discount_percent", "free_product", "gift_card", "experience", "donation", "custom",
)  # fmt: skip
Fulfilment = Literal["none", "code", "pool", "webhook"]
FULFILMENTS: tuple[Fulfilment, ...] = ("none", "code", "pool", "webhook")
Period = Literal["day", "week", "month", "quarter", "year", "ever"]
PERIODS: tuple[Period, ...] = ("day", "week", "month", "quarter", "year", "ever")

RedemptionStatus = Literal["held", "confirmed", "fulfilled", "cancelled", "expired"]
STATUSES: tuple[RedemptionStatus, ...] = ("held", "confirmed", "fulfilled", "cancelled", "expired")

# As a card payment at a checkout: long enough for a slow bank, short enough that nobody misses the points.
HOLD_SECONDS = 900
HOLD_SECONDS_MAX = 604_800


@dataclass(frozen=True, slots=True)
class VoucherTerms:
    """For how many days a code that a reward gives is valid (None: without end), and how often it can be used."""

    valid_days: int | None = None
    uses: int = 1


@dataclass(frozen=True, kw_only=True)
class NewReward:
    """A reward as a marketer writes it.

    `points` is what it costs, unless `points_by_tier` says otherwise. `stock` is what there is to give; None: without
    end. `limits`: how often a member may have it in a period. `tiers`: who may have it (none: everybody); tiers with
    early access may have it before `valid_from`, unless `early_access` is off. `segments`: who is in none of them
    cannot have it (none: everybody can). `low_stock`: at how many left the shop is told. `sort`: what is smaller stands
    first among equals.
    """

    name: str
    type: RewardType
    points: int
    points_by_tier: Mapping[str, int] = field(default_factory=dict)
    value: dict[str, Any] = field(default_factory=dict)
    stock: int | None = None
    low_stock: int | None = None
    limits: Mapping[Period, int] = field(default_factory=dict)
    tiers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    early_access: bool = True
    when: str | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    fulfilment: Fulfilment = "none"
    voucher: VoucherTerms = VoucherTerms()
    description: str | None = None
    terms: str | None = None
    images: tuple[Mapping[str, str], ...] = ()
    categories: tuple[str, ...] = ()
    sort: int = 0
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @cached_property
    def condition(self) -> Condition | None:
        """`when`, compiled."""
        return None if self.when is None else condition(self.when)

    @cached_property
    def limits_by_length(self) -> tuple[tuple[Period, int], ...]:
        """The limits, that of the longest period first."""
        return tuple((period, self.limits[period]) for period in reversed(PERIODS) if period in self.limits)

    def cost(self, tier: str | None) -> int:
        """What it costs a member of a tier, in points."""
        return self.points if tier is None else self.points_by_tier.get(tier, self.points)

    @property
    def worth(self) -> dict[str, Any]:
        """What a voucher that it gives stands for."""
        return {"type": self.type, **{name: given for name, given in self.value.items() if given is not None}}


@dataclass(frozen=True, kw_only=True)
class Reward(NewReward):
    """A reward of the catalogue. What is left of it is counted elsewhere, so that `version` moves with edits alone.

    `left` is what was left when it was read, None without end; `withdrawn`: nobody can have it any more. `drafted`:
    somebody is working on the next version.
    """

    program_id: UUID
    code: str
    version: int
    withdrawn: bool = False
    left: int | None = None
    drafted: bool = False

    @property
    def is_limited(self) -> bool:
        """Whether there is an end to it. Codes of a pool are counted by the pool."""
        return self.stock is not None or self.fulfilment == "pool"


CONTENT = tuple(each.name for each in fields(NewReward))


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRedemption:
    """A member's wish to have a reward: at once, or in two phases, held for so many seconds at the most."""

    redemption_id: str
    reward: str
    hold: bool = False
    hold_seconds: int = HOLD_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """A redemption as it was recorded. `entry_seq` is the entry by which the points were spent.

    `took_stock`: one less was left because of it. A held one that nobody confirms expires at `expires_at`, whenever
    that is written down.
    """

    member_id: UUID
    redemption_id: str
    reward_code: str
    reward_version: int
    status: RedemptionStatus
    points: int
    fulfilment: Fulfilment
    took_stock: bool
    redeemed_at: datetime
    expires_at: datetime | None = None
    confirmed_at: datetime | None = None
    fulfilled_at: datetime | None = None
    closed_at: datetime | None = None
    voucher_code: str | None = None
    entry_seq: int | None = None
    reference: str | None = None
    reason: str | None = None

    @property
    def hold_id(self) -> str:
        """What the ledger calls the hold of its points. A shop's own ids have no slash."""
        return hold_id_of(self.redemption_id)

    def resolved(self, now: datetime) -> tuple[RedemptionStatus, datetime] | None:
        """What became of it, and when; None while it is held."""
        if self.status == "held":
            assert self.expires_at is not None, "what is held is held for so long"
            return ("expired", self.expires_at) if self.expires_at <= now else None
        at = {"confirmed": self.confirmed_at, "fulfilled": self.fulfilled_at}.get(self.status, self.closed_at)
        assert at is not None, "what happened, happened at some time"
        return self.status, at


def hold_id_of(redemption_id: str) -> str:
    """What the ledger calls the hold of a redemption's points."""
    return f"redemption/{redemption_id}"
