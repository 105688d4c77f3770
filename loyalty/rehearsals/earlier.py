"""The history of members as it was: what is recorded now, less what was bought since."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.core.categories import lineage
from loyalty.db.session import Session, array_of
from loyalty.earning.adding import contribution_of
from loyalty.earning.domain import Facts, Line, Purchase
from loyalty.earning.rules import Needs
from loyalty.rules.history import NO_HISTORY, NOTHING, History, Purchases, Sums

# Without lines, the discount need not be shared out: it makes the same sum. Units in all are asked for by no rule.
_SINCE = """
SELECT member_id, count(*), sum(total - shipping)::bigint FROM orders
WHERE member_id = ANY(%s::uuid[]) AND placed_at >= %s AND returned = '{}' GROUP BY member_id
"""
_SINCE_BY_LINE = """
SELECT member_id, lines, discount, returned->'lines' FROM orders
WHERE member_id = ANY(%s::uuid[]) AND placed_at >= %s AND (%s OR returned <> '{}')
"""
# The sums know only when the newest order was placed.
_LAST = """
SELECT member_id, max(placed_at) FROM orders WHERE member_id = ANY(%s::uuid[]) AND placed_at < %s GROUP BY member_id
"""
_LAST_OF_CATEGORIES = """
SELECT o.member_id, l->>'category', max(o.placed_at)
FROM orders o CROSS JOIN LATERAL jsonb_array_elements(o.lines) l
WHERE o.member_id = ANY(%s::uuid[]) AND o.placed_at < %s AND l->>'category' IS NOT NULL GROUP BY 1, 2
"""

NEVER = Purchases()


def as_it_was(
    session: Session, known: Mapping[UUID, Facts], needs: Needs, families: Mapping[UUID, UUID], *, since: datetime
) -> dict[UUID, Facts]:
    """Facts with the history of members before an instant. `families`: whose orders are whose."""
    where = (array_of(families), since)
    by_category = needs.all_categories or bool(needs.categories)
    bought: dict[UUID, Sums] = {}
    of_categories: dict[UUID, dict[str, Sums]] = {}
    if not by_category:
        for member_id, orders, spend in session.rows(_SINCE, where, into=tuple_row):
            owner = families[member_id]
            bought[owner] = bought.get(owner, NOTHING) + Sums(orders, 0, spend)
    for member_id, lines, discount, returned in session.rows(_SINCE_BY_LINE, (*where, by_category), into=tuple_row):
        owner = families[member_id]
        added = contribution_of(purchase(lines, since, discount), returned, by_category=by_category)
        bought[owner] = bought.get(owner, NOTHING) + added.total
        sums = of_categories.setdefault(owner, {})
        for path, more in added.categories.items():
            sums[path] = sums.get(path, NOTHING) + more
    last: dict[UUID, datetime] = {}
    for member_id, at in session.rows(_LAST, where, into=tuple_row):
        last[families[member_id]] = max(at, last.get(families[member_id], at))
    last_of = _last_of_categories(session, where, families) if by_category else {}
    now: dict[UUID, History] = {}
    for member_id, facts in known.items():
        now[families[member_id]] = _together(now.get(families[member_id], NO_HISTORY), facts.history)
    return {
        owner: replace(
            known[owner],
            history=History(
                Purchases(found.total.sums - bought.get(owner, NOTHING), last.get(owner)),
                _before(found.categories, of_categories.get(owner, {}), last_of.get(owner, {})),
            ),
        )
        for owner, found in now.items()
        if owner in known
    }


def _together(one: History, other: History) -> History:
    """The sums of two histories: of members who became one."""
    paths = {**one.categories, **other.categories}
    categories = {
        path: Purchases(one.categories.get(path, NEVER).sums + other.categories.get(path, NEVER).sums) for path in paths
    }
    return History(Purchases(one.total.sums + other.total.sums), categories)


def purchase(lines: list[dict[str, Any]], at: datetime, discount: int) -> Purchase:
    """What of an order matters to the history."""
    return Purchase(lines=tuple([Line(**line) for line in lines]), placed_at=at, discount=discount)


def _before(
    now: Mapping[str, Purchases], since: Mapping[str, Sums], last: Mapping[str, datetime]
) -> dict[str, Purchases]:
    before = {path: (found.sums - since.get(path, NOTHING), last.get(path)) for path, found in now.items()}
    return {path: Purchases(sums, at) for path, (sums, at) in before.items() if sums != NOTHING or at is not None}


def _last_of_categories(
    session: Session, where: tuple[str, datetime], families: Mapping[UUID, UUID]
) -> dict[UUID, dict[str, datetime]]:
    """When members last bought of categories, and of what lies below them, before an instant."""
    last: dict[UUID, dict[str, datetime]] = {}
    for member_id, category, at in session.rows(_LAST_OF_CATEGORIES, where, into=tuple_row):
        of_owner = last.setdefault(families[member_id], {})
        for path in lineage(category):
            of_owner[path] = max(at, of_owner.get(path, at))
    return last
