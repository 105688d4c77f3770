"""The goods that a rule names and excludes: whether anything is left, and whether each name says something."""

from collections.abc import Iterator
from itertools import chain

from loyalty.core.categories import lineage
from loyalty.earning.checks.proposal import Finding, Proposal, error, few, warning
from loyalty.earning.rules import EarningRule

Place = tuple[str, int, str]

EXCLUDED = "is named but also excluded, so it stays out. Take away one or the other."
IDLE = "is excluded, but this rule does not cover it anyway. Leave it out, or check what the rule names."


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of the goods of each rule by itself."""
    for number, rule in enumerate(proposal.rules):
        yield from _excluded(number, rule)
        yield from _said_twice(number, rule)
        yield from _idle_exclusions(number, rule)


def _excluded(number: int, rule: EarningRule) -> Iterator[Finding]:
    """What is named and excluded stays out; where that is all, the rule never covers anything."""
    excluded = named_but_excluded(rule)
    if not excluded:
        return
    if len(excluded) == len(rule.skus) + len(rule.categories):
        detail = "Everything this rule names it also excludes, so it never gives anything. Take away one or the other."
        yield error("nothing-covered", detail, "rules", number, excluded[0][0])
        return
    found = (
        warning("named-and-excluded", f"'{name}' {EXCLUDED}", "rules", number, field, place)
        for field, place, name in excluded
    )
    yield from few(found, len(excluded))


def named_but_excluded(rule: EarningRule) -> list[Place]:
    """The names of a rule that it excludes itself: the list, the place in it, the name."""
    skus, categories = frozenset(rule.exclude_skus), frozenset(rule.exclude_categories)
    return [
        *(("skus", place, sku) for place, sku in enumerate(rule.skus) if sku in skus),
        *(
            ("categories", place, category)
            for place, category in enumerate(rule.categories)
            if not categories.isdisjoint(lineage(category))
        ),
    ]


def _said_twice(number: int, rule: EarningRule) -> Iterator[Finding]:
    for field in ("categories", "exclude_categories", "skus", "exclude_skus", "channels", "tiers", "segments"):
        names: tuple[str, ...] = getattr(rule, field)
        seen: set[str] = set()
        there = frozenset(names)
        twice: list[tuple[int, str]] = []
        for place, name in enumerate(names):
            above = lineage(name)[:-1] if field in ("categories", "exclude_categories") else ()
            wider = next((path for path in above if path in there), None)
            if name in seen:
                twice.append((place, f"'{name}' stands in this list twice. Once is enough."))
            elif wider is not None:
                twice.append((place, f"'{name}' lies below '{wider}', which is named too. Leave one of them out."))
            seen.add(name)
        found = (warning("said-twice", detail, "rules", number, field, place) for place, detail in twice)
        yield from few(found, len(twice))


def _idle_exclusions(number: int, rule: EarningRule) -> Iterator[Finding]:
    """Exclusions from what the rule does not cover anyway."""
    if not rule.skus and not rule.categories:
        return
    skus, categories = frozenset(rule.skus), frozenset(rule.categories)
    above = frozenset(chain.from_iterable(lineage(category) for category in rule.categories))
    idle: list[Place] = []
    if not categories:
        idle += (("exclude_skus", place, sku) for place, sku in enumerate(rule.exclude_skus) if sku not in skus)
    if not skus:
        idle += (
            ("exclude_categories", place, category)
            for place, category in enumerate(rule.exclude_categories)
            if categories.isdisjoint(lineage(category)) and category not in above
        )
    found = (
        warning("idle-exclusion", f"'{name}' {IDLE}", "rules", number, field, place) for field, place, name in idle
    )
    yield from few(found, len(idle))
