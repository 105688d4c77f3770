"""What the feedback slice refuses."""

from datetime import datetime

from loyalty.core.errors import Conflict, NotFound, RuleRefused


class FeedbackNotFound(NotFound):
    """There is no such answer in this program."""

    code = "feedback-not-found"

    def __init__(self, feedback_id: str) -> None:
        super().__init__(f"No feedback '{feedback_id}' was given in this program.", feedback_id=feedback_id)


class AlreadyAnswered(Conflict):
    """About an order, each question is answered once."""

    code = "already-answered"

    def __init__(self, order_id: str, kind: str, *, feedback_id: str) -> None:
        detail = f"About order '{order_id}', {kind} was answered before."
        super().__init__(detail, order_id=order_id, kind=kind, feedback_id=feedback_id)


class AnsweredInFuture(RuleRefused):
    """The answer is dated in the future."""

    code = "answered-in-future"

    def __init__(self, answered_at: datetime, now: datetime) -> None:
        detail = f"answered_at lies in the future; it is {now.isoformat()} here."
        super().__init__(detail, answered_at=answered_at)
