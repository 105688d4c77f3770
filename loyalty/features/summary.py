"""How a member buys, in the whole numbers that conditions name. Pure.

All of it is as of an instant, and never before the member's newest order: sums that decay know nothing of how it was
before that. So an order that arrives late, or is rehearsed, is judged by the habits with what was bought since.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from loyalty.features.decay import DAY, PACE, as_of, elapsed
from loyalty.features.domain import Buying, Habits

# Somebody seen for less than that is taken for somebody seen for so long: one order on the first day is no daily habit.
SHORTEST = timedelta(days=28)
# An offer's time, and the one in which a member who buys at all is expected.
MONTH_DAYS = 28
# So many orders have a gap between them.
TWO = 2
BEST = 5

Figure = int | None


def moment(buying: Buying, at: datetime) -> datetime:
    """The instant as of which figures are asked for: not before the newest order."""
    return at if buying.last_at is None else max(at, buying.last_at)


def per_day(buying: Buying, now: datetime) -> float:
    """Orders a day of late: decayed visits by the decayed time since the first of them."""
    return as_of(buying.visits, now, PACE) / _seen(buying, now)


def spend_per_day(buying: Buying, now: datetime) -> float:
    """Minor units a day of late."""
    return as_of(buying.worth, now, PACE) / _seen(buying, now)


def usual_gap(buying: Buying) -> timedelta | None:
    """The mean time between two orders; None where there are not two, or where they have one instant."""
    if buying.orders < TWO or buying.first_at is None or buying.last_at is None or buying.first_at == buying.last_at:
        return None
    return (buying.last_at - buying.first_at) / (buying.orders - 1)


def _seen(buying: Buying, now: datetime) -> float:
    since = now - SHORTEST
    return elapsed(since if buying.first_at is None else min(buying.first_at, since), now, PACE)


def _visits_per_100_days(habits: Habits, now: datetime) -> Figure:
    return round(100 * per_day(habits.buying, now))


def _spend_per_28_days(habits: Habits, now: datetime) -> Figure:
    return round(MONTH_DAYS * spend_per_day(habits.buying, now))


def _average_order(habits: Habits, _now: datetime) -> Figure:
    return _share(habits.buying.spend, habits.buying.orders)


def _discount_percent(habits: Habits, _now: datetime) -> Figure:
    buying = habits.buying
    return _share(100 * (buying.gross - buying.spend), buying.gross)


def _tenure_days(habits: Habits, now: datetime) -> Figure:
    first_at = habits.buying.first_at
    return None if first_at is None else (now - first_at) // DAY


def _redemptions(habits: Habits, _now: datetime) -> Figure:
    return habits.buying.redeemed


def _active_percent(habits: Habits, now: datetime) -> Figure:
    return round(100 * (1 - math.exp(-MONTH_DAYS * max(0.0, per_day(habits.buying, now)))))


def _usual_gap_days(habits: Habits, _now: datetime) -> Figure:
    gap = usual_gap(habits.buying)
    return None if gap is None else round(gap / DAY)


def _overdue_percent(habits: Habits, now: datetime) -> Figure:
    gap, last_at = usual_gap(habits.buying), habits.buying.last_at
    return None if gap is None or last_at is None else round(100 * ((now - last_at) / gap))


def _recency_quintile(habits: Habits, _now: datetime) -> Figure:
    cuts, last_at = habits.cuts, habits.buying.last_at
    if cuts is None or last_at is None or not habits.buying.orders:
        return None
    return BEST + 1 - _quintile(max(0, (cuts.as_of - last_at) // DAY), cuts.recency)


def _frequency_quintile(habits: Habits, _now: datetime) -> Figure:
    cuts = habits.cuts
    if cuts is None or not habits.buying.orders:
        return None
    return _quintile(as_of(habits.buying.visits, cuts.as_of, PACE), cuts.visits)


def _monetary_quintile(habits: Habits, _now: datetime) -> Figure:
    cuts = habits.cuts
    if cuts is None or not habits.buying.orders:
        return None
    return _quintile(as_of(habits.buying.worth, cuts.as_of, PACE), cuts.worth)


# By the name that conditions have for it; what each means stands in `rules.vocabulary`.
FIGURES: Mapping[str, Callable[[Habits, datetime], Figure]] = {
    "visits_per_100_days": _visits_per_100_days,
    "spend_per_28_days": _spend_per_28_days,
    "average_order": _average_order,
    "discount_percent": _discount_percent,
    "tenure_days": _tenure_days,
    "redemptions": _redemptions,
    "active_percent": _active_percent,
    "usual_gap_days": _usual_gap_days,
    "overdue_percent": _overdue_percent,
    "recency_quintile": _recency_quintile,
    "frequency_quintile": _frequency_quintile,
    "monetary_quintile": _monetary_quintile,
}


def _quintile(value: float, cuts: Sequence[float]) -> int:
    """Which fifth a value falls into, 1 for the smallest; who equals a cut is in the fifth below it."""
    return 1 + sum(cut < value for cut in cuts)


def _share(part: int, whole: int) -> Figure:
    """A part of a whole to the nearest number, half up; None of nothing."""
    return None if whole <= 0 else (2 * part + whole) // (2 * whole)
