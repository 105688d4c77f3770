"""What an occasion is worth: a pure function of what happened, the rules in force, the settings and the member.

The pipeline of `docs/concepts.md`: base rules on the basis of each line, multipliers on the base of the lines they
match, bonuses, caps, one rounding per unit, and the rounded total split back to awards and lines by largest remainder.
Raw points are integers over one common denominator, so nothing is lost before the one rounding. An award is what its
rule came to, rounded down or up: a bonus of 50 gives 50, and rounding breaks no cap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import lcm

from loyalty.core.apportion import apportion
from loyalty.earning.caps import room
from loyalty.earning.conditions import first_refusal, lines_of
from loyalty.earning.domain import UNKNOWN, Activity, Award, Cut, Facts, Judgement, Occasion
from loyalty.earning.offering import offer_rules
from loyalty.earning.reasons import cut_reason, reason_of
from loyalty.earning.rounding import round_once, rounded_to
from loyalty.earning.rules import EarningRule, RuleSet
from loyalty.earning.situation import Situation
from loyalty.earning.tiering import tier_rule
from loyalty.programs.domain import POINTS, Program
from loyalty.programs.terms import Activation, dates_of
from loyalty.rules.expressions import Unanswerable

AT_ONCE = Activation()


@dataclass(frozen=True, slots=True)
class _Raw:
    """Unrounded points of one rule, over the order's common denominator, and the lines they are shared by.

    `by_line` are the points of each line for rules on lines, and weights for a bonus. `cut` says what a cap took.
    """

    rule: EarningRule
    total: int
    by_line: tuple[int, ...]
    cut: Cut | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What a rule gives, in whole points, and the shares of the lines that it comes from."""

    rule: EarningRule
    points: int
    by_line: tuple[int, ...]
    cut: Cut | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """What rules give, before it is written out; why the others give nothing; and what could not be evaluated."""

    given: list[Given]
    refused: Mapping[str, str]
    failures: Mapping[str, str]


