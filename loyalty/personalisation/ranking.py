"""Which offers fit a member best, and why. Pure.

An offer fits by the chance that a visit has any of its goods.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import repeat
from typing import Literal, NamedTuple

import numpy as np

from loyalty.features.decay import DAY
from loyalty.features.domain import Features
from loyalty.features.statistics import Numbers, Statistics
from loyalty.offers.domain import Offer
from loyalty.personalisation import explaining
from loyalty.personalisation.appeal import NEVER, SURE, Appeal, appeal, outside, visits_in
from loyalty.personalisation.explaining import Reason
from loyalty.personalisation.slates import Slate, slate_of

InList = Literal["favourites", "win_back", "discover"]

# What was bought in so many days is a favourite; what was bought, but not since, is to be won back.
FAVOURITE_DAYS = 56
# Differences beyond so many digits are those of rounding, and no reason to put one offer before another.
DIGITS = 12
DAY_SECONDS = 86_400


class Ranked(NamedTuple):
    """An offer as it fits a member: `rank` from 1 among all, `score` per visit, `probability` in the offer's days."""

    offer: Offer
    rank: int
    score: float
    probability: float
    in_list: InList
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """The offers of a slate in columns: score per visit, and days since the last purchase of any of their goods."""

    score: Numbers
    last: Numbers


_LISTS = np.array(("favourites", "win_back", "discover"), object)


def rank(
    features: Features, statistics: Statistics, offers: Sequence[Offer], *, now: datetime, limit: int | None = None
) -> list[Ranked]:
    """Rank offers for a member, the best first; the same for the same input, in whatever order.

    Of equal ones that with the smaller priority comes first, then by code. Only the first `limit` have reasons.
    """
    if not offers:
        return []
    slate = slate_of(statistics, offers)
    found = appeal(features, statistics, now=now)
    fit = _fit(found, slate)
    scores, chances = fit.score.round(DIGITS), _chances(found, slate, fit).round(DIGITS)
    lists = np.where(fit.last <= FAVOURITE_DAYS, 0, np.where(fit.last < NEVER, 1, 2))
    # Stable: of equal ones the first of the slate stays the first.
    order = np.argsort(-scores, kind="stable")
    numbers = range(1, len(offers) + 1)
    ordered = (slate.listed[order], scores[order], chances[order], _LISTS[lists[order]])
    of, *rest = (column.tolist() for column in ordered)
    # As `Ranked._make`, which would take a third of the time of it all.
    make = partial(tuple.__new__, Ranked)
    ranked: list[Ranked] = [*map(make, zip(of, numbers, *rest, repeat(()), strict=False))]
    shown = order[: len(offers) if limit is None else limit].tolist()
    return [
        *(ranked[at]._replace(reasons=_reasons(found, slate, i)) for at, i in enumerate(shown)),
        *ranked[len(shown) :],
    ]


def explain(features: Features, statistics: Statistics, offer: Offer, *, now: datetime) -> tuple[Reason, ...]:
    """Why one offer fits a member, or fits best of all there are."""
    return _reasons(appeal(features, statistics, now=now), slate_of(statistics, [offer]), 0)


def _fit(found: Appeal, slate: Slate) -> _Fit:
    """The chance of any of an offer's goods, as if each were bought for itself."""
    score, last = np.zeros(len(slate.offers)), np.full(len(slate.offers), NEVER)
    some = slate.lengths > 0
    if some.any():
        begins = slate.begins[some]
        score[some] = -np.expm1(np.add.reduceat(np.log1p(-found.score[slate.places]), begins))
        last[some] = np.minimum.reduceat(found.last[slate.places], begins)
    for number, unknown in slate.unknown.items():
        for level, code in unknown:
            chance, since = outside(found, level, code)
            score[number] = 1 - (1 - score[number]) * (1 - chance)
            last[number] = min(last[number], since)
    for number in slate.baskets:
        score[number], last[number] = _basket(found, slate.offers[number])
    return _Fit(score, last)


def _basket(found: Appeal, offer: Offer) -> tuple[float, float]:
    """The chance that a basket is worth what an offer asks for, and the days since the last one."""
    buying = found.features.buying
    usual = buying.spend / buying.orders if buying.orders and buying.spend > 0 else found.expected.statistics.basket
    chance = float(np.exp(-offer.min_basis / usual)) if offer.min_basis and usual > 0 else 1.0
    return chance, NEVER if buying.last_at is None else max(0.0, (found.now - buying.last_at) / DAY)


def _chances(found: Appeal, slate: Slate, fit: _Fit) -> Numbers:
    """The chance of at least one purchase while a member has the offer."""
    per_day = visits_in(found.features.buying, found.expected.statistics, 1.0, now=found.now)
    left = (slate.ends - found.now.timestamp()) / DAY_SECONDS
    visits = per_day * np.clip(left, 0.0, slate.days)
    chances: Numbers = -np.expm1(np.log1p(-np.minimum(fit.score, SURE)) * visits)
    baskets = list(slate.baskets)
    # Each visit has a basket: what is uncertain is whether there is one.
    chances[baskets] = -np.expm1(-fit.score[baskets] * visits[baskets])
    return chances


def _reasons(found: Appeal, slate: Slate, number: int) -> tuple[Reason, ...]:
    if number in slate.baskets:
        return explaining.of_basket(found)
    goods = slate.goods(number)
    best = int(goods[np.argmax(found.score[goods])]) if len(goods) else None
    if best is None or not found.orders[best]:
        # What the member bought explains more than what they did not, whether or not others buy it.
        for level, code in slate.unknown.get(number, ()):
            if reasons := explaining.of_others(found, level, code):
                return reasons
    return (best is not None and explaining.of_goods(found, best)) or explaining.of_what_is_new()
