"""What holds for any order, any rules of any kind and any member."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from loyalty.earning.caps import room
from loyalty.earning.domain import Count, Facts, OfferTerms, Purchase
from loyalty.earning.explaining import refusals
from loyalty.earning.offering import offer_rules
from loyalty.earning.records import Judged, judged_from
from loyalty.earning.rules import Caps, EarningRule, Milestone, RuleSet
from loyalty.earning.situation import Situation
from loyalty.earning.worth import worth
from loyalty.programs.domain import Program, Stacking
from loyalty.rules.history import History, Purchases, Sums
from tests.builders import NOW, a_rule
from tests.earning.test_domain import a_scheme
from tests.earning.test_domain_properties import earn_settings, orders, rule_sets

CONDITIONS = [
    None, "order.basis > 300", "line.quantity >= 2", "history.orders == 0", "member.age >= 18", "order.total / 0 == 1",
    'history.categories["food"].orders < 3', "line.category.startsWith('food')",
]  # fmt: skip

schemes = st.builds(
    lambda earn, rounding, base, multiplier: a_scheme(
        earn=earn, rounding=rounding, stacking=Stacking(base=base, multiplier=multiplier)
    ),
    earn_settings,
    st.sampled_from(["floor", "half_up", "ceil"]),
    st.sampled_from(["sum", "best"]),
    st.sampled_from(["product", "best"]),
)
caps = st.builds(
    Caps,
    st.none() | st.integers(1, 40),
    st.sampled_from([(), (("month", 30),), (("ever", 50), ("day", 5))]),
    st.none() | st.integers(1, 100),
)
offers = st.builds(
    lambda number, kind, value, days, categories, min_basis, budget: OfferTerms(
        assignment_id=UUID(int=number), code=f"o{number}", version=3, kind=kind,
        value=Decimal(value) if kind == "bonus_points" else Decimal(value).scaleb(-1), begins=NOW - timedelta(days=9),
        ends=NOW + timedelta(days=days), categories=categories, min_basis=min_basis, budget=budget,
    ),
    st.integers(0, 99), st.sampled_from(["bonus_points", "multiplier"]), st.integers(11, 50), st.integers(-3, 3),
    st.sampled_from([(), ("food",), ("other",)]), st.integers(0, 400), st.none() | st.integers(1, 100),
)  # fmt: skip
members = st.builds(
    lambda number, used, left, held: Facts(
        offers=tuple(held),
        history=History(Purchases(Sums(number, number, number * 100))),
        counts={("m0", "2026-03"): Count(used, 1, NOW), ("b1", "ever"): Count(used, 1, NOW)},
        budgets={"m1": left, "b0": left, **{f"offer:{terms.code}": left for terms in held}},
    ),
    st.integers(0, 5),
    st.integers(0, 40),
    st.integers(0, 20),
    st.lists(offers, max_size=3, unique_by=lambda terms: terms.code),
)


@st.composite
def mixed_rules(draw: st.DrawFn) -> RuleSet:
    """Base rules, multipliers and bonuses, some of them capped, limited or conditional."""
    made: list[EarningRule] = draw(rule_sets())
    for number in range(draw(st.integers(0, 3))):
        factor = Decimal(draw(st.integers(100, 500))).scaleb(-2)
        made.append(_rule(draw, f"m{number}", 100 + number, kind="multiplier", factor=factor))
    for number in range(draw(st.integers(0, 3))):
        milestone = draw(st.sampled_from([None, Milestone(first=1), Milestone(every=2)]))
        made.append(
            _rule(draw, f"b{number}", 200 + number, kind="bonus", points=draw(st.integers(1, 50)), milestone=milestone)
        )
    return RuleSet(1, tuple(made))


def _rule(draw: st.DrawFn, code: str, priority: int, **given: Any) -> EarningRule:
    when = draw(st.sampled_from(CONDITIONS))
    if given["kind"] == "bonus" and when and "line." in when:
        when = None
    categories = draw(st.sampled_from([(), (), ("food",), ("other",)]))
    return a_rule(code, priority=priority, when=when, caps=draw(caps), categories=categories, **given)


@given(orders(), mixed_rules(), schemes, members)
@settings(max_examples=120)
def test_nothing_is_negative_and_every_split_is_exact(order: Purchase, rules: RuleSet, program: Program, facts: Facts):
    judgement = worth(order, rules, program, facts)

    for award in judgement.awards:
        assert award.points > 0
        assert sum(points for _, points in award.lines) == award.points
        assert all(points > 0 for _, points in award.lines)


@given(orders(), mixed_rules(), schemes, members)
@settings(max_examples=120)
def test_no_award_is_above_its_cap(order: Purchase, rules: RuleSet, program: Program, facts: Facts):
    local = Situation(order, rules, program, facts).local

    for award in worth(order, rules, program, facts).awards:
        offered = {rule.code: rule for rule in offer_rules(facts)}
        tightest = room({**rules.by_code, **offered}[award.rule_code], facts, local)
        assert tightest is None or award.points <= tightest[0]
        assert award.cut is None or (tightest is not None and award.cut.room == tightest[0])


@given(orders(), mixed_rules(), schemes, members, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_the_order_of_lines_and_rules_changes_nothing(
    order: Purchase, rules: RuleSet, program: Program, facts: Facts, chance: Any
):
    lines, shuffled = list(order.lines), list(rules.rules)
    chance.shuffle(lines)
    chance.shuffle(shuffled)
    other = type(order)(**{**{n: getattr(order, n) for n in order.__dataclass_fields__}, "lines": tuple(lines)})

    before, after = worth(order, rules, program, facts), worth(other, RuleSet(1, tuple(shuffled)), program, facts)

    assert {(a.rule_code, a.points, frozenset(a.lines)) for a in before.awards} == {
        (a.rule_code, a.points, frozenset(a.lines)) for a in after.awards
    }
    assert before.refused == after.refused


@given(orders(), mixed_rules(), schemes, members)
@settings(max_examples=100)
def test_what_is_kept_with_an_order_judges_it_again_alike_and_explains_it(
    order: Purchase, rules: RuleSet, program: Program, facts: Facts
):
    judgement = worth(order, rules, program, facts)

    kept = judged_from(Judged(1, 1, facts).document())

    assert kept is not None
    assert worth(order, rules, program, kept.facts) == judgement
    told = refusals(order, rules, program, kept.facts, judgement)
    assert {each["rule"]["code"]: each["condition"] for each in told} == judgement.refused
    assert all(each["detail"].endswith(".") for each in told)
