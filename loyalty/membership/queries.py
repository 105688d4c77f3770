"""Reading members with what they hold."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.db.session import Session
from loyalty.ledger import balances
from loyalty.ledger.balances import Balance, Moment
from loyalty.members import queries as members
from loyalty.members.domain import Member
from loyalty.programs.domain import POINTS


@dataclass(frozen=True, slots=True)
class Membership:
    """A member and its balance in points."""

    member: Member
    balance: Balance


def membership(session: Session, program_id: UUID, customer_id: str, *, now: datetime) -> Membership:
    """One member with its balance as of `now`. Refuses: MemberNotFound."""
    member = members.member(session, program_id, customer_id)
    return Membership(member, balances.balance(session, program_id, customer_id, POINTS, Moment(now=now)))


def memberships_by_contact(
    session: Session, program_id: UUID, *, email: str | None, phone: str | None, now: datetime
) -> list[Membership]:
    """The members with this e-mail address or phone number, with their balances."""
    found = members.members_by_contact(session, program_id, email=email, phone=phone)
    return [Membership(m, balances.balance(session, program_id, m.customer_id, POINTS, Moment(now=now))) for m in found]
