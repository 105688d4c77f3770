"""Vouchers as frozen values, and what may be done with one. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from loyalty.core.errors import DomainError
from loyalty.vouchers.errors import (
    VoucherBoundToAnother,
    VoucherCustomerLimit,
    VoucherExpired,
    VoucherNotStarted,
    VoucherUsedUp,
    VoucherVoid,
)

VoucherStatus = Literal["active", "not_started", "used", "expired", "void"]
STATUSES: tuple[VoucherStatus, ...] = ("active", "not_started", "used", "expired", "void")

# What one must say of each kind of value; the other kinds may say anything.
VALUE_NEEDED = {
    "discount_amount": "amount", "discount_percent": "percent", "free_product": "sku", "gift_card": "amount",
    "experience": None, "donation": None, "custom": None,
}  # fmt: skip

HUNDRED = 100

# One transaction of about a second; more are made in several batches.
BATCH_MAX = 10_000

CODE_LENGTH_MIN, CODE_LENGTH_MAX = 4, 64
CODE_RULE = (
    f"Must be {CODE_LENGTH_MIN} to {CODE_LENGTH_MAX} printable characters, at least {CODE_LENGTH_MIN} of them letters"
    " or digits, without spaces at the ends."
)


@dataclass(frozen=True, slots=True)
class VoucherTerms:
    """What a voucher is worth, when, and how often it can be used (None: without end), in all and by each customer.

    `expires_at` is the first instant at which it is no longer valid.
    """

    value: dict[str, Any]
    valid_from: datetime | None = None
    expires_at: datetime | None = None
    uses_allowed: int | None = 1
    per_customer: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a voucher comes from: a reward and its redemption, a batch, or an offer that a member was given."""

    redemption_id: str | None = None
    batch_id: str | None = None
    assignment_id: UUID | None = None

    @property
    def kind(self) -> str:
        """What it comes from, in one word."""
        if self.assignment_id is not None:
            return "offer"
        return "reward" if self.batch_id is None else "batch"


@dataclass(frozen=True, slots=True)
class Voucher:
    """A voucher just issued."""

    code: str
    value: dict[str, Any]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """Vouchers to be made together: so many, or of these codes; for a member, or free."""

    batch_id: str
    terms: VoucherTerms
    count: int | None = None
    codes: tuple[str, ...] = ()
    customer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An order that wants to use a voucher, or that gives its use back."""

    order_id: str
    customer_id: str | None = None
    order_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldVoucher:
    """A voucher as it stands. `member_id` is its owner, or nobody's id if it is free.

    `holder`, by both ids, is the owner or whoever that one was merged into; it is read with the lock.
    """

    member_id: UUID
    code: str
    value: dict[str, Any]
    bound: bool
    valid_from: datetime | None
    expires_at: datetime | None
    uses_allowed: int | None
    uses: int
    per_customer: int | None
    voided_at: datetime | None
    batch_id: str | None = None
    redemption_id: str | None = None
    assignment_id: UUID | None = None
    holder: tuple[UUID, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known of who wants to use a voucher.

    `unfit` is why this member can do nothing now. `used` counts what this customer used. An order that uses the voucher
    already does not count against itself.
    """

    is_owner: bool = False
    unfit: DomainError | None = None
    used: int = 0
    own_use: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Whether a voucher can be used, and what for; if not, why."""

    code: str
    valid: bool
    value: dict[str, Any]
    discount: int | None
    uses: dict[str, int | None]
    valid_from: datetime | None
    expires_at: datetime | None
    reasons: list[dict[str, Any]] = field(default_factory=list)


def refusals(voucher: HeldVoucher, wish: Wish, given: Circumstances, *, now: datetime) -> Iterator[DomainError]:
    """Every reason why an order cannot use a voucher now, the gravest first."""
    if voucher.voided_at is not None:
        yield VoucherVoid(voucher.code, voucher.voided_at)
    if given.unfit is not None:
        yield given.unfit
    if voucher.bound and not given.is_owner:
        yield VoucherBoundToAnother(voucher.code, wish.customer_id)
    if voucher.valid_from is not None and now < voucher.valid_from:
        yield VoucherNotStarted(voucher.code, voucher.valid_from)
    if voucher.expires_at is not None and now >= voucher.expires_at:
        yield VoucherExpired(voucher.code, voucher.expires_at)
    own = int(given.own_use)
    allowed = voucher.uses_allowed
    if allowed is not None and voucher.uses - own >= allowed:
        yield VoucherUsedUp(voucher.code, allowed=allowed, used=voucher.uses)
    limit = voucher.per_customer
    if limit is not None and (wish.customer_id is None or given.used >= limit):
        yield VoucherCustomerLimit(voucher.code, wish.customer_id, limit=limit, used=given.used)


def validation(voucher: HeldVoucher, wish: Wish, given: Circumstances, *, now: datetime) -> Validation:
    """What the shop is told before it redeems."""
    reasons = [{"code": r.code, "detail": r.detail, **r.facts} for r in refusals(voucher, wish, given, now=now)]
    return Validation(
        code=voucher.code, valid=not reasons, value=voucher.value, discount=discount(voucher.value, wish.order_total),
        uses=uses(voucher.uses_allowed, voucher.uses), valid_from=voucher.valid_from, expires_at=voucher.expires_at,
        reasons=reasons,
    )  # fmt: skip


def discount(value: dict[str, Any], order_total: int | None) -> int | None:
    """What a voucher takes off an order, in minor units, never more than it costs; None where that says nothing."""
    if order_total is None:
        return None
    kind = value.get("type")
    if kind == "discount_amount":
        return min(int(value["amount"]), order_total)
    if kind == "discount_percent":
        # Half a minor unit is given to the customer.
        off = (order_total * int(value["percent"]) * 2 + HUNDRED) // (2 * HUNDRED)
        return min(off, int(value.get("most", off)))
    return None


def uses(allowed: int | None, used: int) -> dict[str, int | None]:
    """How often a voucher can be used, was used, and can be used yet."""
    return {"allowed": allowed, "used": used, "left": None if allowed is None else allowed - used}
