"""Whether a member can have a reward, and every reason why not. Pure: no database, no clock."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.rewards.availability import FARTHEST, Asking, availability, limits_left, period_begin
from loyalty.rewards.domain import PERIODS, Period, Reward
from loyalty.rules.expressions import Environment
from loyalty.tiers.domain import Benefits, Tier
from tests.builders import NOW

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
TIERS = ("bronze", "silver", "gold")
EARLY = {"bronze": 0, "silver": 0, "gold": 48}


def a_reward(**given: Any) -> Reward:
    """A reward for 100 points that anybody can have at any time."""
    defaults = {"name": "R", "type": "custom", "points": 100, "program_id": UUID(int=1), "code": "r", "version": 1}
    return Reward(**{**defaults, **given})


def asking(tier: str | None = None, **given: Any) -> Asking:
    """Somebody with 500 points at NOW, without a tier, who had nothing yet."""
    step = None
    if tier:
        step = Tier(code=tier, name=tier, threshold=0, benefits=Benefits(early_access_hours=EARLY.get(tier, 0)))
    member = Environment({"member": {"tier": tier, "age": None, "attributes": {}}, "history": {"orders": 3}})
    defaults = {"at": NOW, "zone": "UTC", "available": 500, "tiers": TIERS, "environment": member}
    return Asking(**{**defaults, "tier": step, **given})


def had(times: int = 1, **periods: int) -> dict[tuple[str, Period], int]:
    """How often the reward was had."""
    return {("r", period): periods.get(period, times) for period in PERIODS}


def in_segments(*codes: str) -> Callable[[Iterable[str]], bool]:
    """Somebody who is in these segments."""
    return lambda asked: not set(codes).isdisjoint(asked)


SOLD_OUT = {"stock": 9, "left": 0}
CASES: dict[str, tuple[dict[str, Any], Asking, list[str]]] = {
    "nothing stands in the way": ({}, asking(), []),
    "exactly enough points": ({"points": 500}, asking(), []),
    "one point is missing": ({"points": 501}, asking(), ["insufficient_points"]),
    "there are no points at all": ({}, asking(available=0), ["insufficient_points"]),
    "nothing is left": (SOLD_OUT, asking(), ["out_of_stock"]),
    "one is left": ({"stock": 9, "left": 1}, asking(), []),
    "what was counted just now counts": ({"stock": 9, "left": 5}, asking(left={"r": 0}), ["out_of_stock"]),
    "what is left of others does not": ({"stock": 9, "left": 5}, asking(left={"other": 0}), []),
    "it begins at this instant": ({"valid_from": NOW}, asking(), []),
    "it begins in an instant": ({"valid_from": NOW + TICK}, asking(), ["not_started"]),
    "it ends in an instant": ({"valid_to": NOW + TICK}, asking(), []),
    "it ends at this instant": ({"valid_to": NOW}, asking(), ["ended"]),
    "it is over, whatever its beginning": ({"valid_from": NOW - HOUR, "valid_to": NOW}, asking("gold"), ["ended"]),
    "early access, at its instant": ({"valid_from": NOW + 48 * HOUR}, asking("gold"), []),
    "early access, an instant too early": ({"valid_from": NOW + 48 * HOUR + TICK}, asking("gold"), ["not_started"]),
    "a tier without early access": ({"valid_from": NOW + HOUR}, asking("silver"), ["not_started"]),
    "early access is off": ({"valid_from": NOW + HOUR, "early_access": False}, asking("gold"), ["not_started"]),
    "the tier that is asked for": ({"tiers": ("silver",)}, asking("silver"), []),
    "one of the tiers": ({"tiers": ("gold", "silver")}, asking("silver"), []),
    "a tier below": ({"tiers": ("gold", "silver")}, asking("bronze"), ["tier_too_low"]),
    "a tier above, where it is not named": ({"tiers": ("bronze",)}, asking("gold"), ["tier_too_low"]),
    "no tier at all": ({"tiers": ("bronze",)}, asking(), ["tier_too_low"]),
    "a tier that is no more": ({"tiers": ("platinum",)}, asking("gold"), ["tier_too_low"]),
    "early access for a tier that may not have it": (
        {"valid_from": NOW + HOUR, "tiers": ("silver",)}, asking("gold"), ["tier_too_low"]),
    "a tier that may have it, but not yet": (
        {"valid_from": NOW + HOUR, "tiers": ("silver",)}, asking("silver"), ["not_started"]),
    "less often than the limit": ({"limits": {"day": 2}}, asking(had=had(1)), []),
    "as often as the limit": ({"limits": {"day": 1}}, asking(had=had(1)), ["limit_reached"]),
    "more often than a limit that was made smaller": ({"limits": {"day": 1}}, asking(had=had(5)), ["limit_reached"]),
    "once and for all": ({"limits": {"ever": 1}}, asking(had=had(1)), ["limit_reached"]),
    "two limits are one reason": ({"limits": {"day": 1, "ever": 1}}, asking(had=had(1)), ["limit_reached"]),
    "the wider limit has room, the narrower has not": (
        {"limits": {"day": 1, "month": 9}}, asking(had=had(1)), ["limit_reached"]),
    "others were had": ({"limits": {"ever": 1}}, asking(had={("other", "ever"): 1}), []),
    "a condition that holds": ({"when": "history.orders >= 3"}, asking(), []),
    "a condition that does not": ({"when": "history.orders > 3"}, asking(), ["condition_not_met"]),
    "a condition that cannot be answered": ({"when": "member.age > 18"}, asking(), ["condition_not_met"]),
    "a condition on the tier": ({"when": 'member.tier == "gold"'}, asking("gold"), []),
    "in one of the segments": ({"segments": ("new", "regulars")}, asking(belongs=in_segments("regulars")), []),
    "in none of the segments": ({"segments": ("new",)}, asking(belongs=in_segments("regulars")), ["not_in_segment"]),
    "a price for the tier": ({"points": 900, "points_by_tier": {"gold": 500}}, asking("gold"), []),
    "a price for another tier": (
        {"points": 900, "points_by_tier": {"gold": 500}}, asking("silver"), ["insufficient_points"]),
    "a price for a tier, and no tier": (
        {"points": 900, "points_by_tier": {"gold": 1}}, asking(), ["insufficient_points"]),
    "a higher price for the tier": ({"points_by_tier": {"gold": 501}}, asking("gold"), ["insufficient_points"]),
    "everything at once, in the order in which a refusal names it": (
        {**SOLD_OUT, "valid_from": NOW + HOUR, "tiers": ("gold",), "limits": {"ever": 1}, "when": "false",
         "segments": ("new",), "points": 501},
        asking("bronze", had=had(1)),
        ["not_started", "out_of_stock", "tier_too_low", "limit_reached", "not_in_segment", "condition_not_met",
         "insufficient_points"]),
    "over and sold out": ({**SOLD_OUT, "valid_to": NOW}, asking(), ["ended", "out_of_stock"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_reason_is_named_and_no_other(case: str):
    written, asked, codes = CASES[case]

    found = availability(a_reward(**written), asked)

    assert [reason.code for reason in found.reasons] == codes
    assert found.available is (not codes)


def facts(reward: Reward, asked: Asking) -> Mapping[str, Any]:
    """The facts of the only reason."""
    (reason,) = availability(reward, asked).reasons
    return reason.facts


def test_a_reason_comes_with_its_facts():
    assert facts(a_reward(points=750), asking()) == {"required": 750, "available": 500, "missing": 250}
    assert facts(a_reward(valid_to=NOW), asking()) == {"valid_to": NOW}
    begin = NOW + 72 * HOUR
    assert facts(a_reward(valid_from=begin), asking()) == {"valid_from": begin}
    assert facts(a_reward(valid_from=begin), asking("gold")) == {"valid_from": NOW + 24 * HOUR}
    assert facts(a_reward(when="history.orders > 3"), asking()) == {"values": {"history.orders": 3}}
    assert facts(a_reward(when="history.orders > 3"), asking(in_full=False)) == {}


@pytest.mark.parametrize(
    ("tier", "tiers", "needed"),
    [
        (None, ("gold", "silver"), "silver"),
        ("bronze", ("gold", "silver"), "silver"),
        ("silver", ("gold", "bronze"), "gold"),
        ("gold", ("silver", "bronze"), "bronze"),
        ("gold", ("platinum", "silver"), "silver"),
        ("bronze", ("platinum",), "platinum"),
        ("platinum", ("silver", "gold"), "silver"),
    ],
)
def test_the_tier_that_is_needed_is_the_nearest_above_that_may_have_it(
    tier: str | None, tiers: tuple[str, ...], needed: str
):
    told = facts(a_reward(tiers=tiers), asking(tier))

    assert (told["tier"], told["needed"], set(told["tiers"])) == (tier, needed, set(tiers))


def test_early_access_is_told_while_others_have_to_wait():
    reward = a_reward(valid_from=NOW)

    def early(tier: str | None, at: datetime) -> tuple[bool, datetime | None]:
        found = availability(reward, asking(tier, at=at))
        return found.early, found.starts_at

    assert early("gold", NOW - HOUR) == (True, NOW - 48 * HOUR)
    assert early("gold", NOW) == (False, NOW - 48 * HOUR)
    assert early("silver", NOW - HOUR) == (False, NOW)
    assert early(None, NOW - HOUR) == (False, NOW)


WARSAW, AUCKLAND = "Europe/Warsaw", "Pacific/Auckland"
# zone, local day and time, period: its first day, and the first one after it. 2026-01-01 is a Thursday.
BOUNDARIES = [
    ("UTC", "2026-03-01T00:00", "day", "2026-03-01", "2026-03-02"),
    ("UTC", "2026-02-28T23:59", "day", "2026-02-28", "2026-03-01"),
    (WARSAW, "2026-03-29T12:00", "day", "2026-03-29", "2026-03-30"),  # 23 hours
    (WARSAW, "2026-10-25T12:00", "day", "2026-10-25", "2026-10-26"),  # 25 hours
    (AUCKLAND, "2026-03-01T00:30", "day", "2026-03-01", "2026-03-02"),  # still February in UTC
    ("UTC", "2026-01-04T23:59", "week", "2025-12-29", "2026-01-05"),  # the week of a year is that of its Thursday
    ("UTC", "2026-01-05T00:00", "week", "2026-01-05", "2026-01-12"),
    (WARSAW, "2026-03-29T23:00", "week", "2026-03-23", "2026-03-30"),
    ("UTC", "2028-02-29T12:00", "month", "2028-02-01", "2028-03-01"),
    (WARSAW, "2026-03-31T23:59", "month", "2026-03-01", "2026-04-01"),
    (AUCKLAND, "2026-04-01T00:00", "month", "2026-04-01", "2026-05-01"),
    ("UTC", "2026-03-31T23:59", "quarter", "2026-01-01", "2026-04-01"),
    (WARSAW, "2026-11-11T11:00", "quarter", "2026-10-01", "2027-01-01"),
    (WARSAW, "2026-12-31T23:59", "year", "2026-01-01", "2027-01-01"),
    (AUCKLAND, "2027-01-01T00:00", "year", "2027-01-01", "2028-01-01"),
]


def local(zone: str, text: str) -> datetime:
    """An instant by the clocks of a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(("zone", "at", "period", "first", "next_first"), BOUNDARIES)
