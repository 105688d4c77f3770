"""Reading members with what they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from loyalty.db.session import Session
from loyalty.ledger import balances
from loyalty.ledger.balances import Balance, Moment
from loyalty.members import queries as members
from loyalty.members.domain import Member
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS
from loyalty.tiers import queries as tiers
from loyalty.tiers import reading
from loyalty.tiers.domain import Tier


@dataclass(frozen=True, slots=True)
class Membership:
    """A member, its balance in points, and its tier (None where there is no ladder)."""

    member: Member
    balance: Balance
    tier: Tier | None


def membership(session: Session, program_id: UUID, customer_id: str, *, now: datetime) -> Membership:
    """One member with its balance as of `now`. Refuses: MemberNotFound."""
    return _memberships(session, program_id, [members.member(session, program_id, customer_id)], now)[0]


def memberships_by_contact(
    session: Session, program_id: UUID, *, email: str | None, phone: str | None, now: datetime
) -> list[Membership]:
    """The members with this e-mail address or phone number, with their balances."""
    found = members.members_by_contact(session, program_id, email=email, phone=phone)
    return _memberships(session, program_id, found, now)


def _memberships(session: Session, program_id: UUID, found: Sequence[Member], now: datetime) -> list[Membership]:
    ladders = tiers.ladders(session, programs.current(session, program_id))
    held = reading.tiers_of(session, ladders, [(m.member_id, m.enrolled_at) for m in found], now=now)
    return [
        Membership(
            member=m, tier=held.get(m.member_id),
            balance=balances.balance(session, program_id, m.customer_id, POINTS, Moment(now=now)),
        )
        for m in found
    ]  # fmt: skip
