"""Counting what all members of a program buy: what is added of some of them at a time, and what comes of it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import log

import numpy as np
import numpy.typing as npt

from loyalty.core.categories import lineage
from loyalty.features.decay import DAY, HABIT, LANDMARK, PACE, as_of
from loyalty.features.domain import Buying, Cuts, Features, Goods
from loyalty.features.outlook import Outlook
from loyalty.features.statistics import GROUPS, LATELY_DAYS, Figures, Numbers, Statistics, Weights, leaves
from loyalty.learning import foreseeing
from loyalty.learning.foreseeing import Seen

# So many categories, those that most members buy, have item-item weights: a matrix of 16 megabytes.
WEIGHTED_MAX = 2_000
# How much it takes to believe that two categories go together (the ridge of the regression): tuned on a program of
# 1,400 members, and less where a few cannot have as much in common.
RIDGE, RIDGE_OF_EACH = 1_000.0, 0.75
# A share of few members is drawn towards this one by so many more.
FEW, FEW_OF = 0.5, 20.0

BUYING = np.dtype(
    [(name, np.float64) for name in ("orders", "spend", "weight", "visits", "worth", "first_days", "last_days")]
)
GOODS = np.dtype(
    [("member", np.int64), ("code", np.int64)]
    + [(name, np.float64) for name in ("orders", "weight", "first_days", "last_days")]
)
Table = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Some members: how they buy (`BUYING`), and by category and article (`GOODS`).

    `member` is the place in `buying`, `code` that in the list of codes. Decayed sums are as of the count, and days are
    counted back from it.
    """

    buying: Table
    categories: Table
    skus: Table


class Tally:
    """Sums over members. `codes` are categories, ordered by how many members buy them."""

    def __init__(self, codes: Sequence[str], skus: Sequence[str]) -> None:
        self.codes, self.skus = tuple(codes), tuple(skus)
        self.weighted = min(len(self.codes), WEIGHTED_MAX)
        self._categories, self._articles = _Sums(len(self.codes)), _Sums(len(self.skus))
        self._gram = np.zeros((self.weighted, self.weighted))
        self._weighed = self._members = self._active = self._earlier = 0
        self._orders = self._spend = self._visits = self._elapsed = 0.0
        self._spread: list[tuple[Numbers, ...]] = []
        self._seen: list[Seen] = []

    def add(self, page: Page, *, weigh: bool = True) -> None:
        """Add some members; `weigh`: what they buy together counts."""
        buying = page.buying
        self._members += len(buying)
        self._active += int((buying["last_days"] <= LATELY_DAYS).sum())
        self._earlier += int((buying["first_days"] > LATELY_DAYS).sum())
        self._orders += float(buying["orders"].sum())
        self._spend += float(buying["spend"].sum())
        self._visits += float(buying["visits"].sum())
        self._elapsed += float(_elapsed(buying["first_days"]).sum())
        self._spread.append(tuple(buying[name].astype(np.float32) for name in ("last_days", "visits", "worth")))
        self._categories.add(buying, page.categories)
        self._articles.add(buying, page.skus)
        if weigh:
            self._weighed += len(buying)
            goods = page.categories[page.categories["code"] < self.weighted]
            bought = np.zeros((len(buying), self.weighted), np.float32)
            bought[goods["member"], goods["code"]] = np.log1p(goods["orders"])
            self._gram += bought.T @ bought

    def look(self, members: Iterable[Seen]) -> None:
        """Add what became of some members."""
        self._seen.extend(members)

    def outlook(self) -> Outlook:
        """What may be expected of members, and how many there are of whom the same is."""
        learned, cuts = foreseeing.learned(self._seen), self._cuts(LANDMARK)
        if cuts is None:
            return learned
        _, visits, worth = (np.concatenate(column) for column in zip(*self._spread, strict=True))
        return foreseeing.spread(learned, visits, worth, cuts.worth)

    def statistics(self, version: int, as_of: datetime, sku_categories: Mapping[str, str]) -> Statistics:
        """What it all comes to."""
        categories = self._categories.figures(self.codes, self._members, self._active, self._earlier)
        codes = self.codes[: self.weighted]
        weights, log_count = item_weights(self._gram, codes, categories.log_count, members=self._weighed)
        return Statistics(
            version=version,
            as_of=as_of,
            members=self._members,
            pace=self._visits / self._elapsed if self._elapsed else 0.0,
            basket=self._spend / self._orders if self._orders else 0.0,
            cuts=self._cuts(as_of),
            categories=Figures(
                categories.codes, categories.rate, categories.reach, categories.usual, categories.adoption, log_count
            ),
            skus=self._articles.figures(self.skus, self._members, self._active, self._earlier),
            sku_categories=sku_categories,
            weights=weights,
        )

    def _cuts(self, as_of: datetime) -> Cuts | None:
        if not self._members:
            return None
        parts = np.arange(1, GROUPS) / GROUPS
        columns = (np.concatenate(column) for column in zip(*self._spread, strict=True))
        recency, visits, worth = (tuple(float(cut) for cut in np.quantile(column, parts)) for column in columns)
        return Cuts(as_of, recency, visits, worth)


