"""Thresholds: a ladder begins at 0 and goes up, in steps that somebody can climb."""

from collections import Counter
from collections.abc import Iterator

from loyalty.core.findings import Finding, error, warning
from loyalty.core.money import EXPONENTS, written
from loyalty.tiers.checks.proposal import Proposal
from loyalty.tiers.domain import Window

# Thrice as much for the next tier is usual, ten times is far; more than this is a zero too many.
FAR = 20
# Whoever buys twice has spent so many major units: a ladder that ends there was written in them.
MAJOR_UNITS = 100
# Nobody orders on every day of a window, at its longest.
DAYS_OF = {"calendar_year": 366, "calendar_quarter": 92, "membership_year": 366}
DAYS_OF_A_MONTH = 31


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of the thresholds in a draft."""
    yield from _order(proposal)
    for (_, below), (number, tier) in proposal.steps():
        if below.threshold and tier.threshold > FAR * below.threshold:
            times = tier.threshold // below.threshold
            detail = f"This is {times} times what '{below.code}' takes, so hardly anybody gets there. Check the number"
            yield warning("gap", f"{detail}, or add a tier in between.", "tiers", number, "threshold")
    yield from _minor_units(proposal)
    yield from _out_of_reach(proposal)


def _order(proposal: Proposal) -> Iterator[Finding]:
    counted = Counter(tier.threshold for tier in proposal.tiers)
    for number, tier in enumerate(proposal.tiers):
        at = ("tiers", number, "threshold")
        if counted[tier.threshold] > 1:
            yield error("tie", f"Several tiers begin at {tier.threshold}. Give each its own threshold.", *at)
        if number and tier.threshold < (before := proposal.tiers[number - 1]).threshold:
            detail = f"It begins lower than '{before.code}', which stands before it. Write the lowest tier first."
            yield error("out-of-order", detail, *at)
    for number, tier in proposal.ascending[:1]:
        if tier.threshold:
            detail = f"The lowest tier begins at {tier.threshold}, and who has less has none. Let it begin at 0"
            yield error("lowest-not-zero", f"{detail}, or add one that does.", "tiers", number, "threshold")


def _minor_units(proposal: Proposal) -> Iterator[Finding]:
    """Spend is counted in cents: whoever writes 500 for 500 euros gives the highest tier for a cup of tea."""
    currency = proposal.program.currency
    major = 10 ** EXPONENTS.get(currency, 2)
    for number, tier in proposal.ascending[-1:]:
        if proposal.ladder.basis == "spend" and 0 < tier.threshold < MAJOR_UNITS * major and major > 1:
            detail = f"The highest tier takes {written(tier.threshold, currency)}: thresholds are minor units."
            advice = f"Did you mean {tier.threshold * major}?"
            yield warning("minor-units", f"{detail} {advice}", "tiers", number, "threshold")


def _out_of_reach(proposal: Proposal) -> Iterator[Finding]:
    days = _days(proposal.ladder.window)
    if proposal.ladder.basis != "orders" or not days:
        return
    for number, tier in proposal.ascending:
        if tier.threshold > days:
            detail = f"The window has at most {days} days, so this takes more than an order on each of them."
            yield warning("out-of-reach", f"{detail} Lower it, or widen the window.", "tiers", number, "threshold")


def _days(window: Window) -> int:
    """The days of a window at its longest; 0: it has no end."""
    return DAYS_OF.get(window.mode, window.months * DAYS_OF_A_MONTH + window.days)
