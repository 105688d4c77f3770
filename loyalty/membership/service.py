"""Enrolling and changing members."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.events import service as facts
from loyalty.ledger import holdings, moving
from loyalty.ledger import service as ledger
from loyalty.members import events, locks
from loyalty.members import service as members
from loyalty.members.domain import NewMember
from loyalty.members.errors import MemberClosed, MemberNotFound, SelfMerge
from loyalty.members.models import MemberRow
from loyalty.membership import merging, queries
from loyalty.membership.queries import Membership
from loyalty.personalisation import merging as offers
from loyalty.programs import queries as programs
from loyalty.tiers import merging as tiers


@dataclass(frozen=True, slots=True)
class PutResult:
    """A member after a PUT, and whether it was enrolled by it."""

    membership: Membership
    enrolled: bool


def put_member(session: Session, program_id: UUID, new: NewMember, *, now: datetime) -> PutResult:
    """Enrol a customer, or change what was sent of a member's profile.

    Refuses: ReferrerNotFound, ReferrerClosed, SelfReferral, ReferralCircle, EnrolmentFixed, MemberClosed.
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
    members.set_status(session, program_id, locks.lock_member(session, program_id, customer_id), status, now=now)
    return queries.membership(session, program_id, customer_id, now=now)


def merge_members(session: Session, program_id: UUID, customer_id: str, into: str, *, now: datetime) -> Membership:
    """Make two members one: `into` gets all that `customer_id` holds and owes, who is closed for good.

    Each keeps its own history; what is counted by it, such as orders and caps, adds up with who stays. What was ordered
    by the one can be returned, and goes against the other. To merge the same two again changes nothing. Answers the
    member that stays.
    Refuses: SelfMerge, MemberNotFound, MemberClosed, MemberSuspended, HoldsOpen.
    """
    if customer_id == into:
        raise SelfMerge(f"'{into}' is one already.")
    found = locks.lock_members(session, program_id, [customer_id, into])
    for named in (customer_id, into):
        if named not in found:
            raise MemberNotFound(named)
    source, target = found[customer_id], found[into]
    if source.status == "closed":
        if source.merged_into == into:
            return queries.membership(session, program_id, into, now=now)
        raise MemberClosed(customer_id, merged_into=source.merged_into)
    locks.require_active(target)
    program = programs.current(session, program_id, config_version=source.config_version)
    books = ledger.open_books(session, program, [source, target], now=now, together=True)
    giver, taker = books[source.member_id], books[target.member_id]
    giver.lots.take_in(holdings.open_lots(session, source.member_id))
    for account in giver.accounts:
        if account.debt:
            ledger.read_lots_to_spend(session, taker, account.unit, account.debt)
    moving.merge(giver, taker, source_id=customer_id, target_id=into)
    changes = Changes()
    facts.tell(changes, program_id, *events.merged(source, target, occurred_at=now), now=now)
    for book in (giver, taker):
        changes.add(ledger.changes_of(book, program_id, now=now))
    changes.add(merging.moved(session, source.member_id, target.member_id))
    changes.add(tiers.merged(session, program, source, target, now=now))
    changes.add(offers.merged(session, program, source, now=now))
    closed = {"member_id": source.member_id, "status": "closed", "merged_into": target.member_id, "updated_at": now}
    changes.update(MemberRow, closed)
    write(session, changes)
    return queries.membership(session, program_id, into, now=now)
