"""What the orders slice refuses."""

from loyalty.core.errors import NotFound, RuleRefused


class OrderNotFound(NotFound):
    """There is no such order in this program."""

    code = "order-not-found"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"No order '{order_id}' was recorded in this program.", order_id=order_id)


class CurrencyMismatch(RuleRefused):
    """The order is in another currency than the program."""

    code = "currency-mismatch"

    def __init__(self, *, currency: str, program_currency: str) -> None:
        detail = f"The order is in {currency}, the program in {program_currency}."
        super().__init__(detail, currency=currency, program_currency=program_currency)


class PlacedInFuture(RuleRefused):
    """The order is dated in the future."""

    code = "placed-in-future"
