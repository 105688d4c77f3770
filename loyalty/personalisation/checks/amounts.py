"""How much offers promise: amounts that forget the cents, whole baskets given away, and promises that say nothing."""

from collections.abc import Iterator
from decimal import Decimal

from loyalty.core.findings import Finding, listed, warning
from loyalty.core.money import EXPONENTS, written
from loyalty.offers.domain import Offer
from loyalty.personalisation.checks.proposal import Proposal

EVERYTHING = Decimal(100)


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of how much each offer promises."""
    currency = proposal.program.currency
    for number, offer in enumerate(proposal.offers):
        promise = offer.promise
        if promise.least_value is not None and promise.least_value == promise.value:
            detail = "It is as much as value, so the promise never falls. Lower it, or leave it out."
            yield warning("idle-least-value", detail, "offers", number, "promise", "least_value")
        if promise.kind == "discount_percent" and promise.value == EVERYTHING and offer.limit is None:
            detail = "100% off, and no budget to end it: whole baskets are given away. Lower it, or give it a budget."
            yield warning("gives-everything", detail, "offers", number, "promise", "value")
        if promise.kind == "discount_amount" and 0 < offer.min_basis <= promise.value:
            detail = (
                f"An order of {written(offer.min_basis, currency)} may be free. Raise min_basis above the discount."
            )
            yield warning("free-order", detail, "offers", number, "min_basis")
        yield from _minor_units(number, offer, currency)
        yield from _outdone_by_tier(number, offer, proposal)


def _minor_units(number: int, offer: Offer, currency: str) -> Iterator[Finding]:
    """Amounts are in cents: whoever writes 5 for five euros gives a hundredth of it."""
    major: int = 10 ** EXPONENTS.get(currency, 2)
    amounts: list[tuple[int, tuple[str, ...]]] = [(offer.min_basis, ("min_basis",))]
    if offer.promise.kind == "discount_amount":
        amounts.append((int(offer.promise.value), ("promise", "value")))
    for amount, place in amounts:
        if 0 < amount < major:
            said = f"Amounts are minor units: {major} is {written(major, currency)}."
            detail = f"{amount} is {written(amount, currency)}. {said} Did you mean {amount * major}?"
            yield warning("minor-units", detail, "offers", number, *place)


def _outdone_by_tier(number: int, offer: Offer, proposal: Proposal) -> Iterator[Finding]:
    """Where only the best multiplier counts, members of a high tier gain nothing by a small one."""
    if offer.promise.kind != "multiplier" or proposal.program.stacking.multiplier != "best":
        return
    tiers = proposal.around.multipliers
    asked = [code for code in tiers if not offer.tiers or code in offer.tiers]
    outdone = [code for code in asked if tiers[code] >= offer.promise.value]
    if outdone:
        detail = (
            f"With stacking 'best' it gives nothing to members of {listed(outdone)}, whose tier multiplies as much."
        )
        advice = "Raise it, or name the other tiers."
        yield warning("outdone-by-tier", f"{detail} {advice}", "offers", number, "promise", "value")
