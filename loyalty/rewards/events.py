"""The facts that redemptions, rewards and their stocks tell. The shapes of their data stand in `fact_schemas`."""

from datetime import datetime
from uuid import UUID

from loyalty.events.domain import Fact, moment
from loyalty.rewards.domain import Fulfilment, RedemptionStatus


def redemption_became(
    status: RedemptionStatus,
    member_id: UUID,
    customer_id: str,
    *,
    redemption_id: str,
    reward: str,
    points: int,
    voucher_issued: bool,
    fulfilment: Fulfilment,
    reason: str | None = None,
    occurred_at: datetime,
) -> Fact:
    """`redemption.<status>`: a redemption is now what its status says, and since when."""
    return Fact(
        type=f"redemption.{status}",
        version=1,
        member_id=member_id,
        customer_id=customer_id,
        occurred_at=occurred_at,
        data={
            "redemption_id": redemption_id,
            "reward": reward,
            "points": points,
            "status": status,
            "reason": reason,
            "voucher_issued": voucher_issued,
            "fulfilment": fulfilment,
        },
    )


def published(
    reward: str, *, version: int, first: bool, points: int, valid_from: datetime | None, valid_to: datetime | None,
    occurred_at: datetime,
) -> Fact:  # fmt: skip
    """`reward.published`: a reward is another now or, if it is the `first` of its versions, new."""
    data = {
        "reward": reward,
        "version": version,
        "first": first,
        "points": points,
        "valid_from": moment(valid_from),
        "valid_to": moment(valid_to),
    }
    return Fact(type="reward.published", version=1, occurred_at=occurred_at, data=data)


def withdrawn(reward: str, *, version: int, occurred_at: datetime) -> Fact:
    """`reward.withdrawn`: nobody can have a reward any more."""
    data = {"reward": reward, "version": version}
    return Fact(type="reward.withdrawn", version=1, occurred_at=occurred_at, data=data)


def stock_low(reward: str, *, remaining: int, threshold: int, occurred_at: datetime) -> Fact:
    """`reward.stock_low`: no more is left of a reward than somebody wants to hear of."""
    data = {"reward": reward, "remaining": remaining, "threshold": threshold}
    return Fact(type="reward.stock_low", version=1, occurred_at=occurred_at, data=data)


def out_of_stock(reward: str, *, occurred_at: datetime) -> Fact:
    """`reward.out_of_stock`: the last one was taken."""
    return Fact(type="reward.out_of_stock", version=1, occurred_at=occurred_at, data={"reward": reward})
