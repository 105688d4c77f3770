"""How much each of a program's goods appeals to a member: the chance that a visit has it. Pure.

The chance is the member's own rate, drawn towards what is expected of somebody like them by as much as `DRAW` visits
say: how many buy it, how many do so lately, and how much what the member buys speaks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from loyalty.features.decay import DAY, HABIT, PACE, as_of, elapsed, weight
from loyalty.features.domain import Buying, Features, Goods
from loyalty.features.statistics import Figures, Numbers, Statistics, leaves

# All of these were tuned on the public benchmark (`python -m bench.offers`).
# What is expected counts as so many visits; without item-item weights, and for an article, it is less certain.
DRAW, DRAW_LITE, DRAW_SKU = 18.0, 10.0, 10.0
# How much a member likes a category is told by so many visits for its articles.
DRAW_LIKING = 5.0
# How much more often than others somebody like the member buys it: within these bounds.
LIFT_LEAST, LIFT_LEAST_NEW, LIFT_MOST = 0.2, 0.15, 20.0
RATE_POWER = 0.75
# Of what a member never bought, how many tried it lately says more than how often all buy it.
NEW_POWER = 0.75
# A share of few is moved towards the others by so much, before it is compared with another.
FEW = 0.01
# How far somebody is beyond the usual time between two purchases (1: it has just passed), and what is left of the
# chance then. It takes so many purchases to know the usual time.
LATENESS = np.array([0.25, 1.25, 2.0, 3.0, 5.0, 8.0])
LEFT = np.array([0.92, 1.0, 0.94, 0.89, 0.84, 0.77, 0.72])
USUAL_LEAST = 4
# A member's pace is drawn towards that of all by so many visits.
DRAW_PACE = 4.0
SURE = 0.999
NEVER = 1e6


@dataclass(frozen=True, eq=False)
class Expected:
    """What is expected of anybody, worked out once for each count.

    `own` and `new` are factors for goods that the member has bought, and has not; `popular` is what is expected of who
    has bought nothing at all. Articles follow their category, where `category_of` says it (-1: unknown).
    """

    statistics: Statistics
    trend: Numbers
    own: Numbers
    new: Numbers
    popular: Numbers
    inverse_log: Numbers
    category_of: npt.NDArray[np.int64]


_expected: WeakKeyDictionary[Statistics, Expected] = WeakKeyDictionary()


@dataclass(slots=True, eq=False)
class Appeal:
    """What is known of one member: columns over the categories, and after them the articles, of the statistics.

    `score`: the chance that a visit has it. `orders`, and the `last` purchase in days, are the member's own; `lift` is
    how much more often somebody like them buys it than all do. `others` are goods that the statistics do not know.
    """

    expected: Expected
    features: Features
    now: datetime
    visits: float
    score: Numbers
    lift: Numbers
    orders: Numbers
    last: Numbers
    told: npt.NDArray[np.int64]


def expected(statistics: Statistics) -> Expected:
    """What is expected of anybody."""
    found = _expected.get(statistics)
    if found is None:
        found = _expected[statistics] = _expect(statistics)
    return found


def _expect(statistics: Statistics) -> Expected:
    figures = statistics.categories
    narrow = leaves(figures.codes)
    reach, adoption = (_scaled(column, figures, narrow) for column in (figures.reach, figures.adoption))
    trend = np.sqrt((figures.reach + FEW) / (figures.usual + FEW))
    logs = figures.log_count[: len(statistics.weights)]
    place = statistics.place
    of = [place.get(statistics.sku_categories.get(sku, ""), -1) for sku in statistics.skus.codes]
    full = len(statistics.weights) > 0
    return Expected(
        statistics=statistics,
        trend=trend,
        own=figures.rate**RATE_POWER * reach ** (1 - RATE_POWER) * trend if full else reach * trend,
        new=adoption**NEW_POWER * figures.rate ** (1 - NEW_POWER) if full else reach * trend,
        popular=reach,
        inverse_log=np.divide(1.0, logs, where=logs > 0, out=np.zeros(len(logs))),
        category_of=np.array(of, np.int64),
    )


def _scaled(column: Numbers, figures: Figures, narrow: npt.NDArray[np.bool_]) -> Numbers:
    """A share of members as a share of visits: all in all, the narrowest categories are bought as often."""
    total = column[narrow].sum()
    return column * (figures.rate[narrow].sum() / total) if total else column


def appeal(features: Features, statistics: Statistics, *, now: datetime) -> Appeal:
    """How much each of the goods appeals to a member."""
    known = expected(statistics)
    unit = float(weight(now, HABIT)) or 1.0
    visits = float(features.buying.weight) / unit
    count = len(statistics.categories.codes)
    at, n, orders, first, last = _own(features.categories, statistics.place, unit, now)
    bought, lateness = np.zeros(count), np.ones(count)
    bought[at] = n
    lateness[at] = _left(orders, first, last)
    all_orders, all_last = np.zeros(count), np.full(count, NEVER)
    all_orders[at], all_last[at] = orders, last
    lift = _lift(known, at, orders)
    draw = DRAW if len(statistics.weights) else DRAW_LITE
    prior = _prior(known, lift, all_orders, is_new=not features.buying.orders)
    score = np.clip((bought * known.trend + draw * prior) / (visits + draw) * lateness, 0.0, SURE)
    skus = _articles(known, features, visits, bought, unit=unit, now=now)
    columns = (np.concatenate(pair) for pair in zip((score, lift, all_orders, all_last), skus, strict=True))
    score, lift, all_orders, all_last = columns
    told = at[at < len(statistics.weights)]
    return Appeal(known, features, now, visits, score, lift, all_orders, all_last, told)


def outside(found: Appeal, level: str, code: str) -> tuple[float, float]:
    """The score of goods that the statistics do not know, and the days since the last purchase."""
    bought: Goods | None = (found.features.categories if level == "category" else found.features.skus).get(code)
    if bought is None:
        return 0.0, NEVER
    n = as_of(bought.weight, found.now, HABIT)
    last = max(0.0, (found.now - bought.last_at) / DAY)
    return min(SURE, n / (found.visits + DRAW)), last


def visits_in(buying: Buying, statistics: Statistics, days: float, *, now: datetime) -> float:
    """How many visits a member makes in so many days, at their own pace drawn towards that of all."""
    passed = elapsed(buying.first_at, now, PACE) if buying.first_at is not None else 0.0
    if not statistics.pace:
        return days * as_of(buying.visits, now, PACE) / max(passed, 1.0)
    return days * (as_of(buying.visits, now, PACE) + DRAW_PACE) / (passed + DRAW_PACE / statistics.pace)


_Own = tuple[npt.NDArray[np.int64], Numbers, Numbers, Numbers, Numbers]


def _own(bought: Mapping[str, Goods], place: Mapping[str, int], unit: float, now: datetime) -> _Own:
    """What a member bought, as columns: where it stands, decayed orders, orders, days since the first and the last."""
    rows = [(place[code], goods) for code, goods in bought.items() if code in place]
    instant = now.timestamp()
    table = np.array(
        [(g.weight, g.orders, g.first_at.timestamp(), g.last_at.timestamp()) for _, g in rows], np.float64
    ).reshape(-1, 4)
    at = np.array([number for number, _ in rows], np.int64)
    days = np.maximum((instant - table[:, 2:]) / 86_400, 0.0)
    return at, table[:, 0] / unit, table[:, 1], days[:, 0], days[:, 1]


def _left(orders: Numbers, first: Numbers, last: Numbers) -> Numbers:
    """What is left of the chance, by how late the next purchase is."""
    usual = (first - last) / np.maximum(orders - 1, 1)
    lateness = np.divide(last, usual, where=usual > 0, out=np.full(len(usual), NEVER))
    left: Numbers = np.where(orders >= USUAL_LEAST, LEFT[np.searchsorted(LATENESS, lateness, side="right")], 1.0)
    return left


def _lift(known: Expected, at: npt.NDArray[np.int64], orders: Numbers) -> Numbers:
    """How much more often than all somebody who bought this buys each category; 1 where nothing is known of it."""
    statistics = known.statistics
    lift = np.ones(len(statistics.categories.codes))
    weighted = len(statistics.weights)
    told = at < weighted
    if told.any():
        # Not `@`, for which BLAS would start threads beside those of the server.
        speaks = np.einsum("j,jc->c", np.log1p(orders[told]).astype(np.float32), statistics.weights[at[told]])
        lift[:weighted] = np.minimum(np.maximum(speaks, 0.0) * known.inverse_log, LIFT_MOST)
    return lift


def _prior(known: Expected, lift: Numbers, orders: Numbers, *, is_new: bool) -> Numbers:
    if is_new:
        return known.popular
    if not len(known.statistics.weights):
        return np.where(orders > 0, known.own, known.new)
    own = known.own * np.maximum(lift, LIFT_LEAST) ** RATE_POWER
    return np.where(orders > 0, own, known.new * np.maximum(lift, LIFT_LEAST_NEW))


def _articles(
    known: Expected, features: Features, visits: float, bought: Numbers, *, unit: float, now: datetime
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """The same columns for articles: bought themselves, and as often as their category is liked."""
    statistics = known.statistics
    count = len(statistics.skus.codes)
    at, n, orders, _, last = _own(features.skus, statistics.sku_place, unit, now)
    own, all_orders, all_last = np.zeros(count), np.zeros(count), np.full(count, NEVER)
    own[at], all_orders[at], all_last[at] = n, orders, last
    rate = statistics.categories.rate
    usual, some = (visits + DRAW_LIKING) * rate, rate > 0
    liked = np.divide(bought + DRAW_LIKING * rate, usual, where=some, out=np.ones(len(rate)))
    # The last one stands for an unknown category.
    liking = np.append(liked, 1.0)[known.category_of]
    prior = np.minimum(statistics.skus.rate * liking, 1.0)
    score = np.clip((own + DRAW_SKU * prior) / (visits + DRAW_SKU), 0.0, SURE)
    return score, liking, all_orders, all_last
