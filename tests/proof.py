"""The audit that ends every test of the database."""

from importlib import util
from pathlib import Path
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session
from loyalty.ledger import verification

_FILE = Path(__file__).parents[1] / "migrations" / "versions" / "0011_earning.py"
_spec = util.spec_from_file_location("backfill", _FILE)
assert _spec is not None
assert _spec.loader is not None
_backfill = util.module_from_spec(_spec)
_spec.loader.exec_module(_backfill)

# What was bought, added up anew from orders and returns, against what was kept up with each of them. A category of
# which all came back stays with zeros.
_HISTORIES = f"""
WITH RECURSIVE owners (member_id, owner_id) AS ({_backfill.OWNERS}),
mine AS (SELECT o.* FROM owners o JOIN members m ON m.member_id = o.owner_id
         WHERE %(program_id)s::uuid IS NULL OR m.program_id = %(program_id)s::uuid),
bought AS ({_backfill.BOUGHT}),
anew AS (SELECT member_id, '' AS category, orders, quantity, spend FROM ({_backfill.TOTALS}) t
         UNION ALL SELECT member_id, category, orders, quantity, spend FROM ({_backfill.BY_CATEGORY}) c),
kept AS (SELECT member_id, '' AS category, orders, quantity, spend FROM purchase_histories
         UNION ALL SELECT member_id, category, orders, quantity, spend FROM category_histories)
SELECT member_id, category, a.orders, k.orders, a.quantity, k.quantity, a.spend, k.spend
FROM (SELECT * FROM anew WHERE member_id IN (SELECT owner_id FROM mine)) a
FULL JOIN (SELECT * FROM kept WHERE member_id IN (SELECT owner_id FROM mine)) k USING (member_id, category)
WHERE (coalesce(a.orders, 0), coalesce(a.quantity, 0), coalesce(a.spend, 0))
   <> (coalesce(k.orders, 0), coalesce(k.quantity, 0), coalesce(k.spend, 0))
"""


def assert_books_balance(session: Session, program_id: UUID | None = None) -> None:
    """The books of a program (or of everybody in the worker's database) are in order, and histories what was bought."""
    result = verification.verify(session, program_id=program_id)
    assert result.ok, result.findings
    wrong = session.rows(_HISTORIES, {"program_id": program_id}, into=tuple_row)
    assert wrong == [], "a history of purchases is not what was bought"