def test_a_limit_counts_in_the_calendar_of_the_zone(zone: str, at: str, period: Period, first: str, next_first: str):
    now = local(zone, at)
    reward, asked = a_reward(limits={period: 2}), asking(zone=zone, at=now, had=had(2))

    assert period_begin(period, now, zone) == local(zone, first)
    assert facts(reward, asked) == {"limit": 2, "period": period, "available_from": local(zone, next_first)}


def test_what_can_be_had_once_can_never_be_had_again():
    assert period_begin("ever", NOW, WARSAW) is None
    assert facts(a_reward(limits={"ever": 1}), asking(had=had(1))) == {
        "limit": 1, "period": "ever", "available_from": None,
    }  # fmt: skip


def test_of_several_limits_the_one_counts_that_lasts_longest():
    at = local("UTC", "2026-12-30T12:00")  # a Wednesday; its week ends in the next year
    asked = asking(at=at, had=had(1))

    def period(**limits: int) -> tuple[str, date]:
        told = facts(a_reward(limits=limits), asked)
        return told["period"], told["available_from"] and told["available_from"].date()

    assert period(week=1, year=1) == ("week", date(2027, 1, 4))
    assert period(day=1, year=1, month=1) == ("year", date(2027, 1, 1))
    assert period(day=1, month=2) == ("day", date(2026, 12, 31))
    assert period(week=1, ever=1) == ("ever", None)


