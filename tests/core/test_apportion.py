"""Splitting a whole number in proportion: nothing lost, nothing invented, nobody short of a unit."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loyalty.core.apportion import apportion

totals = st.integers(0, 10**12)
weights = st.lists(st.integers(0, 10**12), min_size=1, max_size=30)
some_weight = weights.filter(any)


def test_ten_points_over_three_equal_lines_are_four_three_three():
    assert apportion(10, [350, 350, 350]) == [4, 3, 3]


@pytest.mark.parametrize(
    ("total", "parts", "weights"),
    [
        (100, [33, 33, 34], [332, 332, 336]),  # the largest remainder takes the unit that is left
        (60, [43, 17], [5000, 2000]),
        (7, [7], [123]),
        (5, [0, 5, 0], [0, 9, 0]),
        (0, [0, 0], [1, 2]),
        (2, [1, 0, 1, 0], [1, 0, 1, 0]),
        (1, [0, 1], [1, 2]),
    ],
)
def test_parts_follow_the_largest_remainder(total: int, parts: list[int], weights: list[int]):
    assert apportion(total, weights) == parts


def test_a_tie_goes_to_the_earlier_part():
    assert apportion(1, [5, 5]) == [1, 0]
    assert apportion(2, [1, 1, 1, 1]) == [1, 1, 0, 0]
    assert apportion(3, [2, 1, 2, 1]) == [1, 1, 1, 0]  # the remainders of 1/2 decide before those of 0


def test_where_nothing_can_be_in_proportion_the_first_part_takes_everything():
    assert apportion(9, [0, 0, 0]) == [9, 0, 0]


def test_nothing_is_split_among_nobody():
    assert apportion(9, []) == []


def test_the_whole_of_a_very_large_order_is_split_to_the_unit():
    assert apportion(10**12, [10**12 - 1] * 1000) == [10**9] * 1000


@given(totals, weights)
@example(1, [0])
def test_the_parts_sum_to_the_total(total: int, weights: list[int]):
    assert sum(apportion(total, weights)) == total


@given(totals, some_weight)
def test_each_part_is_within_one_of_its_exact_share(total: int, weights: list[int]):
    for part, weight in zip(apportion(total, weights), weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1


@given(totals, some_weight)
def test_no_part_is_negative_and_what_weighs_nothing_gets_nothing(total: int, weights: list[int]):
    for part, weight in zip(apportion(total, weights), weights, strict=True):
        assert part >= 0 if weight else part == 0


@given(totals, some_weight)
def test_what_weighs_more_never_gets_less_and_equals_favour_the_earlier(total: int, weights: list[int]):
    parts = apportion(total, weights)

    by_weight = sorted(range(len(weights)), key=lambda i: (-weights[i], i))

    assert [parts[i] for i in by_weight] == sorted(parts, reverse=True)
    assert all(parts[a] - parts[b] <= 1 for a in by_weight for b in by_weight if weights[a] == weights[b])


@given(some_weight)
def test_a_total_equal_to_the_weights_is_split_into_the_weights(weights: list[int]):
    assert apportion(sum(weights), weights) == weights
