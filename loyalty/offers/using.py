"""A voucher of an offer that an order used, or gave back: its offer was used then, and is not any more.

The voucher's row is locked by the caller. Offers that an order's points keep are redeemed with the order.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.events import service as facts
from loyalty.offers import assignments, events, keeping, queries
from loyalty.offers.domain import OPEN, Assignment, Offer
from loyalty.offers.events import Who
from loyalty.offers.models import AssignmentRow
from loyalty.programs import queries as programs


def use(
    session: Session, changes: Changes, program_id: UUID, who: Who, assignment_id: UUID, *, order_id: str,
    amount: int | None, now: datetime,
) -> None:  # fmt: skip
    """Add to the rows to be written that an order used an offer's voucher; `amount` off, as far as that is known."""
    given = assignments.assignment(session, program_id, assignment_id)
    if given is None or given.status not in OPEN:
        return
    changes.add(
        keeping.redeemed(
            who, assignment_id, _offer(session, program_id, given), owner_id=given.member_id, program_id=program_id,
            valid_to=given.valid_to, order_id=order_id, amount=amount, now=now,
        )
    )  # fmt: skip


def give_back(
    session: Session, changes: Changes, program_id: UUID, who: Who, assignment_id: UUID, *, now: datetime
) -> None:
    """Add to the rows to be written that an order gave an offer's voucher back. If it is over, a job closes it."""
    given = assignments.assignment(session, program_id, assignment_id)
    if given is None or given.status != "redeemed":
        return
    opened = replace(given, status="activated", closed_at=None, order_id=None, amount=None)
    changes.update(AssignmentRow, assignments.life_of(opened))
    fact = events.reinstated(
        who, assignment_id=assignment_id, offer=given.offer_code, title=_offer(session, program_id, given).title,
        valid_to=given.valid_to, order_id=given.order_id, open_again=now < given.valid_to, occurred_at=now,
    )  # fmt: skip
    facts.tell(changes, program_id, fact, now=now)


def _offer(session: Session, program_id: UUID, given: Assignment) -> Offer:
    sets = queries.sets_of(session, programs.current(session, program_id), [given])
    return sets.offer(given.offer_code, given.offer_version)
