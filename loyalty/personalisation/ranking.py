"""Which offers fit a member best, and why. Pure.

An offer fits by the chance that a visit has any of its goods. Docs: personalisation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from loyalty.core.categories import lineage
from loyalty.features.decay import DAY
from loyalty.features.domain import Features
from loyalty.features.statistics import Numbers, Statistics
from loyalty.offers.domain import Offer
from loyalty.personalisation import explaining
from loyalty.personalisation.appeal import NEVER, SURE, Appeal, appeal, outside, visits_in
from loyalty.personalisation.explaining import Reason

InList = Literal["favourites", "win_back", "discover"]

# What was bought in so many days is a favourite; what was bought, but not since, is to be won back.
FAVOURITE_DAYS = 56
# Differences beyond so many digits are those of rounding, and no reason to put one offer before another.
DIGITS = 12
# Offers are published rarely, and a count lasts for a day; what has piled up none the less is forgotten.
PLANS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Ranked:
    """An offer as it fits a member: `rank` from 1 among all, `score` per visit, `probability` in the offer's days."""

    offer: Offer
    rank: int
    score: float
    probability: float
    in_list: InList
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Where the goods of an offer stand in the statistics, and which of them they do not know."""

    offer: Offer
    places: npt.NDArray[np.int64]
    unknown: tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False)
class _Fit:
    """Offers in columns: score per visit, days since the last purchase of any of their goods, and the best of these."""

    score: Numbers
    last: Numbers
    best: npt.NDArray[np.int64]
    baskets: set[int] = field(default_factory=set)


_plans: WeakKeyDictionary[Statistics, dict[int, _Plan]] = WeakKeyDictionary()


def rank(
    features: Features, statistics: Statistics, offers: Sequence[Offer], *, now: datetime, limit: int | None = None
) -> list[Ranked]:
    """Rank offers for a member, the best first; the same for the same input, in whatever order.

    Of equal ones that with the smaller priority comes first, then by code. Only the first `limit` have reasons.
    """
    if not offers:
        return []
    found = appeal(features, statistics, now=now)
    plans = _plans_of(statistics, offers)
    fit = _fit(found, plans)
    chances = _chances(found, offers, fit, now)
    scores = fit.score.round(DIGITS).tolist()
    order = sorted(range(len(offers)), key=lambda i: (-scores[i], offers[i].priority, offers[i].code))
    lists = np.where(fit.last <= FAVOURITE_DAYS, 0, np.where(fit.last < NEVER, 1, 2)).tolist()
    probabilities = chances.round(DIGITS).tolist()
    shown = len(offers) if limit is None else limit
    return [
        Ranked(
            offers[i], number, scores[i], probabilities[i], _LISTS[lists[i]],
            _reasons(found, plans[i], fit, i) if number <= shown else (),
        )
        for number, i in enumerate(order, start=1)
    ]  # fmt: skip


def explain(features: Features, statistics: Statistics, offer: Offer, *, now: datetime) -> tuple[Reason, ...]:
    """Why one offer fits a member, or fits best of all there are."""
    found = appeal(features, statistics, now=now)
    plans = _plans_of(statistics, [offer])
    return _reasons(found, plans[0], _fit(found, plans), 0)


_LISTS: tuple[InList, ...] = ("favourites", "win_back", "discover")


def _plans_of(statistics: Statistics, offers: Sequence[Offer]) -> list[_Plan]:
    """Plans are remembered by who an offer is: comparing hundreds would cost more than ranking them."""
    known = _plans.get(statistics)
    if known is None or len(known) > PLANS_MAX:
        known = _plans[statistics] = {}
    plans = []
    for offer in offers:
        plan = known.get(id(offer))
        if plan is None or plan.offer is not offer:
            plan = known[id(offer)] = _plan(statistics, offer)
        plans.append(plan)
    return plans


def _plan(statistics: Statistics, offer: Offer) -> _Plan:
    """Goods that lie in another category of the same offer say nothing more, and what it excludes says nothing."""
    wide = set(offer.categories)
    categories = [c for c in offer.categories if not wide & {*lineage(c)[:-1]} and not _excluded(offer, c)]
    of = statistics.sku_categories
    skus = [s for s in offer.skus if s not in offer.exclude_skus and not wide & {*lineage(of.get(s))}]
    after = len(statistics.categories.codes)
    places = [statistics.place[c] for c in categories if c in statistics.place]
    places += [after + statistics.sku_place[s] for s in skus if s in statistics.sku_place]
    unknown = [("category", c) for c in categories if c not in statistics.place]
    unknown += [("sku", s) for s in skus if s not in statistics.sku_place]
    return _Plan(offer, np.array(places, np.int64), tuple(unknown))


def _excluded(offer: Offer, category: str) -> bool:
    return any(wider in offer.exclude_categories for wider in lineage(category))


def _fit(found: Appeal, plans: Sequence[_Plan]) -> _Fit:
    """The chance of any of an offer's goods, as if each were bought for itself."""
    lengths = np.array([len(plan.places) for plan in plans], np.int64)
    places = np.concatenate([plan.places for plan in plans])
    begins = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    score, last = np.zeros(len(plans)), np.full(len(plans), NEVER)
    best = np.full(len(plans), -1, np.int64)
    some = lengths > 0
    if len(places):
        scores = found.score[places]
        score[some] = -np.expm1(np.add.reduceat(np.log1p(-scores), begins[some]))
        last[some] = np.minimum.reduceat(found.last[places], begins[some])
        best[lengths == 1] = places[begins[lengths == 1]]
    fit = _Fit(score, last, best)
    for number in np.flatnonzero(lengths > 1):
        plan = plans[number]
        best[number] = plan.places[int(np.argmax(found.score[plan.places]))]
    for number, plan in enumerate(plans):
        if plan.unknown:
            for level, code in plan.unknown:
                chance, _, since = outside(found, level, code)
                score[number] = 1 - (1 - score[number]) * (1 - chance)
                last[number] = min(last[number], since)
        elif not plan.offer.names_goods:
            fit.baskets.add(number)
            score[number], last[number] = _basket(found, plan.offer)
    return fit


