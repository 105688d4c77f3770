"""What the vouchers slice refuses. No refusal says whose a voucher is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from loyalty.core.errors import Conflict, NotFound, RuleRefused


class VoucherNotFound(NotFound):
    """There is no such voucher in this program."""

    code = "voucher-not-found"

    def __init__(self) -> None:
        super().__init__("There is no voucher with this code.")


class VoucherNotStarted(RuleRefused):
    """The voucher cannot be used yet."""

    code = "voucher-not-started"

    def __init__(self, voucher: str, valid_from: datetime) -> None:
        detail = f"'{voucher}' can be used from {valid_from.isoformat()}."
        super().__init__(detail, voucher=voucher, valid_from=valid_from)


class VoucherExpired(RuleRefused):
    """The voucher can no longer be used."""

    code = "voucher-expired"

    def __init__(self, voucher: str, expires_at: datetime) -> None:
        detail = f"'{voucher}' could be used until {expires_at.isoformat()}."
        super().__init__(detail, voucher=voucher, expires_at=expires_at)


class VoucherUsedUp(RuleRefused):
    """The voucher was used as often as it may be."""

    code = "voucher-used-up"

    def __init__(self, voucher: str, *, allowed: int, used: int) -> None:
        times = "once" if allowed == 1 else f"{allowed} times"
        detail = f"'{voucher}' can be used {times}, and it was."
        super().__init__(detail, voucher=voucher, allowed=allowed, used=used)


class VoucherVoid(RuleRefused):
    """The voucher was withdrawn."""

    code = "voucher-void"

    def __init__(self, voucher: str, voided_at: datetime) -> None:
        super().__init__(f"'{voucher}' was withdrawn.", voucher=voucher, voided_at=voided_at)


class VoucherBoundToAnother(RuleRefused):
    """The voucher can be used by one customer only, and it is not this one."""

    code = "voucher-bound-to-another"

    def __init__(self, voucher: str, customer_id: str | None) -> None:
        detail = f"'{voucher}' can be used by one customer only"
        detail += "; say by whom (customer_id)." if customer_id is None else f", and not by '{customer_id}'."
        super().__init__(detail, voucher=voucher)


class VoucherCustomerLimit(RuleRefused):
    """A customer can use the voucher only so often."""

    code = "voucher-customer-limit"

    def __init__(self, voucher: str, customer_id: str | None, *, limit: int, used: int) -> None:
        times = "once" if limit == 1 else f"{limit} times"
        detail = f"Each customer can use '{voucher}' {times}"
        detail += "; say who does (customer_id)." if customer_id is None else f", and '{customer_id}' has."
        super().__init__(detail, voucher=voucher, limit=limit, used=used)


class VoucherUsed(Conflict):
    """The voucher was used, so it cannot be withdrawn."""

    code = "voucher-used"

    def __init__(self, voucher: str, *, uses: int, orders: Sequence[str]) -> None:
        by = f"by order '{orders[0]}'" if uses == 1 and orders else f"{uses} times"
        super().__init__(f"'{voucher}' was used {by}.", voucher=voucher, uses=uses, orders=list(orders))


class VoucherNotRedeemed(Conflict):
    """The order did not use the voucher, so there is nothing to give back."""

    code = "voucher-not-redeemed"

    def __init__(self, voucher: str, order_id: str) -> None:
        super().__init__(f"Order '{order_id}' did not use '{voucher}'.", voucher=voucher, order_id=order_id)


class DuplicateCodes(RuleRefused):
    """Some of the codes are there already, or stand in the list twice."""

    code = "duplicate-codes"

    def __init__(self, duplicates: Sequence[dict[str, Any]], *, count: int) -> None:
        some = "One code is" if count == 1 else f"{count} codes are"
        detail = (
            f"{some} known already or listed twice; nothing was taken over. Codes that differ only in capitals, in"
            " separators, or in I, L and 1 or O and 0, are one code."
        )
        super().__init__(detail, count=count, duplicates=list(duplicates))
