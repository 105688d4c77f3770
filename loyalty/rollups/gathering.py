"""Reading what facts tell of: rows that never change once the fact is told, however late it is counted."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from uuid import UUID

from psycopg.rows import scalar_row, tuple_row
from pyroaring import BitMap

from loyalty.db.session import Session, array_of
from loyalty.events.following import LoggedFact
from loyalty.rollups import entries
from loyalty.rollups.cells import Counting
from loyalty.rollups.numbering import numbers_of
from loyalty.rollups.told import Gathered, Ordered, Standing

TYPES = (
    "order.recorded", "order.returned", "order.cancelled",
    "points.earned", "points.matured", "points.expired", "points.held", "points.released", "points.redeemed",
    "points.reversed", "points.returned", "points.adjusted", "points.transferred_in", "points.transferred_out",
    "points.owed", "points.debt_paid", "points.reinstated",
    "member.enrolled", "member.closed", "member.merged",
    "redemption.confirmed", "redemption.cancelled", "redemption.expired", "payment.captured", "payment.refunded",
    "tier.changed",
    "offer.assigned", "offer.seen", "offer.activated", "offer.redeemed", "offer.reinstated", "offer.dismissed",
    "offer.expired", "feedback.given",
)  # fmt: skip

# Each by its keys, in this order: who knows little of the tables would go through all ids of the program instead.
_ORDERS = """
SELECT w.order_id, o.placed_at, o.channel, o.payment_id, o.points_paid, o.discount, o.lines
FROM unnest(%s::text[]) AS w (order_id)
CROSS JOIN LATERAL (
    SELECT * FROM natural_keys n WHERE n.program_id = %s AND n.kind = 'order' AND n.key = w.order_id LIMIT 1) k
CROSS JOIN LATERAL (SELECT * FROM orders b WHERE b.member_id = k.member_id AND b.order_id = w.order_id LIMIT 1) o
"""
_RETURNS = """
SELECT w.order_id, w.return_id, r.lines FROM unnest(%s::text[], %s::text[]) AS w (order_id, return_id)
CROSS JOIN LATERAL (
    SELECT * FROM natural_keys n WHERE n.program_id = %s AND n.kind = 'order' AND n.key = w.order_id LIMIT 1) k
CROSS JOIN LATERAL (
    SELECT * FROM returns b WHERE b.member_id = k.member_id AND b.order_id = w.order_id AND b.return_id = w.return_id
    LIMIT 1) r
"""
_REDEMPTIONS = """
SELECT w.redemption_id, r.member_id, r.entry_seq, r.reward_code FROM unnest(%s::text[]) AS w (redemption_id)
CROSS JOIN LATERAL (
    SELECT * FROM natural_keys n WHERE n.program_id = %s AND n.kind = 'redemption' AND n.key = w.redemption_id
    LIMIT 1) k
CROSS JOIN LATERAL (
    SELECT * FROM redemptions b WHERE b.member_id = k.member_id AND b.redemption_id = w.redemption_id LIMIT 1) r
WHERE r.entry_seq IS NOT NULL
"""
_ENROLLED = "SELECT member_id, enrolled_at FROM members WHERE member_id = ANY(%s::uuid[])"
# What an offer gave is told by the fact that it was redeemed, of its member or of who that was merged into.
_UNDONE = """
WITH RECURSIVE w AS (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[], %s::bigint[])
        AS w (event_id, assignment_id, owner_id, xid, seq)
), who AS (
    SELECT w.event_id, a.member_id FROM w JOIN assignments a ON a.assignment_id = w.assignment_id
    UNION
    SELECT o.event_id, m.merged_into FROM who o JOIN members m ON m.member_id = o.member_id
    WHERE m.merged_into IS NOT NULL)
SELECT DISTINCT ON (w.event_id) w.event_id, coalesce((e.data ->> 'points')::bigint, 0),
    coalesce((e.data ->> 'amount')::bigint, 0)
FROM w JOIN who o ON o.event_id = w.event_id JOIN events e ON e.owner_id = o.member_id AND e.type = 'offer.redeemed'
    AND e.data ->> 'assignment_id' = w.assignment_id::text AND (e.xid, e.seq) < (w.xid, w.seq)
ORDER BY w.event_id, e.xid DESC, e.seq DESC
"""
_RETURNED = """
SELECT order_id, lines FROM rollup_returns
WHERE program_id = %s AND generation = %s AND order_id = ANY(%s::text[])
"""
_STANDINGS = """
SELECT c.number, c.seq, c.tier FROM unnest(%s::bigint[]) AS w (number) CROSS JOIN LATERAL (
    SELECT * FROM rollup_cursors b WHERE b.program_id = %s AND b.generation = %s AND b.number = w.number LIMIT 1) c
