"""Conditions in CEL: what is wrong with them. They are asked of a member, who has placed no order yet."""

from collections.abc import Iterator

from loyalty.core.findings import Finding
from loyalty.earning.checks import conditions
from loyalty.personalisation.checks.proposal import Proposal


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of each condition."""
    for number, offer in enumerate(proposal.offers):
        if offer.when is not None:
            yield from conditions.of_text(offer.when, "member", ("offers", number, "when"))
