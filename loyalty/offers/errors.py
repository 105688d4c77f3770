"""What is refused about an offer that a member was given."""

from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.core.errors import Conflict, NotFound, RuleRefused


class AssignmentNotFound(NotFound):
    """There is no such assignment in this program."""

    code = "assignment-not-found"

    def __init__(self, assignment_id: UUID) -> None:
        super().__init__(f"There is no assignment '{assignment_id}'.", assignment_id=str(assignment_id))


class AssignmentExpired(RuleRefused):
    """The offer is over."""

    code = "assignment-expired"

    def __init__(self, offer: str, valid_to: datetime) -> None:
        super().__init__(f"'{offer}' was valid until {valid_to.isoformat()}.", offer=offer, valid_to=valid_to)


class AssignmentRedeemed(Conflict):
    """The offer was used."""

    code = "assignment-redeemed"

    def __init__(self, offer: str, order_id: str | None) -> None:
        by = f" by order '{order_id}'" if order_id else ""
        facts: dict[str, Any] = {"order_id": order_id} if order_id else {}
        super().__init__(f"'{offer}' was used{by}.", offer=offer, **facts)


class AssignmentDismissed(Conflict):
    """The member did not want the offer."""

    code = "assignment-dismissed"

    def __init__(self, offer: str, dismissed_at: datetime) -> None:
        super().__init__(f"'{offer}' was dismissed.", offer=offer, dismissed_at=dismissed_at)


class OfferBudgetExhausted(RuleRefused):
    """There is nothing left of what the offer may cost."""

    code = "offer-budget-exhausted"

    def __init__(self, offer: str) -> None:
        super().__init__(f"There is nothing left to give of '{offer}'.", offer=offer)