class _Judging:
    """One occasion being judged: what each rule came to, and why others came to nothing."""

    def __init__(self, seen: Situation, rule_set: RuleSet) -> None:
        self.seen, self.rule_set = seen, rule_set
        self.refused: dict[str, str] = {}
        self.failures: dict[str, str] = {}
        self.raw: list[_Raw] = []
        self.scale = 1

    def weigh(self) -> Weighed:
        """Run the pipeline."""
        occasion = self.seen.occasion
        activity = occasion.type if isinstance(occasion, Activity) else None
        covered: dict[str, list[bool]] = {}
        matching = []
        elsewhere = self._about_other_goods()
        for rule in (*self.rule_set.by_priority, *offer_rules(self.seen.facts)):
            if rule.activity != activity:
                self.refused[rule.code] = "activity"
            elif rule.code in elsewhere:
                self.refused[rule.code] = "lines"
            elif (lines := self._covered(rule)) is not None:
                covered[rule.code] = lines
                matching.append(rule)
        multipliers = [rule for rule in matching if rule.kind == "multiplier"]
        if (tier := tier_rule(self.seen.facts)) is not None and self.seen.purchase is not None:
            covered[tier.code] = self.seen.paid
            multipliers.append(tier)
        self.scale = lcm(1, *(_denominator(rule) for rule in matching if rule.kind == "base"))
        self._base([rule for rule in matching if rule.kind == "base"], covered)
        self._multiply(multipliers, covered)
        self._bonuses([rule for rule in matching if rule.kind == "bonus"], covered)
        capped = [cut for found in self.raw if (cut := self._capped(found)).total]
        given = self._rounded(sorted(capped, key=lambda found: found.rule.priority))
        codes = {each.rule.code for each in given}
        for found in self.raw:
            if found.rule.code not in codes:
                self.refused.setdefault(found.rule.code, "rounding")
        return Weighed(given, self.refused, self.failures)

    def _about_other_goods(self) -> frozenset[str]:
        """The rules that name goods, none of which is in the order. A set of rules is mostly made of such."""
        seen, by_goods = self.seen, self.rule_set.by_goods
        if True not in seen.paid:
            return frozenset()
        bought = [("sku", sku) for sku in seen.skus] + [("category", path) for path in seen.paths]
        return self.rule_set.naming_goods.difference(*(by_goods[name] for name in bought if name in by_goods))

    def _covered(self, rule: EarningRule) -> list[bool] | None:
        """The lines that a rule covers, if all its conditions hold."""
        try:
            lines = (rule.asked and first_refusal(rule, self.seen)) or lines_of(rule, self.seen)
        except Unanswerable as failure:
            # A condition that fails costs its own rule, never the order.
            self.failures[rule.code] = failure.detail
            lines = "when"
        if isinstance(lines, str):
            self.refused[rule.code] = lines
            return None
        return lines

    def _base(self, rules: Sequence[EarningRule], covered: dict[str, list[bool]]) -> None:
        raw = [_of_lines(rule, self._by_line(rule, covered[rule.code])) for rule in rules]
        self._keep(raw, "best" if self.seen.program.stacking.base == "best" else "sum", otherwise="units")

    def _multiply(self, rules: Sequence[EarningRule], covered: dict[str, list[bool]]) -> None:
        """What multipliers add to the base: each to what the ones before it made of it, or the best of a line alone."""
        if not rules:
            return
        bases = {unit: self._sums(unit) for unit in {rule.unit for rule in rules}}
        scale = 1
        for rule in rules:
            scale *= _ratio(rule)[1]
        self._rescale(scale)
        bases = {unit: [points * scale for points in by_line] for unit, by_line in bases.items()}
        stacking = self.seen.program.stacking.multiplier
        raw = []
        for rule in rules:
            times, parts = _ratio(rule)
            by_line = bases[rule.unit]
            # The denominators of all factors are in the scale, so this divides without a rest.
            added = [p * (times - parts) // parts if c else 0 for p, c in zip(by_line, covered[rule.code], strict=True)]
            raw.append(_of_lines(rule, added))
            if stacking == "product":
                bases[rule.unit] = [p + a for p, a in zip(by_line, added, strict=True)]
        self._keep(raw, stacking, otherwise="base")

    def _bonuses(self, rules: Sequence[EarningRule], covered: dict[str, list[bool]]) -> None:
        for rule in rules:
            weights = tuple(b if c else 0 for b, c in zip(self.seen.bases, covered[rule.code], strict=True))
            self.raw.append(_Raw(rule, (rule.points or 0) * self.scale, weights))

    def _keep(self, raw: Sequence[_Raw], stacking: str, *, otherwise: str) -> None:
        """Keep what rules came to; one that came to nothing was outdone, or had nothing to work on."""
        kept = _best_per_line(raw) if stacking == "best" else raw
        for found, left in zip(raw, kept, strict=True):
            if left.total:
                self.raw.append(left)
            else:
                self.refused[found.rule.code] = "outdone" if found.total else otherwise

    def _sums(self, unit: str) -> list[int]:
        """The base points of each line in a unit."""
        of_unit = [found.by_line for found in self.raw if found.rule.unit == unit]
        return [sum(points) for points in zip(*of_unit, strict=True)] if of_unit else [0] * len(self.seen.bases)

    def _rescale(self, factor: int) -> None:
        self.scale *= factor
        self.raw = [
            replace(found, total=found.total * factor, by_line=tuple(p * factor for p in found.by_line))
            for found in self.raw
        ]

    def _by_line(self, rule: EarningRule, covered: list[bool]) -> list[int]:
        if rule.points_per is not None:
            points, parts = rule.points_per.points.as_integer_ratio()
            factor = points * (self.scale // (rule.points_per.amount * parts))
            return [basis * factor if c else 0 for basis, c in zip(self.seen.bases, covered, strict=True)]
        factor = (rule.points_per_unit or 0) * self.scale
        # Shipping may earn on a line that was free; its units were free all the same.
        return [
            line.quantity * factor if c and line.net else 0 for line, c in zip(self.seen.lines, covered, strict=True)
        ]

    def _capped(self, found: _Raw) -> _Raw:
        if not found.rule.is_capped:
            return found
        tightest = room(found.rule, self.seen.facts, self.seen.local)
        if tightest is None or found.total <= tightest[0] * self.scale:
            return found
        left, cap, limit = tightest
        if not left:
            self.refused[found.rule.code] = "caps"
        return replace(found, total=left * self.scale, cut=Cut(cap, limit, left, found.total // self.scale))

    def _rounded(self, raw: Sequence[_Raw]) -> list[Given]:
        """Round once per unit, and split the total back to the rules by largest remainder."""
        given = []
        for unit in dict.fromkeys(found.rule.unit for found in raw):
            of_unit = [found for found in raw if found.rule.unit == unit]
            total = round_once(sum(found.total for found in of_unit), self.scale, self.seen.program.rounding)
            shares = rounded_to(total, [found.total for found in of_unit], self.scale)
            given += [
                Given(found.rule, points, found.by_line, found.cut)
                for found, points in zip(of_unit, shares, strict=True)
                if points
            ]
        return given


def worth(occasion: Occasion, rule_set: RuleSet, program: Program, facts: Facts = UNKNOWN) -> Judgement:
    """The awards of an occasion in the rules' order of priority, and every rule that gave nothing, and why."""
    seen = Situation(occasion, rule_set, program, facts)
    weighed = _Judging(seen, rule_set).weigh()
    return Judgement(
        tuple(_award(given, seen) for given in weighed.given),
        weighed.refused,
        weighed.failures,
    )


def weigh(occasion: Occasion, rule_set: RuleSet, program: Program, facts: Facts = UNKNOWN) -> Weighed:
    """What `worth` gives, without the lines, dates and reasons of awards: for whoever only counts points."""
    return _Judging(Situation(occasion, rule_set, program, facts), rule_set).weigh()


def _award(given: Given, seen: Situation) -> Award:
    rule = given.rule
    terms, tier = seen.program.units[rule.unit], seen.facts.tier_terms
    activation = rule.activation or terms.activation
    # What a rule says of its own points goes before what a tier says of all points.
    expiry = rule.expiry or (tier.expiry if tier and rule.unit == POINTS else None) or terms.expiry
    if seen.purchase is None and activation.mode == "on_event":
        # An order is confirmed; of an activity there is nothing more to come.
        activation = AT_ONCE
    shares = apportion(given.points, given.by_line)
    parts = dict(zip((line.line_id for line in seen.lines), shares, strict=True))
    as_sent = [line.line_id for line in seen.purchase.lines] if seen.purchase else []
    reason = reason_of(rule, seen.program.currency)
    return Award(
        rule_code=rule.code,
        rule_version=rule.version,
        unit=rule.unit,
        points=given.points,
        lines=tuple((line_id, parts[line_id]) for line_id in as_sent if parts[line_id]),
        reason=reason if given.cut is None else f"{reason}; {cut_reason(given.cut)}",
        dates=dates_of(activation, expiry, seen.at, seen.program.time_zone),
        cut=given.cut,
    )


def _denominator(rule: EarningRule) -> int:
    if rule.points_per is None:
        return 1
    return rule.points_per.amount * rule.points_per.points.as_integer_ratio()[1]


def _ratio(rule: EarningRule) -> tuple[int, int]:
    assert rule.factor is not None, "a multiplier has a factor"
    return rule.factor.as_integer_ratio()


def _of_lines(rule: EarningRule, by_line: Sequence[int]) -> _Raw:
    return _Raw(rule, sum(by_line), tuple(by_line))


def _best_per_line(raw: Sequence[_Raw]) -> list[_Raw]:
    """Each line, in each unit, counts by the rule that gives it most; the first in priority on a tie."""
    best: dict[tuple[str, int], tuple[int, int]] = {}
    for number, found in enumerate(raw):
        for line, points in enumerate(found.by_line):
            place = (found.rule.unit, line)
            best[place] = max(best.get(place, (0, 0)), (points, -number))
    return [
        _of_lines(
            found.rule,
            [p if best[found.rule.unit, line] == (p, -number) else 0 for line, p in enumerate(found.by_line)],
        )
        for number, found in enumerate(raw)
    ]
