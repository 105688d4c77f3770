"""Offers that members have, as rules that give points, and which of them an order redeems. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from loyalty.core.categories import lineage
from loyalty.earning.domain import Award, Facts, Occasion, OfferTerms, Purchase
from loyalty.earning.rules import Caps, EarningRule
from loyalty.offers.domain import Assignment, Offer, OfferSets, rule_code

# After every rule of the program, and before that of the tier.
AFTER_RULES = 2**31 - 2


@dataclass(frozen=True, slots=True)
class Redeemed:
    """An assignment that an order redeemed, and the points that this gave."""

    member_id: UUID
    assignment_id: UUID
    offer: Offer
    valid_to: datetime
    order_id: str | None
    points: int


def terms_of(held: Iterable[Assignment], sets: OfferSets, occasion: Occasion) -> tuple[OfferTerms, ...]:
    """What the offers that a member holds say about an occasion: of anything but an order, nothing."""
    if not isinstance(occasion, Purchase):
        return ()
    found = []
    skus = {line.sku for line in occasion.lines}
    paths = {path for line in occasion.lines for path in lineage(line.category)}
    for each in held:
        begins = each.activated_at
        if begins is not None and begins <= occasion.placed_at < each.valid_to:
            found.append(_terms(each, begins, sets.offer(each.offer_code, each.offer_version), skus, paths))
    return tuple(sorted(found, key=lambda terms: (terms.code, terms.assignment_id)))


def offer_rules(facts: Facts) -> tuple[EarningRule, ...]:
    """The offers that are about an order, as rules: their awards name the offer, and the version of its set."""
    return tuple(_rule(terms) for terms in facts.offers)


def limits_of(offers: Iterable[OfferTerms]) -> dict[str, int]:
    """The budgets of offers, by the name that they have among those of rules."""
    return {rule_code(terms.code): terms.budget for terms in offers if terms.budget is not None}


def redeemed_by(
    awards: Iterable[Award], facts: Facts, sets: OfferSets, member_id: UUID, *, order_id: str | None
) -> list[Redeemed]:
    """The offers that gave any of an order's awards."""
    offers = {rule_code(terms.code): terms for terms in facts.offers}
    given = [(offers[award.rule_code], award.points) for award in awards if award.rule_code in offers]
    return [
        Redeemed(member_id, terms.assignment_id, sets.offer(terms.code, terms.version), terms.ends, order_id, points)
        for terms, points in given
    ]


def _terms(held: Assignment, begins: datetime, offer: Offer, skus: set[str], paths: set[str]) -> OfferTerms:
    categories = tuple(path for path in offer.categories if path in paths)
    articles = tuple(sku for sku in offer.skus if sku in skus)
    if offer.names_goods and not categories and not articles:
        categories, articles = offer.categories[:1], offer.skus[: 0 if offer.categories else 1]
    return OfferTerms(
        assignment_id=held.assignment_id,
        code=offer.code,
        version=offer.version,
        kind=held.promise["kind"],
        value=Decimal(held.promise["value"]),
        begins=begins,
        ends=held.valid_to,
        categories=categories,
        skus=articles,
        exclude_categories=tuple(path for path in offer.exclude_categories if path in paths),
        exclude_skus=tuple(sku for sku in offer.exclude_skus if sku in skus),
        min_basis=offer.min_basis,
        budget=offer.budget.points,
    )


@lru_cache(maxsize=4096)
def _rule(terms: OfferTerms) -> EarningRule:
    is_bonus = terms.kind == "bonus_points"
    return EarningRule(
        code=rule_code(terms.code),
        version=terms.version,
        priority=AFTER_RULES,
        kind="bonus" if is_bonus else "multiplier",
        points=int(terms.value) if is_bonus else None,
        factor=None if is_bonus else terms.value,
        categories=terms.categories,
        skus=terms.skus,
        exclude_categories=terms.exclude_categories,
        exclude_skus=terms.exclude_skus,
        min_basis=terms.min_basis,
        caps=Caps(budget=terms.budget),
        valid_from=terms.begins,
        valid_to=terms.ends,
    )
