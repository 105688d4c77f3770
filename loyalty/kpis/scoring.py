"""A member's scores: the chance that nothing is bought for a while, what will be spent, and why. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty.features.decay import DAY, PACE, as_of
from loyalty.features.domain import Buying, Cuts, Habits
from loyalty.features.outlook import AHEAD, USUAL, Outlook, level_of
from loyalty.features.summary import FIGURES, moment

# A probability of more digits would be one that nobody knows.
_DIGITS = 4
_ONE_DAY = 1

NEVER_BOUGHT = "never_bought"


@dataclass(frozen=True, slots=True)
class Known:
    """What scores are made of: how the member buys, and how everybody does as of the last nightly count, if any."""

    buying: Buying
    cuts: Cuts | None
    outlook: Outlook | None


def scores(known: Known, *, currency: str, now: datetime) -> dict[str, Any]:
    """The scores of a member as of an instant, which is never before the newest order; null if nothing was bought."""
    buying, outlook, at = known.buying, known.outlook or USUAL, moment(known.buying, now)
    said: dict[str, Any] = {
        "as_of": at,
        "within_days": AHEAD // DAY,
        "churn": None,
        "value": None,
        "reason": NEVER_BOUGHT,
        "because": [],
        "learned_from": outlook.members,
    }
    if not buying.orders or buying.last_at is None:
        return said
    visits, worth = (as_of(total, at, PACE) for total in (buying.visits, buying.worth))
    churn = round(1 - outlook.buys(visits), _DIGITS)
    fifth = FIGURES["monetary_quintile"](Habits(buying, known.cuts), at)
    return said | {
        "churn": {"probability": churn, "level": level_of(churn)},
        "value": {"expected_spend": round(outlook.spends(worth)), "currency": currency, "fifth": fifth},
        "reason": None,
        "because": _because(buying, visits, round(worth), at),
    }


def _because(buying: Buying, visits: float, worth: int, now: datetime) -> list[dict[str, Any]]:
    """The numbers that the scores follow from."""
    assert buying.last_at is not None, "who bought did so for a last time"
    days, weighed, half = (now - buying.last_at) // DAY, round(visits, 2), PACE // DAY
    ago = "today" if not days else "a day ago" if days == _ONE_DAY else f"{days} days ago"
    orders = "The only order was placed" if buying.orders == 1 else f"The last of {buying.orders} orders was placed"
    return [
        {"feature": "days_since_last_order", "value": days, "text": f"{orders} {ago}."},
        {
            "feature": "visits",
            "value": weighed,
            "text": f"As orders weigh half as much every {half} days, they count as {weighed:g} of today.",
        },
        {
            "feature": "worth",
            "value": worth,
            "text": f"In the same way, what was spent counts as {worth} minor units of today.",
        },
    ]
