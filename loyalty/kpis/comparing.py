"""Members against guests, redeemers against others, and how scores are spread: no cause and effect. Pure.

Sums are not kept by member, so nothing is said of what redeemers spend: only who bought, and who bought again.
"""

from collections import defaultdict
from collections.abc import Sequence

from loyalty.features.outlook import LEVELS, Outlook
from loyalty.kpis.asked import Slice
from loyalty.kpis.domain import Column, Row, ratio
from loyalty.kpis.folding import Days, Folds

NOT_CAUSAL = (
    "Redeemers and others are compared as they are. Who buys much has more points to redeem, so this is no effect of "
    "redeeming; the report `increment` measures effects."
)
NO_GUESTS = "Orders of guests are counted in all and by channel only, so guests are left out here."

_GUESTS = (
    Column("who", "text", "`members` or `guests`, who order without being known."),
    Column("orders", "count", "Orders placed."),
    Column("sales", "money", "Goods after all discounts, without shipping."),
    Column("average_basket", "money", "Sales per order."),
    Column("order_share", "share", "Share of all orders."),
    Column("sales_share", "share", "Share of all sales."),
    Column("return_rate", "share", "Money of goods that came back divided by sales."),
    Column("frequency", "number", "Orders per buyer; null for guests, for nobody knows which orders are one guest's."),
)
_REDEEMERS = (
    Column("who", "text", "`redeemers`, who redeemed a reward in the days asked for, or `others`."),
    Column("buyers", "count", "Of these, members who bought in the days."),
    Column("repeat_rate", "share", "Share of these buyers who bought twice or more often in the days."),
    Column("bought_before", "count", "Members who bought in the period before: added up over all periods. "
           "Here redeemers are those who redeemed in that period before."),
    Column("retained", "count", "Those of them who bought again in the period after it."),
    Column("retention", "share", "Retained divided by those who bought before."),
)  # fmt: skip
_SCORES = (
    Column("churn", "text", "How likely members do not buy within the days of the scores: low, medium or high."),
    Column("fifth", "count", "Fifth of members by expected spend: 5 is the best one."),
    Column("members", "count", "Members with these scores at the last nightly count, whatever days are asked for."),
    Column("share", "share", "Share of all members who ever bought."),
)  # fmt: skip

SECTIONS = {"members_and_guests": _GUESTS, "redeemers": _REDEEMERS, "scores": _SCORES}


def average(amount: int, count: int) -> int | None:
    """Minor units for each, to the nearest one, half up."""
    return (2 * amount + count) // (2 * count) if count else None


def members_and_guests(asked: Slice, days: Days) -> list[Row]:
    """Who orders, known or not; by channel at most, for guests have nothing else."""
    sums = {"members": _sums(asked, days, "")}
    if asked.dimension in {"all", "channel"}:
        sums["guests"] = _sums(asked, days, "guest_")
    orders, sales = (sum(each[name] for each in sums.values()) for name in ("orders", "sales"))
    buyers = {"members": len(asked.folds.members("buyers", *days))}
    return [
        {
            "who": who,
            "orders": each["orders"],
            "sales": each["sales"],
            "average_basket": average(each["sales"], each["orders"]),
            "order_share": ratio(each["orders"], orders),
            "sales_share": ratio(each["sales"], sales),
            "return_rate": ratio(each["returned"], each["sales"]),
            "frequency": ratio(each["orders"], buyers.get(who, 0)),
        }
        for who, each in sums.items()
    ]


def _sums(asked: Slice, days: Days, prefix: str) -> dict[str, int]:
    return {name: asked.total(prefix + name, days) for name in ("orders", "sales", "returned")}


def redeemers(asked: Slice, days: Days, cuts: Sequence[tuple[Days, Days]]) -> list[Row]:
    """Who redeemed and who did not: how many buy again. `cuts`: periods, each with the one before it."""
    # Who redeemed anything is told apart, whatever is looked at.
    folds = Folds(asked.rollups)
    folds.load("redeemers", [days, *(before for _, before in cuts)])
    redeemed, again = folds.members("redeemers", *days), asked.folds.again(*days)
    buyers, before, kept = (defaultdict[str, int](int) for _ in range(3))
    repeaters = {"redeemers": len(again & redeemed), "others": len(again - redeemed)}
    bought = asked.folds.members("buyers", *days)
    buyers |= {"redeemers": len(bought & redeemed), "others": len(bought - redeemed)}
    for period, earlier in cuts:
        were, are = asked.folds.members("buyers", *earlier), asked.folds.members("buyers", *period)
        redeemed = folds.members("redeemers", *earlier)
        both = were & redeemed
        some, retained = len(both), both.intersection_cardinality(are)
        before["redeemers"] += some
        before["others"] += len(were) - some
        kept["redeemers"] += retained
        kept["others"] += were.intersection_cardinality(are) - retained
    return [
        {
            "who": who,
            "buyers": buyers[who],
            "repeat_rate": ratio(repeaters[who], buyers[who]),
            "bought_before": before[who],
            "retained": kept[who],
            "retention": ratio(kept[who], before[who]),
        }
        for who in repeaters
    ]


def scores(outlook: Outlook | None) -> list[Row]:
    """How many members have which scores, as the nightly count found it; nothing before the first one."""
    if outlook is None:
        return []
    members = sum(map(sum, outlook.spread))
    return [
        {"churn": level, "fifth": fifth, "members": count, "share": ratio(count, members)}
        for level, fifths in zip(LEVELS, outlook.spread, strict=True)
        for fifth, count in enumerate(fifths, start=1)
    ]
