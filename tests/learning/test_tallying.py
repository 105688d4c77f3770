"""What the nightly count makes of members: each figure from the raw orders."""

import numpy as np
import pytest

from loyalty.features.decay import DAY, HABIT, PACE, as_of
from loyalty.features.statistics import document_of, statistics_from
from loyalty.learning.tallying import RIDGE_OF_EACH, Tally, by_reach, item_weights, page_of
from tests.personalisation.tastes import NOW, a_town, features_of, order, statistics_of

TOWN = a_town()
STATISTICS = statistics_of(TOWN)
FIGURES = STATISTICS.categories


def days_since(at) -> float:
    return (NOW - at) / DAY


@pytest.mark.parametrize("code", FIGURES.codes)
def test_rates_reach_and_adoption_are_shares_of_members(code: str):
    place = STATISTICS.place[code]
    goods = [(each.buying, each.categories.get(code)) for each in TOWN]
    rates = [as_of(g.weight, NOW, HABIT) / as_of(b.weight, NOW, HABIT) if g else 0 for b, g in goods]
    active = sum(days_since(b.last_at) <= 28 for b, _ in goods)

    assert FIGURES.rate[place] == pytest.approx(sum(rates) / len(TOWN))
    assert FIGURES.reach[place] == pytest.approx(
        sum(g is not None and days_since(g.last_at) <= 28 for _, g in goods) / active
    )
    assert 0 < FIGURES.adoption[place] < 1


def test_who_buys_something_for_the_first_time_lately_adopts_it():
    old = [order(100, "milk"), order(50, "milk")]
    members = [features_of([*old, order(3, "tea")]), *(features_of([*old, order(3, "milk")]) for _ in range(9))]
    newcomer = features_of([order(2, "tea")])

    statistics = statistics_of([*members, newcomer])
    assert statistics.categories.adoption[statistics.place["tea"]] == pytest.approx((1 + 0.5) / (10 + 20))


def test_a_trend_compares_with_what_is_usual():
    steady = [
        features_of([order(140 - 14 * n, "milk", *(("ice",) if n > 8 else ())) for n in range(11)]) for _ in range(9)
    ]
    figures = statistics_of(steady).categories
    ice, milk = (figures.codes.index(code) for code in ("ice", "milk"))

    assert figures.reach[ice] / figures.usual[ice] > figures.reach[milk] / figures.usual[milk]
    assert figures.usual.sum() == pytest.approx(figures.reach.sum())


def test_members_fall_into_fifths_of_equal_size():
    spread = [features_of([order(float(days), "milk")], spend=100 * days) for days in range(1, 101)]
    cuts = statistics_of(spread).cuts

    for values, points in (
        ([days_since(each.buying.last_at) for each in spread], cuts.recency),
        ([as_of(each.buying.visits, NOW, PACE) for each in spread], cuts.visits),
        ([as_of(each.buying.worth, NOW, PACE) for each in spread], cuts.worth),
    ):
        assert len(points) == 4
        assert list(points) == sorted(points)
        assert np.bincount(np.searchsorted(points, values), minlength=5).tolist() == [20] * 5


def test_the_pace_and_the_basket_are_those_of_all():
    twice_a_week = [features_of([order(350 - 3.5 * n, "milk") for n in range(101)], spend=500) for _ in range(5)]
    statistics = statistics_of(twice_a_week)

    assert statistics.members == 5
    assert statistics.pace == pytest.approx(2 / 7, rel=0.05)
    assert statistics.basket == 500


def test_weights_are_those_of_the_regression_without_oneself():
    chance = np.random.default_rng(7)
    bought = chance.poisson(1, (60, 5)).astype(float)
    codes = ("a", "b", "c", "d", "e")
    weights, means = item_weights(bought.T @ bought, codes, bought.mean(axis=0), members=60)

    for target in range(5):
        others = [n for n in range(5) if n != target]
        x = bought[:, others]
        direct = np.linalg.solve(x.T @ x + 60 * RIDGE_OF_EACH * np.eye(4), x.T @ bought[:, target])
        assert weights[others, target] == pytest.approx(direct, rel=1e-4)
    assert np.diag(weights).tolist() == [0] * 5
    assert means == pytest.approx(bought.mean(axis=0))


def test_what_speaks_for_a_wider_category_is_what_speaks_for_those_below_it():
    place, weights = STATISTICS.place, STATISTICS.weights
    below = [place["coffee > beans"], place["coffee > filters"]]

    assert weights[:, place["coffee"]] == pytest.approx(weights[:, below].sum(axis=1), rel=1e-5)
    assert not weights[place["coffee"]].any()


def test_members_are_added_in_any_parts():
    codes = FIGURES.codes
    tally = Tally(codes, ())
    for begin in range(0, len(TOWN), 7):
        tally.add(page_of(TOWN[begin : begin + 7], codes, (), now=NOW))
    parts = tally.statistics(1, NOW, {})

    assert parts.weights == pytest.approx(STATISTICS.weights, rel=1e-3, abs=1e-6)
    assert parts.categories.rate == pytest.approx(FIGURES.rate)
    assert parts.cuts.worth == pytest.approx(STATISTICS.cuts.worth)


def test_statistics_are_stored_and_read_again():
    document, weights = document_of(STATISTICS), STATISTICS.weights.tobytes()
    again = statistics_from(
        STATISTICS.version, STATISTICS.as_of, STATISTICS.cuts and STATISTICS.cuts.document(), document, weights
    )

    assert document_of(again) == document
    assert again.weights.tobytes() == weights


def test_a_program_without_purchases_has_statistics_of_nothing():
    assert statistics_of([]).members == 0
    assert by_reach({"b": 2, "a": 2, "c": 9}) == ["c", "a", "b"]
