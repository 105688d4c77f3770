"""What holds for any order, any rules and any settings."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from loyalty.core.categories import lineage
from loyalty.earning.domain import Award, Line, Purchase
from loyalty.earning.rules import EarningRule, PointsPer
from loyalty.programs.domain import EarnSettings, Program, Stacking
from tests.builders import a_rule, an_order
from tests.earning.test_domain import a_scheme, basis_of, worth

SKUS = ["A", "B", "C"]
CATEGORIES = ["food", "food > fruit", "other"]

some = {"max_size": 2, "unique": True}
skus = st.lists(st.sampled_from(SKUS), **some).map(tuple)
categories = st.lists(st.sampled_from(CATEGORIES), **some).map(tuple)
rates = st.integers(1, 5_000_000).map(lambda millionths: Decimal(millionths).scaleb(-6))

earn_settings = st.builds(
    EarnSettings, st.sampled_from(["included", "excluded", "added"]), st.booleans(), st.booleans()
)
schemes = st.builds(
    lambda earn, rounding, base: a_scheme(earn=earn, rounding=rounding, stacking=Stacking(base=base)),
    earn_settings,
    st.sampled_from(["floor", "half_up", "ceil"]),
    st.sampled_from(["sum", "best"]),
)


@st.composite
def lines(draw: st.DrawFn) -> tuple[Line, ...]:
    made = []
    for number in range(draw(st.integers(1, 5))):
        quantity, unit_price = draw(st.integers(1, 4)), draw(st.integers(0, 500))
        made.append(
            Line(
                line_id=str(number),
                sku=draw(st.sampled_from(SKUS)),
                category=draw(st.sampled_from([None, *CATEGORIES])),
                quantity=quantity,
                unit_price=unit_price,
                discount=draw(st.integers(0, quantity * unit_price)),
                tax=draw(st.integers(0, 100)),
            )
        )
    return tuple(made)


@st.composite
def orders(draw: st.DrawFn) -> Purchase:
    bought = draw(lines())
    net = sum(line.net for line in bought)
    discount, shipping = draw(st.integers(0, net)), draw(st.integers(0, 500))
    paid = draw(st.integers(0, net - discount + shipping))
    return an_order(*bought, discount=discount, shipping=shipping, points_paid=paid)


@st.composite
def rule_sets(draw: st.DrawFn) -> list[EarningRule]:
    made = []
    for number in range(draw(st.integers(1, 4))):
        how: dict[str, Any] = {"points_per": PointsPer(draw(st.integers(1, 1000)), draw(rates))}
        if draw(st.integers(0, 3)) == 0:
            how = {"points_per_unit": draw(st.integers(1, 10)), "points_per": None}
        filters = {
            "skus": draw(skus),
            "categories": draw(categories),
            "exclude_skus": draw(skus),
            "exclude_categories": draw(categories),
            "min_basis": draw(st.sampled_from([0, 0, 1, 500])),
        }
        made.append(replace(a_rule(f"r{number}", priority=number, **filters), **how))
    return made


def total(awards: list[Award]) -> int:
    return sum(award.points for award in awards)


@settings(deadline=None)
@given(orders(), rule_sets(), schemes)
def test_no_award_is_negative_and_none_is_empty(order: Purchase, rules: list[EarningRule], program: Program):
    for award in worth(order, rules, program):
        assert award.points > 0
        assert all(points > 0 for _, points in award.lines)


@settings(deadline=None)
@given(orders(), rule_sets(), schemes)
def test_the_lines_of_an_award_sum_to_the_award(order: Purchase, rules: list[EarningRule], program: Program):
    for award in worth(order, rules, program):
        assert sum(points for _, points in award.lines) == award.points
        assert {line_id for line_id, _ in award.lines} <= {line.line_id for line in order.lines}


@settings(deadline=None)
@given(orders(), rule_sets(), schemes)
def test_the_awards_sum_to_the_exact_points_rounded_once(order: Purchase, rules: list[EarningRule], program: Program):
    exact = exact_points(order, rules, program)

    rounded = {"floor": floor(exact), "half_up": floor(exact + Fraction(1, 2)), "ceil": ceil(exact)}
    assert total(worth(order, rules, program)) == rounded[program.rounding]


@settings(deadline=None)
@given(orders(), rule_sets(), schemes)
def test_rounding_down_never_earns_more_than_half_up_and_half_up_never_more_than_up(
    order: Purchase, rules: list[EarningRule], program: Program
):
    down, half, up = (total(worth(order, rules, replace(program, rounding=r))) for r in ("floor", "half_up", "ceil"))

    assert down <= half <= up <= down + 1


@settings(deadline=None)
@given(orders(), rule_sets(), schemes, st.randoms(use_true_random=False))
@example(
    an_order(Line(line_id="1", sku="A", unit_price=100), Line(line_id="2", sku="B", unit_price=100), discount=1),
    [a_rule(amount=1, skus=("A",))],
    a_scheme(),
    None,
)
def test_the_order_of_the_lines_changes_no_award(
    order: Purchase, rules: list[EarningRule], program: Program, dice: Any
):
    shuffled = list(order.lines)
    dice.shuffle(shuffled) if dice else shuffled.reverse()

    awards = worth(replace(order, lines=tuple(shuffled)), rules, program)

    assert [(a.rule_code, a.points) for a in awards] == [(a.rule_code, a.points) for a in worth(order, rules, program)]


@settings(deadline=None)
@given(orders(), rule_sets(), schemes, st.randoms(use_true_random=False))
def test_the_order_in_which_rules_are_listed_changes_nothing(
    order: Purchase, rules: list[EarningRule], program: Program, dice: Any
):
    shuffled = list(rules)
    dice.shuffle(shuffled)

    assert worth(order, shuffled, program) == worth(order, rules, program)


@settings(deadline=None)
@given(lines(), rule_sets(), schemes, st.integers(0, 5))
def test_splitting_an_order_never_earns_more_when_points_are_rounded_down(
    bought: tuple[Line, ...], rules: list[EarningRule], program: Program, cut: int
):
    assume(0 < cut < len(bought))
    down = replace(program, rounding="floor")

    first, second = (total(worth(an_order(*part), rules, down)) for part in (bought[:cut], bought[cut:]))

    assert first + second <= total(worth(an_order(*bought), rules, down))


@settings(deadline=None)
@given(orders(), earn_settings)
@example(
    an_order(*(Line(line_id=str(n), sku="A", unit_price=1) for n in range(4)), discount=2, points_paid=2),
    EarnSettings(),
)
def test_the_lines_earn_on_what_was_paid_in_money(order: Purchase, earn: EarnSettings):
    bases = basis_of(order, replace(earn, tax="included"))

    paid = sum(line.net for line in order.lines) - order.discount
    paid += order.shipping if earn.shipping else 0
    paid -= 0 if earn.points_paid else order.points_paid
    assert all(basis >= 0 for basis in bases)
    assert sum(bases) == max(0, paid)


def exact_points(order: Purchase, rules: list[EarningRule], program: Program) -> Fraction:
    """The same by another way: fractions, line by line, without a common denominator."""
    bases = basis_of(order, program.earn)
    by_line: list[list[Fraction]] = [[] for _ in order.lines]
    for rule in rules:
        covered = [
            rule.covers(line.sku, lineage(line.category)) and basis > 0
            for line, basis in zip(order.lines, bases, strict=True)
        ]
        if not sum(basis for basis, covers in zip(bases, covered, strict=True) if covers) >= max(1, rule.min_basis):
            continue
        for number, line in enumerate(order.lines):
            if covered[number]:
                per = rule.points_per
                rate = Fraction(per.points) / per.amount * bases[number] if per else Fraction(rule.points_per_unit or 0)
                by_line[number].append(rate if per else rate * line.quantity * bool(line.net))
    best = program.stacking.base == "best"
    return sum((max(found, default=Fraction(0)) if best else sum(found, Fraction(0)) for found in by_line), Fraction(0))
