"""Automatic redemption, decided: from how many points on it is tried, and when again after it was refused. Pure."""

from datetime import datetime, timedelta

from loyalty.core.errors import DomainError
from loyalty.rewards.domain import NewReward
from loyalty.rewards.errors import LimitReached, OutOfStock, RewardEnded, RewardNotStarted

# How a redemption came about, where it was not the shop that asked for it.
AUTOMATIC = "automatic"

# Why nothing is redeemed, beside what a redemption is refused for.
DECLINED, UNSOUND = "declined", "books-unsound"

# What may change at any minute by what others do, and what changes with the member.
SOON, LATER = timedelta(hours=1), timedelta(days=1)

GIVES_A_CODE = ("code", "pool")


def least_cost(reward: NewReward) -> int:
    """From how many points on some member can have the reward."""
    if reward.tiers:
        return min(reward.cost(tier) for tier in reward.tiers)
    return min([reward.points, *reward.points_by_tier.values()])


def next_try(refused: DomainError, *, now: datetime) -> datetime | None:
    """When to try again what was refused for now: at the instant that the refusal names, or after a while.

    None: not before something changes, which is noticed.
    """
    if isinstance(refused, RewardNotStarted):
        begins: datetime = refused.facts["valid_from"]
        return begins
    if isinstance(refused, LimitReached):
        again: datetime | None = refused.facts["available_from"]
        return again
    if isinstance(refused, RewardEnded):
        return None
    return now + (SOON if isinstance(refused, OutOfStock) else LATER)
