"""What the activities slice refuses."""

from loyalty.core.errors import NotFound, RuleRefused


class ActivityNotFound(NotFound):
    """There is no such activity in this program."""

    code = "activity-not-found"

    def __init__(self, activity_id: str) -> None:
        super().__init__(f"No activity '{activity_id}' was recorded in this program.", activity_id=activity_id)


class ActivityReserved(RuleRefused):
    """The engine records activities of this type by itself, under ids that begin with it."""

    code = "activity-reserved"

    def __init__(self, activity_type: str, activity_id: str) -> None:
        detail = "birthday, referral, referred and feedback are recorded by the engine itself, under ids that begin so."
        super().__init__(detail, type=activity_type, activity_id=activity_id)


class OccurredInFuture(RuleRefused):
    """The activity is dated in the future."""

    code = "occurred-in-future"
