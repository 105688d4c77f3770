"""What a purchase is worth: a pure function of the purchase, the rules in force and the program's settings.

The pipeline of `docs/concepts.md`: the basis of each line, base rules per line, one rounding per order and unit, and
the rounded total split back to awards and lines by largest remainder. Raw points are integers over one common
denominator, so nothing is lost before the one rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm
from typing import assert_never

from loyalty.core import money
from loyalty.core.apportion import apportion
from loyalty.earning.domain import Award, EarningRule, Line, Purchase
from loyalty.programs.domain import EarnSettings, Program, Rounding
from loyalty.programs.terms import dates_of


@dataclass(frozen=True, slots=True)
class _Raw:
    """Unrounded points of one rule: numerators by line, over the order's common denominator."""

    rule: EarningRule
    by_line: tuple[int, ...]


def worth(purchase: Purchase, rules: Sequence[EarningRule], program: Program) -> list[Award]:
    """The awards of a purchase, in the rules' order of priority; awards of no points are left out."""
    bases = basis_of(purchase, program.earn)
    open_rules = [rule for rule in sorted(rules, key=lambda r: r.priority) if rule.is_open(purchase)]
    scale = lcm(1, *(_denominator(rule) for rule in open_rules))
    raw = [found for rule in open_rules if (found := _raw_points(rule, purchase.lines, bases, scale))]
    if program.stacking.base == "best":
        raw = _best_per_line(raw)
    awards: list[Award] = []
    for unit in dict.fromkeys(found.rule.unit for found in raw):
        of_unit = [found for found in raw if found.rule.unit == unit]
        total = round_once(sum(sum(found.by_line) for found in of_unit), scale, program.rounding)
        shares = apportion(total, [sum(found.by_line) for found in of_unit])
        awards += [
            _award(found, points, purchase, program) for found, points in zip(of_unit, shares, strict=True) if points
        ]
    return awards


def basis_of(purchase: Purchase, settings: EarnSettings) -> list[int]:
    """The amount each line earns on, in minor units.

    quantity x unit price - line discount - its share of the order's discount, with tax and points paid as the
    settings say. The discount, and shipping if it earns, are shared by what the lines cost; points paid by what was
    left to pay. Shares are by largest remainder.
    """
    lines = purchase.lines
    nets = [line.net for line in lines]
    costs = nets
    if purchase.discount:
        costs = [c - share for c, share in zip(costs, _shares(purchase.discount, nets, lines), strict=True)]
    if settings.shipping and purchase.shipping:
        costs = [c + share for c, share in zip(costs, _shares(purchase.shipping, nets, lines), strict=True)]
    bases = costs
    if settings.tax == "excluded":
        bases = [b - line.tax for b, line in zip(bases, lines, strict=True)]
    elif settings.tax == "added":
        bases = [b + line.tax for b, line in zip(bases, lines, strict=True)]
    if purchase.points_paid and not settings.points_paid:
        bases = [b - share for b, share in zip(bases, _shares(purchase.points_paid, costs, lines), strict=True)]
    return [max(0, basis) for basis in bases]


def _shares(amount: int, weights: list[int], lines: Sequence[Line]) -> list[int]:
    """`amount` over the lines; a tie goes to the smaller line_id, so the order of the lines changes no award."""
    by_id = sorted(range(len(lines)), key=lambda i: lines[i].line_id)
    shares = dict(zip(by_id, apportion(amount, [weights[i] for i in by_id]), strict=True))
    return [shares[i] for i in range(len(lines))]


def round_once(numerator: int, denominator: int, rounding: Rounding) -> int:
    """Numerator / denominator as a whole number, half up or to the floor or ceiling."""
    match rounding:
        case "floor":
            return numerator // denominator
        case "half_up":
            return (2 * numerator + denominator) // (2 * denominator)
        case "ceil":
            return -(-numerator // denominator)
        case _:
            assert_never(rounding)


def _denominator(rule: EarningRule) -> int:
    if rule.points_per is None:
        return 1
    return rule.points_per.amount * rule.points_per.points.as_integer_ratio()[1]


def _raw_points(rule: EarningRule, lines: tuple[Line, ...], bases: list[int], scale: int) -> _Raw | None:
    matched = [rule.matches(line) and basis > 0 for line, basis in zip(lines, bases, strict=True)]
    if sum(basis for basis, match in zip(bases, matched, strict=True) if match) < max(rule.min_basis, 1):
        return None
    if rule.points_per is not None:
        points, parts = rule.points_per.points.as_integer_ratio()
        factor = points * (scale // (rule.points_per.amount * parts))
        by_line = tuple(basis * factor if match else 0 for basis, match in zip(bases, matched, strict=True))
    else:
        factor = (rule.points_per_unit or 0) * scale
        # Shipping may earn on a line that was free; its units were free all the same.
        by_line = tuple(
            line.quantity * factor if match and line.net else 0 for line, match in zip(lines, matched, strict=True)
        )
    return _Raw(rule, by_line)


def _best_per_line(raw: list[_Raw]) -> list[_Raw]:
    """Each line, in each unit, counts by the rule that gives it most; the first in priority on a tie."""
    kept = []
    for number, found in enumerate(raw):
        rivals = [(n, other) for n, other in enumerate(raw) if n != number and other.rule.unit == found.rule.unit]
        by_line = tuple(
            0 if any((o.by_line[i], -n) > (points, -number) for n, o in rivals) else points
            for i, points in enumerate(found.by_line)
        )
        if any(by_line):
            kept.append(_Raw(found.rule, by_line))
    return kept


def _award(found: _Raw, points: int, purchase: Purchase, program: Program) -> Award:
    rule = found.rule
    # The expiry of a member's tier would stand between the rule's own and the unit's.
    terms = program.units[rule.unit]
    activation, expiry = rule.activation or terms.activation, rule.expiry or terms.expiry
    split = apportion(points, found.by_line)
    return Award(
        rule_code=rule.code,
        rule_version=rule.version,
        unit=rule.unit,
        points=points,
        lines=tuple((line.line_id, part) for line, part in zip(purchase.lines, split, strict=True) if part),
        reason=reason_of(rule, program.currency),
        dates=dates_of(activation, expiry, purchase.placed_at, program.time_zone),
    )


def reason_of(rule: EarningRule, currency: str) -> str:
    """The rule in a few words: `1 per 1.00 EUR`, `5 per unit bought`."""
    if rule.points_per is not None:
        return f"{rule.points_per.points.normalize():f} per {money.written(rule.points_per.amount, currency)}"
    return f"{rule.points_per_unit} per unit bought"
