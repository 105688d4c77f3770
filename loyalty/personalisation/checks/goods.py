"""The goods that an offer names and excludes, and those that nobody is personally offered."""

from collections.abc import Iterator

from loyalty.core.categories import lineage
from loyalty.core.findings import Finding, error
from loyalty.earning.checks import goods
from loyalty.earning.checks.coverage import Goods
from loyalty.personalisation.checks.proposal import Proposal


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of the goods of each offer by itself."""
    never_categories = frozenset(proposal.personalising.never_categories)
    never_skus = frozenset(proposal.personalising.never_skus)
    for number, (offer, left) in enumerate(zip(proposal.offers, proposal.goods, strict=True)):
        yield from goods.of_one(offer, left, "offers", number)
        if _is_never_offered(left, never_categories, never_skus):
            detail = "All that it is on stands in never_personalise, so nobody is ever given it."
            yield error("never-personalised", f"{detail} Take away one or the other.", "offers", number)


def _is_never_offered(left: Goods, never_categories: frozenset[str], never_skus: frozenset[str]) -> bool:
    """Whether all goods that are named are kept from being offered; no goods at all are something else."""
    if not (left.skus or left.categories) or not left.skus <= never_skus:
        return False
    return all(not never_categories.isdisjoint(lineage(category)) for category in left.categories)
