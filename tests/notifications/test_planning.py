"""What each fact leads to."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from loyalty.notifications.domain import Feedback, Settings
from loyalty.notifications.planning import FRESH, Known, Plan, least, plan
from loyalty.rewards.domain import Reward
from loyalty.templates.kinds import KINDS
from loyalty.tiers.domain import Ladders
from loyalty.tiers.storing import ladder_from
from tests.builders import NOW
from tests.ladders import a_ladder
from tests.notifications.told import MEMBER, a_logged, a_shop
from tests.shop import in_days

A_DAY = timedelta(days=1)
WHEN = {"effective_from": None, "published_at": NOW, "published_by": "me"}
LADDERS = Ladders.of([ladder_from(a_ladder(), version=1, moving="now", **WHEN)], "UTC")


def a_reward(code: str, points: int, **given: Any) -> Reward:
    program_id = a_shop().program_id
    return Reward(program_id=program_id, code=code, version=1, name=code, type="custom", points=points, **given)


def known(*rewards: Reward, program: Any = None, **settings: Any) -> Known:
    rewards_of = {reward.code: reward for reward in rewards}
    program = program or a_shop()
    return Known(now=NOW, program=program, settings=Settings(**settings), rewards=rewards_of, ladders=LADDERS)


def told(made: Plan) -> list[tuple[str, dict[str, Any]]]:
    return [(each.kind, each.data) for each in made.wanted]


def tier_changed(tier: str, was: str | None, direction: str = "up", version: int = 1) -> Any:
    data = {"tier": tier, "from": was, "direction": direction, "reason": "order", "ladder_version": version}
    return a_logged("tier.changed", valid_until=None, **data)


def redeemed(status: str = "confirmed", *, voucher: bool = True) -> Any:
    data = {"redemption_id": "R-1", "reward": "coffee", "points": 5, "status": status, "voucher_issued": voucher}
    return a_logged(f"redemption.{status}", **data)


EARNED = {"points": 100, "matures_at": None, "expires_at": None, "order_id": "A-1", "pending": 0}


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        (a_logged("points.earned"), ("points_earned", EARNED)),
        (a_logged("points.earned", matures_at=in_days(14), expires_at=in_days(99), available=0, pending=100,
                  waiting=100),
         ("points_earned", {**EARNED, "pending": 100, "matures_at": in_days(14), "expires_at": in_days(99)})),
        (a_logged("points.earned", unit="miles"), None),
        (a_logged("points.matured"), ("points_matured", {"points": 100})),
        (a_logged("points.matured", unit="miles"), None),
        (a_logged("points.expired", points=30), ("points_expired", {"points": 30})),
        (a_logged("points.reversed", points=30), ("points_reversed", {"points": 30, "order_id": "A-1"})),
        (tier_changed("gold", "silver"), ("tier_up", {"tier": "gold", "from": "silver", "ladder_version": 1})),
        (tier_changed("silver", "gold", "down"),
         ("tier_down", {"tier": "silver", "from": "gold", "ladder_version": 1})),
        (tier_changed("bronze", None), None),
        (tier_changed("gold", None), ("tier_up", {"tier": "gold", "from": None, "ladder_version": 1})),
        (tier_changed("gold", None, version=7), None),
        (redeemed(), ("voucher_issued", {"redemption_id": "R-1", "reward": "coffee"})),
        (redeemed("fulfilled"), ("voucher_issued", {"redemption_id": "R-1", "reward": "coffee"})),
        (redeemed(voucher=False), None),
    ],
)  # fmt: skip
def test_a_fact_leads_to_a_message_or_to_none(fact: Any, message: Any):
    made = plan([fact], known())

    assert told(made) == ([] if message is None else [message])
    assert [each.member_id for each in made.wanted] == [MEMBER] * len(made.wanted)
    keys = [data["redemption_id"] if kind == "voucher_issued" else str(fact.event_id) for kind, data in told(made)]
    assert [each.key for each in made.wanted] == keys


def test_points_that_cannot_be_used_yet_are_pending():
    waits = a_logged("points.earned", available=0, pending=100, waiting=100)
    partly = a_logged("points.earned", available=60, pending=40, waiting=40)

    assert [told(plan([fact], known()))[0][1]["pending"] for fact in (waits, partly)] == [100, 40]


@pytest.mark.parametrize(
    ("fact", "for_days"),
    [
        (lambda at: a_logged("points.earned", occurred_at=at), 3),
        (lambda at: a_logged("points.expired", occurred_at=at), 7),
        (lambda at: a_logged("tier.changed", occurred_at=at, **tier_changed("gold", "silver").data), 30),
        (lambda at: a_logged("tier.changed", occurred_at=at, **tier_changed("bronze", "gold", "down").data), 7),
        (lambda at: a_logged("redemption.confirmed", occurred_at=at, **redeemed().data), None),
    ],
)
def test_old_news_is_not_told(fact: Any, for_days: int | None):
    assert plan([fact(NOW - (for_days or 400) * A_DAY)], known()).wanted
    assert bool(plan([fact(NOW - (for_days or 400) * A_DAY - A_DAY)], known()).wanted) is (for_days is None)


def ordered(placed_days_ago: int = 0, *, guest: bool = False) -> Any:
    return a_logged("order.recorded", order_id="A-1", guest=guest, placed_at=in_days(-placed_days_ago))


def test_how_it_was_is_asked_some_days_after_the_order():
    asks = known(feedback=Feedback("https://shop.example/{order_id}", after_days=5))

    (wanted,) = plan([ordered()], asks).wanted
    assert (wanted.kind, wanted.key, wanted.data) == ("feedback_request", "A-1", {"order_id": "A-1"})
    assert wanted.not_before == NOW + 5 * A_DAY
    assert plan([ordered(12)], asks).wanted
    assert not plan([ordered(13)], asks).wanted
    assert not plan([ordered(guest=True)], asks).wanted
    assert not plan([ordered()], known()).wanted


@pytest.mark.parametrize(
    ("fact", "closes"),
    [
        (a_logged("order.cancelled", order_id="A-1", points=5), True),
        (a_logged("order.returned", order_id="A-1", complete=True), True),
        (a_logged("order.returned", order_id="A-1", complete=False), False),
    ],
)
def test_nobody_is_asked_about_what_came_back(fact: Any, closes: bool):
    closed = [(each.kind, each.key, each.reason) for each in plan([fact], known()).closed]

    assert closed == ([("feedback_request", "A-1", "order_gone")] if closes else [])


def offered(valid_to: float | None, occurred_days_ago: int = 0) -> Any:
    data = {"assignment_id": "as-1", "offer": "double", "title": "Double points"}
    ends = None if valid_to is None else in_days(valid_to)
    return a_logged("offer.assigned", occurred_at=NOW - occurred_days_ago * A_DAY, valid_to=ends, **data)


def test_an_offer_is_told_and_told_again_when_it_ends():
    begun, ending = plan([offered(10)], known(offer_ending_days=3)).wanted

    assert (begun.kind, begun.key, begun.outdated_at) == ("offer_assigned", "as-1", NOW + 10 * A_DAY)
    assert begun.data == {
        "assignment_id": "as-1", "offer": "double", "title": "Double points", "valid_to": in_days(10),
    }  # fmt: skip
    assert (ending.kind, ending.not_before, ending.outdated_at) == ("offer_ending", NOW + 7 * A_DAY, NOW + 10 * A_DAY)
    assert ending.data == {**begun.data, "days": 3}


@pytest.mark.parametrize(
    ("fact", "kinds"),
    [
        (offered(None), ["offer_assigned"]),
        (offered(2), ["offer_assigned"]),
        (offered(-1), []),
        (offered(10, occurred_days_ago=9), ["offer_ending"]),
    ],
)
def test_nobody_is_told_twice_in_the_last_days_of_an_offer_or_after_it(fact: Any, kinds: list[str]):
    assert [each.kind for each in plan([fact], known(offer_ending_days=3)).wanted] == kinds


@pytest.mark.parametrize(("rank", "kinds"), [(1, ["offer_assigned"]), (2, []), (None, ["offer_assigned"])])
def test_of_ten_offers_that_were_shown_together_a_member_hears_of_the_best(rank: int | None, kinds: list[str]):
    fact = offered(2)

    assert [each.kind for each in plan([replace(fact, data={**fact.data, "rank": rank})], known()).wanted] == kinds


@pytest.mark.parametrize("how", ["redeemed", "dismissed", "expired"])
def test_of_an_offer_that_is_over_nobody_is_told(how: str):
    made = plan([a_logged(f"offer.{how}", assignment_id="as-1")], known())

    assert [(each.kind, each.key, each.reason) for each in made.closed] == [
        ("offer_assigned", "as-1", "offer_closed"), ("offer_ending", "as-1", "offer_closed"),
    ]  # fmt: skip


def published(*, first: bool = True, days_ago: int = 0, begins: float | None = None, ends: float | None = None) -> Any:
    times = {
        "valid_from": None if begins is None else in_days(begins),
        "valid_to": None if ends is None else in_days(ends),
    }
    data = {"reward": "coffee", "version": 2, "first": first, "points": 100}
    return a_logged("reward.published", occurred_at=NOW - days_ago * A_DAY, **data, **times)


@pytest.mark.parametrize(
    ("fact", "at"),
    [
        (published(), NOW),
        (published(first=False), None),
        (published(begins=30), NOW + 30 * A_DAY),
        (published(begins=-30), NOW),
        (published(days_ago=7), NOW - 7 * A_DAY),
        (published(days_ago=8), None),
        (published(days_ago=60, begins=1), NOW + A_DAY),
        (published(ends=-1), None),
    ],
)
def test_a_new_reward_is_announced_from_when_it_can_be_had(fact: Any, at: Any):
    announced = [(each.reward, each.version, each.at) for each in plan([fact], known()).announced]

    assert announced == ([] if at is None else [("coffee", 2, at)])


COFFEE, CAKE, LUNCH = a_reward("coffee", 100), a_reward("cake", 150), a_reward("lunch", 500)


@pytest.mark.parametrize(
    ("kind", "before", "after", "reward"),
    [
        ("points.earned", 0, 99, None),
        ("points.earned", 0, 100, "coffee"),
        ("points.earned", 99, 150, "cake"),
        ("points.earned", 100, 149, None),
        ("points.matured", 100, 900, "lunch"),
        ("points.adjusted", 0, 120, "coffee"),
        ("points.adjusted", 200, 120, None),
        ("points.transferred_in", 0, 120, "coffee"),
        ("points.returned", 0, 120, "coffee"),
        ("points.reinstated", 0, 120, "coffee"),
    ],
)
def test_the_dearest_reward_whose_price_was_passed_is_within_reach(
    kind: str, before: int, after: int, reward: str | None
):
    made = plan([a_logged(kind, points=after - before, available=after)], known(COFFEE, CAKE, LUNCH))

    assert [each.reward for each in made.reached.values()] == ([] if reward is None else [reward])


def test_of_all_that_a_member_passed_the_dearest_counts():
    facts = [
        a_logged("points.earned", points=200, available=200), a_logged("points.earned", points=10, available=110),
    ]  # fmt: skip

    assert plan(facts, known(COFFEE, CAKE)).reached[MEMBER].reward == "cake"


def test_what_is_within_reach_may_be_less_than_the_price():
    near = {"within_reach_percent": 85}

    assert least(150, 85) == 128
    assert not plan([a_logged("points.earned", points=27, available=127)], known(CAKE, **near)).reached
    assert plan([a_logged("points.earned", points=28, available=128)], known(CAKE, **near)).reached


def test_points_that_cannot_be_used_yet_and_rewards_that_have_ended_bring_nothing_within_reach():
    waits = a_logged("points.earned", available=0, pending=100, waiting=100, matures_at=in_days(1))
    over = a_reward("coffee", 100, valid_to=NOW)
    cheaper = a_reward("tea", 100, points_by_tier={"gold": 80})

    assert not plan([waits], known(COFFEE)).reached
    assert not plan([a_logged("points.earned")], known(over)).reached
    assert plan([a_logged("points.earned", points=5, available=81)], known(cheaper)).reached


def test_every_kind_with_a_time_of_its_own_is_a_kind():
    assert set(FRESH) <= set(KINDS)


def test_a_fact_of_another_shape_is_passed_over():
    odd, sound = a_logged("tier.changed", tier="gold"), a_logged("points.earned")
    made = plan([odd, sound], known())

    assert [each.type for each in made.unreadable] == ["tier.changed"]
    assert len(told(made)) == 1