def test_what_is_left_of_each_limit_is_told_the_longest_first_and_never_below_nothing():
    reward, asked = a_reward(limits={"day": 1, "ever": 5, "month": 2}), asking(had=had(day=0, month=3, ever=4))

    assert list(limits_left(reward, asked).items()) == [("ever", 1), ("month", 0), ("day", 1)]


def test_the_reasons_say_how_far_a_reward_is_away():
    near = [availability(a_reward(**each), asking("silver", had=had(1))).distance for each in (
        {}, {"points": 501}, {"tiers": ("gold",)}, {"valid_from": NOW + HOUR}, {"limits": {"day": 1}},
        {"when": "false"}, {"segments": ("new",)}, SOLD_OUT, {"valid_to": NOW},
    )]  # fmt: skip

    assert near == list(range(9))
    assert len(FARTHEST) == 8
    assert availability(a_reward(points=501, **SOLD_OUT), asking()).distance == near[7]


tiers = st.sampled_from([None, *TIERS])
instants = st.one_of(st.none(), st.integers(-72, 72).map(lambda hours: NOW + hours * HOUR))
made_rewards = st.builds(
    a_reward,
    points=st.integers(1, 4), points_by_tier=st.dictionaries(st.sampled_from(TIERS), st.integers(1, 4)),
    left=st.one_of(st.none(), st.integers(0, 1)), valid_from=instants, valid_to=instants, early_access=st.booleans(),
    tiers=st.lists(st.sampled_from(TIERS), unique=True).map(tuple), sort=st.integers(0, 1),
    limits=st.dictionaries(st.sampled_from(PERIODS), st.integers(1, 2)),
    when=st.sampled_from([None, "true", "false", "member.age > 18"]),
    segments=st.lists(st.sampled_from(["new", "regulars", "lapsed"]), unique=True).map(tuple),
)  # fmt: skip
made_asking = st.builds(
    asking, tiers, available=st.integers(0, 4), belongs=st.sampled_from([in_segments(), in_segments("regulars")]),
    had=st.dictionaries(st.tuples(st.just("r"), st.sampled_from(PERIODS)), st.integers(0, 2)),
)  # fmt: skip


