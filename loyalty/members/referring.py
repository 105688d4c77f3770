"""Through whom a member came: said once, at enrolment, by the other's referral code or customer id."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, scalar_row

from loyalty.core import codes
from loyalty.db.session import Session
from loyalty.members import locks
from loyalty.members.domain import NewMember
from loyalty.members.errors import (
    EnrolmentFixed,
    ReferralCircle,
    ReferrerClosed,
    ReferrerNotFound,
    SelfReferral,
)
from loyalty.members.models import MemberRow

_STATUS = "SELECT status, merged_into FROM members WHERE member_id = %s"

# Everybody through whom, in one or more steps, a member came.
_CAME_THROUGH = """
WITH RECURSIVE chain (member_id, referred_by) AS (
    SELECT member_id, referred_by FROM members WHERE member_id = %s
    UNION
    SELECT m.member_id, m.referred_by FROM chain c JOIN members m ON m.member_id = c.referred_by)
SELECT EXISTS (SELECT FROM chain WHERE referred_by = %s)
"""


@dataclass(frozen=True, slots=True)
class _Referrer:
    """Who was named, and who that is now: another one if the named was merged."""

    named: UUID
    stayed: UUID
    is_closed: bool


def referrer_of(session: Session, program_id: UUID, new: NewMember) -> UUID | None:
    """Through whom a new member came. Refuses: SelfReferral, ReferrerNotFound, ReferrerClosed."""
    if new.referred_by is None:
        return None
    if new.referred_by == new.customer_id:
        raise SelfReferral(f"'{new.customer_id}' cannot come through themselves.")
    found = _find(session, program_id, new.referred_by)
    if found.is_closed:
        raise ReferrerClosed(f"The membership of '{new.referred_by}' is closed.", referred_by=new.referred_by)
    return found.stayed


def require_no_circle(came_through: Mapping[UUID, UUID]) -> None:
    """Refuse new members who would come through each other; only who is enrolled together can. Refuses: ReferralCircle.

    Who was there before cannot have come through somebody new.
    """
    for member_id in came_through:
        step: UUID | None = came_through[member_id]
        for _ in came_through:
            if step == member_id:
                raise ReferralCircle
            step = came_through.get(step) if step is not None else None


def require_same(session: Session, member: MemberRow, new: NewMember) -> None:
    """Refuse to say later, or otherwise, through whom a member came.

    Refuses: SelfReferral, ReferrerNotFound, ReferralCircle, EnrolmentFixed.
    """
    if new.referred_by is None:
        return
    if new.referred_by == new.customer_id:
        raise SelfReferral(f"'{new.customer_id}' cannot come through themselves.")
    found = _find(session, member.program_id, new.referred_by)
    if member.referred_by in {found.named, found.stayed}:
        return
    if member.member_id in {found.named, found.stayed}:
        raise SelfReferral(f"'{new.customer_id}' cannot come through themselves.")
    if session.row(_CAME_THROUGH, (found.stayed, member.member_id), into=scalar_row):
        raise ReferralCircle(f"'{new.referred_by}' came through '{new.customer_id}'.")
    raise EnrolmentFixed(f"Through whom '{new.customer_id}' came is recorded already.")


def _find(session: Session, program_id: UUID, named: str) -> _Referrer:
    found = locks.holder(session, program_id, "referral", codes.canonical(named))
    found = found or locks.holder(session, program_id, "member", named)
    if found is None:
        raise ReferrerNotFound(f"Nobody is known by '{named}'.", referred_by=named)
    stayed, status = found.member_id, "active"
    while (row := _status(session, stayed)) is not None:
        status = row["status"]
        if row["merged_into"] is None:
            break
        stayed = row["merged_into"]
    return _Referrer(found.member_id, stayed, status == "closed")


def _status(session: Session, member_id: UUID) -> dict[str, Any] | None:
    """Whoever is enrolled in the same batch is not written yet."""
    return session.row(_STATUS, (member_id,), into=dict_row)
