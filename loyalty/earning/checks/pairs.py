"""Rules beside each other: outdone for ever, twice the same, multipliers of what no base rule gives."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from loyalty.core.findings import Finding, warning
from loyalty.earning.checks.coverage import Coverage, Goods
from loyalty.earning.checks.proposal import Proposal
from loyalty.earning.rules import EarningRule

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)

Numbered = tuple[int, EarningRule]


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of rules that meet."""
    outdone = dict(_outdone(proposal))
    for number, other in outdone.items():
        detail = f"'{other.code}' covers the same goods and more, and gives at least as much: with stacking 'best' this"
        yield warning("outdone", f"{detail} rule never counts. Raise it, or take it away.", "rules", number)
    yield from _overlapping(proposal, outdone)
    yield from _without_base(proposal)


def _outdone(proposal: Proposal) -> Iterator[tuple[int, EarningRule]]:
    """Rules that another beats on every line, where only the best counts."""
    stacking = proposal.program.stacking
    for kind, how in (("base", stacking.base), ("multiplier", stacking.multiplier)):
        if how != "best":
            continue
        by_rate: dict[object, list[Numbered]] = defaultdict(list)
        for number, rule in enumerate(proposal.rules):
            if rule.kind == kind:
                by_rate[rule.unit, rule.points_per is None].append((number, rule))
        for alike in by_rate.values():
            alike.sort(key=lambda found: (-_rate(found[1]), found[1].priority))
            for place, (number, rule) in enumerate(alike):
                goods = proposal.goods[number]
                wider = (o for n, o in alike[:place] if _holds_whenever(o, rule) and proposal.goods[n].contain(goods))
                if (better := next(wider, None)) is not None:
                    yield number, better


def _rate(rule: EarningRule) -> Fraction:
    if rule.points_per is not None:
        return Fraction(rule.points_per.points) / rule.points_per.amount
    return Fraction(rule.factor or rule.points_per_unit or 0)


def _holds_whenever(wide: EarningRule, narrow: EarningRule) -> bool:
    """Whether the conditions of a rule hold whenever those of another do."""
    if wide.limits or wide.cooldown_days or wide.min_basis > narrow.min_basis:
        return False
    begin, end = _validity(wide)
    narrow_begin, narrow_end = _validity(narrow)
    if begin > narrow_begin or end < narrow_end:
        return False
    for name in ("when", "milestone", "birthday", "time_windows"):
        asked = getattr(wide, name)
        if asked and asked != getattr(narrow, name):
            return False
    for name in ("channels", "tiers", "segments"):
        some, fewer = getattr(wide, name), getattr(narrow, name)
        if some and not (fewer and set(fewer) <= set(some)):
            return False
    return True


def _validity(rule: EarningRule) -> tuple[datetime, datetime]:
    return rule.valid_from or BEGINNING, rule.valid_to or END


def _overlapping(proposal: Proposal, outdone: dict[int, Any]) -> Iterator[Finding]:
    """The old and the new version of a campaign, both in force."""
    alike: dict[object, list[Numbered]] = defaultdict(list)
    for number, rule in enumerate(proposal.rules):
        if number not in outdone:
            alike[_what_for(rule)].append((number, rule))
    for same in alike.values():
        same.sort(key=lambda found: (_validity(found[1]), found[0]))
        lasting: EarningRule | None = None
        for number, rule in same:
            begin, end = _validity(rule)
            if lasting is not None and begin < _validity(lasting)[1]:
                detail = f"'{lasting.code}' and '{rule.code}' are for the same, at the same time: both give points."
                advice = "If one replaces the other, take the old one away or let it end before the new one begins."
                yield warning("twice-the-same", f"{detail} {advice}", "rules", number)
            if lasting is None or end > _validity(lasting)[1]:
                lasting = rule


def _what_for(rule: EarningRule) -> tuple[object, ...]:
    """All that says when a rule applies, but for its dates."""
    names = (
        "categories",
        "skus",
        "exclude_categories",
        "exclude_skus",
        "channels",
        "tiers",
        "segments",
        "time_windows",
    )
    rest = (rule.kind, rule.unit, rule.activity, rule.when, rule.milestone, rule.birthday, rule.min_basis)
    return (*rest, *(frozenset(getattr(rule, name)) for name in names))


def _without_base(proposal: Proposal) -> Iterator[Finding]:
    """Multipliers for goods, times or channels in which no base rule gives anything to multiply."""
    bases: dict[str, list[Numbered]] = defaultdict(list)
    for number, rule in enumerate(proposal.rules):
        if rule.kind == "base":
            bases[rule.unit].append((number, rule))
    coverage: dict[str, Coverage] = {}
    for number, rule in enumerate(proposal.rules):
        if rule.kind != "multiplier" or rule.unit not in bases:
            continue
        goods = [proposal.goods[base] for base, _ in bases[rule.unit]]
        at_once = [place for place, (_, base) in enumerate(bases[rule.unit]) if _at_once(rule, base)]
        if any(_of_everything(goods[place]) for place in at_once):
            continue
        of_unit = coverage.get(rule.unit) or coverage.setdefault(rule.unit, Coverage(goods))
        meeting, own = of_unit.meeting(proposal.goods[number]), proposal.goods[number]
        if not any(meeting >> place & 1 and not goods[place].excludes_all(own) for place in at_once):
            detail = "No base rule gives points for the goods, channels and times of this multiplier: it has nothing to"
            yield warning("no-common-base", f"{detail} multiply. Widen it, or add a base rule.", "rules", number)


def _of_everything(goods: Goods) -> bool:
    """Whether a rule covers all goods, as most base rules do."""
    return not (goods.names_any or goods.exclude_skus or goods.exclude_categories)


def _at_once(rule: EarningRule, base: EarningRule) -> bool:
    """Whether two rules may apply to one order, as far as dates, channels and tiers go."""
    (begin, end), (base_begin, base_end) = _validity(rule), _validity(base)
    if begin >= base_end or base_begin >= end:
        return False
    pairs: list[tuple[tuple[str, ...], tuple[str, ...]]] = [(rule.channels, base.channels), (rule.tiers, base.tiers)]
    return all(not some or not others or not set(some).isdisjoint(others) for some, others in pairs)
