"""The goods that a rule names and excludes: whether anything is left, and whether each name says something."""

from collections.abc import Iterator
from itertools import chain

from loyalty.core.categories import lineage
from loyalty.core.findings import Finding, error, warning
from loyalty.earning.checks.coverage import Goods, Named, all_above
from loyalty.earning.checks.proposal import Proposal, few

Place = tuple[str, int, str]

PATHS = ("categories", "exclude_categories")
EXCLUDED = "is named but also excluded, so it stays out. Take away one or the other."
IDLE = "is excluded, but it is not covered anyway. Leave it out, or check what is named."


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of the goods of each rule by itself."""
    for number, rule in enumerate(proposal.rules):
        yield from of_one(rule, proposal.goods[number], "rules", number)


def of_one(rule: Named, left: Goods, *at: object) -> Iterator[Finding]:
    """What is to be said of the goods of one rule or offer, which stands `at` a place; `left`: what it covers."""
    yield from _excluded(rule, left, at)
    yield from _said_twice(rule, at)
    yield from _idle_exclusions(rule, left, at)


def _excluded(rule: Named, left: Goods, at: tuple[object, ...]) -> Iterator[Finding]:
    """What is named and excluded stays out; where that is all, the rule never covers anything."""
    excluded: list[Place] = []
    for field, names, kept in (("skus", rule.skus, left.skus), ("categories", rule.categories, left.categories)):
        if not kept.issuperset(names):
            excluded += ((field, place, name) for place, name in enumerate(names) if name not in kept)
    if excluded and not left.skus and not left.categories:
        detail = "Everything it names it also excludes, so it never gives anything. Take away one or the other."
        yield error("nothing-covered", detail, *at, excluded[0][0])
        return
    found = (
        warning("named-and-excluded", f"'{name}' {EXCLUDED}", *at, field, place) for field, place, name in excluded
    )
    yield from few(found, len(excluded))


def _said_twice(rule: Named, at: tuple[object, ...]) -> Iterator[Finding]:
    for field in ("categories", "exclude_categories", "skus", "exclude_skus", "channels", "tiers", "segments"):
        names: tuple[str, ...] = getattr(rule, field, ())
        there = frozenset(names)
        is_path = field in PATHS
        if len(there) == len(names) and (not is_path or there.isdisjoint(_all_strictly_above(there))):
            continue
        seen: set[str] = set()
        twice: list[tuple[int, str]] = []
        for place, name in enumerate(names):
            wider = _above(name, there) if is_path else None
            if name in seen:
                twice.append((place, f"'{name}' stands in this list twice. Once is enough."))
            elif wider is not None:
                twice.append((place, f"'{name}' lies below '{wider}', which is named too. Leave one of them out."))
            seen.add(name)
        found = (warning("said-twice", detail, *at, field, place) for place, detail in twice)
        yield from few(found, len(twice))


def _all_strictly_above(categories: frozenset[str]) -> Iterator[str]:
    return chain.from_iterable(lineage(category)[:-1] for category in categories)


def _above(category: str, named: frozenset[str]) -> str | None:
    """A category that is named, too, and lies above."""
    return next((path for path in lineage(category)[:-1] if path in named), None)


def _idle_exclusions(rule: Named, left: Goods, at: tuple[object, ...]) -> Iterator[Finding]:
    """Exclusions from what the rule does not cover anyway."""
    if not rule.skus and not rule.categories:
        return
    idle: list[Place] = []
    if not rule.categories:
        skus = frozenset(rule.skus)
        idle += (("exclude_skus", place, sku) for place, sku in enumerate(rule.exclude_skus) if sku not in skus)
    if not rule.skus and rule.exclude_categories:
        categories = frozenset(rule.categories)
        above = left.above | all_above(categories - left.categories)
        idle += (
            ("exclude_categories", place, category)
            for place, category in enumerate(rule.exclude_categories)
            if category not in above and categories.isdisjoint(lineage(category))
        )
    found = (warning("idle-exclusion", f"'{name}' {IDLE}", *at, field, place) for field, place, name in idle)
    yield from few(found, len(idle))
