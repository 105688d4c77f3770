"""What the members slice refuses."""

from loyalty.core.errors import Conflict, NotFound, RuleRefused


class MemberNotFound(NotFound):
    """There is no such member in this program."""

    code = "member-not-found"

    def __init__(self, customer_id: str) -> None:
        super().__init__(f"No member '{customer_id}' is enrolled in this program.", customer_id=customer_id)


class MemberClosed(RuleRefused):
    """The membership is closed."""

    code = "member-closed"

    def __init__(self, customer_id: str, *, merged_into: str | None = None) -> None:
        detail = f"The membership of '{customer_id}' is closed."
        if merged_into is None:
            super().__init__(detail, customer_id=customer_id)
        else:
            detail += f" It was merged into '{merged_into}'."
            super().__init__(detail, customer_id=customer_id, merged_into=merged_into)


class MemberSuspended(RuleRefused):
    """The membership is suspended."""

    code = "member-suspended"

    def __init__(self, customer_id: str) -> None:
        super().__init__(f"The membership of '{customer_id}' is suspended.", customer_id=customer_id)


class SelfMerge(RuleRefused):
    """A member is merged into somebody else."""

    code = "self-merge"


class ReferrerNotFound(RuleRefused):
    """Nobody is known by what `referred_by` says."""

    code = "referrer-not-found"


class ReferrerClosed(RuleRefused):
    """Who is named by `referred_by` is no member any more."""

    code = "referrer-closed"


class SelfReferral(RuleRefused):
    """Nobody comes through themselves."""

    code = "self-referral"


class ReferralCircle(RuleRefused):
    """Two members cannot have come through each other."""

    code = "referral-circle"


class EnrolmentFixed(Conflict):
    """When someone enrolled, and through whom, is history and cannot be changed."""

    code = "enrolment-fixed"
