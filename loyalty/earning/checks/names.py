"""Names: codes and priorities that must be unique, units and segments that must be there, goods that nobody buys."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from loyalty.core.categories import SEPARATOR
from loyalty.core.findings import Finding, error, meant, warning
from loyalty.earning.checks.proposal import Known, Proposal, few
from loyalty.earning.checks.spelling import Spelling
from loyalty.rules.expressions import ExpressionInvalid, condition

# Rules or offers, or what else names goods, each with its place in the draft.
Placed = tuple[tuple[object, ...], Any]

NO_TIERS = "This program has no tiers yet, so nobody has this one. Leave tiers out until it has."
HISTORY_OF = ("history", "categories")


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of the names in a draft."""
    yield from _ties(proposal)
    yield from _units(proposal)
    yield from _segments(proposal)
    rules = [(("rules", number), rule) for number, rule in enumerate(proposal.rules)]
    segments = [(("segments", number), segment) for number, segment in enumerate(proposal.segments)]
    yield from unknown_tiers(rules, proposal.known.tiers)
    yield from unknown_goods(rules, [*rules, *segments], proposal.known)
    yield from odd_paths(rules, proposal.known)


def _ties(proposal: Proposal) -> Iterator[Finding]:
    """Codes name a rule in every award and priorities decide who comes first, so both are unique."""
    for name in ("code", "priority"):
        counted = Counter(getattr(rule, name) for rule in proposal.rules)
        for number, rule in enumerate(proposal.rules):
            if counted[value := getattr(rule, name)] > 1:
                detail = f"Several rules have the {name} {value}. Give each its own."
                yield error("tie", detail, "rules", number, name)
    codes = Counter(segment.code for segment in proposal.segments)
    for number, segment in enumerate(proposal.segments):
        if codes[segment.code] > 1:
            detail = f"Several segments have the code {segment.code}. Give each its own."
            yield error("tie", detail, "segments", number, "code")


def _units(proposal: Proposal) -> Iterator[Finding]:
    for number, rule in enumerate(proposal.rules):
        if rule.unit not in proposal.program.units:
            nearest = meant(rule.unit, proposal.program.units)
            detail = f"This program has no unit '{rule.unit}'.{nearest} PATCH /v1/admin/program adds one."
            yield error("unknown-unit", detail, "rules", number, "unit")


def _segments(proposal: Proposal) -> Iterator[Finding]:
    there = {segment.code for segment in proposal.segments}
    for number, rule in enumerate(proposal.rules):
        for place, code in enumerate(rule.segments):
            if code not in there:
                detail = f"There is no segment '{code}' among the segments of this draft.{meant(code, there)}"
                yield error("unknown-segment", f"{detail} Add it, or name another.", "rules", number, "segments", place)
    used = {code for rule in proposal.rules for code in rule.segments}
    for number, segment in enumerate(proposal.segments):
        if segment.code not in used:
            detail = f"No rule names the segment '{segment.code}'. Name it in a rule, or leave it out."
            yield warning("unused-segment", detail, "segments", number)


def unknown_tiers(things: Sequence[Placed], tiers: Collection[str]) -> Iterator[Finding]:
    """Tiers that the ladder in force does not have."""
    for at, thing in things:
        for place, code in enumerate(thing.tiers):
            if code not in tiers:
                detail = f"There is no tier '{code}'.{meant(code, tiers)} The tiers are: {', '.join(sorted(tiers))}."
                yield warning("unknown-tier", detail if tiers else NO_TIERS, *at, "tiers", place)


def unknown_goods(things: Sequence[Placed], asking: Sequence[Placed], known: Known) -> Iterator[Finding]:
    """Names that no order of late has; `asking`: what has conditions. Nothing is said where there were no orders."""
    if not known.skus:
        return
    for noun, names, fields in (
        ("sku", known.skus, ("skus", "exclude_skus")),
        ("category", known.categories, ("categories", "exclude_categories")),
        ("channel", known.channels, ("channels",)),
    ):
        spelling = Spelling(names)
        for at, thing in things:
            for field in fields:
                named: tuple[str, ...] = getattr(thing, field, ())
                if names.issuperset(named):
                    continue
                unknown = [(place, name) for place, name in enumerate(named) if name not in names]
                found = (
                    warning(f"unknown-{noun}", _not_sold(noun, name, spelling), *at, field, place)
                    for place, name in unknown
                )
                yield from few(found, len(unknown))
        if noun == "category":
            yield from _categories_in_conditions(asking, known, spelling)


def _categories_in_conditions(asking: Sequence[Placed], known: Known, spelling: Spelling) -> Iterator[Finding]:
    """history.categories["coffe"] is no mistake in the condition: it is a category that nobody ever buys."""
    for at, thing in asking:
        unknown = [name for name in _categories_in(thing.when) if name not in known.categories]
        for name in unknown:
            yield warning("unknown-category", _not_sold("category", name, spelling), *at, "when")


def _categories_in(when: str | None) -> list[str]:
    try:
        paths = condition(when).paths if when is not None else frozenset()
    except ExpressionInvalid:
        return []
    return sorted({path[2] for path in paths if path[:2] == HISTORY_OF and len(path) > len(HISTORY_OF)})


def _not_sold(noun: str, name: str, spelling: Spelling) -> str:
    nearest = spelling.nearest(name)
    advice = f"Did you mean '{nearest}'?" if nearest is not None else "Check the spelling, unless it is new."
    return f"No order of late has the {'SKU' if noun == 'sku' else noun} '{name}'. {advice}"


def odd_paths(things: Sequence[Placed], known: Known) -> Iterator[Finding]:
    """A path is written with a space on either side of each ">"."""
    for at, thing in things:
        for field in ("categories", "exclude_categories"):
            names: tuple[str, ...] = getattr(thing, field, ())
            odd = [
                (place, name, SEPARATOR.join(part.strip() for part in name.split(SEPARATOR.strip())))
                for place, name in enumerate(names)
                if _is_odd(name) and name not in known.categories
            ]
            found = (
                warning("category-path", f"{detail} Write '{path}'.", *at, field, place)
                for place, name, path in odd
                for detail in [f"'{name}' is one name, not a path: what lies below is written with ' > '."]
            )
            yield from few(found, len(odd))


def _is_odd(name: str) -> bool:
    """Whether spaces are missing around a ">", or there are too many."""
    if ">" not in name and "  " not in name:
        return name != name.strip()
    return name.count(">") != name.count(SEPARATOR) or "  " in name or name[0] == " " or name[-1] == " "
