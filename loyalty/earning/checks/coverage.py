"""Which goods a rule names, excludes and has in common with others, for lists of a thousand names."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

from loyalty.core.categories import lineage


class Named(Protocol):
    """What names goods, and members: a rule, or an offer."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Paths."""

    @property
    def skus(self) -> tuple[str, ...]:
        """Articles."""

    @property
    def exclude_categories(self) -> tuple[str, ...]:
        """Paths that stay out."""

    @property
    def exclude_skus(self) -> tuple[str, ...]:
        """Articles that stay out."""


class Goods:
    """The goods of one rule or offer, as sets. `skus` and `categories` are those that it does not exclude itself."""

    def __init__(self, rule: Named) -> None:
        self.names_any = bool(rule.skus or rule.categories)
        self.exclude_skus = frozenset(rule.exclude_skus)
        self.exclude_categories = frozenset(rule.exclude_categories)
        self.skus = frozenset(rule.skus) - self.exclude_skus
        self.categories = frozenset(rule.categories)
        if self.exclude_categories:
            self.categories = frozenset(name for name in self.categories if not self.excludes_category(name))

    def excludes_category(self, category: str) -> bool:
        """Whether a category lies in one that is excluded."""
        return not self.exclude_categories.isdisjoint(lineage(category))

    @cached_property
    def above(self) -> frozenset[str]:
        """The categories and all that they lie below."""
        return all_above(self.categories)

    def excludes_all(self, other: "Goods") -> bool:
        """Whether everything that another rule names is excluded."""
        excluded = other.names_any and other.skus <= self.exclude_skus
        return excluded and all(self.excludes_category(category) for category in other.categories)

    def contain(self, other: "Goods") -> bool:
        """Whether these are certainly all of the other's goods, or more."""
        if not self.exclude_skus <= other.exclude_skus or not _below(self.exclude_categories, other.exclude_categories):
            return False
        if not self.names_any:
            return True
        return other.names_any and other.skus <= self.skus and _below(other.categories, self.categories)


def _below(categories: frozenset[str], wider: frozenset[str]) -> bool:
    return categories <= wider or all(not wider.isdisjoint(lineage(category)) for category in categories)


def all_above(categories: frozenset[str]) -> frozenset[str]:
    """Categories with all that they lie below."""
    return frozenset().union(*map(lineage, categories))


class Coverage:
    """What some rules cover, by name. Sets of rules are bits: bit 0 stands for the first."""

    def __init__(self, goods: Sequence[Goods]) -> None:
        self._naming_nothing = self._naming_skus = self._naming_categories = 0
        self._by_name: dict[str, dict[str, int]] = {
            "sku": defaultdict(int), "category": defaultdict(int), "above": defaultdict(int)
        }  # fmt: skip
        for place, each in enumerate(goods):
            bit = 1 << place
            self._naming_nothing |= 0 if each.names_any else bit
            self._naming_skus |= bit if each.skus else 0
            self._naming_categories |= bit if each.categories else 0
            for kind, names in (("sku", each.skus), ("category", each.categories), ("above", each.above)):
                bits = self._by_name[kind]
                for name in names:
                    bits[name] |= bit

    def meeting(self, goods: Goods) -> int:
        """Those that may cover some of these goods. A SKU may lie in any category."""
        if not goods.names_any:
            return self._naming_nothing | self._naming_skus | self._naming_categories
        found = self._naming_nothing if goods.skus or goods.categories else 0
        found |= self._naming_categories if goods.skus else 0
        found |= self._naming_skus if goods.categories else 0
        for kind, names in (("sku", goods.skus), ("above", goods.categories), ("category", goods.above)):
            bits = self._by_name[kind]
            for name in bits.keys() & names:
                found |= bits[name]
        return found
