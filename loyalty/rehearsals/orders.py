"""The orders that were placed, read in the order of time, a page at a time, with what is known of their members.

A page is read by its key, in a transaction of its own: nothing is held between two pages, and what is read of members
belongs to one instant.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.earning.domain import UNKNOWN, Facts, Line, Purchase
from loyalty.earning.facts import Wanted, facts_of
from loyalty.earning.rules import RuleSet
from loyalty.earning.tiering import terms_of
from loyalty.programs.domain import Program
from loyalty.rehearsals.domain import Placed, Span
from loyalty.rehearsals.earlier import as_it_was
from loyalty.tiers import queries as tiers
from loyalty.tiers import reading

# About a tenth of a second of work: so soon a rehearsal stops when it is told to.
PAGE = 1_000

# What is recorded after the beginning is left out, so that the pages fit together.
_SPAN = """program_id = %(program_id)s AND placed_at >= %(begin)s AND placed_at < %(end)s
    AND recorded_at <= %(known_at)s AND status <> 'cancelled'"""
_COUNT = f"SELECT count(*) FROM orders WHERE {_SPAN}"
# What offers gave is not the rules' to give.
_PAGE = f"""
SELECT o.order_id, o.member_id, o.customer_id, o.placed_at, o.total, o.returned <> '{{}}'::jsonb, o.recorded_at,
    CASE WHEN o.award_seqs <> '{{}}' THEN (
        SELECT json_object_agg(e.unit, e.points) FROM (
            SELECT unit, sum(points) AS points FROM entries
            WHERE member_id = o.member_id AND seq = ANY(o.award_seqs) AND rule_code NOT LIKE 'offer:%%'
            GROUP BY unit) e) END,
    CASE WHEN o.customer_id IS NOT NULL THEN o.lines END, o.shipping, o.discount, o.points_paid, o.channel,
    CASE WHEN %(metadata)s THEN o.metadata END
