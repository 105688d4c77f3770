"""How long tiers are kept: settings that have no effect, or another one than they seem to have."""

from collections.abc import Iterator

from loyalty.core.findings import Finding, warning
from loyalty.tiers.checks.proposal import Proposal
from loyalty.tiers.domain import Ladder

# Windows that begin anew, all at once.
PERIODS = {"calendar_year": "year", "calendar_quarter": "quarter", "membership_year": "membership year"}


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of window, validity, downgrade and grace."""
    ladder = proposal.ladder
    yield from _falling(ladder)
    if ladder.downgrade != "none":
        yield from _idle_downgrade(ladder)
    lasts_longer = bool(ladder.grace.days) or ladder.grace.round_to == "month"
    if lasts_longer and (ladder.validity.mode == "forever" or ladder.downgrade == "none"):
        why = "Tiers never end" if ladder.validity.mode == "forever" else "Nobody loses a tier when it ends"
        detail = f"{why}, so grace never takes effect. Leave it out, or change the validity and the downgrade."
        yield warning("idle-grace", detail, "grace")


def _falling(ladder: Ladder) -> Iterator[Finding]:
    """A tier that ends with the period in which it was reached: what comes then, nothing was bought for yet."""
    period = PERIODS.get(ladder.window.mode)
    if period is None or ladder.validity.mode != "end_of_period" or ladder.downgrade == "none":
        return
    falls = "to the lowest tier" if ladder.downgrade == "full" else "by one tier"
    detail = f"When the {period} ends, so does every tier and all that counts: everybody falls {falls} and begins anew."
    yield warning("everybody-falls", f'{detail} To let a tier be kept, write "end_of_next_period".', "validity", "mode")


def _idle_downgrade(ladder: Ladder) -> Iterator[Finding]:
    if ladder.validity.mode == "forever":
        detail = "Tiers never end, so a member only falls when something is returned. If that is not what you mean"
        yield warning("idle-downgrade", f"{detail}, give the validity an end.", "downgrade")
    elif ladder.window.mode == "lifetime":
        detail = "All that was ever bought counts, so whoever reached a tier keeps it, however long ago that was."
        advice = "For tiers that must be earned again, take a rolling window or a calendar year."
        yield warning("nothing-falls-out", f"{detail} {advice}", "window", "mode")
