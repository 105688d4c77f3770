"""The offers of a member who becomes another one: they are over; the vouchers that came with them stay good."""

from dataclasses import replace
from datetime import datetime

from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.members.domain import LockedMember
from loyalty.offers import assignments, queries
from loyalty.offers.models import AssignmentRow
from loyalty.personalisation.expiring import tell_expired
from loyalty.programs.domain import Program


def merged(session: Session, program: Program, source: LockedMember, *, now: datetime) -> Changes:
    """The rows of what was open for who goes. What they had counts for who stays. The caller has locked both."""
    changes = Changes()
    open_ones = assignments.open_of(session, source.member_id)
    sets = queries.sets_of(session, program, open_ones)
    for given in open_ones:
        status = given.status if given.holdout else "expired"
        over = replace(given, status=status, closed_at=min(now, given.valid_to))
        changes.update(AssignmentRow, assignments.life_of(over))
        if over.holdout is None:
            tell_expired(changes, program.program_id, sets, over, source.customer_id, now=now)
    return changes
