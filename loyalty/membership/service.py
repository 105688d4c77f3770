"""Enrolling and changing members."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.db.session import Session
from loyalty.db.writer import write
from loyalty.members import locks
from loyalty.members import service as members
from loyalty.members.domain import NewMember
from loyalty.membership import queries
from loyalty.membership.queries import Membership


@dataclass(frozen=True, slots=True)
class PutResult:
    """A member after a PUT, and whether it was enrolled by it."""

    membership: Membership
    enrolled: bool


def put_member(session: Session, program_id: UUID, new: NewMember, *, now: datetime) -> PutResult:
    """Enrol a customer, or change what was sent of a member's profile.

    Refuses: ReferrerNotFound, EnrolmentFixed, MemberClosed.
    """
    enrolment = members.enrol(session, program_id, [new], now=now)
    if enrolment.members:
        write(session, enrolment.changes)
    else:
        members.change_profile(session, locks.lock_member(session, program_id, new.customer_id), new, now=now)
        session.orm.flush()
    found = queries.membership(session, program_id, new.customer_id, now=now)
    return PutResult(found, bool(enrolment.members))


def set_status(session: Session, program_id: UUID, customer_id: str, status: str, *, now: datetime) -> Membership:
    """Suspend, resume or close a membership; the history stays. Refuses: MemberNotFound, MemberClosed."""
    members.set_status(session, locks.lock_member(session, program_id, customer_id), status, now=now)
    return queries.membership(session, program_id, customer_id, now=now)
