"""Reading what it takes to spend points: open lots in the order of consumption, as many as are needed."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row, dict_row

from loyalty.db.session import Session, array_of
from loyalty.ledger.domain import Account, Holdings, Lot
from loyalty.ledger.holdings import ACCOUNT, HOLDING, LOT, holdings_from, is_due

# Most redemptions consume a handful of lots; a member who never spent has many.
LOTS_CHUNK = 20

# The lots that lapse on fixed dates, those of each clock of inactivity, and those that never lapse: each in the order
# of consumption, which is the order of the index (named in full, or all of them would be sorted). Taken together they
# are put in order by the book.
_TO_SPEND = f"""
(SELECT {LOT} FROM lots l WHERE l.member_id = %(member_id)s AND l.unit = %(unit)s AND l.remaining > 0
   AND (NOT l.pending OR l.matures_at <= %(now)s) AND l.expires_at > %(now)s
 ORDER BY l.expires_at, l.expiry, l.earned_at, l.seq LIMIT %(limit)s)
UNION ALL
(SELECT {LOT} FROM unnest(%(clocks)s::text[]) t CROSS JOIN LATERAL (
   SELECT * FROM lots l WHERE l.member_id = %(member_id)s AND l.unit = %(unit)s AND l.remaining > 0
     AND (NOT l.pending OR l.matures_at <= %(now)s) AND l.expires_at IS NULL AND l.expiry = t
   ORDER BY l.expires_at, l.expiry, l.earned_at, l.seq LIMIT %(limit)s) l)
UNION ALL
(SELECT {LOT} FROM lots l WHERE l.member_id = %(member_id)s AND l.unit = %(unit)s AND l.remaining > 0
   AND (NOT l.pending OR l.matures_at <= %(now)s) AND l.expires_at IS NULL AND l.expiry IS NULL
 ORDER BY l.expires_at, l.expiry, l.earned_at, l.seq LIMIT %(limit)s)
"""

# The same along with the account, as many as most redemptions consume.
_OPEN_LOTS = """
CASE WHEN a.unit = %(unit)s THEN (SELECT json_agg(t) FROM (
    {to_spend}) t) END AS open_lots
""".format(
    to_spend=_TO_SPEND.replace("%(member_id)s", "a.member_id")
    .replace("%(unit)s", "a.unit")
    .replace("unnest(%(clocks)s::text[])", "jsonb_object_keys(a.idle)")
)
_ACCOUNTS_TO_SPEND = f"SELECT {ACCOUNT}, {_OPEN_LOTS} FROM accounts a WHERE a.member_id = %(member_id)s"
_HOLDINGS_TO_SPEND = f"SELECT {HOLDING}, {_OPEN_LOTS} FROM accounts a WHERE a.member_id = %(member_id)s"


def holdings_to_spend(session: Session, member_id: UUID, unit: str, *, now: datetime, look: bool = False) -> Holdings:
    """What a member holds, as `holdings_of` one, with the first open lots in `unit`: most redemptions need no more."""
    where = {"member_id": member_id, "unit": unit, "limit": LOTS_CHUNK}
    statement = _HOLDINGS_TO_SPEND if look else _ACCOUNTS_TO_SPEND
    rows = session.rows(statement, {**where, "now": now}, into=dict_row)
    latest = max([now, *(row["known_at"] for row in rows)])
    if latest > now or (not look and any(is_due(row, now) or row["debt"] for row in rows)):
        rows = session.rows(_HOLDINGS_TO_SPEND, {**where, "now": latest}, into=dict_row)
    return holdings_from(member_id, rows)


def cover(lots: Iterable[Lot], points: int, *, limit: int | None = None) -> bool:
    """Whether lots that were read, so many at the most of each expiry, are all that it takes to spend `points`."""
    streams: dict[tuple[bool, str | None], list[int]] = {}
    for lot in lots:
        streams.setdefault((lot.expires_at is None, lot.expiry), []).append(lot.remaining)
    most = limit or LOTS_CHUNK
    return all(len(stream) < most or sum(stream) >= points for stream in streams.values())


def lots_to_spend(session: Session, account: Account, points: int, *, now: datetime) -> list[Lot]:
    """Open lots, as many as it takes to cover `points` in the order of consumption."""
    where = {"member_id": account.member_id, "unit": account.unit, "now": now, "clocks": array_of(account.idle)}
    limit = LOTS_CHUNK
    while True:
        lots = session.rows(_TO_SPEND, {**where, "limit": limit}, into=class_row(Lot))
        if cover(lots, points, limit=limit):
            return lots
        limit *= 10
