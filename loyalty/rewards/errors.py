"""What the rewards slice refuses."""

from datetime import datetime

from loyalty.core.errors import NotFound, RuleRefused


class RewardNotFound(NotFound):
    """There is no such reward in this program."""

    code = "reward-not-found"

    def __init__(self, reward: str) -> None:
        super().__init__(f"There is no reward '{reward}'.", reward=reward)


class RedemptionNotFound(NotFound):
    """There is no such redemption."""

    code = "redemption-not-found"


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
