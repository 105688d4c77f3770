"""What offers would probably cost, reckoned from what members' orders are like. Pure.

Whoever is given an offer redeems it with a probability, in an order like their average one with its goods. Where a
member never bought them, it is the average order of those who did. Expectations are floats: nothing of them is booked.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from math import inf, prod

from loyalty.core.categories import SEPARATOR, lineage
from loyalty.earning.domain import Line, Purchase
from loyalty.earning.rules import Caps, EarningRule, RuleSet
from loyalty.earning.worth import weigh
from loyalty.features.domain import Features, Goods
from loyalty.offers.domain import Offer
from loyalty.programs.domain import POINTS, Program

# Dear and many enough that no rounding shows.
PRICE = 10**8
PIECES = 10**6


@dataclass(frozen=True, slots=True)
class Average:
    """What an average order brings of some goods: minor units, and the base points that rules give for them."""

    spend: float
    points: float

    def at_least(self, spend: int) -> "Average":
        """The same of an order of at least so much."""
        if self.spend >= spend or not self.spend:
            return self
        return Average(float(spend), self.points * spend / self.spend)


class Rates:
    """How many points goods earn by the base rules that are for anybody, before any cap."""

    def __init__(self, rules: RuleSet, program: Program, *, at: datetime) -> None:
        self._program, self._at = program, at
        base = [replace(rule, min_basis=0, caps=Caps()) for rule in rules.rules if _is_for_anybody(rule)]
        self._by_money = RuleSet(0, tuple(rule for rule in base if rule.points_per is not None))
        self._by_piece = RuleSet(0, tuple(rule for rule in base if rule.points_per is None))
        self._known: dict[tuple[str, str | None], tuple[float, float]] = {}

    def points(self, sku: str, category: str | None, *, spend: float, quantity: int) -> float:
        """The base points of so much of some goods."""
        rates = self._known.get((sku, category))
        if rates is None:
            rates = self._known[sku, category] = (
                self._given(self._by_money, Line(line_id="1", sku=sku, category=category, unit_price=PRICE)) / PRICE,
                self._given(
                    self._by_piece, Line(line_id="1", sku=sku, category=category, unit_price=1, quantity=PIECES)
                ) / PIECES,
            )  # fmt: skip
        return rates[0] * spend + rates[1] * quantity

    def _given(self, rules: RuleSet, line: Line) -> int:
        if not rules.rules:
            return 0
        order = Purchase(lines=(line,), placed_at=self._at)
        return sum(given.points for given in weigh(order, rules, self._program).given)


class Basket:
    """What a member's orders bring of an offer's goods."""

    def __init__(self, offer: Offer, rates: Rates) -> None:
        self._offer, self._rates = offer, rates
        self._categories = _outermost(offer.categories)
        within = set(self._categories)
        self._left_out = [
            path
            for path in _outermost(offer.exclude_categories)
            if not offer.names_goods or not within.isdisjoint(lineage(path))
        ]
        # An SKU is excluded because it lies in a category that the offer is on.
        self._left_out_skus = offer.exclude_skus if self._categories or not offer.names_goods else ()
        is_one = len(self._categories) == 1 and not (offer.skus or self._left_out or self._left_out_skus)
        self._only = self._categories[0] if is_one else None

    def average(self, features: Features) -> Average | None:
        """The member's average order with any of the goods; None where there never was one."""
        if self._only is not None:
            # Most offers are on one category, and this is asked of every offer and member.
            goods = features.categories.get(self._only)
            if goods is None or goods.spend <= 0 or goods.orders <= 0:
                return None
            points = self._rates.points("", self._only, spend=goods.spend, quantity=goods.quantity)
            return Average(goods.spend / goods.orders, points / goods.orders).at_least(self._offer.min_basis)
        spend = points = 0.0
        counts = []
        for sku, category, goods in self._bought(features):
            spend += goods.spend
            points += self._rates.points(sku, category, spend=goods.spend, quantity=goods.quantity)
            counts.append(goods.orders)
        buying = features.buying
        if not self._offer.names_goods:
            # What lies in no category is part of the basket, too.
            rest = max(0.0, buying.spend - spend)
            points += self._rates.points("", None, spend=rest, quantity=0)
            spend += rest
            counts = [buying.orders]
        orders = _with_any(counts, buying.orders)
        left = min(spend, buying.spend) - self._excluded(features)
        if left <= 0 or orders <= 0:
            return None
        return Average(left / orders, points * left / spend / orders).at_least(self._offer.min_basis)

    def _bought(self, features: Features) -> Iterator[tuple[str, str | None, Goods]]:
        if not self._offer.names_goods:
            yield from (("", path, goods) for path, goods in features.categories.items() if SEPARATOR not in path)
            return
        for path in self._categories:
            if (goods := features.categories.get(path)) is not None:
                yield "", path, goods
        for sku in self._offer.skus:
            if (goods := features.skus.get(sku)) is not None:
                yield sku, None, goods

    def _excluded(self, features: Features) -> int:
        found = [features.categories.get(path) for path in self._left_out]
        found += [features.skus.get(sku) for sku in self._left_out_skus]
        return sum(goods.spend for goods in found if goods is not None)


