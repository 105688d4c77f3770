"""How a member buys, in whole numbers: worked out by hand, and by their definitions. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty.features import summary
from loyalty.features.decay import LANDMARK, PACE, weight
from loyalty.features.domain import Buying, Cuts, Habits, cuts_from
from loyalty.rules.vocabulary import VARIABLES

T = LANDMARK + 10 * PACE
A_DAY = timedelta(days=1)


def bought(*days_ago: float, cents: int = 10_000, price: int = 10_000, **more: Any) -> Buying:
    """Somebody with an order so many days before T, for each."""
    placed = [T - days * A_DAY for days in days_ago]
    visits = sum((weight(at, PACE) for at in placed), Decimal(0))
    return Buying(
        orders=len(placed), spend=cents * len(placed), gross=price * len(placed), visits=visits, worth=visits * cents,
        first_at=min(placed, default=None), last_at=max(placed, default=None), **more,
    )  # fmt: skip


def figures(buying: Buying, at: datetime = T, cuts: Cuts | None = None) -> dict[str, int | None]:
    """All figures, without what is not known."""
    habits, now = Habits(buying, cuts), summary.moment(buying, at)
    return {name: figure(habits, now) for name, figure in summary.FIGURES.items()}


def known(found: dict[str, int | None]) -> dict[str, int]:
    return {name: value for name, value in found.items() if value is not None}


def test_three_orders_sixty_days_apart():
    # With a half-life of 60 days they count 1/4 + 1/2 + 1 = 1.75 orders of late, in 60 / ln 2 * (1 - 1/4) = 64.92 days:
    # 0.02696 a day. 28 days of that are 0.7548 orders, so the chance of none is exp(-0.7548) = 0.470.
    assert known(figures(bought(120, 60, 0, price=12_500, redeemed=2))) == {
        "visits_per_100_days": 3, "spend_per_28_days": 7_548, "average_order": 10_000, "discount_percent": 20,
        "tenure_days": 120, "redemptions": 2, "active_percent": 53, "usual_gap_days": 60, "overdue_percent": 0,
    }  # fmt: skip


def test_the_same_ninety_days_later():
    # 1.75 * 2^-1.5 = 0.6187 orders in 60 / ln 2 * (1 - 2^-3.5) = 78.91 days: 0.00784 a day.
    later = known(figures(bought(120, 60, 0, price=12_500, redeemed=2), T + 90 * A_DAY))

    assert later["visits_per_100_days"] == 1
    assert later["spend_per_28_days"] == 2_195
    assert (later["active_percent"], later["overdue_percent"], later["tenure_days"]) == (20, 150, 210)


def test_one_order_today_is_no_daily_habit():
    # One order in what 28 days come to, 60 / ln 2 * (1 - 2^(-28/60)) = 23.92.
    found = figures(bought(0))

    assert (found["visits_per_100_days"], found["spend_per_28_days"], found["active_percent"]) == (4, 11_704, 69)
    assert (found["usual_gap_days"], found["overdue_percent"], found["tenure_days"]) == (None, None, 0)


def test_nobody_knows_anything_of_who_never_bought():
    assert known(figures(Buying())) == {
        "visits_per_100_days": 0, "spend_per_28_days": 0, "redemptions": 0, "active_percent": 0
    }  # fmt: skip


def test_two_orders_of_one_instant_have_no_gap():
    assert figures(bought(5, 5))["overdue_percent"] is None


def test_an_order_that_arrives_late_is_judged_as_of_the_newest_one():
    assert figures(bought(120, 60, 0), T - 30 * A_DAY) == figures(bought(120, 60, 0), T)


CUTS = Cuts(as_of=T, recency=(10, 20, 40, 80), visits=(0.5, 1.0, 1.5, 3.0), worth=(5_000, 10_000, 20_000, 40_000))


@pytest.mark.parametrize(
    ("days_ago", "fifths"),
    [
        ((120, 60, 0), (5, 4, 3)),  # just now; 1.75 orders; 175.00
        ((10,), (5, 2, 2)),  # as long as the first cut; 0.89 orders; 89.09
        ((10.99,), (5, 2, 2)),  # ten whole days
        ((11,), (4, 2, 2)),
        ((60,), (2, 1, 1)),  # exactly half an order, 50.00: in the fifth below the cut
        ((81,), (1, 1, 1)),
    ],
)
def test_fifths(days_ago: tuple[float, ...], fifths: tuple[int, ...]):
    found = figures(bought(*days_ago), cuts=CUTS)

    assert (found["recency_quintile"], found["frequency_quintile"], found["monetary_quintile"]) == fifths


def test_who_does_nothing_stays_in_his_fifth_until_all_are_counted_again():
    assert figures(bought(120, 60, 0), T + 300 * A_DAY, CUTS)["frequency_quintile"] == 4


def test_nobody_who_never_bought_is_in_a_fifth():
    found = figures(Buying(redeemed=1), cuts=CUTS)

    assert {name for name, value in found.items() if value is None} >= {
        "recency_quintile", "frequency_quintile", "monetary_quintile"
    }  # fmt: skip


def test_cuts_are_what_they_were_when_they_were_stored():
    assert cuts_from(CUTS.document()) == CUTS
    assert cuts_from(None) is None


def test_conditions_may_name_exactly_what_can_be_worked_out():
    (features,) = (field for field in VARIABLES if field.name == "features")

    assert [field.name for field in features.fields] == list(summary.FIGURES)
    assert {field.kind for field in features.fields} == {"int"}


@given(st.lists(st.integers(0, 2_000), max_size=20), st.integers(0, 2_000), st.integers(0, 10**9))
def test_figures_are_whole_numbers_within_their_bounds(days_ago: list[int], later: int, cents: int):
    found = figures(bought(*days_ago, cents=cents, price=2 * cents), T + later * A_DAY, CUTS)

    assert all(value is None or (type(value) is int and value >= 0) for value in found.values())
    assert 0 <= (found["active_percent"] or 0) <= 100
    assert {found[name] for name in found if name.endswith("quintile")} <= {None, 1, 2, 3, 4, 5}
    # What says that it may be null is null for those of whom it says so.
    (features,) = (field for field in VARIABLES if field.name == "features")
    assert all(field.optional for field in features.fields if found[field.name] is None)
