"""The facts that assignments tell; what was held out tells none. The shapes of their data stand in `fact_schemas`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from loyalty.events.domain import Fact, moment

Became = Literal["assigned", "seen", "activated", "redeemed", "reinstated", "dismissed", "expired"]

# A member by both ids.
Who = tuple[UUID, str]


def assignment_became(
    what: Became, who: Who, *, assignment_id: UUID, offer: str, title: str, valid_to: datetime, occurred_at: datetime,
    **more: Any,
) -> Fact:  # fmt: skip
    """`offer.<what>`: this became of an offer that a member was given."""
    member_id, customer_id = who
    return Fact(
        type=f"offer.{what}",
        version=1,
        member_id=member_id,
        customer_id=customer_id,
        occurred_at=occurred_at,
        data={
            "assignment_id": str(assignment_id),
            "offer": offer,
            "title": title,
            "valid_to": moment(valid_to),
            **more,
        },
    )


def assigned(
    who: Who, *, assignment_id: UUID, offer: str, title: str, valid_to: datetime, promise: Mapping[str, Any],
    trigger: str, rank: int | None, occurred_at: datetime,
) -> Fact:  # fmt: skip
    """`offer.assigned`: a member was given an offer; `promise` is its kind and value."""
    return assignment_became(
        "assigned", who, assignment_id=assignment_id, offer=offer, title=title, valid_to=valid_to,
        occurred_at=occurred_at, promise=dict(promise), trigger=trigger, rank=rank,
    )  # fmt: skip


def redeemed(
    who: Who, *, assignment_id: UUID, offer: str, title: str, valid_to: datetime, order_id: str | None,
    points: int | None, amount: int | None, occurred_at: datetime,
) -> Fact:  # fmt: skip
    """`offer.redeemed`: an order fulfilled it, which gave `points`, or `amount` off in minor units."""
    return assignment_became(
        "redeemed", who, assignment_id=assignment_id, offer=offer, title=title, valid_to=valid_to,
        occurred_at=occurred_at, order_id=order_id, points=points, amount=amount,
    )  # fmt: skip


def reinstated(
    who: Who, *, assignment_id: UUID, offer: str, title: str, valid_to: datetime, order_id: str | None,
    open_again: bool, occurred_at: datetime,
) -> Fact:  # fmt: skip
    """`offer.reinstated`: the order that fulfilled it came back; if there is time left, it may be used again."""
    return assignment_became(
        "reinstated", who, assignment_id=assignment_id, offer=offer, title=title, valid_to=valid_to,
        occurred_at=occurred_at, order_id=order_id, open=open_again,
    )  # fmt: skip
