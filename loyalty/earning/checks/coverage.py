"""Which goods rules have in common, without going through each pair of thousand names."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from loyalty.core.categories import lineage
from loyalty.earning.checks.goods import named_but_excluded
from loyalty.earning.rules import EarningRule


def contains(wide: EarningRule, narrow: EarningRule) -> bool:
    """Whether a rule certainly covers all goods that another covers."""
    if not set(wide.exclude_skus) <= set(narrow.exclude_skus):
        return False
    if not _all_below(wide.exclude_categories, narrow.exclude_categories):
        return False
    if not wide.skus and not wide.categories:
        return True
    names_some = bool(narrow.skus or narrow.categories)
    return names_some and set(narrow.skus) <= set(wide.skus) and _all_below(narrow.categories, wide.categories)


def _all_below(categories: Iterable[str], above: Iterable[str]) -> bool:
    wider = frozenset(above)
    return all(not wider.isdisjoint(lineage(category)) for category in categories)


class Coverage:
    """What some rules cover, by name. Sets of rules are bits: bit 0 stands for the first."""

    def __init__(self, rules: Sequence[EarningRule]) -> None:
        self.all = (1 << len(rules)) - 1
        self.naming_nothing = self.naming_skus = self.naming_categories = 0
        self._by_sku: dict[str, int] = defaultdict(int)
        self._by_category: dict[str, int] = defaultdict(int)
        self._by_all_above: dict[str, int] = defaultdict(int)
        self._excluding: dict[tuple[str, str], int] = defaultdict(int)
        for place, rule in enumerate(rules):
            self._add(rule, 1 << place)

    def _add(self, rule: EarningRule, bit: int) -> None:
        skus, categories = _left(rule)
        self.naming_nothing |= bit if not rule.skus and not rule.categories else 0
        self.naming_skus |= bit if skus else 0
        self.naming_categories |= bit if categories else 0
        for sku in skus:
            self._by_sku[sku] |= bit
        for category in categories:
            self._by_category[category] |= bit
            for above in lineage(category):
                self._by_all_above[above] |= bit
        for sku in rule.exclude_skus:
            self._excluding["sku", sku] |= bit
        for category in rule.exclude_categories:
            self._excluding["category", category] |= bit

    def meeting(self, rule: EarningRule) -> int:
        """Those that may cover something that this rule covers. SKUs may lie in any category."""
        if not rule.skus and not rule.categories:
            return self.all
        skus, categories = _left(rule)
        found = self.naming_nothing if skus or categories else 0
        found |= self.naming_categories if skus else 0
        found |= self.naming_skus if categories else 0
        for sku in skus:
            found |= self._by_sku.get(sku, 0)
        for category in categories:
            found |= self._by_all_above.get(category, 0)
            for above in lineage(category):
                found |= self._by_category.get(above, 0)
        return found & ~self._excluding_all(skus, categories)

    def _excluding_all(self, skus: Sequence[str], categories: Sequence[str]) -> int:
        """Those that exclude every one of these."""
        excluding = self.all
        for sku in skus:
            excluding &= self._excluding.get(("sku", sku), 0)
        for category in categories:
            by_any = 0
            for above in lineage(category):
                by_any |= self._excluding.get(("category", above), 0)
            excluding &= by_any
        return excluding


def _left(rule: EarningRule) -> tuple[list[str], list[str]]:
    """The SKUs and categories that a rule names and does not exclude itself."""
    out = {(field, place) for field, place, _ in named_but_excluded(rule)}
    return (
        [sku for place, sku in enumerate(rule.skus) if ("skus", place) not in out],
        [category for place, category in enumerate(rule.categories) if ("categories", place) not in out],
    )
