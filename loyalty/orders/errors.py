"""What the orders slice refuses."""

from datetime import datetime

from loyalty.core.errors import NotFound, RuleRefused


class OrderNotFound(NotFound):
    """There is no such order in this program."""

    code = "order-not-found"

    def __init__(self, order_id: str, advice: str = "") -> None:
        detail = f"No order '{order_id}' was recorded in this program. {advice}".strip()
        super().__init__(detail, order_id=order_id)


class CurrencyMismatch(RuleRefused):
    """The order is in another currency than the program."""

    code = "currency-mismatch"

    def __init__(self, *, currency: str, program_currency: str) -> None:
        detail = f"The order is in {currency}, the program in {program_currency}."
        super().__init__(detail, currency=currency, program_currency=program_currency)


class PlacedInFuture(RuleRefused):
    """The order is dated in the future."""

    code = "placed-in-future"


class LineUnknown(RuleRefused):
    """The order has no such line."""

    code = "line-unknown"

    def __init__(self, line_id: str, *, pointer: str) -> None:
        detail = f"The order has no line '{line_id}'."
        super().__init__(detail, line_id=line_id, errors=[{"pointer": pointer, "detail": detail}])


class OverReturn(RuleRefused):
    """More came back than was ordered."""

    code = "over-return"

    def __init__(self, line_id: str, *, ordered: int, returned: int, pointer: str) -> None:
        detail = (
            f"{ordered} of line '{line_id}' were ordered, {returned} came back before: {ordered - returned} are left."
        )
        super().__init__(
            detail, line_id=line_id, ordered=ordered, returned=returned, errors=[{"pointer": pointer, "detail": detail}]
        )


class ReturnedBeforePlaced(RuleRefused):
    """It is dated before the order was placed."""

    code = "before-order"

    def __init__(self, *, placed_at: datetime) -> None:
        super().__init__(f"The order was placed later, at {placed_at.isoformat()}.", placed_at=placed_at)


class ReturnedInFuture(RuleRefused):
    """It is dated in the future."""

    code = "dated-in-future"
