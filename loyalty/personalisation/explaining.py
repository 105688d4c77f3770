"""Why goods appeal to a member: the terms of the score that matter most, with the numbers they had. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from loyalty.core.categories import SEPARATOR
from loyalty.features.decay import DAY
from loyalty.features.domain import Goods
from loyalty.personalisation.appeal import FEW, USUAL_LEAST, Appeal

# From here on it is worth saying: how much more often, which share of members, and how much above the usual.
LIFT_WORTH, POPULAR_PERCENT, TREND_PERCENT = 1.5, 10, 20
# So many of what else was bought are named.
NAMED = 2
REASONS_MAX = 4


@dataclass(frozen=True, slots=True)
class Reason:
    """One term of a score: its `feature`, the `value` it had, what its sentence needs, and the orders it comes from."""

    feature: str
    value: int | float | str
    said: Mapping[str, Any] = field(default_factory=dict)
    orders: tuple[str, ...] = ()


def of_goods(found: Appeal, place: int) -> tuple[Reason, ...]:
    """Why one of the goods of the statistics appeals: a category, or after these an article."""
    statistics = found.expected.statistics
    count = len(statistics.categories.codes)
    is_category = place < count
    figures = statistics.categories if is_category else statistics.skus
    number = place if is_category else place - count
    bought = found.features.categories if is_category else found.features.skus
    code = figures.codes[number]
    reasons = [*_own(found, bought.get(code))]
    if is_category and (not reasons or found.lift[place] >= LIFT_WORTH):
        reasons += _together(found, place)
    percent = round(100 * float(figures.reach[number]))
    above = round(100 * float((figures.reach[number] + FEW) / (figures.usual[number] + FEW) - 1))
    is_new = not found.features.buying.orders
    if percent and (is_new or not reasons or percent >= POPULAR_PERCENT):
        reasons.append(Reason("popular", percent, {"new": is_new}))
    if above >= TREND_PERCENT:
        reasons.append(Reason("trend", above))
    return tuple(reasons[:REASONS_MAX])


def of_others(found: Appeal, level: str, code: str) -> tuple[Reason, ...]:
    """Why goods that the statistics do not know appeal: by the member's own purchases only."""
    bought = found.features.categories if level == "category" else found.features.skus
    return tuple(_own(found, bought.get(code)))


def of_what_is_new() -> tuple[Reason, ...]:
    """Why goods are offered that nothing is known of."""
    return (Reason("untried", 0),)


def of_basket(found: Appeal) -> tuple[Reason, ...]:
    """Why an offer on the whole basket appeals."""
    return (Reason("any_purchase", found.features.buying.orders),)


def _own(found: Appeal, bought: Goods | None) -> list[Reason]:
    """What the member's own purchases say."""
    if bought is None:
        return []
    of = found.features.buying.orders
    reasons = [Reason("bought_often", bought.orders, {"of": of}, bought.recent)]
    span = (bought.last_at - bought.first_at) / DAY
    if bought.orders >= USUAL_LEAST and (usual := round(span / (bought.orders - 1))) >= 1:
        reasons.append(Reason("usual_interval", usual, orders=bought.recent))
    since = max(0, int((found.now - bought.last_at) / DAY))
    reasons.append(Reason("days_since_last", since, orders=bought.recent[-1:]))
    return reasons


def _together(found: Appeal, place: int) -> list[Reason]:
    """What else the member bought that speaks for it: the terms of the lift that are largest."""
    statistics = found.expected.statistics
    if place >= len(statistics.weights) or not len(found.told) or found.lift[place] < LIFT_WORTH:
        return []
    rows = found.told[found.told != place]
    terms = np.log1p(found.orders[rows]) * statistics.weights[rows, place]
    largest = [int(rows[i]) for i in np.argsort(-terms, kind="stable")[:NAMED] if terms[i] > 0]
    if not largest:
        return []
    codes = [statistics.categories.codes[at] for at in largest]
    orders = tuple(dict.fromkeys(o for code in codes for o in found.features.categories[code].recent[-NAMED:]))
    value = round(float(found.lift[place]), 1)
    return [Reason("bought_together", value, {"because": codes}, orders)]


def shown(category: str) -> str:
    """A category as members read of it: the last part of its path."""
    return category.rsplit(SEPARATOR, 1)[-1]
