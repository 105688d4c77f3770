"""What offers would cost, against numbers worked out by hand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from loyalty.earning.rules import Caps, EarningRule, PointsPer, RuleSet
from loyalty.features.domain import Buying, Features, Goods
from loyalty.offers.domain import Offer, Promise
from loyalty.rehearsals.offer_costs import Average, Basket, Costing, Rates, skus_of
from tests.builders import NOW
from tests.earning.test_domain import a_scheme

A_POINT_PER_EURO = EarningRule(
    code="base", version=1, priority=1, points_per=PointsPer(100, Decimal(1)), caps=Caps(per_order=5)
)
THREE_ON_TEA = EarningRule(
    code="tea", version=1, priority=2, points_per=PointsPer(100, Decimal(2)), categories=("tea",), min_basis=9_000
)
TWO_A_CUP = EarningRule(code="cups", version=1, priority=3, points_per_unit=2, skus=("cup",))
FOR_REGULARS = EarningRule(
    code="more", version=1, priority=4, points_per=PointsPer(100, Decimal(9)), when="history.orders > 3"
)
IN_GOLD = EarningRule(code="gold", version=1, priority=5, points_per=PointsPer(100, Decimal(9)), tiers=("gold",))
DOUBLE = EarningRule(code="double", version=1, priority=6, kind="multiplier", factor=Decimal(2))
RULES = RuleSet(1, (A_POINT_PER_EURO, THREE_ON_TEA, TWO_A_CUP, FOR_REGULARS, IN_GOLD, DOUBLE))


def rates(rules: RuleSet = RULES) -> Rates:
    return Rates(rules, a_scheme(), at=NOW)


def goods(orders: int, spend: int, quantity: int = 0) -> Goods:
    return Goods(orders, quantity or orders, spend, 0.0, NOW - timedelta(days=90), NOW)


# Ten orders of 200.00 in all: tea in four of them for 60.00, coffee in five for 80.00, cups in two for 10.00.
ANN = Features(
    Buying(orders=10, spend=20_000, gross=20_000),
    {
        "tea": goods(4, 6_000), "tea > green": goods(2, 2_000), "tea > black": goods(3, 4_000),
        "coffee": goods(5, 8_000), "cups": goods(2, 1_000),
    },
    {"cup": goods(2, 1_000, quantity=4), "green-1": goods(1, 500)},
)  # fmt: skip
# Two orders of coffee, 20.00 each.
BOB = Features(Buying(orders=2, spend=4_000, gross=4_000), {"coffee": goods(2, 4_000)})


def an_offer(kind: Any = "multiplier", value: str = "2", *, most: int | None = None, **given: Any) -> Offer:
    promise = Promise(kind, Decimal(value), most=most, sku=given.pop("gift", None))
    return Offer(code="o", version=0, title="O", promise=promise, **given)


def average(features: Features, **given: Any) -> tuple[float, float] | None:
    found = Basket(an_offer(**given), rates()).average(features)
    return found and (round(found.spend, 6), round(found.points, 6))


@pytest.mark.parametrize(
    ("given", "spend", "points"),
    [
        # 60.00 in 4 orders; 1 point and, on tea, 2 more for each 1.00; caps and least amounts are left out.
        ({"categories": ("tea",)}, 1_500, 45),
        # What lies below another category that is named counts once.
        ({"categories": ("tea", "tea > green")}, 1_500, 45),
        # 40.00 without the green tea.
        ({"categories": ("tea",), "exclude_categories": ("tea > green", "coffee")}, 1_000, 30),
        ({"categories": ("tea",), "exclude_skus": ("green-1",)}, 1_375, 41.25),
        # 140.00, with tea or coffee in 1 - 0.6 x 0.5 of ten orders.
        ({"categories": ("tea", "coffee")}, 2_000, (180 + 80) / 7),
        # 10.00 for four cups in two orders: 10 points, and two for each cup.
        ({"skus": ("cup",)}, 500, 9),
        # An order that keeps the promise is of at least 20.00.
        ({"categories": ("tea",), "min_basis": 2_000}, 2_000, 60),
        # The whole basket: 50.00 of it lie in no category.
        ({}, 2_000, (180 + 80 + 10 + 50) / 10),
        ({"exclude_categories": ("tea",)}, 1_400, (180 + 80 + 10 + 50) / 10 * 0.7),
    ],
)  # fmt: skip
def test_an_average_order_with_the_goods(given: dict[str, Any], spend: float, points: float):
    assert average(ANN, **given) == (spend, round(points, 6))


def test_there_is_none_of_goods_that_were_never_bought():
    assert average(BOB, categories=("tea",)) is None
    assert average(BOB, skus=("cup",)) is None
    assert average(Features()) is None


@pytest.mark.parametrize(
    ("offer", "cost"),
    [
        (an_offer("bonus_points", "120"), 0.25 * 120),
        (an_offer("multiplier", "1.5", categories=("tea",)), 0.25 * 0.5 * 45),
        (an_offer("discount_amount", "500"), 0.25 * 500),
        (an_offer("discount_percent", "20", categories=("tea",)), 0.25 * 300),
        (an_offer("discount_percent", "20", categories=("tea",), most=200), 0.25 * 200),
        (an_offer("free_product", "1", gift="cup", most=300), 0.25 * 300),
        (an_offer("free_product", "2", gift="cup"), 0.25 * 2 * 250),
    ],
)
def test_what_an_offer_costs_one_member(offer: Offer, cost: float):
    costing = Costing(offer, rates())

    costing.expect(offer.promise.value, 0.25, costing.meet(ANN))

    assert costing.total() == pytest.approx(cost)


def test_whoever_never_bought_the_goods_buys_like_those_who_did():
    offer = an_offer("discount_percent", "20", categories=("tea",), most=250)
    costing = Costing(offer, rates())

    for features, value, probability in ((BOB, "20", 0.1), (ANN, "10", 0.5), (BOB, "10", 0.2)):
        costing.expect(Decimal(value), probability, costing.meet(features))

    # Ann's average of 15.00: 1.50 of 10 percent; of 20 percent no more than 2.50.
    assert costing.total() == pytest.approx(0.5 * 150 + 0.1 * 250 + 0.2 * 150)


@pytest.mark.parametrize(
    "offer", [an_offer(categories=("tea",)), an_offer("free_product", "1", gift="cup")], ids=lambda o: o.promise.kind
)
def test_where_nobody_ever_bought_them_nobody_knows(offer: Offer):
    costing = Costing(offer, rates())
    assert costing.total() == 0.0

    costing.expect(offer.promise.value, 0.5, costing.meet(BOB))

    assert costing.total() is None


def test_without_base_rules_there_is_nothing_to_multiply():
    costing = Costing(an_offer(categories=("tea",)), rates(RuleSet(1, (DOUBLE,))))

    costing.expect(Decimal(2), 0.5, costing.meet(ANN))

    assert costing.total() == 0.0


def test_an_order_of_nothing_cannot_be_stretched():
    assert Average(0.0, 0.0).at_least(100) == Average(0.0, 0.0)


def test_it_names_the_articles_that_make_a_difference():
    offers = (an_offer(skus=("b", "a")), an_offer("free_product", "1", gift="cup", exclude_skus=("c",)))

    assert skus_of(offers) == ["a", "b", "c", "cup"]
