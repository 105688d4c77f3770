"""What an order earns: the worked cases, and a table of orders, rules and awards."""

from datetime import timedelta
from typing import Any

import pytest

from loyalty.earning.basis import basis_of as basis_of_lines
from loyalty.earning.domain import Award, Line, Purchase
from loyalty.earning.reasons import reason_of
from loyalty.earning.rules import EarningRule, RuleSet
from loyalty.earning.storing import rule_from
from loyalty.earning.worth import worth as judge
from loyalty.programs.domain import EarnSettings, Program, Rounding, Stacking, UnitTerms
from loyalty.programs.terms import Activation, Dates, Expiry
from tests.builders import NOW, a_line, a_rule, an_order, new_id


def a_scheme(**given: Any) -> Program:
    """A program as a value, without a database."""
    named = {"code": "p", "name": "P", "currency": "EUR", "time_zone": "Europe/Warsaw", "locale": "en"}
    return Program(program_id=new_id(), sandbox=False, version=1, config_version=1, **{**named, **given})


def worth(order: Purchase, rules: list[EarningRule], program: Program) -> list[Award]:
    """What an order earns by a set of rules."""
    return list(judge(order, RuleSet(1, tuple(rules)), program).awards)


def basis_of(order: Purchase, settings: EarnSettings) -> list[int]:
    return basis_of_lines(order, order.lines, settings)


def points(awards: list[Award]) -> dict[str, int]:
    return {award.rule_code: award.points for award in awards}


def food(unit_price: int = 1000, **given: Any) -> Line:
    return a_line(unit_price, **{"line_id": "food", "sku": "F", "category": "food", **given})


def other(unit_price: int = 1000, **given: Any) -> Line:
    return a_line(unit_price, **{"line_id": "other", "sku": "O", "category": "other", **given})


# The worked cases


@pytest.mark.parametrize(
    ("rate", "rounding", "earned"),
    [("1", "floor", 19), ("1.5", "floor", 29), ("1.5", "half_up", 30), ("1.5", "ceil", 30)],
)
def test_a_basket_of_19_99_is_rounded_once(rate: str, rounding: Rounding, earned: int):
    awards = worth(an_order(a_line(1999)), [a_rule(points=rate)], a_scheme(rounding=rounding))

    assert points(awards) == {"base": earned}


def test_one_per_ten_on_105_earns_ten():
    assert points(worth(an_order(a_line(10_500)), [a_rule(amount=1000)], a_scheme())) == {"base": 10}


def test_three_lines_of_3_50_earn_ten_split_four_three_three():
    lines = [a_line(350, line_id=line_id) for line_id in ("1", "2", "3")]

    award = worth(an_order(*lines), [a_rule()], a_scheme())[0]

    assert award.points == 10
    assert award.lines == (("1", 4), ("2", 3), ("3", 3))


def test_an_automatic_discount_of_ten_percent_is_taken_off_before_anything_is_earned():
    order = an_order(a_line(10_000), discount=1000)

    assert basis_of(order, EarnSettings()) == [9000]
    assert points(worth(order, [a_rule()], a_scheme())) == {"base": 90}


def test_a_rule_on_food_sees_only_the_share_of_the_discount_that_falls_on_food():
    order = an_order(food(10_000), other(5000), discount=1500)

    assert basis_of(order, EarnSettings()) == [9000, 4500]
    assert points(worth(order, [a_rule(categories=("food",))], a_scheme())) == {"base": 90}


def test_sixty_points_on_items_of_50_and_20_less_10_are_split_by_their_exact_shares():
    order = an_order(food(5000), other(2000), discount=1000)

    award = worth(order, [a_rule()], a_scheme())[0]

    assert award.points == 60
    assert award.lines == (("food", 43), ("other", 17))


# Order, rules, awards

A_DAY = timedelta(days=1)

