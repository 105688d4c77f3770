"""The facts that payments with points tell. The shapes of their data stand in `fact_schemas`."""

from typing import Literal

from loyalty.events.domain import Fact
from loyalty.ledger.book import Book

Became = Literal["held", "captured", "released", "refunded"]


def payment_became(
    status: Became, book: Book, payment_id: str, *, points: int, amount: int, order_id: str | None
) -> Fact:
    """`payment.<status>`: points of a payment, and what they are worth, are now this. `book`: whose they are."""
    return Fact(
        type=f"payment.{status}",
        version=1,
        member_id=book.member_id,
        customer_id=book.customer_id,
        occurred_at=book.now,
        data={"payment_id": payment_id, "points": points, "amount": amount, "order_id": order_id},
    )
