"""What the sandbox slice refuses."""

from datetime import datetime

from loyalty.core.errors import RuleRefused


class NotASandbox(RuleRefused):
    """Only a sandbox has a clock of its own."""

    code = "not-a-sandbox"


class ClockBackwards(RuleRefused):
    """A clock only moves forward, for the books never go back."""

    code = "clock-backwards"

    def __init__(self, *, now: datetime) -> None:
        super().__init__(f"It is {now.isoformat()} in this sandbox already.", now=now)