FILTERS = [
    pytest.param(an_order(food(), other()), [a_rule()], {"base": 20}, id="no-filter-matches-every-line"),
    pytest.param(an_order(food(), other()), [a_rule(categories=("food",))], {"base": 10}, id="a-category"),
    pytest.param(an_order(food(), other()), [a_rule(skus=("O",))], {"base": 10}, id="a-sku"),
    pytest.param(
        an_order(food(), other(), a_line(500, sku="X")),
        [a_rule(skus=("O",), categories=("food",))],
        {"base": 20},
        id="skus-and-categories-add-up",
    ),
    pytest.param(
        an_order(food(), other()), [a_rule(exclude_categories=("other",))], {"base": 10}, id="an-excluded-category"
    ),
    pytest.param(an_order(food(), other()), [a_rule(exclude_skus=("F",))], {"base": 10}, id="an-excluded-sku"),
    pytest.param(
        an_order(food(), other()),
        [a_rule(skus=("F",), exclude_categories=("food",))],
        {},
        id="what-is-excluded-stays-out-even-when-it-is-named",
    ),
    pytest.param(an_order(a_line(1000)), [a_rule(categories=("food",))], {}, id="a-line-without-a-category-is-in-none"),
    pytest.param(
        an_order(a_line(1000)), [a_rule(exclude_categories=("food",))], {"base": 10}, id="nor-is-it-excluded-by-one"
    ),
    pytest.param(
        an_order(food(category="food > fruit > apples")),
        [a_rule(categories=("food",))],
        {"base": 10},
        id="a-category-covers-all-below-it",
    ),
    pytest.param(
        an_order(food(category="food")), [a_rule(categories=("food > fruit",))], {}, id="but-nothing-above-it"
    ),
    pytest.param(
        an_order(food(category="foodstuff")), [a_rule(categories=("food",))], {}, id="and-no-category-that-begins-alike"
    ),
    pytest.param(
        an_order(food(category="food > fruit"), other(category="food > bread")),
        [a_rule(categories=("food",), exclude_categories=("food > fruit",))],
        {"base": 10},
        id="an-exclusion-cuts-out-a-branch",
    ),
    pytest.param(an_order(food(), channel="web"), [a_rule(channels=("web", "app"))], {"base": 10}, id="a-channel"),
    pytest.param(an_order(food(), channel="till"), [a_rule(channels=("web", "app"))], {}, id="another-channel"),
    pytest.param(an_order(food()), [a_rule(channels=("web",))], {}, id="an-order-without-a-channel-is-in-none"),
    pytest.param(an_order(food()), [a_rule(valid_from=NOW)], {"base": 10}, id="from-its-first-instant"),
    pytest.param(an_order(food()), [a_rule(valid_from=NOW + A_DAY)], {}, id="not-before-it"),
    pytest.param(an_order(food()), [a_rule(valid_to=NOW + A_DAY)], {"base": 10}, id="until-it-ends"),
    pytest.param(an_order(food()), [a_rule(valid_to=NOW)], {}, id="not-at-the-instant-of-its-end"),
    pytest.param(an_order(food()), [a_rule(min_basis=1000)], {"base": 10}, id="the-minimum-is-reached"),
    pytest.param(an_order(food()), [a_rule(min_basis=1001)], {}, id="the-minimum-is-missed-by-a-cent"),
    pytest.param(
        an_order(food(), other()),
        [a_rule(min_basis=1500, categories=("food",))],
        {},
        id="only-what-matches-counts-towards-the-minimum",
    ),
    pytest.param(
        an_order(food(), other(), discount=200),
        [a_rule(min_basis=1801)],
        {},
        id="the-minimum-is-of-the-basis-and-not-of-the-price",
    ),
]


@pytest.mark.parametrize(("order", "rules", "awards"), FILTERS)
def test_a_rule_covers_what_it_names(order: Purchase, rules: list[EarningRule], awards: dict[str, int]):
    assert points(worth(order, rules, a_scheme())) == awards