class _Sums:
    """Sums by category, or by article."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._rate, self._log, self._usual = (np.zeros(count) for _ in range(3))
        # Members who bought it lately, bought it for the first time lately, and had bought it before.
        self._lately, self._tried, self._before = (np.zeros(count) for _ in range(3))

    def add(self, buying: Table, goods: Table) -> None:
        code, who = goods["code"], goods["member"]
        share = np.divide(
            goods["weight"], buying["weight"][who], where=buying["weight"][who] > 0, out=np.zeros(len(who))
        )
        span = np.maximum(buying["first_days"][who], LATELY_DAYS)
        earlier = buying["first_days"][who] > LATELY_DAYS
        lately, began = goods["last_days"] <= LATELY_DAYS, goods["first_days"] <= LATELY_DAYS
        self._rate += self._by(code, share)
        self._log += self._by(code, np.log1p(goods["orders"]))
        # Who buys at random so often buys at least once in that time with this chance.
        self._usual += self._by(code, -np.expm1(-LATELY_DAYS * goods["orders"] / span))
        self._lately += self._by(code, lately)
        self._tried += self._by(code, began & earlier)
        self._before += self._by(code, ~began & earlier)

    def _by(self, code: npt.NDArray[np.int64], value: npt.NDArray[np.generic]) -> Numbers:
        return np.bincount(code, value, self._count).astype(np.float64)

    def figures(self, codes: tuple[str, ...], members: int, active: int, earlier: int) -> Figures:
        reach = self._lately / max(active, 1)
        # As if as many bought all in all as lately: what counts is which goods they bought.
        usual = self._usual * (reach.sum() / self._usual.sum()) if self._usual.any() else self._usual
        adoption = (self._tried + FEW) / (earlier - self._before + FEW_OF)
        return Figures(codes, self._rate / max(members, 1), reach, usual, adoption, self._log / max(members, 1))


def item_weights(gram: Numbers, codes: tuple[str, ...], log_count: Numbers, *, members: int) -> tuple[Weights, Numbers]:
    """Item-item weights of what is bought together, and the means that they are to be compared with.

    They are those of EASE (Steck, "Embarrassingly Shallow Autoencoders", WWW 2019) between the narrowest categories.
    What speaks for a wider one is what speaks for those below it, all together.
    """
    count, narrow = len(codes), leaves(codes)
    weights, means = np.zeros((count, count)), log_count.copy()
    if count:
        ridge = min(RIDGE, RIDGE_OF_EACH * members)
        inverse = np.linalg.inv(gram[np.ix_(narrow, narrow)] + ridge * np.eye(int(narrow.sum())))
        between = -inverse / np.diag(inverse)
        np.fill_diagonal(between, 0.0)
        weights[np.ix_(narrow, narrow)] = between
        place = {code: number for number, code in enumerate(codes)}
        below: dict[int, list[int]] = {}
        for number in np.flatnonzero(narrow):
            for wider in lineage(codes[number])[:-1]:
                if wider in place:
                    below.setdefault(place[wider], []).append(int(number))
        for wide, narrower in below.items():
            weights[:, wide] = weights[:, narrower].sum(axis=1)
            means[wide] = log_count[narrower].sum()
    return weights.astype(np.float32), means


def page_of(members: Iterable[Features], codes: Sequence[str], skus: Sequence[str], *, now: datetime) -> Page:
    """Members as a page. Those who have bought nothing are left out."""
    buyers = [each for each in members if each.buying.last_at is not None]
    category, article = ({code: number for number, code in enumerate(each)} for each in (codes, skus))
    return Page(
        buying=np.array([_buying_row(each.buying, now) for each in buyers], BUYING),
        categories=_goods_rows((each.categories for each in buyers), category, now),
        skus=_goods_rows((each.skus for each in buyers), article, now),
    )


def by_reach(members: Mapping[str, int]) -> list[str]:
    """Categories by how many members buy them, those of most first."""
    return sorted(members, key=lambda code: (-members[code], code))


def _buying_row(buying: Buying, now: datetime) -> tuple[float, ...]:
    assert buying.first_at is not None, "who bought did so for a first time"
    assert buying.last_at is not None, "and for a last time"
    decayed = as_of(buying.weight, now, HABIT), as_of(buying.visits, now, PACE), as_of(buying.worth, now, PACE)
    return (buying.orders, buying.spend, *decayed, _days(buying.first_at, now), _days(buying.last_at, now))


def _goods_rows(members: Iterable[Mapping[str, Goods]], place: Mapping[str, int], now: datetime) -> Table:
    rows = [
        (number, place[code], goods.orders, as_of(goods.weight, now, HABIT), _days(goods.first_at, now),
         _days(goods.last_at, now))
        for number, bought in enumerate(members) for code, goods in bought.items() if code in place
    ]  # fmt: skip
    return np.array(rows, GOODS)


def _days(at: datetime, now: datetime) -> float:
    return max(0.0, (now - at) / DAY)


def _elapsed(days: Numbers) -> Numbers:
    """What `decay.elapsed` says of each of some numbers of days."""
    life = PACE / DAY
    decayed: Numbers = life / log(2) * (1 - np.exp2(-days / life))
    return decayed
