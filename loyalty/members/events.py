"""The facts that memberships tell. The shapes of their data stand in `fact_schemas`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.events.domain import Fact
from loyalty.members.domain import LockedMember

# What a member is told to be who now has a status.
BECAME = {"active": "member.resumed", "suspended": "member.suspended", "closed": "member.closed"}


def enrolled(member_id: UUID, customer_id: str, *, referred: bool, occurred_at: datetime) -> Fact:
    """`member.enrolled`: there is a member more."""
    return _fact("member.enrolled", member_id, customer_id, {"referred": referred}, occurred_at)


def updated(member: LockedMember, fields: Iterable[str], *, occurred_at: datetime) -> Fact:
    """`member.updated`: some of what a member told became another. Which, and not what: that can be erased."""
    data = {"fields": sorted(fields)}
    return _fact("member.updated", member.member_id, member.customer_id, data, occurred_at)


def became(status: str, member: LockedMember, *, occurred_at: datetime) -> Fact:
    """`member.suspended`, `.resumed` or `.closed`: a membership is now this."""
    return _fact(BECAME[status], member.member_id, member.customer_id, {}, occurred_at)


def merged(source: LockedMember, target: LockedMember, *, occurred_at: datetime) -> tuple[Fact, Fact]:
    """`member.merged` of who is closed by it, and `member.absorbed` of who stays."""
    return (
        _fact("member.merged", source.member_id, source.customer_id, {"into": target.customer_id}, occurred_at),
        _fact("member.absorbed", target.member_id, target.customer_id, {"merged": source.customer_id}, occurred_at),
    )


def _fact(kind: str, member_id: UUID, customer_id: str, data: dict[str, Any], at: datetime) -> Fact:
    return Fact(type=kind, version=1, member_id=member_id, customer_id=customer_id, occurred_at=at, data=data)
