"""The facts that vouchers tell, never with their codes. The shapes of their data stand in `fact_schemas`."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from loyalty.events.domain import Fact, moment
from loyalty.vouchers.domain import HeldVoucher, Origin, VoucherTerms, uses

Became = Literal["issued", "redeemed", "released", "voided"]

# A member by both ids; None: the voucher is nobody's, or was used by somebody who is no member.
Who = tuple[UUID, str] | None


def voucher_became(
    what: Became, who: Who, origin: Origin, *, reward: str | None = None, order_id: str | None = None,
    uses_left: int | None, expires_at: datetime | None, count: int = 1, occurred_at: datetime,
) -> Fact:  # fmt: skip
    """`voucher.<what>`: this was done with a voucher or, where `count` says so, with so many of a batch."""
    member_id, customer_id = who or (None, None)
    return Fact(
        type=f"voucher.{what}",
        version=1,
        member_id=member_id,
        customer_id=customer_id,
        occurred_at=occurred_at,
        data={
            "redemption_id": origin.redemption_id,
            "batch_id": origin.batch_id,
            "reward": reward,
            "order_id": order_id,
            "uses_left": uses_left,
            "expires_at": moment(expires_at),
            "count": count,
        },
    )


def issued(who: Who, terms: VoucherTerms, origin: Origin, *, reward: str | None, count: int, now: datetime) -> Fact:
    """`voucher.issued`: somebody has a voucher now, or there are `count` more."""
    return voucher_became(
        "issued", who, origin, reward=reward, uses_left=terms.uses_allowed, expires_at=terms.expires_at, count=count,
        occurred_at=now,
    )  # fmt: skip


def happened(
    what: Became, who: Who, voucher: HeldVoucher, *, used: int, order_id: str | None = None, reward: str | None = None,
    now: datetime,
) -> Fact:  # fmt: skip
    """What was done with a voucher that was there, which was used so often then."""
    left = uses(voucher.uses_allowed, used)["left"]
    return voucher_became(
        what, who, Origin(voucher.redemption_id, voucher.batch_id), reward=reward, order_id=order_id, uses_left=left,
        expires_at=voucher.expires_at, occurred_at=now,
    )  # fmt: skip