def naively(reward: Reward, asked: Asking) -> set[str]:
    """The same, written down from the definitions."""
    tier = asked.tier.code if asked.tier else None
    begin, price = reward.valid_from, reward.points_by_tier.get(tier or "", reward.points)
    if begin and tier and reward.early_access:
        begin -= timedelta(hours=EARLY[tier])
    over = reward.valid_to is not None and reward.valid_to <= NOW
    found = {
        "ended": over,
        "not_started": not over and begin is not None and begin > NOW,
        "out_of_stock": reward.left == 0,
        "tier_too_low": bool(reward.tiers) and tier not in reward.tiers,
        "limit_reached": any(asked.had.get(("r", period), 0) >= most for period, most in reward.limits.items()),
        "not_in_segment": bool(reward.segments) and not asked.belongs(reward.segments),
        "condition_not_met": reward.when not in (None, "true"),
        "insufficient_points": price > asked.available,
    }
    return {why for why, so in found.items() if so}


@given(made_rewards, made_asking)
def test_availability_is_what_the_definitions_say(reward: Reward, asked: Asking):
    found = availability(reward, asked)

    assert {reason.code for reason in found.reasons} == naively(reward, asked)
    assert len(found.reasons) == len({reason.code for reason in found.reasons})
    assert found.missing == max(0, found.points - asked.available)


@given(made_rewards, made_asking)
def test_it_is_as_far_away_as_what_takes_longest(reward: Reward, asked: Asking):
    found = availability(reward, asked)
    distances = sorted(reason.distance for reason in found.reasons)

    assert found.distance == (distances[-1] if distances else 0)
    assert (found.distance == 0) is found.available


@given(made_rewards, made_asking, st.integers(0, 4))
def test_more_points_never_take_a_reward_farther_away(reward: Reward, asked: Asking, more: int):
    richer = Asking(**{**_given(asked), "available": asked.available + more})

    poor, rich = availability(reward, asked), availability(reward, richer)

    assert (rich.distance, rich.missing) <= (poor.distance, poor.missing)


@given(st.lists(made_rewards, min_size=2, max_size=6), made_asking)
def test_the_nearest_first_is_one_order_for_all(rewards: list[Reward], asked: Asking):
    named = [a_reward(**{**_given(each), "code": f"r{n}"}) for n, each in enumerate(rewards)]

    def key(reward: Reward) -> tuple[Any, ...]:
        found = availability(reward, asked)
        return found.distance, found.missing, reward.sort, found.points, reward.code

    forth = sorted(named, key=key)

    named.reverse()
    assert sorted(named, key=key) == forth
    assert all(key(one) < key(other) for one, other in pairwise(forth))


def _given(value: Any) -> dict[str, Any]:
    """The fields of a frozen value, without what it has worked out."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
