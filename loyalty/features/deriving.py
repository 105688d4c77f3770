"""What follows from features at an instant, as conditions and scores ask for it. Pure.

With n occurrences at t1 … tn, H the half-life of habits (180 days) and h that of pace (60 days): a count decayed to the
instant t is the sum of 2^(-(t - ti)/H).
"""

from datetime import datetime

from loyalty.features.decay import DAY, HABIT, PACE, as_of, elapsed
from loyalty.features.domain import Buying, Goods


def rate_per_visit(goods: Goods, buying: Buying) -> float:
    """The share of the member's visits that bought it: its decayed count by that of all orders, n_uc / N_u.

    Both are decayed to the same instant, so the instant does not matter.
    """
    return goods.weight / buying.weight if buying.weight else 0.0


def habit(goods: Goods, now: datetime) -> float:
    """How many orders with it count as of now, each half as much 180 days later."""
    return as_of(goods.weight, now, HABIT)


def visits_per_day(buying: Buying, now: datetime) -> float:
    """The member's pace: decayed visits by their decayed time since the first one (half-life 60 days).

    A time shorter than a day is taken for one: nobody's pace is told by an hour.
    """
    if buying.first_at is None:
        return 0.0
    least = elapsed(now - DAY, now, PACE)
    return as_of(buying.visits, now, PACE) / max(elapsed(buying.first_at, now, PACE), least)


def spend_per_day(buying: Buying, now: datetime) -> float:
    """What the member spends a day by now, as `visits_per_day` counts visits; in minor units."""
    if buying.first_at is None:
        return 0.0
    least = elapsed(now - DAY, now, PACE)
    return as_of(buying.worth, now, PACE) / max(elapsed(buying.first_at, now, PACE), least)


def usual_gap_days(bought: Goods | Buying) -> float | None:
    """The mean of the days from one occurrence to the next, (tn - t1) / (n - 1); None before the second."""
    if bought.orders < 2 or bought.first_at is None or bought.last_at is None:  # noqa: PLR2004 - two have a gap
        return None
    return (bought.last_at - bought.first_at) / DAY / (bought.orders - 1)


def dueness(bought: Goods | Buying, now: datetime) -> float | None:
    """The time since the last occurrence in usual gaps; None where no gap is known, or all came at once."""
    gap, since = usual_gap_days(bought), recency_days(bought, now)
    return since / gap if gap and since is not None else None


def recency_days(bought: Goods | Buying, now: datetime) -> float | None:
    """The days since the last occurrence; None if there was none."""
    return None if bought.last_at is None else max(0.0, (now - bought.last_at) / DAY)


def tenure_days(bought: Goods | Buying, now: datetime) -> float | None:
    """The days since the first occurrence; None if there was none."""
    return None if bought.first_at is None else max(0.0, (now - bought.first_at) / DAY)


def discount_share(buying: Buying) -> float:
    """What part of the price of all that was bought was taken off, from 0 to 1."""
    return 1 - buying.spend / buying.gross if buying.gross else 0.0


def share_of_spend(goods: Goods, buying: Buying) -> float:
    """What part of all that the member spent was spent on it, from 0 to 1."""
    return goods.spend / buying.spend if buying.spend else 0.0


def redeemed_per_visit(buying: Buying) -> float:
    """How many rewards and offers the member used for each visit, both decayed (half-life 180 days)."""
    return buying.redeemed_weight / buying.weight if buying.weight else 0.0
