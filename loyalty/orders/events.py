"""The facts that orders tell. The shapes of their data stand in `fact_schemas`."""

from datetime import datetime
from typing import Any

from loyalty.events.domain import Fact, moment
from loyalty.members.domain import LockedMember
from loyalty.orders.domain import NewOrder


def recorded(order: NewOrder, member: LockedMember | None, *, total: int, points: int, occurred_at: datetime) -> Fact:
    """`order.recorded`: somebody bought something, and was awarded `points`. A guest's is the program's own."""
    data = {
        "order_id": order.order_id,
        "currency": order.currency,
        "total": total,
        "points": points,
        "lines": len(order.lines),
        "channel": order.channel,
        "guest": member is None,
        "placed_at": moment(order.placed_at),
    }
    return _fact("order.recorded", member, data, occurred_at)


def confirmed(order_id: str, member: LockedMember | None, *, occurred_at: datetime) -> Fact:
    """`order.confirmed`: what waited for it matures."""
    return _fact("order.confirmed", member, {"order_id": order_id}, occurred_at)


def returned(
    order_id: str, member: LockedMember | None, *, return_id: str, points: int, complete: bool, occurred_at: datetime
) -> Fact:
    """`order.returned`: some of it came back, or (`complete`) the rest; `points` were taken back."""
    data = {"order_id": order_id, "return_id": return_id, "points": points, "complete": complete}
    return _fact("order.returned", member, data, occurred_at)


def cancelled(order_id: str, member: LockedMember | None, *, points: int, occurred_at: datetime) -> Fact:
    """`order.cancelled`: it came to nothing; `points` were taken back."""
    return _fact("order.cancelled", member, {"order_id": order_id, "points": points}, occurred_at)


def _fact(kind: str, member: LockedMember | None, data: dict[str, Any], at: datetime) -> Fact:
    if member is None:
        return Fact(type=kind, version=1, occurred_at=at, data=data)
    who, customer = member.member_id, member.customer_id
    return Fact(type=kind, version=1, member_id=who, customer_id=customer, occurred_at=at, data=data)
