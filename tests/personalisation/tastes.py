"""Members who buy, without a database: raw orders, what is known of them, and what a program's members make of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from loyalty.core.categories import lineage
from loyalty.features.decay import HABIT, PACE, weight
from loyalty.features.domain import RECENT_MAX, Buying, Features, Goods
from loyalty.features.statistics import Statistics
from loyalty.learning.tallying import Tally, by_reach, page_of
from loyalty.offers.domain import Offer, Promise

NOW = datetime.fromisoformat("2026-03-01T12:00:00+00:00")

# An order: so many days ago, the paths of its goods, and their articles.
Order = tuple[float, tuple[str, ...], tuple[str, ...]]


def order(days_ago: float, *goods: str, skus: tuple[str, ...] = ()) -> Order:
    return days_ago, goods, skus


def features_of(orders: Sequence[Order], *, spend: int = 1_000) -> Features:
    """What is known of who placed these orders, called o-0, o-1 … in the order given; the oldest comes first."""
    if not orders:
        return Features()
    placed = [NOW - timedelta(days=days) for days, _, _ in orders]
    bought: dict[str, list[int]] = {}
    articles: dict[str, list[int]] = {}
    for number, (_, goods, skus) in enumerate(orders):
        for code in dict.fromkeys(path for each in goods for path in lineage(each)):
            bought.setdefault(code, []).append(number)
        for sku in skus:
            articles.setdefault(sku, []).append(number)

    def known(numbers: list[int]) -> Goods:
        return Goods(
            orders=len(numbers), quantity=len(numbers), spend=spend * len(numbers),
            weight=sum((weight(placed[n], HABIT) for n in numbers), Decimal(0)),
            first_at=placed[numbers[0]], last_at=placed[numbers[-1]],
            recent=tuple(f"o-{n}" for n in numbers[-RECENT_MAX:]),
        )  # fmt: skip

    buying = Buying(
        orders=len(orders), spend=spend * len(orders), gross=spend * len(orders),
        weight=sum((weight(at, HABIT) for at in placed), Decimal(0)),
        visits=sum((weight(at, PACE) for at in placed), Decimal(0)),
        worth=sum((weight(at, PACE) * spend for at in placed), Decimal(0)),
        first_at=placed[0], last_at=placed[-1],
    )  # fmt: skip
    return Features(
        buying, {code: known(n) for code, n in bought.items()}, {sku: known(n) for sku, n in articles.items()}
    )


def statistics_of(
    members: Iterable[Features], *, skus: Mapping[str, str] | None = None, version: int = 1
) -> Statistics:
    """What these members make of a program; `skus` are the articles of offers, and what they lie in."""
    members = list(members)
    buyers: dict[str, int] = {}
    for each in members:
        for code in each.categories:
            buyers[code] = buyers.get(code, 0) + 1
    tally = Tally(by_reach(buyers), list(skus or ()))
    tally.add(page_of(members, tally.codes, tally.skus, now=NOW))
    return tally.statistics(version, NOW, skus or {})


def an_offer(code: str, *categories: str, **given: Any) -> Offer:
    return Offer(code=code, version=1, title=code, promise=Promise("bonus_points", Decimal(10)), categories=categories,
                 **given)  # fmt: skip


def a_town() -> list[Features]:
    """Forty members: bakers buy flour and yeast, the others coffee and filters; everybody buys milk."""
    bakers = [
        features_of([order(80 - 7 * n, "milk", *(("baking > flour", "baking > yeast") if (n + who) % 2 else ()))
                     for n in range(12)]) for who in range(20)
    ]  # fmt: skip
    drinkers = [
        features_of([order(81 - 9 * n, *(("milk",) if n % 2 else ()), "coffee > beans", "coffee > filters")
                     for n in range(9)]) for _ in range(20)
    ]  # fmt: skip
    return bakers + drinkers
