"""What the report `liability` says, in words."""

from collections.abc import Mapping

from loyalty.kpis.domain import Column

COLUMNS = (
    Column("opening", "points",
        "What members held when the period began: available, pending and held points, as the ledger has recorded them. "
        "What lapses is recorded within a minute, dated at the instant when it lapsed."),
    Column("issued", "points", "Points that were awarded in the period."),
    Column("redeemed", "points", "Points that were spent in the period, less those that went back to members."),
    Column("expired", "points", "Points that lapsed in the period."),
    Column("reinstated", "points", "Lapsed points that were brought back in the period."),
    Column("reversed", "points", "Points that returned orders took back in the period."),
    Column("adjusted", "points", "Points that were given by hand in the period, less those that were taken by hand."),
    Column("transferred_in", "points", "Points that members got from other members in the period."),
    Column("transferred_out", "points",
        "Points that members gave to other members in the period. It is transferred_in, for nothing leaves the program "
        "that way."),
    Column("debt_paid", "points", "Points that paid in the period what members owed from returns."),
    Column("closing", "points",
        "What members held when the period ended: opening + issued - redeemed - expired + reinstated - reversed + "
        "adjusted + transferred_in - transferred_out - debt_paid."),
    Column("debt_opening", "points", "What members owed when the period began. It is no part of what they hold."),
    Column("debt_incurred", "points", "What members came to owe in the period, by returns of orders."),
    Column("debt_closing", "points",
        "What members owed when the period ended: debt_opening + debt_incurred - debt_paid."),
    Column("money_opening", "money", "Revenue that waited for points when the period began: the contract liability."),
    Column("money_deferred", "money",
        "What part of the price of the goods sold in the period belongs to the points that came with them: split by "
        "what goods and points would cost alone, of points those that are expected to be redeemed. Per month of sale."),
    Column("money_reversed", "money", "The part of it that went with points that were taken back in the period."),
    Column("money_redeemed", "money",
        "Revenue of the period for points that were redeemed, at what was expected when the period, or its month, "
        "began."),
    Column("money_unredeemed", "money",
        "Revenue of the period because points lapsed, or fewer are expected to be redeemed than before; negative if "
        "more are."),
    Column("money_closing", "money",
        "Revenue that waits for points when the period ends: money_opening + money_deferred - money_reversed - "
        "money_redeemed - money_unredeemed."),
    Column("expected", "points", "How many of the closing points are expected to be redeemed, by what was known then."),
    Column("redemption_rate", "share",
        "What share of all points ever issued, and not taken back, is expected to have been redeemed in the end, by "
        "what was known when the period ended."),
)  # fmt: skip
TOTALS = (
    *COLUMNS,
    Column("redemption_rate_low", "share",
        "The lower end of the interval that holds the rate with a confidence of 95 %. Null if the rate is not an "
        "estimate."),
    Column("redemption_rate_high", "share", "The upper end of it."),
    Column("value_per_point", "number", "What a point is worth, in minor units, as the program has it. Null for other "
        "units than points."),
    Column("reconciled", "flag",
        "Whether what was counted is what the accounts of all members hold, and owe, to the point. Null unless asked "
        "for (`reconcile=yes`)."),
    Column("difference", "points", "What accounts hold less what was counted."),
)  # fmt: skip
SECTIONS: Mapping[str, tuple[Column, ...]] = {
    "estimate": (
        Column("day", "date", "The last day that is known to the estimate."),
        Column("method", "text",
            "`life_table`: from what became of the points of earlier months, by the months since they were earned; "
            "`not_enough_history`: nothing is assumed to lapse; `set_by_hand`: the program says the rate."),
        Column("redemption_rate", "share", "What share of all points is expected to be redeemed in the end."),
        Column("redemption_rate_low", "share", "The lower end of its interval (95 %). Null if it is no estimate."),
        Column("redemption_rate_high", "share", "The upper end of its interval (95 %). Null if it is no estimate."),
        Column("new_points_rate", "share", "What share of points that are earned now is expected to be redeemed."),
        Column("cohorts", "count", "The points of how many months it was learnt from."),
        Column("ages", "count", "Up to how many months after they were earned at least two of them were seen."),
        Column("reason", "text", "Why the rate was set by hand."),
    ),
    "ageing": (
        Column("age", "text", "Calendar months since the points were earned, the month of earning being 0."),
        Column("outstanding", "points", "What members hold of points of that age."),
        Column("share", "share", "Its share of all that members hold."),
        Column("expected", "points", "How many of them are expected to be redeemed."),
        Column("money", "money", "The revenue that waits for them."),
    ),
    "journal": (
        Column("period", "text", "The period."),
        Column("day", "date", "Its last day."),
        Column("text", "text", "What it is for."),
        Column("account", "text", "The account. Names are proposals; amounts of each period balance."),
        Column("debit", "money", "What is debited to it."),
        Column("credit", "money", "What is credited to it."),
    ),
    "reconciliation": (
        Column("counted", "points", "What members hold by what was counted of all time."),
        Column("counted_debt", "points", "What they owe by what was counted."),
        Column("ledger", "points", "What their accounts hold: available, pending and held. Null unless asked for."),
        Column("ledger_debt", "points", "What they owe by their accounts."),
        Column("difference", "points", "ledger - counted."),
        Column("reconciled", "flag", "Whether both are equal, and what is owed, too."),
    ),
}  # fmt: skip
