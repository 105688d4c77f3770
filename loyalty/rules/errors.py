"""Why a condition cannot be used, or not be answered. Sentences for the person who wrote it."""


class ExpressionInvalid(Exception):
    """The condition cannot be compiled, or breaks a bound."""

    def __init__(self, detail: str, position: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.position = position


class BoundBroken(ExpressionInvalid):
    """The condition could cost too much."""


class Unanswerable(Exception):
    """The condition has no answer for these values."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotACondition(Unanswerable):
    """What is written gives something other than true or false."""
