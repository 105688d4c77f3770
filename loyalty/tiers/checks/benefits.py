"""Benefits that contradict the order of the tiers: who climbs expects to lose nothing."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from loyalty.core.findings import Finding, listed, warning
from loyalty.programs.domain import POINTS
from loyalty.programs.terms import Expiry
from loyalty.tiers.checks.proposal import Proposal
from loyalty.tiers.domain import Tier

# Points of each week of a year: in which of them dates and periods lie differently, these differ, too.
SAMPLES = [timedelta(weeks=week) for week in range(53)]


def find(proposal: Proposal) -> Iterator[Finding]:
    """What a tier gives less of than the one below."""
    for (_, below), (number, tier) in proposal.steps():
        for benefit, detail in _lesser(proposal, below, tier):
            yield warning("lesser-benefit", detail, "tiers", number, "benefits", benefit)


def _lesser(proposal: Proposal, below: Tier, tier: Tier) -> Iterator[tuple[str, str]]:
    more, less = below.benefits, tier.benefits
    if less.multiplier < more.multiplier:
        detail = f"'{below.code}' below multiplies points by {more.multiplier:f}, this by {less.multiplier:f}."
        yield "multiplier", f"{detail} Let it give at least as much."
    if _sooner(proposal, less.expiry, more.expiry):
        detail = f"Points lapse sooner than those of '{below.code}' below. Let them live at least as long"
        yield "expiry", f"{detail}, or leave both to the program."
    if lost := [perk for perk in more.perks if perk not in less.perks]:
        yield "perks", f"'{below.code}' below has {listed(lost)}, and this has not. Write all that the tier gives."
    if less.early_access_hours < more.early_access_hours:
        detail = f"'{below.code}' below is {more.early_access_hours} hours early, this {less.early_access_hours}."
        yield "early_access_hours", f"{detail} Let it be at least as early."


def _sooner(proposal: Proposal, this: Expiry | None, below: Expiry | None) -> bool:
    """Whether points surely lapse sooner by these terms than by those below: at some time sooner, and never later."""
    of_program = proposal.program.units[POINTS].expiry
    own, other = this or of_program, below or of_program
    if own == other or own.mode == "never":
        return False
    if other.mode == "never":
        return True
    if own.mode == "inactivity" and other.mode != "inactivity":
        return False  # who goes on buying keeps them for ever
    zone = proposal.program.time_zone
    pairs = [(own.expires_at(since, zone), other.expires_at(since, zone)) for since in _samples(proposal)]
    known = [(one, two) for one, two in pairs if one is not None and two is not None]
    moves_on = other.mode == "inactivity" != own.mode  # while these do not, however much is bought
    return all(one <= two for one, two in known) and (moves_on or any(one < two for one, two in known))


def _samples(proposal: Proposal) -> Iterator[datetime]:
    return (proposal.now + later for later in SAMPLES)
