"""Offers beside each other: the same promise on the same goods, at the same time, to the same members."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from loyalty.core.findings import Finding, warning
from loyalty.offers.domain import Offer
from loyalty.personalisation.checks.proposal import Proposal

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)
LISTS = ("categories", "skus", "exclude_categories", "exclude_skus", "tiers", "segments")


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of offers that nothing tells apart but their names."""
    alike: dict[object, list[tuple[int, Offer]]] = defaultdict(list)
    for number, offer in enumerate(proposal.offers):
        alike[_what_for(offer)].append((number, offer))
    for same in alike.values():
        same.sort(key=lambda found: (found[1].valid_from or BEGINNING, found[0]))
        lasting: Offer | None = None
        for number, offer in same:
            end = offer.valid_to or END
            if lasting is not None and (offer.valid_from or BEGINNING) < (lasting.valid_to or END):
                detail = f"'{lasting.code}' and '{offer.code}' promise the same, on the same goods, at the same time."
                advice = "A member may have both. Leave one out, or put them into a group."
                yield warning("twice-the-same", f"{detail} {advice}", "offers", number)
            if lasting is None or end > (lasting.valid_to or END):
                lasting = offer


def _what_for(offer: Offer) -> tuple[object, ...]:
    """All that says what an offer promises, on what and to whom, but for its dates. A group has one at a time."""
    lists = (frozenset(getattr(offer, name)) for name in LISTS)
    alone = None if offer.group is None else offer.code
    return (offer.promise, offer.min_basis, offer.when, offer.trigger, alone, *lists)
