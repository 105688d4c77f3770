"""Measuring windows: what members bought in them and before, as their orders are now, and what offers gave them.

A member is who stays: whatever those bought who were merged into them is theirs. All windows of a page are measured by
two statements, whose cost is that of the orders of these members.
"""

from collections.abc import Sequence
from typing import Any

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.outcomes.domain import OFFER, Anchor, Measured, kept

# `n` is the place of the window in the page.
_WINDOWS = """
WITH RECURSIVE windows AS MATERIALIZED (
    SELECT * FROM unnest(%(n)s::integer[], %(member_id)s::uuid[], %(at)s::timestamptz[], %(ends_at)s::timestamptz[],
        %(before_from)s::timestamptz[], %(before_to)s::timestamptz[], %(offer)s::text[])
        AS w (n, member_id, at, ends_at, before_from, before_to, offer)),
family AS (
    SELECT DISTINCT w.member_id AS stays, w.member_id FROM windows w
    UNION ALL
    SELECT f.stays, m.member_id FROM family f JOIN members m ON m.merged_into = f.member_id),
owners AS MATERIALIZED (
    SELECT w.n, f.member_id, w.at, w.ends_at, w.before_from, w.before_to, w.offer
    FROM windows w JOIN family f ON f.stays = w.member_id)
"""
# Found by member and by nothing else (`OFFSET 0`): a plan for whatever times would go through all orders of that time
# for each member. Of those of which something came back, `returned` says what there is to work out.
_BOUGHT = f"""
{_WINDOWS}
SELECT w.n, coalesce(b.spend, 0), b.orders, coalesce(b.before, 0), coalesce(b.returned, '[]')
FROM owners w CROSS JOIN LATERAL (
    SELECT sum(o.goods) FILTER (WHERE o.placed_at >= w.at AND o.back = '{{}}')::bigint AS spend,
        count(*) FILTER (WHERE o.placed_at >= w.at AND o.back = '{{}}') AS orders,
        sum(o.goods) FILTER (WHERE o.placed_at < w.before_to AND o.back = '{{}}')::bigint AS before,
        json_agg(json_build_array(o.placed_at >= w.at, o.lines, o.discount, o.back))
            FILTER (WHERE o.back <> '{{}}') AS returned
    FROM (
        SELECT m.placed_at, m.total - m.shipping AS goods, m.lines, m.discount,
            coalesce(m.returned -> 'lines', '{{}}') AS back
        FROM orders m WHERE m.member_id = w.member_id OFFSET 0) o
    WHERE o.placed_at >= w.before_from AND o.placed_at < w.ends_at
        AND (o.placed_at < w.before_to OR o.placed_at >= w.at)
) b WHERE b.orders > 0 OR b.before IS NOT NULL OR b.returned IS NOT NULL
"""
# An offer is used when the order is placed that uses it, however late that arrives.
_GAVE = f"""
{_WINDOWS}
SELECT w.n, coalesce(b.points, 0), coalesce(b.amount, 0), b.redeemed FROM owners w CROSS JOIN LATERAL (
    SELECT sum(a.points)::bigint AS points, sum(a.amount)::bigint AS amount, count(*) AS redeemed
    FROM assignments a LEFT JOIN orders o ON o.member_id = a.member_id AND o.order_id = a.order_id
    WHERE a.member_id = w.member_id AND a.status = 'redeemed' AND (w.offer IS NULL OR a.offer_code = w.offer)
        AND coalesce(o.placed_at, a.closed_at) >= w.at AND coalesce(o.placed_at, a.closed_at) < w.ends_at
) b WHERE b.redeemed > 0
"""


def measure(session: Session, anchors: Sequence[Anchor]) -> list[Measured]:
    """What came of each anchor, in their order."""
    if not anchors:
        return []
    where = _where(anchors)
    sums = [[0] * 6 for _ in anchors]
    for n, spend, orders, before, returned in session.rows(_BOUGHT, where, into=tuple_row):
        _add(sums[n], (spend, orders, before))
        for in_window, lines, discount, back in returned:
            left = kept(lines, discount, back)
            if left is not None:
                _add(sums[n], (left, 1, 0) if in_window else (0, 0, left))
    for n, points, amount, redeemed in session.rows(_GAVE, where, into=tuple_row):
        _add(sums[n], (0, 0, 0, points, amount, redeemed))
    return [
        Measured(spend=spend, orders=orders, before=before, points=points, amount=amount, redeemed=redeemed)
        for spend, orders, before, points, amount, redeemed in sums
    ]


def _where(anchors: Sequence[Anchor]) -> dict[str, Any]:
    names = ("member_id", "at", "ends_at", "before_from", "before_to")
    columns = {name: array_of(getattr(anchor, name) for anchor in anchors) for name in names}
    offers = [each.experiment.removeprefix(OFFER) if each.experiment.startswith(OFFER) else None for each in anchors]
    return {**columns, "n": list(range(len(anchors))), "offer": offers}


def _add(into: list[int], numbers: Sequence[int]) -> None:
    for place, number in enumerate(numbers):
        into[place] += number