FROM orders o
WHERE {_SPAN} AND (o.placed_at, o.recorded_at, o.order_id) > (%(placed_at)s, %(recorded_at)s, %(order_id)s)
ORDER BY o.placed_at, o.recorded_at, o.order_id LIMIT %(limit)s
"""
_MERGED = """
SELECT m.member_id, m.merged_into, t.customer_id FROM members m JOIN members t ON t.member_id = m.merged_into
WHERE m.program_id = %s
"""

_ENROLLED = "SELECT member_id, enrolled_at FROM members WHERE member_id = ANY(%s::uuid[])"

Key = tuple[datetime, datetime, str]


class Merges:
    """Members who became one with others: their orders count as those of the member who stayed."""

    def __init__(self, rows: Sequence[tuple[UUID, UUID, str]]) -> None:
        self._into = {member_id: (into, customer_id) for member_id, into, customer_id in rows}

    def owner(self, member_id: UUID, customer_id: str) -> tuple[UUID, str]:
        """Whose an order is now."""
        while member_id in self._into:
            member_id, customer_id = self._into[member_id]
        return member_id, customer_id

    def families(self, owners: Sequence[UUID]) -> dict[UUID, UUID]:
        """All members whose orders are those of the owners now, and of whom each is."""
        wanted = set(owners)
        merged = {m: self.owner(m, "")[0] for m in self._into}
        return {**{m: m for m in owners}, **{m: owner for m, owner in merged.items() if owner in wanted}}


def merges(session: Session, program_id: UUID) -> Merges:
    """Who was merged into whom."""
    return Merges(session.rows(_MERGED, (program_id,), into=tuple_row))


def count(session: Session, program_id: UUID, span: Span, *, known_at: datetime) -> int:
    """How many orders there are to be judged."""
    patiently(session)
    return session.row(_COUNT, _where(program_id, span, known_at), into=scalar_row) or 0


def patiently(session: Session) -> None:
    """Read from one instant, and as the figures of this reader demand, not as those of a request do."""
    session.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    session.run("SET LOCAL statement_timeout = '5min'")
    session.run("SET LOCAL plan_cache_mode = force_custom_plan")
    # The next page is to be walked to along the index, not sorted out of all that are left.
    session.run("SET LOCAL enable_sort = off")
    session.run("SET LOCAL enable_bitmapscan = off")


def page_of(
    session: Session,
    program_id: UUID,
    span: Span,
    rule_set: RuleSet,
    merged: Merges,
    *,
    known_at: datetime,
    after: Key | None,
) -> tuple[list[Placed], Key | None]:
    """The next orders in the order of time, and where the page after begins (None: nowhere)."""
    placed_at, recorded_at, order_id = after or (span.begin, span.begin, "")
    where = {
        **_where(program_id, span, known_at), "placed_at": placed_at, "recorded_at": recorded_at,
        "order_id": order_id, "limit": PAGE, "metadata": _names_metadata(rule_set),
    }  # fmt: skip
    if after is None:
        where["recorded_at"] = datetime.min.replace(tzinfo=span.begin.tzinfo)
    where["begin"] = placed_at
    rows = session.rows(_PAGE, where, into=tuple_row)
    last = rows[-1] if len(rows) == PAGE else None
    return list(_placed(rows, merged)), last and (last[3], last[6], last[0])


def facts(
    session: Session, rule_set: RuleSet, owners: Sequence[UUID], merged: Merges, *, since: datetime
) -> Mapping[UUID, Facts]:
    """What rules ask about members: who they are now, and what they had bought before an instant."""
    needs = rule_set.needs
    wanted = Wanted(
        needs.member, needs.all_attributes, frozenset(needs.attributes), needs.history, needs.all_categories,
        frozenset(needs.categories), features=needs.features,
    )  # fmt: skip
    families = merged.families(owners) if needs.history else dict(zip(owners, owners, strict=True))
    known = facts_of(session, list(families), wanted)
    if needs.history:
        known = as_it_was(session, known, needs, families, since=since)
    return {owner: known.get(owner, UNKNOWN) for owner in owners}


def with_tiers(
    session: Session, program: Program, known: Mapping[UUID, Facts], *, now: datetime
) -> Mapping[UUID, Facts]:
    """Facts with the tiers that members have now."""
    ladders = tiers.ladders(session, program)
    if (ladder := ladders.at(now)) is None:
        return known
    enrolled = session.rows(_ENROLLED, (array_of(known),), into=tuple_row)
    held = reading.tiers_of(session, ladders, enrolled, now=now)
    return {
        member_id: replace(facts, tier=tier.code, tier_terms=terms_of(tier, ladder))
        if (tier := held.get(member_id)) else facts
        for member_id, facts in known.items()
    }  # fmt: skip


def _names_metadata(rule_set: RuleSet) -> bool:
    """Whether any condition asks about what shops add to orders: it may be long."""
    fields = rule_set.needs.named.get("order", frozenset())
    return fields is None or "metadata" in fields


def _where(program_id: UUID, span: Span, known_at: datetime) -> dict[str, Any]:
    return {"program_id": program_id, "begin": span.begin, "end": span.end, "known_at": known_at}


def _placed(rows: Sequence[tuple[Any, ...]], merged: Merges) -> Iterator[Placed]:
    for row in rows:
        order_id, member_id, customer_id, placed_at, total, came_back, _, given, lines, *rest = row
        purchase = None
        if customer_id is not None:
            member_id, customer_id = merged.owner(member_id, customer_id)
            shipping, discount, points_paid, channel, metadata = rest
            purchase = Purchase(
                lines=tuple([Line(**line) for line in lines]), placed_at=placed_at, shipping=shipping,
                discount=discount, points_paid=points_paid, channel=channel, metadata=metadata or {},
            )  # fmt: skip
        yield Placed(order_id, member_id, customer_id, placed_at, total, came_back, given or {}, purchase)