AMOUNTS = [
    pytest.param(an_order(food(333, quantity=3)), {}, 9, id="quantity-times-price"),
    pytest.param(an_order(food(1000, discount=101)), {}, 8, id="less-the-discount-of-the-line"),
    pytest.param(an_order(food(1000, discount=1000)), {}, 0, id="a-free-line-earns-nothing"),
    pytest.param(an_order(food(1000), shipping=490), {}, 10, id="shipping-earns-nothing"),
    pytest.param(an_order(food(1000), shipping=490), {"shipping": True}, 14, id="unless-the-program-says-so"),
    pytest.param(an_order(food(1230, tax=230)), {}, 12, id="tax-is-part-of-the-price"),
    pytest.param(an_order(food(1230, tax=230)), {"tax": "excluded"}, 10, id="or-taken-off"),
    pytest.param(an_order(food(1000, tax=230)), {"tax": "added"}, 12, id="or-put-on-top"),
    pytest.param(an_order(food(100, tax=500)), {"tax": "excluded"}, 0, id="but-never-below-nothing"),
    pytest.param(an_order(food(1000), points_paid=400), {}, 6, id="what-is-paid-with-points-earns-nothing"),
    pytest.param(
        an_order(food(1000), points_paid=400), {"points_paid": True}, 10, id="unless-the-program-says-so-as-well"
    ),
    pytest.param(an_order(food(1000), points_paid=1000), {}, 0, id="all-of-it-paid-with-points"),
    pytest.param(
        an_order(food(1000), shipping=500, points_paid=1500), {}, 0, id="also-where-points-paid-for-the-shipping"
    ),
    pytest.param(
        an_order(food(1230, tax=230, discount=130), shipping=500, points_paid=300, discount=100),
        {"tax": "excluded", "shipping": True},
        9,  # 12.30 - 1.30 - 1.00 - 2.30 + 5.00 - 3.00 = 9.70
        id="everything-at-once",
    ),
]


@pytest.mark.parametrize(("order", "settings", "earned"), AMOUNTS)
def test_a_line_earns_on_its_basis(order: Purchase, settings: dict[str, Any], earned: int):
    program = a_scheme(earn=EarnSettings(**settings))

    assert sum(points(worth(order, [a_rule()], program)).values()) == earned


TOGETHER = [
    pytest.param(
        an_order(food()), [a_rule("a"), a_rule("b", points="2")], "sum", {"a": 10, "b": 20}, id="base-rules-add-up"
    ),
    pytest.param(
        an_order(food()), [a_rule("a"), a_rule("b", points="2")], "best", {"b": 20}, id="or-the-best-of-them-counts"
    ),
    pytest.param(
        an_order(food(), other()),
        [a_rule("a"), a_rule("b", points="2", skus=("F",))],
        "best",
        {"a": 10, "b": 20},
        id="the-best-is-found-line-by-line",
    ),
    pytest.param(
        an_order(food()),
        [a_rule("second", priority=2), a_rule("first", priority=1)],
        "best",
        {"first": 10},
        id="among-equals-the-first-in-priority",
    ),
    pytest.param(
        an_order(food(150)), [a_rule("a"), a_rule("b")], "sum", {"a": 2, "b": 1}, id="two-rules-share-one-rounding"
    ),
    pytest.param(
        an_order(food(150)),
        [a_rule("a", points="0.25"), a_rule("b")],
        "sum",
        {"b": 1},
        id="an-award-of-no-points-is-none",
    ),
    pytest.param(
        an_order(food(333, quantity=3)),
        [a_rule("per-unit", points_per_unit=5)],
        "sum",
        {"per-unit": 15},
        id="points-per-unit-bought",
    ),
    pytest.param(
        an_order(food(quantity=2), other(quantity=3, discount=3000)),
        [a_rule("per-unit", points_per_unit=5)],
        "sum",
        {"per-unit": 10},
        id="but-not-for-units-that-were-free",
    ),
    pytest.param(
        an_order(food(), other(1), discount=1000),
        [a_rule("per-unit", points_per_unit=5)],
        "sum",
        {"per-unit": 5},
        id="nor-for-those-that-the-discount-of-the-order-made-free",
    ),
    pytest.param(
        an_order(food(170)),
        [a_rule("money"), a_rule("unit", points_per_unit=1)],
        "best",
        {"money": 1},
        id="money-and-units-compare-before-the-rounding",
    ),
    pytest.param(
        an_order(food(0)), [a_rule("a"), a_rule("b", points_per_unit=1)], "sum", {}, id="a-gift-earns-nothing"
    ),
    pytest.param(an_order(food()), [], "sum", {}, id="without-rules-nothing-is-earned"),
]


@pytest.mark.parametrize(("order", "rules", "stacking", "awards"), TOGETHER)
def test_rules_earn_together(order: Purchase, rules: list[EarningRule], stacking: Any, awards: dict[str, int]):
    assert points(worth(order, rules, a_scheme(stacking=Stacking(base=stacking)))) == awards


