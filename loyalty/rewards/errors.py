"""What the rewards slice refuses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from loyalty.core.errors import Conflict, NotFound, RuleRefused


class RewardNotFound(NotFound):
    """There is no such reward in this program."""

    code = "reward-not-found"

    def __init__(self, reward: str) -> None:
        super().__init__(f"There is no reward '{reward}'.", reward=reward)


class RewardVersionNotFound(NotFound):
    """The reward has no such version."""

    code = "reward-version-not-found"

    def __init__(self, reward: str, version: int) -> None:
        super().__init__(f"'{reward}' was never published as version {version}.", reward=reward, version=version)


class RewardDraftNotFound(NotFound):
    """Nobody is working on this reward."""

    code = "reward-draft-not-found"

    def __init__(self, reward: str) -> None:
        super().__init__(f"There is no draft of '{reward}', and nothing to begin from.", reward=reward)


class RewardInvalid(RuleRefused):
    """The reward cannot be published as it is."""

    code = "reward-invalid"


class RewardWithdrawn(Conflict):
    """The reward was withdrawn already."""

    code = "reward-withdrawn"

    def __init__(self, reward: str) -> None:
        super().__init__(f"'{reward}' was withdrawn. Publish it again, and members can have it.", reward=reward)


class StockTooLow(RuleRefused):
    """There are not as many to take away."""

    code = "stock-too-low"

    def __init__(self, reward: str, *, left: int | None, pool: bool) -> None:
        detail = f"{left} of '{reward}' are left."
        if pool:
            detail = f"What '{reward}' has to give is the number of codes uploaded: POST …/codes."
        elif left is None:
            detail = f"There is no end to '{reward}'. Publish it with a stock to count it."
        super().__init__(detail, reward=reward, left=left)


class NoPool(RuleRefused):
    """The reward gives no codes that somebody uploads."""

    code = "no-pool"

    def __init__(self, reward: str) -> None:
        detail = f"""'{reward}' gives no codes out of a pool: publish it with "fulfilment": "pool" first."""
        super().__init__(detail, reward=reward)


class RedemptionNotFound(NotFound):
    """There is no such redemption."""

    code = "redemption-not-found"

    def __init__(self, redemption_id: str) -> None:
        super().__init__(f"There is no redemption '{redemption_id}'.", redemption_id=redemption_id)


class RedemptionResolved(Conflict):
    """What became of the redemption is decided already."""

    code = "redemption-resolved"

    def __init__(self, redemption_id: str, *, status: str, at: datetime) -> None:
        detail = f"Redemption '{redemption_id}' is already {status}, since {at.isoformat()}."
        super().__init__(detail, redemption_id=redemption_id, redemption_status=status, resolved_at=at)


class RedemptionNotConfirmed(Conflict):
    """The redemption is held and has to be confirmed first."""

    code = "redemption-not-confirmed"

    def __init__(self, redemption_id: str, *, expires_at: datetime) -> None:
        detail = f"Redemption '{redemption_id}' is only held, until {expires_at.isoformat()}: confirm it first."
        super().__init__(detail, redemption_id=redemption_id, expires_at=expires_at)


class OutOfStock(RuleRefused):
    """The reward is gone."""

    code = "out-of-stock"

    def __init__(self, reward: str) -> None:
        super().__init__(f"Nothing is left of '{reward}'.", reward=reward)


class RewardNotStarted(RuleRefused):
    """The reward cannot be had yet."""

    code = "not-started"

    def __init__(self, reward: str, valid_from: datetime) -> None:
        super().__init__(f"'{reward}' can be had from {valid_from.isoformat()}.", reward=reward, valid_from=valid_from)


class RewardEnded(RuleRefused):
    """The reward can no longer be had."""

    code = "ended"

    def __init__(self, reward: str, valid_to: datetime) -> None:
        super().__init__(f"'{reward}' could be had until {valid_to.isoformat()}.", reward=reward, valid_to=valid_to)


class TierTooLow(RuleRefused):
    """The reward is for members of other tiers."""

    code = "tier-too-low"

    def __init__(self, reward: str, *, tier: str | None, tiers: Sequence[str], needed: str) -> None:
        has = f"the member is in '{tier}'" if tier else "the member has no tier"
        detail = f"'{reward}' is for members of {', '.join(tiers)}; {has}."
        super().__init__(detail, reward=reward, tier=tier, tiers=list(tiers), needed=needed)


class LimitReached(RuleRefused):
    """The member has had the reward as often as it may be had."""

    code = "limit-reached"

    def __init__(self, reward: str, *, limit: int, period: str, available_from: datetime | None) -> None:
        often = f"{limit} times" if limit > 1 else "once"
        within = "by each member" if period == "ever" else f"each {period}"
        again = f"; it can be had again from {available_from.isoformat()}" if available_from else ""
        detail = f"'{reward}' can be had {often} {within}{again}."
        super().__init__(detail, reward=reward, limit=limit, period=period, available_from=available_from)


class NotInSegment(RuleRefused):
    """The reward is for members of other segments."""

    code = "not-in-segment"

    def __init__(self, reward: str, *, segments: Sequence[str]) -> None:
        detail = f"'{reward}' is for members of the segments {', '.join(segments)}; the member is in none of them."
        super().__init__(detail, reward=reward, segments=list(segments))


class ConditionNotMet(RuleRefused):
    """The reward has a condition that the member does not meet."""

    code = "condition-not-met"

    def __init__(self, reward: str, *, values: dict[str, Any]) -> None:
        super().__init__(f"The condition of '{reward}' does not hold for the member.", reward=reward, values=values)
