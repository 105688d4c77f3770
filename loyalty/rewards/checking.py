"""What is wrong with a reward before it is published, and what is probably not meant. Pure."""

from collections.abc import Collection, Iterator
from datetime import datetime
from itertools import pairwise

from loyalty.core.findings import Finding, error, listed, meant, warning
from loyalty.earning.segments import BUILT_IN_CODES
from loyalty.rewards.availability import starts_for
from loyalty.rewards.domain import PERIODS, NewReward
from loyalty.rules import findings
from loyalty.tiers.domain import Ladder


def check(
    reward: NewReward, ladder: Ladder | None, segments: Collection[str] = BUILT_IN_CODES, *, now: datetime
) -> list[Finding]:
    """What there is to be said of a reward, errors first. `ladder` and `segments`: those in force."""
    found = [
        *_condition(reward), *_value(reward), *_season(reward, now), *_tiers(reward, ladder), *_limits(reward),
        *_stock(reward), *_segments(reward, segments),
    ]  # fmt: skip
    return sorted(found, key=lambda each: each.level)


def _condition(reward: NewReward) -> Iterator[Finding]:
    if reward.when is not None:
        for found in findings.findings(reward.when, "member"):
            say = error if found.level == "error" else warning
            yield say(f"condition-{found.code}", found.detail, "when")


def _value(reward: NewReward) -> Iterator[Finding]:
    if reward.type.startswith("discount") and reward.fulfilment == "none":
        detail = (
            'Nothing is given that a checkout could ask for. With "fulfilment": "code" each redemption gets a code.'
        )
        yield warning("discount-without-code", detail, "fulfilment")


def _season(reward: NewReward, now: datetime) -> Iterator[Finding]:
    if reward.valid_to is not None and reward.valid_to <= now:
        yield warning("over", "It ended already, so nobody can have it. Change valid_to.", "valid_to")


def _tiers(reward: NewReward, ladder: Ladder | None) -> Iterator[Finding]:
    named: list[tuple[str, tuple[object, ...]]] = [
        (code, ("tiers", number)) for number, code in enumerate(reward.tiers)
    ]
    named += [(code, ("points_by_tier", code)) for code in reward.points_by_tier]
    known = [tier.code for tier in ladder.tiers] if ladder else []
    if named and not known:
        yield warning("no-ladder", "The program has no tiers yet, so nobody is in one of those named.", *named[0][1])
        return
    for code, place in named:
        if code not in known:
            detail = f"There is no tier '{code}'.{meant(code, known)} There are: {listed(known)}."
            yield warning("unknown-tier", detail, *place)
    if reward.tiers:
        for code in reward.points_by_tier:
            if code not in reward.tiers:
                detail = f"Members of '{code}' cannot have it, whatever it would cost them: tiers does not name them."
                yield warning("unreachable-price", detail, "points_by_tier", code)
    if ladder and reward.valid_from and reward.early_access:
        early = [tier.code for tier in ladder.tiers if starts_for(reward, tier) != reward.valid_from]
        if early and reward.tiers and not set(early) & set(reward.tiers):
            yield warning("early-access-of-nobody", f"Only {listed(early)} have early access.", "early_access")


def _limits(reward: NewReward) -> Iterator[Finding]:
    given = [(period, reward.limits[period]) for period in PERIODS if period in reward.limits]
    for (shorter, few), (longer, many) in pairwise(given):
        # Weeks and months overlap, but as many in a week as in a month is one limit too many all the same.
        if few >= many:
            detail = f"It says nothing beside the limit of {many} for '{longer}': leave it out, or make it smaller."
            yield warning("idle-limit", detail, "limits", shorter)


def _segments(reward: NewReward, there: Collection[str]) -> Iterator[Finding]:
    for number, code in enumerate(reward.segments):
        if code not in there:
            detail = f"There is no segment '{code}'.{meant(code, there)} So nobody is in it; GET /v1/admin/segments."
            yield warning("unknown-segment", detail, "segments", number)


def _stock(reward: NewReward) -> Iterator[Finding]:
    if reward.stock == 0:
        yield warning("no-stock", "There is nothing to give. Say how much there is, or null for no end.", "stock")
    if reward.fulfilment == "pool" and reward.stock is not None:
        detail = "What there is to give is the number of codes uploaded. Leave stock out."
        yield error("stock-of-pool", detail, "stock")
    limited = reward.stock is not None or reward.fulfilment == "pool"
    if reward.low_stock is not None and not limited:
        yield warning("low-stock-without-stock", "There is no end to it, so it never runs low.", "low_stock")
