"""What paying with points refuses."""

from datetime import datetime

from loyalty.core.errors import Conflict, NotFound, RuleRefused


class PaymentNotFound(NotFound):
    """There is no such payment of this member in this program."""

    code = "payment-not-found"

    def __init__(self, payment_id: str) -> None:
        super().__init__(f"No payment '{payment_id}' was made here.", payment_id=payment_id)


class PaymentOverLimit(RuleRefused):
    """More is to be paid with points than the order takes."""

    code = "payment-over-limit"

    def __init__(self, *, points: int, max_points: int, max_percent: int, order_total: int) -> None:
        super().__init__(
            f"{points} points are more than {max_percent} % of the order: it takes {max_points}.",
            points=points, max_points=max_points, max_percent=max_percent, order_total=order_total,
        )  # fmt: skip


class PaymentBelowMinimum(RuleRefused):
    """Fewer points are to be used than can be."""

    code = "payment-below-minimum"

    def __init__(self, *, points: int, min_points: int) -> None:
        detail = f"{points} points are too few to pay with: it takes {min_points}."
        super().__init__(detail, points=points, min_points=min_points)


class PaymentNotAMultiple(RuleRefused):
    """Points pay in multiples, and only as many as it takes."""

    code = "payment-not-a-multiple"

    def __init__(self, *, points: int, step: int, nearest: int) -> None:
        detail = f"{points} points are no multiple of {step}, or some would buy nothing: {nearest} pay as much."
        super().__init__(detail, points=points, step=step, nearest=nearest)


class PaymentResolved(Conflict):
    """The payment has been resolved already."""

    code = "payment-resolved"

    def __init__(self, payment_id: str, *, status: str, resolved_at: datetime, order_id: str | None) -> None:
        order = f" for order '{order_id}'" if status == "captured" and order_id is not None else ""
        super().__init__(
            f"Payment '{payment_id}' is already {status}{order}, since {resolved_at.isoformat()}.",
            payment_id=payment_id, payment_status=status, resolved_at=resolved_at, order_id=order_id,
        )  # fmt: skip


class PaymentNotCaptured(Conflict):
    """Only what was captured can be refunded."""

    code = "payment-not-captured"

    def __init__(self, payment_id: str) -> None:
        detail = f"Payment '{payment_id}' is still held: release it, and all points are available again."
        super().__init__(detail, payment_id=payment_id)


class RefundExceedsPayment(RuleRefused):
    """More is to be refunded than is left of the payment."""

    code = "refund-exceeds-payment"

    def __init__(self, *, required: int, captured: int, given_back: int) -> None:
        left = captured - given_back
        super().__init__(
            f"{required} points to be refunded; {captured} were captured, {given_back} given back, {left} are left.",
            required=required, captured=captured, given_back=given_back, left=left,
        )  # fmt: skip


class PointsPaidMismatch(RuleRefused):
    """What the order says was paid with points is not what the payment is worth."""

    code = "points-paid-mismatch"

    def __init__(self, *, expected: int, given: int) -> None:
        detail = f"The payment is worth {expected}, or a part of it in whole multiples; points_paid says {given}."
        super().__init__(detail, expected=expected, given=given)


class PaymentMissing(RuleRefused):
    """The order was paid with points and does not name the payment."""

    code = "payment-missing"

    def __init__(self, *, points_paid: int) -> None:
        detail = f"{points_paid} were paid with points: name the payment by payment_id."
        super().__init__(detail, points_paid=points_paid)
