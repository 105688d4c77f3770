"""How members buy, read by the page for the nightly count: as columns, straight from the database's own form."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
from psycopg import sql
from psycopg.rows import scalar_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.features.decay import HABIT, PACE, as_of
from loyalty.learning.tallying import BUYING, GOODS, Page, Table

# Members of a page: 300,000 rows of members who bought in 155 categories, and a matrix of 16 megabytes.
PAGE = 2_000
ONE = Decimal(1)
# A page is read in a second or two; on a busy machine it may take longer than a request is given.
PATIENTLY = "SET LOCAL statement_timeout = '60s'"

_PAGE = """
SELECT member_id FROM member_features
WHERE program_id = %s AND (%s::uuid IS NULL OR member_id > %s) AND last_at IS NOT NULL ORDER BY member_id LIMIT %s
"""
_COUNT = "SELECT count(*) FROM member_features WHERE program_id = %s AND last_at IS NOT NULL"
_REACH = """
SELECT g.code, count(*) FROM unnest(%s::uuid[]) m (member_id)
JOIN goods_features g ON g.member_id = m.member_id AND g.level = 'category' GROUP BY g.code
"""
_BUYING = """
SELECT f.orders::float8, f.spend::float8, f.weight::float8, f.visits::float8, f.worth::float8,
    extract(epoch FROM f.first_at)::float8, extract(epoch FROM f.last_at)::float8
FROM unnest(%s::uuid[]) WITH ORDINALITY m (member_id, number) JOIN member_features f ON f.member_id = m.member_id
ORDER BY m.number
"""
_GOODS = """
SELECT m.number - 1, c.number - 1, g.orders::float8, g.weight::float8,
    extract(epoch FROM g.first_at)::float8, extract(epoch FROM g.last_at)::float8
FROM unnest(%s::uuid[]) WITH ORDINALITY m (member_id, number)
JOIN goods_features g ON g.member_id = m.member_id AND g.level = %s
JOIN unnest(%s::text[]) WITH ORDINALITY c (code, number) ON c.code = g.code
"""
# An article lies where the newest orders with it say.
_CATEGORIES = """
SELECT DISTINCT ON (line ->> 'sku') line ->> 'sku', line ->> 'category'
FROM orders o CROSS JOIN LATERAL jsonb_array_elements(o.lines) line
WHERE o.member_id = ANY(%s::uuid[]) AND line ->> 'sku' = ANY(%s::text[]) AND line ->> 'category' IS NOT NULL
ORDER BY line ->> 'sku', o.placed_at DESC
"""


def count(session: Session, program_id: UUID) -> int:
    """How many members have bought anything."""
    return session.row(_COUNT, (program_id,), into=scalar_row) or 0


def page_after(session: Session, program_id: UUID, after: UUID | None) -> list[UUID]:
    """The next members who have bought anything."""
    return session.rows(_PAGE, (program_id, after, after, PAGE), into=scalar_row)


def reach(session: Session, members: Sequence[UUID]) -> dict[str, int]:
    """How many of these members bought in each category."""
    return dict(session.rows(_REACH, (array_of(members),), into=tuple_row))


def read(
    session: Session, members: Sequence[UUID], codes: Sequence[str], skus: Sequence[str], *, now: datetime
) -> Page:
    """How these members buy, as of an instant. Whoever has been merged meanwhile has bought nothing."""
    session.run(PATIENTLY)
    ids = array_of(members)
    rows = session.rows(_BUYING, (ids,), into=tuple_row)
    buying = np.array(rows, BUYING) if len(rows) == len(members) else None
    if buying is None:
        # They went since the page was read: the next count does without them, too.
        there = _there(session, ids)
        return read(session, there, codes, skus, now=now)
    for name, life in (("weight", HABIT), ("visits", PACE), ("worth", PACE)):
        buying[name] *= as_of(ONE, now, life)
    return Page(
        buying=_back_from(buying, now),
        categories=_goods(session, ids, "category", codes, now),
        skus=_goods(session, ids, "sku", skus, now) if skus else np.zeros(0, GOODS),
    )


def categories_of(session: Session, members: Sequence[UUID], skus: Sequence[str]) -> dict[str, str]:
    """What articles lie in, as far as orders of these members say."""
    return dict(session.rows(_CATEGORIES, (array_of(members), array_of(skus)), into=tuple_row)) if skus else {}


def _there(session: Session, ids: str) -> list[UUID]:
    return session.rows("SELECT member_id FROM member_features WHERE member_id = ANY(%s::uuid[]) ORDER BY member_id",
                        (ids,), into=scalar_row)  # fmt: skip


def _goods(session: Session, ids: str, level: str, codes: Sequence[str], now: datetime) -> Table:
    """Hundreds of thousands of rows: as values of Python they would take most of the time of the count."""
    copied = sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(sql.SQL(_GOODS))
    with session.driver.cursor() as cursor, cursor.copy(copied, (ids, level, array_of(codes))) as copy:
        goods = _columns(b"".join(copy))
    goods["weight"] *= as_of(ONE, now, HABIT)
    return _back_from(goods, now)


# In the binary form of COPY a row is the number of its columns, and before each column its length.
_HEADER, _TRAILER = 19, 2
_WHOLE = ("member", "code")
_FIELDS = [(f"{name}_length", ">i4", name, ">i8" if name in _WHOLE else ">f8") for name in GOODS.names or ()]
_ROW = np.dtype([("columns", ">i2"), *((field, kind) for four in _FIELDS for field, kind in (four[:2], four[2:]))])


def _columns(copied: bytes) -> Table:
    rows = np.frombuffer(copied[_HEADER:-_TRAILER], _ROW)
    goods = np.empty(len(rows), GOODS)
    for name in GOODS.names or ():
        goods[name] = rows[name]
    return goods


def _back_from(table: Table, now: datetime) -> Table:
    """Instants as days counted back."""
    for name in ("first_days", "last_days"):
        table[name] = np.maximum((now.timestamp() - table[name]) / 86_400, 0.0)
    return table
