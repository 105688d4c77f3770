"""What the programs slice refuses."""

from typing import Any

from loyalty.core.errors import Conflict, NotFound, RuleRefused


class ProgramNotFound(NotFound):
    """There is no such program."""

    code = "program-not-found"


class ProgramCodeTaken(Conflict):
    """A program with this code exists already."""

    code = "program-code-taken"


class ProgramVersionNotFound(NotFound):
    """The program never had settings of this version."""

    code = "program-version-not-found"


class AutoRedeemImpossible(RuleRefused):
    """The reward cannot be redeemed for members by itself."""

    code = "auto-redeem-impossible"

    def __init__(self, reward: str, why: str, **facts: Any) -> None:
        super().__init__(f"'{reward}' {why}", reward=reward, **facts)
