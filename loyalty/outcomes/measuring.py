"""Measuring windows: what members bought in them and before, as their orders are now, and what offers gave them.

A member is who stays: whatever those bought who were merged into them is theirs. All windows of a page are measured by
three statements, whose cost is that of the orders of these members.
"""

from collections.abc import Sequence
from typing import Any

from psycopg.rows import tuple_row

from loyalty.db.session import Session, array_of
from loyalty.outcomes.domain import OFFER, Anchor, Measured, kept

# `n` is the place of the window in the page. Orders of members are found by member: whoever knows little of the tables
# would go through all there are.
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
_WHOLE = "coalesce(o.returned -> 'lines', '{}') = '{}'"
_BOUGHT = f"""
{_WINDOWS}
SELECT w.n, coalesce(b.spend, 0), b.orders, coalesce(b.before, 0) FROM owners w CROSS JOIN LATERAL (
    SELECT sum(o.total - o.shipping) FILTER (WHERE o.placed_at >= w.at)::bigint AS spend,
        count(*) FILTER (WHERE o.placed_at >= w.at) AS orders,
        sum(o.total - o.shipping) FILTER (WHERE o.placed_at < w.before_to)::bigint AS before
    FROM orders o WHERE o.member_id = w.member_id AND o.placed_at >= w.before_from AND o.placed_at < w.ends_at
        AND (o.placed_at < w.before_to OR o.placed_at >= w.at) AND {_WHOLE}
) b WHERE b.orders > 0 OR b.before IS NOT NULL
"""
_RETURNED = f"""
{_WINDOWS}
SELECT w.n, b.in_window, b.lines, b.discount, b.back FROM owners w CROSS JOIN LATERAL (
    SELECT o.placed_at >= w.at AS in_window, o.lines, o.discount, o.returned -> 'lines' AS back
    FROM orders o WHERE o.member_id = w.member_id AND o.placed_at >= w.before_from AND o.placed_at < w.ends_at
        AND (o.placed_at < w.before_to OR o.placed_at >= w.at) AND NOT {_WHOLE} OFFSET 0) b
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
    for n, spend, orders, before in session.rows(_BOUGHT, where, into=tuple_row):
        _add(sums[n], (spend, orders, before))
    for n, in_window, lines, discount, back in session.rows(_RETURNED, where, into=tuple_row):
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
