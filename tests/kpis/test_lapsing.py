"""How many points will be redeemed: learnt from earlier months, as sure as it says, and never guessed."""

import numpy as np
import pytest

from loyalty.kpis.curves import curves
from loyalty.kpis.forecasting import Forecast, forecast
from loyalty.kpis.lapsing import lapse_age
from loyalty.programs.domain import UnitTerms
from loyalty.programs.terms import Activation, Expiry
from tests.kpis.flows import Habit, Shop, a_program, by_hand, lives, on, the_month

SEEDS = 200


def rising(age: int) -> float:
    """Few redeem at once; many do shortly before their points lapse."""
    return (0.02, 0.05, 0.07, 0.08, 0.08, 0.07, 0.06, 0.05, 0.05, 0.05, 0.05, 0.08, 0.1)[age]


def steady(_age: int) -> float:
    """As many each month."""
    return 0.04


def forecast_of(shop: Shop, month: int, **settings: object) -> Forecast:
    """What is expected when so many months have passed."""
    return forecast(curves(shop.rollups, unit="points", days=[the_month(month)]), a_program(**settings), "points")


@pytest.mark.parametrize(
    ("known", "habit", "expiry", "spread"), [(18, rising, 12, 0.2), (30, rising, 12, 0.3), (36, steady, 24, 0.15)]
)
def test_the_interval_holds_the_truth_about_as_often_as_it_says(known: int, habit: Habit, expiry: int, spread: float):
    terms = {"activation": {"mode": "immediate"}, "expiry": {"mode": "rolling", "months": expiry}}
    inside, off = 0, []
    for seed in range(SEEDS):
        shop = Shop()
        truth = lives(
            shop, np.random.default_rng(seed), months=known, known=known, habit=habit, expiry=expiry, spread=spread
        )
        seen = forecast_of(shop, known, units={"points": terms})
        low, high = seen.interval(the_month(known))
        inside += low <= truth <= high
        off.append(seen.rate(the_month(known)) - truth)

    assert 0.91 <= inside / SEEDS <= 0.985
    assert abs(np.mean(off)) < 0.001


def test_nothing_is_assumed_to_lapse_before_there_is_history():
    shop = Shop()
    lives(shop, np.random.default_rng(1), months=6, known=6, habit=rising)

    seen = forecast_of(shop, 6)

    assert seen.table(the_month(6)).method == "not_enough_history"
    assert (seen.rate(the_month(6)), seen.interval(the_month(6))) == (1.0, (None, None))


def test_months_that_differ_wildly_teach_nothing():
    shop = Shop()
    for cohort in range(9):
        shop.points("earn", 1_000, cohort=cohort, month=cohort)
        shop.points("redeem", -(950 if cohort % 2 else 1), cohort=cohort, month=cohort)

    assert forecast_of(shop, 9).rate(the_month(9)) == 1.0


def test_ages_that_nobody_has_seen_are_expected_to_redeem_everything():
    shop = Shop()
    lives(shop, np.random.default_rng(1), months=10, known=10, habit=steady, expiry=36)
    terms = {"activation": {"mode": "immediate"}, "expiry": {"mode": "never"}}

    seen = forecast_of(shop, 10, units={"points": terms})

    assert seen.table(the_month(10)).method == "life_table"
    assert seen.rate(the_month(10)) == 1.0


def test_where_half_of_the_way_to_the_expiry_was_seen_the_last_rate_goes_on():
    shop = Shop()
    lives(shop, np.random.default_rng(1), months=10, known=10, habit=steady, spread=0.01)

    seen = forecast_of(shop, 10)
    low, high = seen.interval(the_month(10))

    assert seen.rate(the_month(10)) == pytest.approx(1 - 0.96**13, abs=0.01)
    assert high - low > 0.1


def test_what_lapsed_is_never_expected_again_and_what_was_redeemed_always_is():
    shop = Shop()
    shop.points("earn", 1_000, cohort=0, month=0)
    shop.points("redeem", -600, cohort=0, month=1)
    shop.points("expire", -300, cohort=0, month=2)

    assert forecast_of(shop, 3).rate(the_month(3)) == 0.7
    assert forecast_of(shop, 3, liability=by_hand((0, "0.5"))).rate(the_month(3)) == 0.6
    assert forecast_of(shop, 3, liability=by_hand((0, "0.65"))).rate(the_month(3)) == 0.65
    assert forecast_of(shop, 3, liability=by_hand((0, "0.99"))).rate(the_month(3)) == 0.7


def test_points_that_went_back_to_members_were_not_redeemed_and_those_brought_back_did_not_lapse():
    shop = Shop()
    shop.points("earn", 1_000, cohort=0, month=0)
    shop.points("redeem", -600, cohort=0, month=1)
    shop.points("return_spent", 100, cohort=0, month=2)
    shop.points("expire", -400, cohort=0, month=2)
    shop.points("reinstate", 50, cohort=0, month=3)

    found = curves(shop.rollups, unit="points", days=[the_month(4)])

    assert (found.redeemed[-1, 0], found.lapsed[-1, 0], found.outstanding[-1, 0]) == (500, 350, 150)


def test_an_estimate_uses_only_what_was_known_then():
    short, long = Shop(), Shop()
    lives(short, np.random.default_rng(7), months=20, known=20, habit=rising)
    lives(long, np.random.default_rng(7), months=20, known=30, habit=rising)
    days = [the_month(20), on(20, 10), the_month(30)]

    def expected(shop: Shop) -> float:
        found = curves(shop.rollups, unit="points", days=days)
        return forecast(found, a_program(), "points").expected[found.at(the_month(20))].sum()

    assert expected(short) == expected(long)


def test_within_a_month_the_estimate_moves_from_its_beginning_to_its_end():
    shop = Shop()
    lives(shop, np.random.default_rng(7), months=20, known=20, habit=steady)
    days = [the_month(20), on(20, 2), on(20, 16), on(20, 30)]
    found = curves(shop.rollups, unit="points", days=days)

    ahead = [forecast(found, a_program(), "points").ahead(day) for day in days]

    # Nothing happens any more, and the less time is left the less is expected.
    assert ahead == sorted(ahead, reverse=True)
    assert ahead[0] - ahead[1] < 0.1 * (ahead[0] - ahead[3])


@pytest.mark.parametrize(
    ("activation", "expiry", "age"),
    [
        (Activation(), Expiry("rolling", months=12), 12),
        (Activation("delay", days=14), Expiry("rolling", years=1, months=3), 16),
        (Activation(), Expiry("rolling", days=90, round_to="quarter"), 6),
        (Activation(), Expiry("calendar", dates=("12-31",)), 12),
        (Activation(), Expiry("never"), None),
        (Activation(), Expiry("inactivity", months=12), None),
        (Activation("on_event"), Expiry("rolling", months=12), None),
    ],
)
def test_points_lapse_at_an_age_that_their_terms_say(activation: Activation, expiry: Expiry, age: int | None):
    assert lapse_age(UnitTerms(activation, expiry)) == age
