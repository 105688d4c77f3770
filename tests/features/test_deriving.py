"""What follows from features at an instant."""

import math
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from loyalty.features import deriving
from loyalty.features.decay import HABIT, PACE, weight
from loyalty.features.domain import Buying, Goods
from tests.builders import NOW

A_DAY = timedelta(days=1)
NOBODY = Buying()


def buying(*days: float, **given: float) -> Buying:
    """Somebody who bought so many days ago."""
    at = sorted(NOW - day * A_DAY for day in days)
    sums = {
        "weight": sum(float(weight(each, HABIT)) for each in at),
        "visits": sum(float(weight(each, PACE)) for each in at),
    }
    return Buying(**{"orders": len(at), "first_at": at[0], "last_at": at[-1], **sums, **given})


def goods(*days: float) -> Goods:
    """Something bought so many days ago."""
    found = buying(*days)
    assert found.first_at is not None
    assert found.last_at is not None
    return Goods(found.orders, found.orders, 100, found.weight, found.first_at, found.last_at)


def test_the_usual_gap_is_the_mean_of_the_gaps():
    assert deriving.usual_gap_days(goods(30, 20, 4, 0)) == 10
    assert deriving.usual_gap_days(goods(3)) is None
    assert deriving.usual_gap_days(NOBODY) is None


def test_due_is_what_was_last_bought_a_usual_gap_ago():
    assert deriving.dueness(goods(30, 20, 10), NOW) == 1
    assert deriving.dueness(goods(32, 22, 12), NOW + 8 * A_DAY) == 2
    assert deriving.dueness(goods(3), NOW) is None
    assert deriving.dueness(goods(3, 3), NOW) is None


def test_recency_and_tenure_are_days():
    assert (deriving.recency_days(goods(9, 2), NOW), deriving.tenure_days(goods(9, 2), NOW)) == (2, 9)
    assert (deriving.recency_days(NOBODY, NOW), deriving.tenure_days(NOBODY, NOW)) == (None, None)
    assert deriving.recency_days(goods(1), NOW - 5 * A_DAY) == 0


def test_the_rate_is_a_share_of_visits_in_which_new_ones_count_more():
    assert deriving.rate_per_visit(goods(1, 2), buying(1, 2, 3, 4)) > 0.5
    assert deriving.rate_per_visit(goods(3, 4), buying(1, 2, 3, 4)) < 0.5
    assert math.isclose(deriving.rate_per_visit(goods(7), buying(7)), 1)
    assert deriving.rate_per_visit(goods(7), NOBODY) == 0


def test_a_habit_is_half_of_it_half_a_year_later():
    assert math.isclose(deriving.habit(goods(0), NOW + HABIT), 0.5, rel_tol=1e-3)


@given(st.integers(1, 10), st.integers(5, 90))
def test_the_pace_of_a_steady_buyer_is_that_pace(every: int, visits: int):
    steady = buying(*range(0, every * visits, every))
    # n visits have n - 1 gaps, which matters less the longer somebody buys.
    fence = every / min(every * (visits - 1), PACE.days)
    assert 1 <= deriving.visits_per_day(steady, NOW) * every < 1.05 + fence


def test_the_pace_of_a_first_visit_is_that_of_a_day():
    assert deriving.visits_per_day(buying(0), NOW) < 1.01
    assert deriving.visits_per_day(NOBODY, NOW) == deriving.spend_per_day(NOBODY, NOW) == 0


def test_spend_goes_at_the_pace_of_visits():
    found = buying(5, 3, 1)
    twenty = Buying(**{**{name: getattr(found, name) for name in found.__slots__}, "worth": found.visits * 2_000})
    ratio = deriving.spend_per_day(twenty, NOW) / deriving.visits_per_day(twenty, NOW)
    assert math.isclose(ratio, 2_000)


def test_shares_are_from_nothing_to_all():
    assert deriving.discount_share(buying(1, gross=1_000, spend=750)) == 0.25
    assert deriving.discount_share(NOBODY) == 0
    assert deriving.share_of_spend(goods(1), buying(1, spend=400)) == 0.25
    assert deriving.share_of_spend(goods(1), NOBODY) == 0
    assert deriving.redeemed_per_visit(NOBODY) == 0
    assert math.isclose(deriving.redeemed_per_visit(buying(1, redeemed_weight=buying(1).weight / 2)), 0.5)
