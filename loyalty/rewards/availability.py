"""Whether a member can have a reward, and if not, every reason why not: asked by the catalogue and by redemption."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from loyalty.core import calendar
from loyalty.earning.caps import next_period
from loyalty.rewards.domain import NewReward, Period, Reward
from loyalty.rules.expressions import Environment, Unanswerable
from loyalty.tiers.domain import Tier

Why = Literal[
    "ended", "out_of_stock", "not_started", "tier_too_low", "limit_reached", "condition_not_met", "insufficient_points"
]

# What keeps a reward away longest comes last: first what points will buy, last what is over.
FARTHEST: tuple[Why, ...] = (
    "insufficient_points", "tier_too_low", "not_started", "limit_reached", "condition_not_met", "out_of_stock", "ended",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why a member cannot have a reward, with the facts of it."""

    code: Why
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def distance(self) -> int:
        """How far it keeps a reward away."""
        return FARTHEST.index(self.code) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who asks for rewards, and when: what availability depends on.

    `had`: how often the member had a reward, by its code and period. `environment`: what conditions see. `tiers`: the
    codes of all tiers, the lowest first.
    """

    at: datetime
    zone: str
    available: int
    tier: Tier | None = None
    tiers: tuple[str, ...] = ()
    had: Mapping[tuple[str, Period], int] = field(default_factory=dict)
    environment: Environment = field(default_factory=lambda: Environment({}))

    @property
    def tier_code(self) -> str | None:
        """The code of the member's tier."""
        return self.tier.code if self.tier else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What a reward costs a member, from when on it can be had, and every reason why it cannot be had now."""

    points: int
    missing: int
    starts_at: datetime | None
    early: bool
    limits: Mapping[Period, int]
    reasons: tuple[Reason, ...]

    @property
    def available(self) -> bool:
        """Whether it can be had now."""
        return not self.reasons

    @property
    def distance(self) -> int:
        """How far it is away: 0 if it can be had, else by what takes longest."""
        return max((reason.distance for reason in self.reasons), default=0)


def availability(reward: Reward, asking: Asking) -> Availability:
    """Whether a member can have a reward. Reasons come in the order in which a refusal names them."""
    points = reward.cost(asking.tier_code)
    starts_at = starts_for(reward, asking.tier)
    reasons = [
        *_season(reward, starts_at, asking.at),
        *_stock(reward),
        *_tier(reward, asking),
        *_limits(reward, asking),
        *_condition(reward, asking),
    ]
    missing = max(0, points - asking.available)
    if missing:
        facts = {"required": points, "available": asking.available, "missing": missing}
        reasons.append(Reason("insufficient_points", facts))
    return Availability(
        points=points,
        missing=missing,
        starts_at=starts_at,
        early=starts_at != reward.valid_from,
        limits={period: max(0, most - asking.had.get((reward.code, period), 0)) for period, most in _most(reward)},
        reasons=tuple(reasons),
    )


def starts_for(reward: NewReward, tier: Tier | None) -> datetime | None:
    """When a reward begins for members of a tier: some may have it earlier than others."""
    if reward.valid_from is None or tier is None or not reward.early_access:
        return reward.valid_from
    return reward.valid_from - timedelta(hours=tier.benefits.early_access_hours)


def period_begin(period: Period, at: datetime, zone: str) -> datetime | None:
    """The first instant of the calendar period that contains an instant; None: from the beginning of time."""
    if period == "ever":
        return None
    today = at.astimezone(calendar.zone(zone)).date()
    first = {
        "day": today,
        "week": today - timedelta(days=today.weekday()),
        "month": today.replace(day=1),
        "quarter": today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1),
        "year": today.replace(month=1, day=1),
    }
    return calendar.midnight(first[period], zone)


def _season(reward: Reward, starts_at: datetime | None, at: datetime) -> list[Reason]:
    if reward.valid_to is not None and at >= reward.valid_to:
        return [Reason("ended", {"valid_to": reward.valid_to})]
    if starts_at is not None and at < starts_at:
        return [Reason("not_started", {"valid_from": starts_at})]
    return []


def _stock(reward: Reward) -> list[Reason]:
    return [Reason("out_of_stock")] if reward.left == 0 else []


def _tier(reward: Reward, asking: Asking) -> list[Reason]:
    if not reward.tiers or asking.tier_code in reward.tiers:
        return []
    # The nearest is the lowest of those above the member's.
    rank = {code: number for number, code in enumerate(asking.tiers)}
    wanted = sorted(reward.tiers, key=lambda code: rank.get(code, len(rank)))
    own = rank.get(asking.tier_code or "", -1)
    nearest = next((code for code in wanted if rank.get(code, -1) > own), wanted[0])
    return [Reason("tier_too_low", {"tier": asking.tier_code, "tiers": wanted, "needed": nearest})]


def _limits(reward: Reward, asking: Asking) -> list[Reason]:
    for period, most in _most(reward):
        if asking.had.get((reward.code, period), 0) >= most:
            local = asking.at.astimezone(calendar.zone(asking.zone))
            again = next_period(period, local)
            return [Reason("limit_reached", {"limit": most, "period": period, "available_from": again})]
    return []


def _most(reward: Reward) -> list[tuple[Period, int]]:
    """The limits, the longest period first: what waits for it waits for all others."""
    order: tuple[Period, ...] = ("ever", "year", "quarter", "month", "week", "day")
    return [(period, reward.limits[period]) for period in order if period in reward.limits]


def _condition(reward: Reward, asking: Asking) -> list[Reason]:
    asked = reward.condition
    if asked is None:
        return []
    try:
        if asked.holds(asking.environment):
            return []
    except Unanswerable:
        pass  # What cannot be answered does not hold, as with earning rules.
    return [Reason("condition_not_met", {"values": asked.seen(asking.environment)})]
