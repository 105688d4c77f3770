"""What may be expected of a member: grows with every order, falls with every day without one. Pure."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.features.decay import LANDMARK, PACE, as_of, weight
from loyalty.features.outlook import USUAL, Outlook, level_of, outlook_from

T = LANDMARK + 10 * PACE
A_DAY = timedelta(days=1)
LEARNED = Outlook(members=900, odds=(-0.2, 0.9), spend=(1.3, 0.8), floor=30.0)


def visits(*days_ago: float) -> float:
    return as_of(sum((weight(T - days * A_DAY, PACE) for days in days_ago), Decimal(0)), T, PACE)


def test_an_order_of_today_is_about_as_likely_as_not_followed_by_another_one():
    assert USUAL.buys(visits(0)) == pytest.approx(0.354, abs=0.001)
    # 60 days later it counts half: odds 0.549 / 2.
    assert USUAL.buys(visits(60)) == pytest.approx(0.2153, abs=0.001)


def test_spend_is_a_power_of_decayed_spend():
    # e^1.3 * 1030^0.8
    assert LEARNED.spends(1000) == pytest.approx(3.6693 * 257.2, rel=0.001)


def test_nothing_is_expected_of_who_has_nothing_left():
    assert (LEARNED.buys(0.0), LEARNED.spends(0.0), LEARNED.spends(-5.0)) == (0, 0, 0)


@pytest.mark.parametrize(("churn", "level"), [(0.0, "low"), (0.29, "low"), (0.3, "medium"), (0.7, "high"), (1, "high")])
def test_levels(churn: float, level: str):
    assert level_of(churn) == level


def test_it_is_stored_and_read_again():
    spread = Outlook(1, (0.5, 1.0), (0.0, 1.0), 2.5, spread=((1, 2, 3, 4, 5),) * 3)
    assert outlook_from(spread.document()) == spread
    assert outlook_from(None) is None


DAYS = st.lists(st.integers(0, 700), min_size=1, max_size=8)
OUTLOOKS = st.builds(
    Outlook,
    members=st.just(1),
    odds=st.tuples(st.floats(-5, 5), st.floats(0.1, 2)),
    spend=st.tuples(st.floats(-5, 5), st.floats(0.1, 2)),
    floor=st.floats(0, 100),
)


@given(OUTLOOKS, DAYS, st.integers(0, 700))
def test_one_order_more_makes_it_likelier_to_buy_and_to_spend(outlook: Outlook, days: list[int], another: int):
    fewer, more = visits(*days), visits(*days, another)

    assert 0 <= outlook.buys(fewer) <= outlook.buys(more) <= 1
    assert outlook.spends(1000 * fewer) <= outlook.spends(1000 * more)


@given(OUTLOOKS, DAYS, st.integers(1, 400))
def test_the_same_orders_longer_ago_make_it_less_likely(outlook: Outlook, days: list[int], later: int):
    now, then = visits(*(each + later for each in days)), visits(*days)

    assert outlook.buys(now) <= outlook.buys(then)
    assert outlook.spends(1000 * now) <= outlook.spends(1000 * then)
