"""How much rules give: what gives nothing, what gives back more than was paid, and amounts that forget the cents."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from loyalty.core.findings import Finding, error, warning
from loyalty.core.money import EXPONENTS, written
from loyalty.earning.checks.proposal import Proposal
from loyalty.earning.rules import EarningRule
from loyalty.programs.domain import POINTS, Program

# Programs give back between one and ten percent; half the price is a mistake in the amount.
TOO_MUCH = Fraction(1, 2)
# A bonus worth what a hundred orders of 100.00 earn.
ORDERS, OF_MAJOR_UNITS = 100, 100


def find(proposal: Proposal) -> Iterator[Finding]:
    """What is to be said of how much each rule gives."""
    if not proposal.rules:
        yield warning("no-rules", "Without any rule nothing earns points. Add a base rule.", "rules")
    with_base = {rule.unit for rule in proposal.rules if rule.kind == "base"}
    dearest = _dearest(proposal.rules)
    for number, rule in enumerate(proposal.rules):
        if rule.kind == "multiplier" and rule.unit not in with_base:
            detail = (
                f"It multiplies what base rules give, and there is none in '{rule.unit}'. Add one, or take this away."
            )
            yield error("no-base", detail, "rules", number)
        if rule.factor == Decimal(1):
            detail = "A factor of 1 changes nothing. Two times the points is a factor of 2."
            yield warning("idle-factor", detail, "rules", number, "factor")
        yield from _minor_units(number, rule, proposal.program)
        yield from _out_of_proportion(number, rule, dearest.get(rule.unit), proposal.program)
        if rule.activity is not None and rule.activation is not None and rule.activation.mode == "on_event":
            detail = (
                "An activity has nothing to confirm, so its points come at once. Leave activation out, or delay it."
            )
            yield warning("nothing-to-confirm", detail, "rules", number, "activation")


def _minor_units(number: int, rule: EarningRule, program: Program) -> Iterator[Finding]:
    """Amounts are in cents: whoever writes 1 for a euro gives a hundred times as much."""
    major = 10 ** EXPONENTS.get(program.currency, 2)
    said = f"Amounts are minor units: {major} is {written(major, program.currency)}." if major > 1 else ""
    if rule.points_per is not None and rule.unit == POINTS:
        back = Fraction(rule.points_per.points) * program.pay.amount / program.pay.points / rule.points_per.amount
        if back >= TOO_MUCH:
            detail = f"Paid with, these points give back {round(back * 100)}% of the price."
            yield warning("gives-too-much", f"{detail} {said}".strip(), "rules", number, "points_per")
    if 0 < rule.min_basis < major:
        detail = f"{rule.min_basis} is {written(rule.min_basis, program.currency)}. {said}"
        yield warning("minor-units", f"{detail} Did you mean {rule.min_basis * major}?", "rules", number, "min_basis")


def _dearest(rules: tuple[EarningRule, ...]) -> dict[str, EarningRule]:
    """The base rule of each unit that gives most."""
    found: dict[str, EarningRule] = {}
    for rule in rules:
        if rule.points_per is not None and (rule.unit not in found or _rate(rule) > _rate(found[rule.unit])):
            found[rule.unit] = rule
    return found


def _rate(rule: EarningRule) -> Fraction:
    assert rule.points_per is not None, "only rules that give points per amount have a rate"
    return Fraction(rule.points_per.points) / rule.points_per.amount


def _out_of_proportion(number: int, rule: EarningRule, base: EarningRule | None, program: Program) -> Iterator[Finding]:
    """A bonus that years of purchases would not earn."""
    if rule.points is None or base is None:
        return
    purchases = int(rule.points / _rate(base))
    if purchases > ORDERS * OF_MAJOR_UNITS * 10 ** EXPONENTS.get(program.currency, 2):
        detail = f"{rule.points} points are what purchases of {written(purchases, program.currency)} earn by the rule"
        yield warning("out-of-proportion", f"{detail} '{base.code}'. Check the points.", "rules", number, "points")
