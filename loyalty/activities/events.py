"""The facts that activities tell. The shapes of their data stand in `fact_schemas`."""

from datetime import datetime

from loyalty.events.domain import Fact
from loyalty.members.domain import LockedMember


def recorded(activity_id: str, activity_type: str, member: LockedMember, *, points: int, occurred_at: datetime) -> Fact:
    """`activity.recorded`: a member did something, and was awarded `points`."""
    return _fact("activity.recorded", member, activity_id, activity_type, points=points, at=occurred_at)


def cancelled(
    activity_id: str, activity_type: str, member: LockedMember, *, points: int, occurred_at: datetime
) -> Fact:
    """`activity.cancelled`: it was nothing after all; `points` were taken back."""
    return _fact("activity.cancelled", member, activity_id, activity_type, points=points, at=occurred_at)


def _fact(kind: str, member: LockedMember, activity_id: str, activity_type: str, *, points: int, at: datetime) -> Fact:
    return Fact(
        type=kind,
        version=1,
        member_id=member.member_id,
        customer_id=member.customer_id,
        occurred_at=at,
        data={"activity_id": activity_id, "type": activity_type, "points": points},
    )
