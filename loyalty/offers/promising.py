"""What is promised to one member, and what it can cost. Pure.

A promise is stored with its number as a text, so that it stays exactly what it is.
"""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from loyalty.offers.domain import Offer, Promise, PromiseKind

# The step in which a promise falls: nobody is promised half a point, and vouchers know whole percents only.
_STEPS: dict[PromiseKind, Decimal] = {
    "bonus_points": Decimal(1), "multiplier": Decimal("0.01"), "discount_amount": Decimal(1),
    "discount_percent": Decimal(1), "free_product": Decimal(1),
}  # fmt: skip


def promised(promise: Promise, probability: float) -> dict[str, Any]:
    """What a member is promised who buys with this probability anyway, in its stored form.

    With a `least_value` the value falls in a straight line, rounded down to what its kind can be.
    """
    told: dict[str, Any] = {"kind": promise.kind, "value": f"{_value(promise, probability).normalize():f}"}
    told |= {} if promise.sku is None else {"sku": promise.sku}
    return told if promise.most is None else {**told, "most": promise.most}


def shown(promise: Mapping[str, Any]) -> dict[str, Any]:
    """A stored promise as it is shown: whole numbers where its kind has no others."""
    value = promise["value"]
    return {**promise, "value": int(value) if _STEPS[promise["kind"]] == 1 else value}


def voucher_value(promise: Mapping[str, Any]) -> dict[str, Any]:
    """What a voucher is worth that keeps a stored promise."""
    kind, value = promise["kind"], promise["value"]
    if kind == "discount_amount":
        return {"type": kind, "amount": int(value)}
    if kind == "free_product":
        return {"type": kind, "sku": promise["sku"], "quantity": int(value)}
    worth = {"type": kind, "percent": int(Decimal(value))}
    return worth if promise.get("most") is None else {**worth, "most": promise["most"]}


def reserved(offer: Offer, promise: Mapping[str, Any]) -> int:
    """What a stored promise takes out of its offer's budget as soon as there is a voucher: the most that it can cost.

    Points are taken when an order earns them.
    """
    if offer.limit is None or offer.promise.in_points:
        return 0
    return int(promise["value"]) if promise["kind"] == "discount_amount" else promise.get("most") or 0


def _value(promise: Promise, probability: float) -> Decimal:
    if promise.least_value is None:
        return promise.value
    # A float has digits that nobody measured.
    share = min(max(Decimal(str(round(probability, 6))), Decimal(0)), Decimal(1))
    fallen = promise.value - (promise.value - promise.least_value) * share
    return max(fallen.quantize(_STEPS[promise.kind], ROUND_FLOOR), promise.least_value)
