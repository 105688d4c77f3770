"""The audit that ends every test of the database."""

from datetime import datetime
from importlib import util
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row, tuple_row

from loyalty.db.session import Session
from loyalty.ledger import verification
from loyalty.programs import queries as programs
from loyalty.tiers import queries as tiers
from loyalty.tiers import reading
from loyalty.tiers.domain import Ladders
from loyalty.tiers.reading import Asked
from loyalty.tiers.standing import Standing, anew, settle, tier_at
from tests.rewards.proof import assert_redemptions_stand


def _migration(name: str) -> Any:
    spec = util.spec_from_file_location(name, Path(__file__).parents[1] / "migrations" / "versions" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_backfill, _tiers = _migration("0011_earning"), _migration("0015_tiers")

# Only what is asked about is looked at, under the names of the tables: all else stands as earlier tests left it.
_ASKED = "(%(program_id)s::uuid IS NULL OR program_id = %(program_id)s::uuid) AND program_id > %(since)s::uuid"
_OF_MEMBERS = "WHERE member_id IN (SELECT member_id FROM members)"
_ONLY = f"""
orders AS (SELECT * FROM public.orders WHERE {_ASKED}),
activities AS (SELECT * FROM public.activities WHERE {_ASKED}),
members AS (SELECT * FROM public.members WHERE {_ASKED}),
purchase_histories AS (SELECT * FROM public.purchase_histories {_OF_MEMBERS}),
category_histories AS (SELECT * FROM public.category_histories {_OF_MEMBERS}),
tier_days AS (SELECT * FROM public.tier_days {_OF_MEMBERS}),
tier_standings AS (SELECT * FROM public.tier_standings WHERE {_ASKED})"""
_FIRST = UUID(int=0)

# What was bought, added up anew from orders and returns, against what was kept up with each of them. A category of
# which all came back stays with zeros.
_HISTORIES = f"""
WITH RECURSIVE {_ONLY},
owners (member_id, owner_id) AS ({_backfill.OWNERS}),
bought AS ({_backfill.BOUGHT}),
anew AS (SELECT member_id, '' AS category, orders, quantity, spend FROM ({_backfill.TOTALS}) t
         UNION ALL SELECT member_id, category, orders, quantity, spend FROM ({_backfill.BY_CATEGORY}) c),
kept AS (SELECT member_id, '' AS category, orders, quantity, spend FROM purchase_histories
         UNION ALL SELECT member_id, category, orders, quantity, spend FROM category_histories)
SELECT member_id, category, a.orders, k.orders, a.quantity, k.quantity, a.spend, k.spend
FROM anew a FULL JOIN kept k USING (member_id, category)
WHERE (coalesce(a.orders, 0), coalesce(a.quantity, 0), coalesce(a.spend, 0))
   <> (coalesce(k.orders, 0), coalesce(k.quantity, 0), coalesce(k.spend, 0))
"""

# What counts for tiers, day by day, against orders, activities, and what came back of them.
_DAYS = f"""
WITH RECURSIVE {_ONLY},
owners (member_id, owner_id) AS ({_tiers.OWNERS}),
anew AS ({_tiers.DAYS}),
kept AS (SELECT member_id, day, sum(spend)::bigint AS spend, sum(points)::bigint AS points,
                sum(orders)::bigint AS orders FROM tier_days GROUP BY 1, 2)
SELECT m.customer_id, day, a.spend, k.spend, a.points, k.points, a.orders, k.orders
FROM anew a FULL JOIN kept k USING (member_id, day) JOIN members m USING (member_id)
WHERE (coalesce(a.spend, 0), coalesce(a.points, 0), coalesce(a.orders, 0))
   <> (coalesce(k.spend, 0), coalesce(k.points, 0), coalesce(k.orders, 0))
"""
# Whoever was merged has no days any more, and whoever is closed stays where they stood.
_STANDINGS = f"""
WITH {_ONLY}
SELECT m.customer_id, s.spend, d.spend, s.points, d.points, s.orders, d.orders
FROM tier_standings s JOIN members m USING (member_id) LEFT JOIN LATERAL (
    SELECT coalesce(sum(spend), 0)::bigint AS spend, coalesce(sum(points), 0)::bigint AS points,
           coalesce(sum(orders), 0)::bigint AS orders FROM tier_days WHERE member_id = s.member_id) d ON true
WHERE m.merged_into IS NULL AND (s.spend, s.points, s.orders) <> (d.spend, d.points, d.orders)
"""
_RECORDED = f"""
WITH {_ONLY}
SELECT m.program_id, m.member_id, m.enrolled_at, e.recorded_at
FROM tier_standings s JOIN members m USING (member_id) CROSS JOIN LATERAL (
    SELECT max(recorded_at) AS recorded_at FROM tier_evaluations WHERE member_id = s.member_id) e
WHERE m.status <> 'closed' AND e.recorded_at IS NOT NULL
"""


# Vouchers, against the orders that use them and the registry that has their codes.
_VOUCHERS = f"""
SELECT v.code, v.uses, u.uses, k.member_id FROM (SELECT * FROM vouchers WHERE {_ASKED}) v
LEFT JOIN natural_keys k ON k.program_id = v.program_id AND k.kind = 'voucher' AND k.key = v.key
LEFT JOIN (SELECT member_id, code, count(*) AS uses FROM voucher_uses
           WHERE released_at IS NULL GROUP BY member_id, code) u ON u.member_id = v.member_id AND u.code = v.code
WHERE v.uses <> coalesce(u.uses, 0) OR k.member_id IS DISTINCT FROM v.member_id
"""


_YOUNGER = "SELECT program_id FROM programs WHERE program_id > %s ORDER BY program_id"


def assert_vouchers_stand(session: Session, program_id: UUID | None, since: UUID) -> None:
    """A voucher was used as often as orders use it, and its code is its own."""
    asked = {"program_id": program_id, "since": since}
    wrong = session.rows(_VOUCHERS, asked, into=tuple_row)
    assert wrong == [], "a voucher is not what its uses are, or not who the registry says"


def assert_tiers_stand(session: Session, program_id: UUID | None, since: UUID) -> None:
    """What counts is what was bought, and members stand where they would if everything had been known in time."""
    asked = {"program_id": program_id, "since": since}
    assert session.rows(_DAYS, asked, into=tuple_row) == [], "a day is not what was bought"
    wrong = session.rows(_STANDINGS, asked, into=tuple_row)
    assert wrong == [], "a standing is not the sum of its days"
    of_programs: dict[UUID, Ladders] = {}
    for found, member_id, enrolled_at, now in session.rows(_RECORDED, asked, into=tuple_row):
        if found not in of_programs:
            of_programs[found] = tiers.ladders(session, programs.load(session, found))
        ladders, who = of_programs[found], [Asked(member_id, enrolled_at, None)]
        recorded = reading.whole(session, ladders, who, now=now)[member_id]
        again = anew(recorded, ladders, cause="proof", reference=None, now=now)
        recorded = settle(recorded, ladders, now=now)
        assert _told(recorded, ladders, now) == _told(again, ladders, now), "a tier is not what was bought"
        assert recorded.tier == again.tier, "a tier is not the highest of those bought and granted"


def _told(standing: Standing, ladders: Ladders, now: datetime) -> tuple[object, ...]:
    state, held = standing.state, tier_at(standing, ladders, now)
    return state.ladder_version, state.tier, state.valid_to, state.held_to, held and held[0].code


def assert_books_balance(session: Session, program_id: UUID | None = None, since: UUID = _FIRST) -> None:
    """The books of a program, or of those that are younger than the id `since`, are in order; and all else is so, too.

    With neither, everything in the worker's database is proved.
    """
    whole = program_id is not None or since == _FIRST
    for whose in [program_id] if whole else session.rows(_YOUNGER, (since,), into=scalar_row):
        result = verification.verify(session, program_id=whose)
        assert result.ok, result.findings
    wrong = session.rows(_HISTORIES, {"program_id": program_id, "since": since}, into=tuple_row)
    assert wrong == [], "a history of purchases is not what was bought"
    assert_tiers_stand(session, program_id, since)
    assert_vouchers_stand(session, program_id, since)
    assert_redemptions_stand(session, program_id, since)