@pytest.mark.parametrize("stacking", ["sum", "best"])
def test_every_unit_is_stacked_and_rounded_by_itself(stacking: Any):
    terms = UnitTerms()
    program = a_scheme(units={"points": terms, "miles": terms}, stacking=Stacking(base=stacking))
    rules = [a_rule("points"), a_rule("miles", unit="miles", points="2.5")]

    assert points(worth(an_order(food(150)), rules, program)) == {"points": 1, "miles": 3}


def test_the_shipping_of_a_gift_may_earn_but_the_gift_does_not():
    program = a_scheme(earn=EarnSettings(shipping=True))
    rules = [a_rule("money"), a_rule("unit", points_per_unit=50)]

    assert points(worth(an_order(food(0), shipping=500), rules, program)) == {"money": 5}


@pytest.mark.parametrize(
    ("rounding", "earned"), [("floor", [0, 1, 1, 2]), ("half_up", [0, 2, 2, 2]), ("ceil", [1, 2, 2, 2])]
)
def test_a_half_goes_down_up_or_to_the_nearest(rounding: Rounding, earned: list[int]):
    totals = [worth(an_order(a_line(p)), [a_rule()], a_scheme(rounding=rounding)) for p in (1, 150, 199, 200)]

    assert [sum(points(awards).values()) for awards in totals] == earned


def test_awards_stand_in_the_order_of_priority():
    rules = [a_rule("late", priority=30), a_rule("early", priority=10), a_rule("middle", priority=20)]

    assert list(points(worth(an_order(food()), rules, a_scheme()))) == ["early", "middle", "late"]


def test_an_award_names_the_rule_its_version_and_the_reason():
    award = worth(an_order(food()), [a_rule("beans", points="2.50", amount=1000, version=7)], a_scheme())[0]

    assert (award.rule_code, award.rule_version, award.unit) == ("beans", 7, "points")
    assert award.reason == "2.5 per 10.00 EUR"


def test_a_rule_says_what_it_gives_in_a_few_words():
    assert reason_of(a_rule(points="10"), "EUR") == "10 per 1.00 EUR"
    assert reason_of(a_rule(points="0.000001", amount=1), "JPY") == "0.000001 per 1 JPY"
    assert reason_of(a_rule(points_per_unit=5), "EUR") == "5 per unit bought"


def test_a_line_that_earned_nothing_is_not_among_the_lines_of_an_award():
    award = worth(an_order(food(), other(40)), [a_rule()], a_scheme())[0]

    assert award.lines == (("food", 10),)


def test_points_live_by_the_terms_of_the_program_from_the_instant_the_order_was_placed():
    award = worth(an_order(food()), [a_rule()], a_scheme())[0]

    assert award.dates == Dates(expires_at=Expiry("rolling", months=12).expires_at(NOW, "Europe/Warsaw"))


def test_a_rule_may_have_terms_of_its_own_and_the_expiry_runs_from_the_activation():
    delay, month = Activation("delay", days=14), Expiry("rolling", months=1)

    award = worth(an_order(food()), [a_rule(activation=delay, expiry=month)], a_scheme())[0]

    matures_at = NOW + timedelta(days=14)
    expires_at = month.expires_at(matures_at, "Europe/Warsaw")
    assert award.dates == Dates(pending=True, matures_at=matures_at, expires_at=expires_at)


def test_a_rule_read_back_is_the_rule_that_was_stored():
    stored = {
        "code": "beans", "version": 3, "kind": "base", "priority": 5, "points_per": {"amount": 250, "points": "1.25"},
        "categories": ["coffee > beans"], "skus": ["A"], "exclude_categories": ["gift"], "exclude_skus": ["B"],
        "channels": ["web"], "min_basis": 500, "activation": {"mode": "delay", "days": 3, "months": 0},
        "expiry": {"mode": "calendar", "dates": ["12-31"]}, "valid_from": NOW.isoformat(),
        "valid_to": (NOW + A_DAY).isoformat(),
    }  # fmt: skip

    assert rule_from(stored) == a_rule(
        "beans", points="1.25", amount=250, version=3, priority=5, categories=("coffee > beans",), skus=("A",),
        exclude_categories=("gift",), exclude_skus=("B",), channels=("web",), min_basis=500,
        activation=Activation("delay", days=3), expiry=Expiry("calendar", dates=("12-31",)), valid_from=NOW,
        valid_to=NOW + A_DAY,
    )  # fmt: skip