"""
_SEGMENT_DAYS = "SELECT taken_on FROM rollup_segments WHERE program_id = %s AND segment = '' ORDER BY taken_on"
_SEGMENTS = """
SELECT segment, members FROM rollup_segments WHERE program_id = %s AND taken_on = %s AND segment <> '' ORDER BY segment
"""
# So many days of segments are remembered: a page of the log is of one, a program counted anew passes one after another.
_DAYS_REMEMBERED = 16

_remembered: dict[tuple[UUID, date], list[tuple[str, BitMap]]] = {}


def gather(
    session: Session, program_id: UUID, generation: int, facts: Sequence[LoggedFact], counting: Counting, *,
    temporary: bool = False,
) -> Gathered:  # fmt: skip
    """What facts tell of; what is known of their members and orders is put into `counting`, unless it is there.

    Members who have no number get one; a `temporary` one is not written down.
    """
    owners = {fact.owner_id for fact in facts if fact.customer_id is not None}
    numbers = numbers_of(session, program_id, owners, temporary=temporary)
    _know(session, (program_id, generation), facts, numbers.values(), counting)
    of_orders = [fact for fact in facts if fact.type.startswith("order.")]
    returned = [(fact.data["order_id"], fact.data["return_id"]) for fact in of_orders if fact.type == "order.returned"]
    booked = entries.entries(session, facts, numbers, counting)
    named = {fact.data["order_id"] for fact in of_orders}
    named |= {entry.order_id for entry in booked if entry.order_id is not None and entries.may_name(entry)}
    orders = _orders(session, program_id, named)
    cancelled = {fact.data["redemption_id"] for fact in facts if fact.type == "redemption.cancelled"}
    redemptions = _redemptions(session, program_id, cancelled | {e.redemption for e in booked if e.redemption})
    return Gathered(
        numbers=numbers,
        orders=orders,
        returns=_returns(session, program_id, returned),
        entries=entries.booked(booked, orders, redemptions, entries.lots(session, booked)),
        enrolled=_enrolled(session, {fact.owner_id for fact in facts if fact.type == "member.enrolled"}),
        confirmed=frozenset(redemptions),
        undone=_undone(session, [fact for fact in facts if fact.type == "offer.reinstated"]),
        segments=_segments(session, program_id),
    )


def _know(
    session: Session, whose: tuple[UUID, int], facts: Iterable[LoggedFact], numbers: Iterable[int], counting: Counting
) -> None:
    """Put into `counting` what was known of members, and of orders that come back, before these facts."""
    strangers = [number for number in numbers if number not in counting.standings]
    if strangers:
        where = (array_of(strangers), *whose)
        for number, seq, tier in session.rows(_STANDINGS, where, into=tuple_row):
            counting.standings[number] = Standing(seq, tier)
        for number in strangers:
            counting.standings.setdefault(number, Standing())
    named = {fact.data["order_id"] for fact in facts if fact.type in ("order.returned", "order.cancelled")}
    named -= counting.returned.keys()
    if named:
        counting.returned |= session.rows(_RETURNED, (*whose, array_of(named)), into=tuple_row)


def _orders(session: Session, program_id: UUID, order_ids: Iterable[str]) -> dict[str, Ordered]:
    wanted = array_of(order_ids)
    if wanted == "{}":
        return {}
    rows = session.rows(_ORDERS, (wanted, program_id), into=tuple_row)
    return {row[0]: Ordered(*row[1:]) for row in rows}


def _returns(
    session: Session, program_id: UUID, named: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Mapping[str, int]]:
    if not named:
        return {}
    order_ids, return_ids = zip(*named, strict=True)
    rows = session.rows(_RETURNS, (array_of(order_ids), array_of(return_ids), program_id), into=tuple_row)
    found: dict[tuple[str, str], Mapping[str, int]] = {}
    for order_id, return_id, lines in rows:
        units: dict[str, int] = defaultdict(int)
        for line in lines:
            units[line["line_id"]] += line["quantity"]
        found[order_id, return_id] = units
    return found


def _redemptions(session: Session, program_id: UUID, redemption_ids: Iterable[str]) -> dict[str, tuple[UUID, int, str]]:
    """Those that were confirmed: whose entry spent the points, which it was, and the reward."""
    wanted = array_of(redemption_ids)
    if wanted == "{}":
        return {}
    rows = session.rows(_REDEMPTIONS, (wanted, program_id), into=tuple_row)
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _enrolled(session: Session, member_ids: Iterable[UUID]) -> dict[UUID, datetime]:
    wanted = array_of(member_ids)
    return {} if wanted == "{}" else dict(session.rows(_ENROLLED, (wanted,), into=tuple_row))


def _undone(session: Session, facts: Sequence[LoggedFact]) -> dict[UUID, tuple[int, int]]:
    if not facts:
        return {}
    columns = zip(*((f.event_id, f.data["assignment_id"], f.owner_id, f.xid, f.seq) for f in facts), strict=True)
    rows = session.rows(_UNDONE, [array_of(column) for column in columns], into=tuple_row)
    return {event_id: (points, amount) for event_id, points, amount in rows}


def _segments(session: Session, program_id: UUID) -> Callable[[date], Sequence[tuple[str, BitMap]]]:
    """Who was in which segment when a day began: as it was taken last on a day before."""
    days = session.rows(_SEGMENT_DAYS, (program_id,), into=scalar_row)

    @cache
    def when_began(day: date) -> Sequence[tuple[str, BitMap]]:
        place = bisect_left(days, day)
        return _taken(session, program_id, days[place - 1]) if place else ()

    return when_began


def _taken(session: Session, program_id: UUID, taken_on: date) -> list[tuple[str, BitMap]]:
    """Segments as they were taken on a day, which never change."""
    known = _remembered.get((program_id, taken_on))
    if known is None:
        rows = session.binary_rows(_SEGMENTS, (program_id, taken_on), into=tuple_row)
        known = [(segment, BitMap.deserialize(members)) for segment, members in rows]
        while len(_remembered) >= _DAYS_REMEMBERED:
            _remembered.pop(next(iter(_remembered)), None)
        _remembered[program_id, taken_on] = known
    return known
