"""The rows of what becomes of assignments, and the facts of it, to be written with whatever brought it about."""

from datetime import datetime
from uuid import UUID

from loyalty.db.writer import Changes
from loyalty.events import service as facts
from loyalty.offers import events
from loyalty.offers.domain import Offer
from loyalty.offers.events import Who
from loyalty.offers.models import AssignmentRow


def redeemed(
    who: Who, assignment_id: UUID, offer: Offer, *, owner_id: UUID, program_id: UUID, valid_to: datetime,
    order_id: str | None, points: int | None = None, amount: int | None = None, now: datetime,
) -> Changes:  # fmt: skip
    """An order fulfilled an offer, or used its voucher. `owner_id`: who was given it."""
    changes = Changes()
    row = {"member_id": owner_id, "assignment_id": assignment_id, "status": "redeemed", "closed_at": now}
    changes.update(AssignmentRow, {**row, "order_id": order_id, "points": points, "amount": amount})
    fact = events.redeemed(
        who, assignment_id=assignment_id, offer=offer.code, title=offer.title, valid_to=valid_to, order_id=order_id,
        points=points, amount=amount, occurred_at=now,
    )  # fmt: skip
    facts.tell(changes, program_id, fact, now=now)
    return changes


def reinstated(
    who: Who, assignment_id: UUID, offer: Offer, *, owner_id: UUID, program_id: UUID, valid_to: datetime,
    order_id: str | None, may_open: bool = True, now: datetime,
) -> Changes:  # fmt: skip
    """All of the order that fulfilled it came back: it may be used again until it ends, or has expired.

    `owner_id`: who was given it; somebody who was merged into `who` uses nothing any more. Unless it `may_open`,
    because the member has the same offer once more, it has expired.
    """
    changes, is_open = Changes(), may_open and now < valid_to and owner_id == who[0]
    became = {"status": "activated" if is_open else "expired", "closed_at": None if is_open else now}
    row = {"member_id": owner_id, "assignment_id": assignment_id, **became}
    changes.update(AssignmentRow, {**row, "order_id": None, "points": None, "amount": None})
    fact = events.reinstated(
        who, assignment_id=assignment_id, offer=offer.code, title=offer.title, valid_to=valid_to, order_id=order_id,
        open_again=is_open, occurred_at=now,
    )  # fmt: skip
    facts.tell(changes, program_id, fact, now=now)
    return changes
