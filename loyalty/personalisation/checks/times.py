"""When an offer may be given: dates that are over or off by a day, and days that it can never last."""

from collections.abc import Iterator
from datetime import timedelta

from loyalty.core.findings import Finding, warning
from loyalty.earning.checks.times import edges, written
from loyalty.offers.domain import DAYS
from loyalty.personalisation.checks.proposal import Proposal


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of the times of each offer."""
    zone = proposal.program.time_zone
    for number, offer in enumerate(proposal.offers):
        if offer.valid_to is not None and offer.valid_to <= proposal.now:
            detail = f"It ended on {written(offer.valid_to, zone)}, so nobody is given it any more. Leave it out."
            yield warning("over", detail, "offers", number, "valid_to")
        yield from edges(offer.valid_from, offer.valid_to, zone, "offers", number)
        if offer.valid_from is None or offer.valid_to is None or offer.days == DAYS:
            continue
        if timedelta(days=offer.days) > offer.valid_to - offer.valid_from:
            detail = f"Nobody has it for {offer.days} days: from valid_from to valid_to are fewer. Change either."
            yield warning("idle-days", detail, "offers", number, "days")
