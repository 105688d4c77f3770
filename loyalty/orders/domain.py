"""Orders as frozen values, and the receipt of one."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from loyalty.earning.domain import Award, Purchase
from loyalty.ledger.domain import Account
from loyalty.programs.domain import POINTS

# Clocks of shops run ahead by seconds, not by minutes.
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder(Purchase):
    """An order as a shop reports it. Without `customer_id` it is a guest's: kept, and worth nothing."""

    order_id: str
    customer_id: str | None = None
    currency: str
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as it is read: as reported, and what it earned."""

    order_id: str
    customer_id: str | None
    status: str
    currency: str
    placed_at: datetime
    recorded_at: datetime
    confirmed_at: datetime | None
    lines: list[dict[str, Any]]
    shipping: int
    discount: int
    points_paid: int
    channel: str | None
    metadata: dict[str, Any]
    points: dict[str, int]
    awards: list[dict[str, Any]]
    returned: list[dict[str, Any]]


def receipt(order: NewOrder, awards: list[Award], account: Account | None, *, now: datetime) -> dict[str, Any]:
    """What the shop is told: what was awarded and by which rule, and what the member now holds.

    `points` counts this order's awards in the unit points: `pending` of them wait, `available` of them can be spent
    (an order that arrives late may bring points that have lapsed already, and these are neither).
    """
    in_points = [award for award in awards if award.unit == POINTS]
    awarded = sum(a.points for a in in_points)
    pending = sum(a.points for a in in_points if a.dates.waits(now))
    lapsed = sum(a.points for a in in_points if a.dates.lapsed(now))
    held = ("available", "pending", "held", "debt")
    return {
        "order_id": order.order_id,
        "customer_id": order.customer_id,
        "status": "recorded",
        "points": {"awarded": awarded, "pending": pending, "available": awarded - pending - lapsed},
        "awards": [shown(award) for award in awards],
        "balance": {name: getattr(account, name) for name in held} if account else None,
        "tier": None,
    }


def shown(award: Award) -> dict[str, Any]:
    """An award as callers see it."""
    return {
        "rule": {"code": award.rule_code, "version": award.rule_version},
        "unit": award.unit,
        "points": award.points,
        "matures_at": award.dates.matures_at,
        "expires_at": award.dates.expires_at,
        "lines": [{"line_id": line_id, "points": points} for line_id, points in award.lines],
        "reason": award.reason,
    }
