"""Automatic redemption, decided: from how many points on, and when again."""

from datetime import timedelta

import pytest

from loyalty.ledger.errors import InsufficientPoints
from loyalty.members.errors import MemberSuspended
from loyalty.rewards.automatic import least_cost, next_try
from loyalty.rewards.domain import NewReward
from loyalty.rewards.errors import ConditionNotMet, LimitReached, OutOfStock, RewardEnded, RewardNotStarted, TierTooLow
from tests.builders import NOW

THEN = NOW + timedelta(days=9)
AN_HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)


def a_reward(points: int, tiers: tuple[str, ...] = (), **points_by_tier: int) -> NewReward:
    return NewReward(
        name="5 off", type="discount_amount", points=points, points_by_tier=points_by_tier, tiers=tiers,
        fulfilment="code",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reward", "level"),
    [
        (a_reward(100), 100),
        (a_reward(100, gold=80, silver=90), 80),
        (a_reward(100, bronze=120), 100),
        (a_reward(100, ("silver",), silver=90, gold=80), 90),
        (a_reward(100, ("bronze", "silver"), bronze=120), 100),
        (a_reward(100, ("bronze",), bronze=120), 120),
    ],
)
def test_it_is_tried_from_what_the_reward_costs_whoever_gets_it_for_least(reward: NewReward, level: int):
    assert least_cost(reward) == level


@pytest.mark.parametrize(
    ("refused", "again"),
    [
        (RewardNotStarted("five-off", THEN), THEN),
        (LimitReached("five-off", limit=1, period="month", available_from=THEN), THEN),
        (LimitReached("five-off", limit=1, period="ever", available_from=None), None),
        (RewardEnded("five-off", NOW), None),
        (OutOfStock("five-off"), NOW + AN_HOUR),
        (TierTooLow("five-off", tier=None, tiers=["gold"], needed="gold"), NOW + A_DAY),
        (ConditionNotMet("five-off", values={}), NOW + A_DAY),
        (InsufficientPoints(required=100, available=90, unit="points"), NOW + A_DAY),
        (MemberSuspended("c-42"), NOW + A_DAY),
    ],
)
def test_what_is_refused_is_tried_again_at_the_instant_it_names_or_after_a_while(refused, again):
    assert next_try(refused, now=NOW) == again
