"""Budgets, caps and cooldowns: those that never matter, those that are too small, and those that are missing."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from loyalty.core.findings import Finding, error, warning
from loyalty.earning.checks.limits import ONCE_AFTER_DAYS, WITHIN
from loyalty.offers.domain import Offer
from loyalty.personalisation.checks.proposal import Proposal, some


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of how much each offer gives at the most."""
    yield from some([found for number, offer in enumerate(proposal.offers) for found in _unbounded(number, offer)])
    for number, offer in enumerate(proposal.offers):
        yield from _too_small(number, offer)
        yield from _idle_caps(number, offer)
        yield from _cooldown(number, offer)


def _unbounded(number: int, offer: Offer) -> Iterator[Finding]:
    """Points have no price by themselves, so a last day is end enough for them; whatever costs money has a budget."""
    if offer.limit is not None or (offer.promise.in_points and offer.valid_to is not None):
        return
    if offer.promise.in_points:
        detail = "It gives points to whoever has it, without an end. Give it a budget_points, or a valid_to."
    else:
        detail = "What it costs has no end. Give it a budget_amount."
    yield warning("unbounded", detail, "offers", number)


def _too_small(number: int, offer: Offer) -> Iterator[Finding]:
    """A budget that does not last for one member."""
    promise, limit = offer.promise, offer.limit
    if limit is None or promise.kind == "multiplier":
        return
    first, least = promise.value, promise.least_value or promise.value
    if promise.kind in ("discount_percent", "free_product") and promise.most is not None:
        first = least = Decimal(promise.most)
    place = ("offers", number, "budget_points" if promise.in_points else "budget_amount")
    if limit < least:
        detail = f"One member's costs {least:f}, and all there is are {limit}, so nobody is ever given it. Raise it."
        yield error("budget-too-small", detail, *place)
    elif limit < first:
        detail = f"One member's may cost {first:f}, and all there is are {limit}. Raise it."
        yield warning("budget-too-small", detail, *place)


def _idle_caps(number: int, offer: Offer) -> Iterator[Finding]:
    """A cap that a longer period's cap, or the cooldown, makes meaningless."""
    caps: dict[str, int] = dict(offer.caps)
    for period, cap in caps.items():
        other = next((p for p in WITHIN.get(period, ()) if caps.get(p, cap + 1) <= cap), None)
        said = "for ever" if period == "ever" else f"per {period}"
        if other is not None:
            wider = "for ever" if other == "ever" else f"per {other}"
            detail = f"The cap {said} of {cap} is never reached: the cap {wider} is {caps[other]}."
        elif offer.cooldown_days >= ONCE_AFTER_DAYS.get(period, offer.cooldown_days + 1):
            detail = f"The cap {said} is never reached: the cooldown lasts {offer.cooldown_days} days."
        else:
            continue
        yield warning("idle-cap", f"{detail} Lower it, or leave it out.", "offers", number, "caps", period)


def _cooldown(number: int, offer: Offer) -> Iterator[Finding]:
    """Cooldowns that last too long, or that are missing where an offer would be given again and again."""
    place = ("offers", number, "cooldown_days")
    begin, end = offer.valid_from, offer.valid_to
    if begin is not None and end is not None and timedelta(days=offer.cooldown_days) >= end - begin:
        detail = "The cooldown lasts as long as the offer does, so a member is given it once."
        yield warning("given-once", f"{detail} Shorten it if that is not meant.", *place)
    if offer.trigger == "win_back" and not offer.cooldown_days and not offer.caps:
        detail = "Who stays away is given it again as soon as it is over. Give it a cooldown, or caps."
        yield warning("trigger-repeats", detail, *place)