def _basket(found: Appeal, offer: Offer) -> tuple[float, float]:
    """The chance that a basket is worth what an offer asks for, and the days since the last one."""
    buying = found.features.buying
    usual = buying.spend / buying.orders if buying.orders and buying.spend > 0 else found.expected.statistics.basket
    chance = float(np.exp(-offer.min_basis / usual)) if offer.min_basis and usual > 0 else 1.0
    return chance, NEVER if buying.last_at is None else max(0.0, (found.now - buying.last_at) / DAY)


def _chances(found: Appeal, offers: Sequence[Offer], fit: _Fit, now: datetime) -> Numbers:
    """The chance of at least one purchase while a member has the offer."""
    per_day = visits_in(found.features.buying, found.expected.statistics, 1.0, now=now)
    days = np.array([_days(offer, now) for offer in offers])
    chances: Numbers = -np.expm1(np.log1p(-np.minimum(fit.score, SURE)) * per_day * days)
    for number in fit.baskets:
        # Each visit has a basket: what is uncertain is whether there is one.
        chances[number] = -np.expm1(-fit.score[number] * per_day * days[number])
    return chances


def _days(offer: Offer, now: datetime) -> float:
    if offer.valid_to is None:
        return float(offer.days)
    return max(0.0, min(float(offer.days), (offer.valid_to - now) / DAY))


def _reasons(found: Appeal, plan: _Plan, fit: _Fit, number: int) -> tuple[Reason, ...]:
    if number in fit.baskets:
        return explaining.of_basket(found)
    best = int(fit.best[number])
    if best < 0 or not found.orders[best]:
        # What the member bought explains more than what they did not, whether or not others buy it.
        for level, code in plan.unknown:
            if outside(found, level, code)[1]:
                return explaining.of_others(found, level, code)
    return explaining.of_goods(found, best) if best >= 0 else ()


def as_document(reason: Reason) -> Mapping[str, Any]:
    """A reason as it is stored with an assignment."""
    return {"feature": reason.feature, "value": reason.value, "said": dict(reason.said), "orders": list(reason.orders)}
