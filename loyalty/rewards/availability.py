"""Whether a member can have a reward, and if not, every reason why not: asked by the catalogue and by redemption."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from loyalty.core import calendar
from loyalty.earning.caps import next_period
from loyalty.rewards.domain import PERIODS, NewReward, Period, Reward
from loyalty.rules.expressions import Environment, Unanswerable
from loyalty.tiers.domain import Tier

Why = Literal[
    "ended", "out_of_stock", "not_started", "tier_too_low", "limit_reached", "not_in_segment",
    "condition_not_met", "insufficient_points",
]  # fmt: skip

# What keeps a reward away longest comes last: first what points will buy, last what is over.
FARTHEST: tuple[Why, ...] = (
    "insufficient_points", "tier_too_low", "not_started", "limit_reached", "condition_not_met", "not_in_segment",
    "out_of_stock", "ended",
)  # fmt: skip
_DISTANCE = {why: number for number, why in enumerate(FARTHEST, 1)}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why a member cannot have a reward, with the facts of it."""

    code: Why
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def distance(self) -> int:
        """How far it keeps a reward away."""
        return _DISTANCE[self.code]


def _to_none(_codes: Iterable[str]) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks for rewards, and when: what availability depends on.

    `had`: how often the member had a reward, by its code and period. `left`: how many there are of rewards, where that
    is known. `environment`: what conditions see. `belongs`: whether the member is in any of some segments. `tiers`: the
    codes of all tiers, the lowest first. `in_full`: whether a condition that does not hold tells what it saw.
    """

    at: datetime
    zone: str
    available: int
    tier: Tier | None = None
    tiers: tuple[str, ...] = ()
    had: Mapping[tuple[str, Period], int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    environment: Environment = field(default_factory=lambda: Environment({}))
    belongs: Callable[[Iterable[str]], bool] = _to_none
    in_full: bool = True

    @property
    def tier_code(self) -> str | None:
        """The code of the member's tier."""
        return self.tier.code if self.tier else None

    @cached_property
    def rank(self) -> Mapping[str, int]:
        """The number of each tier, 0 being the lowest."""
        return {code: number for number, code in enumerate(self.tiers)}

    @cached_property
    def again(self) -> Mapping[Period, datetime | None]:
        """When the periods that have begun are over; None for that which never is."""
        local = self.at.astimezone(calendar.zone(self.zone))
        return {period: next_period(period, local) for period in PERIODS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What a reward costs a member, from when on it can be had, and every reason why it cannot be had now."""

    points: int
    missing: int
    starts_at: datetime | None
    early: bool
    reasons: tuple[Reason, ...]

    @property
    def available(self) -> bool:
        """Whether it can be had now."""
        return not self.reasons

    @property
    def distance(self) -> int:
        """How far it is away: 0 if it can be had, else by what takes longest."""
        return max([_DISTANCE[reason.code] for reason in self.reasons], default=0)


_OUT_OF_STOCK = Reason("out_of_stock")


def availability(reward: Reward, asking: Asking) -> Availability:
    """Whether a member can have a reward. Reasons come in the order in which a refusal names them."""
    points = reward.cost(asking.tier_code)
    starts_at = starts_for(reward, asking.tier)
    missing = max(0, points - asking.available)
    reasons = (
        _season(reward, starts_at, asking.at) if starts_at or reward.valid_to else None,
        _OUT_OF_STOCK if asking.left.get(reward.code, reward.left) == 0 else None,
        _tier(reward, asking) if reward.tiers else None,
        _limits(reward, asking) if reward.limits else None,
        _segments(reward, asking) if reward.segments else None,
        _condition(reward, asking) if reward.when is not None else None,
        _points(points, missing, asking) if missing else None,
    )
    return Availability(
        points=points,
        missing=missing,
        starts_at=starts_at,
        early=reward.valid_from is not None and starts_at != reward.valid_from and asking.at < reward.valid_from,
        reasons=tuple(filter(None, reasons)),
    )


def limits_left(reward: Reward, asking: Asking) -> dict[Period, int]:
    """How often a member can still have a reward, by each of its limits."""
    had = asking.had
    return {period: max(0, most - had.get((reward.code, period), 0)) for period, most in reward.limits_by_length}


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


def _season(reward: Reward, starts_at: datetime | None, at: datetime) -> Reason | None:
    if reward.valid_to is not None and at >= reward.valid_to:
        return Reason("ended", {"valid_to": reward.valid_to})
    if starts_at is not None and at < starts_at:
        return Reason("not_started", {"valid_from": starts_at})
    return None


def _tier(reward: Reward, asking: Asking) -> Reason | None:
    if asking.tier_code in reward.tiers:
        return None
    # The nearest is the lowest of those above the member's.
    rank = asking.rank
    wanted = sorted(reward.tiers, key=lambda code: rank.get(code, len(rank)))
    own = rank.get(asking.tier_code or "", -1)
    nearest = next((code for code in wanted if rank.get(code, -1) > own), wanted[0])
    return Reason("tier_too_low", {"tier": asking.tier_code, "tiers": wanted, "needed": nearest})


def _limits(reward: Reward, asking: Asking) -> Reason | None:
    """The limit that lasts longest. That is not always the longer period: a week may end after its year."""
    reached: tuple[Period, int] | None = None
    for period, most in reward.limits_by_length:
        if asking.had.get((reward.code, period), 0) >= most and (
            reached is None or _later(asking.again[period], asking.again[reached[0]])
        ):
            reached = period, most
    if reached is None:
        return None
    period, most = reached
    return Reason("limit_reached", {"limit": most, "period": period, "available_from": asking.again[period]})


def _later(one: datetime | None, other: datetime | None) -> bool:
    return other is not None and (one is None or one > other)


def _segments(reward: Reward, asking: Asking) -> Reason | None:
    if asking.belongs(reward.segments):
        return None
    # What a shop thinks of its members, such as that they have lapsed, is not theirs to read.
    return Reason("not_in_segment", {"segments": list(reward.segments)} if asking.in_full else {})


def _condition(reward: Reward, asking: Asking) -> Reason | None:
    asked = reward.condition
    assert asked is not None, "there is one to ask"
    try:
        if asked.holds(asking.environment):
            return None
    except Unanswerable:
        pass  # What cannot be answered does not hold, as with earning rules.
    return Reason("condition_not_met", {"values": asked.seen(asking.environment)} if asking.in_full else {})


def _points(required: int, missing: int, asking: Asking) -> Reason:
    return Reason("insufficient_points", {"required": required, "available": asking.available, "missing": missing})
