"""What is worked out of sums is what is worked out of members."""

from random import Random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from loyalty.outcomes import statistics
from loyalty.outcomes.domain import MILLION, Totals
from loyalty.outcomes.statistics import adjusted, compared, spend_of
from tests.outcomes.simulated import totals

SPEND = st.lists(st.integers(0, 100_000), min_size=2, max_size=40)


def arm(spend: list[int], before: list[int] | None = None, share: float = 0.5) -> Totals:
    return totals(np.array(spend, np.int64), np.array(before or [0] * len(spend), np.int64), share)


@given(SPEND, SPEND)
def test_the_difference_is_welchs(one: list[int], other: list[int]):
    assume(min(len({*one}), len({*other})) > 1)

    found = compared(spend_of(arm(one)), spend_of(arm(other)))

    assert found is not None
    known = stats.ttest_ind(one, other, equal_var=False)
    interval = known.confidence_interval()
    assert found.difference == pytest.approx(np.mean(one) - np.mean(other), abs=1e-9)
    assert (found.p, found.freedom) == pytest.approx((known.pvalue, known.df))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


def test_nothing_is_told_where_nothing_varies_or_of_one_member():
    assert compared(spend_of(arm([5, 5])), spend_of(arm([7, 7]))) is None
    assert compared(spend_of(arm([5])), spend_of(arm([7, 8]))) is None


def test_squares_larger_than_any_float_keep_what_they_are_about():
    spend = [10**9 + n for n in (1, 2, 3)]
    sums = Totals(members=3, spend=sum(spend), spend_2=sum(y**2 for y in spend))

    assert spend_of(sums).variance == 1.0


def test_an_adjusted_difference_is_that_of_members_less_theta_times_before():
    dice = np.random.default_rng(7)
    before = dice.integers(0, 900, 500)
    spend = before // 2 + dice.integers(0, 300, 500)
    spend[:200] += 40
    found = adjusted(arm(spend[:200].tolist(), before[:200].tolist()), arm(spend[200:].tolist(), before[200:].tolist()))

    assert found is not None
    # The slope that the two arms have together, of a regression in which each has a level of its own.
    centred = [(x - x.mean(), y - y.mean()) for x, y in ((before[:200], spend[:200]), (before[200:], spend[200:]))]
    theta = sum((x * y).sum() for x, y in centred) / sum((x * x).sum() for x, _ in centred)
    left = spend - theta * before
    known = stats.ttest_ind(left[:200], left[200:], equal_var=False)
    assert (found.p, found.freedom) == pytest.approx((known.pvalue, known.df))


def test_nothing_is_adjusted_by_what_nobody_bought():
    assert adjusted(arm([1, 2, 3]), arm([2, 3, 4])) is None


def test_the_skew_of_a_difference_is_that_of_its_means():
    dice = np.random.default_rng(3)
    one, other = dice.lognormal(3, 1, 900).astype(int), dice.lognormal(3, 1, 90).astype(int)

    found = statistics.skew(arm(one.tolist()), arm(other.tolist()))

    third = [((y - y.mean()) ** 3).mean() / len(y) ** 2 for y in (one, other)]
    error = sum(y.var(ddof=1) / len(y) for y in (one, other))
    assert found == pytest.approx((third[0] - third[1]) / error**1.5)


def test_a_mismatch_of_arms_is_chi_squared_with_what_was_meant():
    sums = [Totals(members=n, share=n * MILLION // 10) for n in (8_800, 1_200)]

    found = statistics.mismatch(*sums)

    assert found == pytest.approx(stats.chisquare([8_800, 1_200], [9_000, 1_000]).pvalue)
    assert statistics.mismatch(Totals(members=5), Totals(members=5)) is None


def test_more_members_are_needed_for_smaller_differences():
    assert statistics.members_for(1_000, 20.0, 10.0) == 3_000
    assert statistics.members_for(1_000, 10.0, 20.0) == 0


def test_months_of_the_same_members_are_as_unsure_together_as_one_of_them():
    month = compared(spend_of(arm([5, 9, 9, 12])), spend_of(arm([1, 2, 4, 4])))
    assert month is not None

    same = statistics.together([(4, month), (4, month)], same_members=True)
    others = statistics.together([(4, month), (4, month)], same_members=False)

    assert same is not None
    assert others is not None
    assert (same.error, same.freedom) == pytest.approx((month.error, month.freedom))
    assert (others.error, others.freedom) == pytest.approx((month.error / 2**0.5, 2 * month.freedom))
    assert statistics.together([], same_members=True) is None


def test_a_relative_lift_has_the_interval_of_the_delta_method():
    """Compared with what comes of drawing members again and again."""
    rng = np.random.default_rng(11)
    one, other = rng.gamma(2, 60, 2_000).astype(int), rng.gamma(2, 50, 2_000).astype(int)
    samples = spend_of(arm(one.tolist())), spend_of(arm(other.tolist()))
    difference = compared(*samples)
    assert difference is not None

    found = statistics.lift(*samples, difference)

    again = [rng.choice(one, one.size).mean() / rng.choice(other, other.size).mean() - 1 for _ in range(2_000)]
    assert found == pytest.approx((one.mean() / other.mean() - 1, *np.quantile(again, [0.025, 0.975])), abs=0.012)
    assert statistics.lift(samples[0], spend_of(arm([0, 0, 0])), difference) is None


def test_sums_of_random_members_add_up_in_any_order():
    dice = Random(5)
    members = [arm([dice.randrange(9_999), dice.randrange(9_999)]) for _ in range(20)]
    shuffled = dice.sample(members, len(members))

    assert sum(members, Totals()) == sum(shuffled, Totals())
    assert sum(members, Totals()) - members[0] == sum(members[1:], Totals())
