"""How offers are chosen for members: sets of nothing, holdouts of everybody, groups of one."""

from collections import defaultdict
from collections.abc import Iterator

from loyalty.core.findings import Finding, warning
from loyalty.personalisation.checks.proposal import Proposal

EVERYBODY = 100


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of how offers are chosen."""
    if not proposal.offers:
        yield warning("no-offers", "Without any offer nobody is given one. Add an offer.", "offers")
    if proposal.personalising.exploration_percent == EVERYBODY:
        detail = "Every place goes by lot, so nothing is chosen by what a member bought. Ten percent is a lot of lots."
        yield warning("all-by-lot", detail, "personalising", "exploration_percent")
    for number, offer in enumerate(proposal.offers):
        if offer.holdout_percent == EVERYBODY:
            detail = "Everybody is held out, so nobody is given it. Lower it: 10 tells what the offer brings."
            yield warning("all-held-out", detail, "offers", number, "holdout_percent")
    yield from _groups(proposal)


def _groups(proposal: Proposal) -> Iterator[Finding]:
    """Groups with one offer: misspelled, or left over."""
    groups = defaultdict(list)
    for number, offer in enumerate(proposal.offers):
        if offer.group is not None:
            groups[offer.group].append(number)
    for group, numbers in groups.items():
        if len(numbers) == 1:
            detail = f"No other offer is in the group '{group}', so it excludes nothing."
            advice = "Leave it out, or name it in another offer."
            yield warning("group-of-one", f"{detail} {advice}", "offers", numbers[0], "group")
