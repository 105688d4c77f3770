"""Orders as frozen values, and the receipt of one."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from loyalty.earning.domain import Award, Purchase
from loyalty.earning.presenting import points_of, shown
from loyalty.earning.tiering import TierChange
from loyalty.ledger.domain import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder(Purchase):
    """An order as a shop reports it. Without `customer_id` it is a guest's: kept, and worth nothing."""

    order_id: str
    customer_id: str | None = None
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidOrder(NewOrder):
    """An order that names the payment by which points paid for it.

    It is a kind of its own so that the fingerprint of any other order stays what it was before there were payments.
    """

    payment_id: str


def payment_of(order: NewOrder) -> str | None:
    """The payment that an order names."""
    return order.payment_id if isinstance(order, PaidOrder) else None


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
    payment_id: str | None
    channel: str | None
    metadata: dict[str, Any]
    points: dict[str, int]
    awards: list[dict[str, Any]]
    judged: dict[str, Any]
    returned: list[dict[str, Any]]


def receipt(
    order: NewOrder, awards: Sequence[Award], account: Account | None, tier: TierChange | None, *, now: datetime
) -> dict[str, Any]:
    """What the shop is told: what was awarded and by which rule, what the member now holds, and at which tier."""
    held = ("available", "pending", "held", "debt")
    return {
        "order_id": order.order_id,
        "customer_id": order.customer_id,
        "status": "recorded",
        "points": points_of(awards, now=now),
        "awards": [shown(award) for award in awards],
        "balance": {name: getattr(account, name) for name in held} if account else None,
        "tier": tier and asdict(tier),
    }
