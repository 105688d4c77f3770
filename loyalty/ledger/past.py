"""What an account was, by its entries: from the last checkpoint before, and from those that came late."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, scalar_row

from loyalty.db.session import Session

_SUMS = """
sum(available)::bigint AS available, sum(pending)::bigint AS pending, sum(held)::bigint AS held,
sum(debt)::bigint AS debt,
sum(CASE WHEN kind IN ('earn', 'reverse', 'debt') THEN points WHEN kind = 'transfer_in'
    THEN coalesce((detail ->> 'lifetime_earned')::bigint, 0) ELSE 0 END)::bigint AS lifetime_earned,
sum(CASE WHEN kind IN ('redeem', 'return_spent') THEN -points WHEN kind = 'transfer_in'
    THEN coalesce((detail ->> 'lifetime_spent')::bigint, 0) ELSE 0 END)::bigint AS lifetime_spent
"""
BUCKETS = ("available", "pending", "held", "debt", "lifetime_earned", "lifetime_spent")
_KNOWN = "occurred_at <= %(as_of)s AND known_at <= %(known_at)s"
_THIS = "member_id = %(member_id)s AND unit = %(unit)s"

# All entries up to the checkpoint `c` are in; of those after the next one, `n`, only the late ones can be.
PAST = f"""
WITH c AS (SELECT least(
    coalesce((SELECT seq FROM checkpoints WHERE {_THIS} AND latest_at <= %(as_of)s
              ORDER BY latest_at DESC, seq DESC LIMIT 1), 0),
    coalesce((SELECT seq FROM checkpoints WHERE {_THIS} AND known_at <= %(known_at)s
              ORDER BY known_at DESC, seq DESC LIMIT 1), 0)) AS seq),
n AS (SELECT coalesce((SELECT seq FROM checkpoints WHERE {_THIS} AND seq > (SELECT c.seq FROM c)
                       ORDER BY seq LIMIT 1), 9223372036854775807) AS seq)
SELECT {", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in BUCKETS)} FROM (
    SELECT {", ".join(BUCKETS)} FROM checkpoints WHERE {_THIS} AND seq = (SELECT seq FROM c)
    UNION ALL
    SELECT {_SUMS} FROM entries
    WHERE {_THIS} AND {_KNOWN} AND seq > (SELECT seq FROM c) AND seq <= (SELECT seq FROM n)
    UNION ALL
    SELECT {_SUMS} FROM entries WHERE {_THIS} AND {_KNOWN} AND late AND seq > (SELECT seq FROM n)) s
"""

# Whether a lot is known to have matured by an event. Asked only of lots whose entry promised no dates.
_HAPPENED = """l.seq::text IN (
    SELECT d.reference FROM entries d WHERE d.member_id = %(member_id)s AND d.kind = 'mature'
      AND d.occurred_at <= %(as_of)s AND d.known_at <= %(known_at)s)"""

# What was left then of the lots that were to mature or to lapse later, by a date or by a clock of inactivity. A lot
# that waits for an event has no dates before it is known to have happened.
_LOTS = f"""
SELECT CASE WHEN e.matures_at > %(as_of)s THEN e.matures_at END AS matures_at,
       CASE WHEN e.expires_at IS NOT NULL OR {_HAPPENED} THEN l.expires_at END AS expires_at,
       CASE WHEN l.expiry LIKE 'inactivity%%' AND (e.pending = 0 OR e.matures_at <= %(as_of)s OR {_HAPPENED})
            THEN l.expiry END AS clock,
       sum(l.points - coalesce(x.taken, 0))::bigint AS points
FROM lots l JOIN entries e ON e.member_id = l.member_id AND e.seq = l.seq
LEFT JOIN LATERAL (
    SELECT sum(t.points) AS taken FROM allocations t JOIN entries d ON d.member_id = t.member_id AND d.seq = t.seq
    WHERE t.member_id = l.member_id AND t.lot_seq = l.seq
      AND d.occurred_at <= %(as_of)s AND d.known_at <= %(known_at)s) x ON true
WHERE l.member_id = %(member_id)s AND l.unit = %(unit)s AND e.occurred_at <= %(as_of)s AND e.known_at <= %(known_at)s
  AND (l.expires_at > %(as_of)s OR l.matures_at > %(as_of)s OR l.expiry LIKE 'inactivity%%')
GROUP BY 1, 2, 3 HAVING sum(l.points - coalesce(x.taken, 0)) > 0
"""

_CLOCKS = f"""
SELECT detail -> 'clocks' FROM entries WHERE {_THIS} AND {_KNOWN} AND jsonb_exists(detail, 'clocks')
ORDER BY seq DESC LIMIT 1
"""

END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Past:
    """The sums of an account (`BUCKETS`), and how many points were to mature, and to lapse, at which instant."""

    sums: dict[str, int]
    maturing: dict[datetime, int] = field(default_factory=dict)
    expiring: dict[datetime, int] = field(default_factory=dict)


def read_past(session: Session, member_id: UUID, unit: str, *, as_of: datetime, known_at: datetime | None) -> Past:
    """An account as it was at `as_of`, by what was known at `known_at` (None: by what is known now)."""
    where = {"member_id": member_id, "unit": unit, "as_of": as_of, "known_at": known_at or END_OF_TIME}
    sums = session.row(PAST, where, into=dict_row)
    assert sums is not None, "a sum is a row"
    past, groups = Past(sums), session.rows(_LOTS, where, into=dict_row)
    clocks: dict[str, Any] = {}
    if any(group["clock"] for group in groups):
        clocks = session.row(_CLOCKS, where, into=scalar_row) or {}
    for group in groups:
        lapses_at = clocks.get(group["clock"])
        expires_at = datetime.fromisoformat(lapses_at) if lapses_at else group["expires_at"]
        for at, listed in ((group["matures_at"], past.maturing), (expires_at, past.expiring)):
            if at is not None:
                listed[at] = listed.get(at, 0) + group["points"]
    return past