class Costing:
    """What one offer would cost all those who are given it."""

    def __init__(self, offer: Offer, rates: Rates) -> None:
        promise = offer.promise
        self._offer, self._promise, self._basket = offer, promise, Basket(offer, rates)
        self._by_basket = promise.kind in ("multiplier", "discount_percent")
        self._by_price = promise.kind == "free_product" and promise.most is None
        self._cost = 0.0
        # The chances of those of whom it is not known what an order of theirs is like, by what they are promised.
        self._chances: defaultdict[Decimal, float] = defaultdict(float)
        self._buyers, self._spend, self._points = 0, 0.0, 0.0
        self._paid = self._pieces = 0

    def meet(self, features: Features) -> Average | None:
        """Look at what a member's orders bring, if that makes a difference."""
        if self._by_price:
            goods = features.skus.get(self._promise.sku or "")
            if goods is not None:
                self._paid += goods.spend
                self._pieces += goods.quantity
        if not self._by_basket:
            return None
        average = self._basket.average(features)
        if average is not None:
            self._buyers += 1
            self._spend += average.spend
            self._points += average.points
        return average

    def expect(self, value: Decimal, probability: float, average: Average | None) -> None:
        """Somebody would be promised this, and redeem it with this probability in an order like that."""
        if self._by_price or (self._by_basket and average is None):
            self._chances[value] += probability
        else:
            self._cost += probability * self._redeemed(value, average)

    def total(self) -> float | None:
        """All in all: points of an offer in points, minor units of any other; None where nobody can know."""
        if not self._chances:
            return self._cost
        if self._by_price:
            price = self._paid / self._pieces if self._pieces else None
            return None if price is None else sum(float(v) * price * p for v, p in self._chances.items())
        if not self._buyers:
            return None
        average = Average(self._spend / self._buyers, self._points / self._buyers)
        return self._cost + sum(p * self._redeemed(value, average) for value, p in self._chances.items())

    def _redeemed(self, value: Decimal, average: Average | None) -> float:
        """What it costs when it is redeemed."""
        match self._promise.kind:
            case "multiplier":
                return float(value - 1) * (average.points if average else 0.0)
            case "discount_percent":
                most = inf if self._promise.most is None else self._promise.most
                return min(float(value) / 100 * (average.spend if average else 0.0), most)
            case "free_product":
                return float(self._promise.most or 0)
            case "bonus_points" | "discount_amount":
                return float(value)


def skus_of(offers: tuple[Offer, ...]) -> list[str]:
    """The SKUs of which it matters how members bought them."""
    named = {sku for offer in offers for sku in (*offer.skus, *offer.exclude_skus)}
    return sorted(named | {offer.promise.sku for offer in offers if offer.promise.sku is not None})


def _with_any(counts: list[int], orders: int) -> float:
    """How many of some orders have any of several goods, if each is bought without regard to the others."""
    if len(counts) <= 1 or not orders:
        return float(sum(counts))
    return orders * (1 - prod(1 - min(count / orders, 1.0) for count in counts))


@lru_cache(maxsize=4096)
def _outermost(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Categories, without those that lie below another one of them."""
    named = set(paths)
    return tuple(path for path in dict.fromkeys(paths) if named.isdisjoint(lineage(path)[:-1]))


def _is_for_anybody(rule: EarningRule) -> bool:
    """Whether a rule gives base points whoever buys, and whenever while it is valid."""
    return rule.kind == "base" and rule.unit == POINTS and rule.when is None and set(rule.asked) <= {"validity"}
