"""Reading what a decision about a member's points needs: never more than what is open, due or asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row

from loyalty.db.session import Session, array_of
from loyalty.ledger.domain import Account, Debt, Hold, Holdings, Idle, Lot

ACCOUNT_COLUMNS = (
    "member_id", "unit", "available", "pending", "held", "debt", "lifetime_earned", "lifetime_spent", "last_seq",
    "next_change_at", "latest_at", "known_at", "idle",
)  # fmt: skip
LOT_COLUMNS = (
    "member_id", "seq", "unit", "points", "remaining", "held", "pending", "earned_at", "matures_at", "deadline_at",
    "expires_at", "expiry", "origin_member_id", "origin_seq",
)  # fmt: skip
HOLD_COLUMNS = (
    "member_id", "hold_id", "unit", "points", "captured", "status", "seq", "held_at", "expires_at", "resolved_at",
    "order_id", "reason",
)  # fmt: skip
_LOT = LOT = ", ".join(f"l.{name}" for name in LOT_COLUMNS)
_HOLD = ", ".join(f"h.{name}" for name in HOLD_COLUMNS)
_PIECES = """(SELECT json_agg(json_build_array(x.lot_seq, x.points)) FROM allocations x
 WHERE x.member_id = h.member_id AND x.seq = h.seq) AS pieces"""

_MINE = "member_id = a.member_id AND {0}.unit = a.unit"
_LOTS = f"SELECT {_LOT} FROM lots l WHERE l.{_MINE.format('l')} AND l.remaining > 0"

ACCOUNT = ", ".join(f"a.{name}" for name in ACCOUNT_COLUMNS)

# An account `a` with all that falls due by `now`; nothing is looked for where nothing is due.
HOLDING = f"""
{ACCOUNT}, a.next_change_at <= %(now)s AS is_due,
CASE WHEN a.next_change_at <= %(now)s THEN (SELECT json_agg(due) FROM (
    {_LOTS} AND l.expires_at <= %(now)s
    UNION ALL
    {_LOTS} AND l.pending AND coalesce(l.matures_at, l.deadline_at) <= %(now)s
    UNION ALL
    SELECT {_LOT} FROM jsonb_each(a.idle) t JOIN lots l ON l.{_MINE.format("l")} AND l.remaining > 0
        AND l.expires_at IS NULL AND l.expiry = t.key AND NOT l.pending
    WHERE (t.value ->> 'at')::timestamptz <= %(now)s
    UNION ALL
    SELECT {_LOT} FROM holds h JOIN allocations x ON x.member_id = h.member_id AND x.seq = h.seq
        JOIN lots l ON l.member_id = x.member_id AND l.seq = x.lot_seq
    WHERE h.{_MINE.format("h")} AND h.status = 'held' AND h.expires_at <= %(now)s) due) END AS due_lots,
CASE WHEN a.next_change_at <= %(now)s AND a.held > 0 THEN (SELECT json_agg(due) FROM (
    SELECT {_HOLD}, {_PIECES} FROM holds h
    WHERE h.{_MINE.format("h")} AND h.status = 'held' AND h.expires_at <= %(now)s) due) END AS due_holds,
CASE WHEN a.debt > 0 THEN (SELECT json_agg(d) FROM debts d
    WHERE d.{_MINE.format("d")} AND d.remaining > 0) END AS debts,
CASE WHEN a.next_change_at <= %(now)s THEN least(
    (SELECT u.at FROM upcoming u WHERE u.{_MINE.format("u")} AND u.at > %(now)s
     AND (u.maturing > 0 OR u.expiring > 0) ORDER BY u.at LIMIT 1),
    (SELECT coalesce(l.matures_at, l.deadline_at) FROM lots l WHERE l.{_MINE.format("l")} AND l.pending
     AND l.remaining > 0 AND coalesce(l.matures_at, l.deadline_at) > %(now)s
     ORDER BY coalesce(l.matures_at, l.deadline_at) LIMIT 1),
    (SELECT h.expires_at FROM holds h WHERE h.{_MINE.format("h")} AND h.status = 'held' AND h.expires_at > %(now)s
     ORDER BY h.expires_at LIMIT 1)) END AS later
"""

_ACCOUNTS = f"SELECT {ACCOUNT} FROM accounts a WHERE a.member_id = ANY(%s::uuid[])"

_HOLDINGS = f"SELECT {HOLDING} FROM accounts a WHERE a.member_id = ANY(%(ids)s::uuid[])"

# The same, with holds that are asked for by name and their lots, whatever has become of them.
_NAMED_HOLDS = f"FROM holds h WHERE h.{_MINE.format('h')} AND h.hold_id = ANY(%(named)s::text[])"
_HOLDINGS_AND_NAMED = f"""
SELECT {HOLDING},
(SELECT json_agg(n) FROM (
    SELECT {_HOLD}, {_PIECES},
      (SELECT e.detail FROM entries e WHERE e.member_id = h.member_id AND e.seq = h.seq) AS detail
    {_NAMED_HOLDS}) n) AS named_holds,
(SELECT json_agg(n) FROM (
    SELECT {_LOT} FROM (SELECT DISTINCT x.member_id, x.lot_seq FROM (SELECT h.* {_NAMED_HOLDS}) h
        JOIN allocations x ON x.member_id = h.member_id AND x.seq = h.seq) x
    JOIN lots l ON l.member_id = x.member_id AND l.seq = x.lot_seq) n) AS named_lots
FROM accounts a WHERE a.member_id = ANY(%(ids)s::uuid[])
"""

_ALL_OPEN = f"SELECT {_LOT} FROM lots l WHERE l.member_id = %s AND l.remaining > 0 ORDER BY l.seq"

_LOTS_NAMED = f"SELECT {_LOT} FROM lots l WHERE l.member_id = %s AND l.seq = ANY(%s::bigint[])"

# The owner of an order, who that member was merged into, and so on.
HOLDERS = """
WITH RECURSIVE holders (member_id) AS (
    SELECT %(owner)s::uuid
    UNION ALL
    SELECT m.merged_into FROM holders h JOIN members m ON m.member_id = h.member_id WHERE m.merged_into IS NOT NULL)
"""

# The lots that an owner's awards opened, and those in which their points live on, with what lapsed there.
_OF_AWARDS = f"""
{HOLDERS}
SELECT {_LOT}, o.kind = 'reinstate' AS reinstated,
  (SELECT coalesce(sum(x.points), 0)::bigint FROM allocations x
   JOIN entries e ON e.member_id = x.member_id AND e.seq = x.seq
   WHERE x.member_id = l.member_id AND x.lot_seq = l.seq AND e.kind = 'expire') AS lapsed
FROM (
    SELECT * FROM lots WHERE member_id = %(owner)s AND seq = ANY(%(seqs)s::bigint[])
    UNION
    SELECT * FROM lots WHERE member_id IN (SELECT member_id FROM holders) AND origin_member_id = %(owner)s
        AND origin_seq = ANY(%(seqs)s::bigint[])) l
JOIN entries o ON o.member_id = l.member_id AND o.seq = l.seq
ORDER BY l.seq
"""

_HOLD_BY_ID = f"SELECT {_HOLD}, {_PIECES} FROM holds h WHERE h.member_id = %s AND h.hold_id = %s"


def holdings_of(
    session: Session, member_ids: Sequence[UUID], *, now: datetime, look: bool = False, named: Sequence[str] = ()
) -> dict[UUID, Holdings]:
    """What the members hold, with what falls due by `now`. One statement, and one more where something is due or owed.

    Two, because the statement that can look for what is due costs, to begin with, as much as writing an order. With
    `look` it is asked at once: something is probably due. So it is with the ids of holds that are to come along.
    """
    rows: dict[UUID, list[dict[str, Any]]] = {member_id: [] for member_id in member_ids}
    if named:
        for row in _with_named(session, member_ids, named, now):
            rows[row["member_id"]].append(row)
        return {member_id: holdings_from(member_id, held) for member_id, held in rows.items()}
    if look:
        asked = session.rows(_HOLDINGS, {"ids": array_of(member_ids), "now": now}, into=dict_row)
        if all(row["known_at"] <= now for row in asked):
            for row in asked:
                rows[row["member_id"]].append(row)
            return {member_id: holdings_from(member_id, held) for member_id, held in rows.items()}
    for row in session.rows(_ACCOUNTS, (array_of(member_ids),), into=dict_row):
        rows[row["member_id"]].append(row)
    # Another server's clock may be ahead of ours, and the books never go back.
    now = max([now, *(row["known_at"] for held in rows.values() for row in held)])
    due = [member_id for member_id, held in rows.items() if any(is_due(row, now) or row["debt"] for row in held)]
    if due:
        rows |= {member_id: [] for member_id in due}
        for row in session.rows(_HOLDINGS, {"ids": array_of(due), "now": now}, into=dict_row):
            rows[row["member_id"]].append(row)
    return {member_id: holdings_from(member_id, held) for member_id, held in rows.items()}


def _with_named(
    session: Session, member_ids: Sequence[UUID], named: Sequence[str], now: datetime
) -> list[dict[str, Any]]:
    where = {"ids": array_of(member_ids), "named": array_of(named), "now": now}
    rows = session.rows(_HOLDINGS_AND_NAMED, where, into=dict_row)
    known_at = max((row["known_at"] for row in rows), default=now)
    return rows if known_at <= now else session.rows(_HOLDINGS_AND_NAMED, {**where, "now": known_at}, into=dict_row)


def is_due(row: Mapping[str, Any], now: datetime) -> bool:
    """Whether something has fallen due in an account that is not recorded yet."""
    return row["next_change_at"] is not None and row["next_change_at"] <= now


def holdings_from(member_id: UUID, rows: Sequence[Mapping[str, Any]]) -> Holdings:
    """Holdings out of rows of accounts, with what is due in those that are rows of `HOLDING`."""
    return Holdings(
        member_id=member_id,
        accounts=tuple(_account(row) for row in rows),
        lots=tuple(
            _lot(found)
            for name in ("due_lots", "named_lots", "open_lots")
            for row in rows
            for found in row.get(name) or ()
        ),
        holds=tuple(
            _hold(found) for name in ("due_holds", "named_holds") for row in rows for found in row.get(name) or ()
        ),
        debts=tuple(_debt(found) for row in rows for found in row.get("debts") or ()),
        later={row["unit"]: row["later"] for row in rows if row.get("is_due")},
    )


def open_lots(session: Session, member_id: UUID) -> list[Lot]:
    """All lots that have something left."""
    return session.rows(_ALL_OPEN, (member_id,), into=class_row(Lot))


def lots_named(session: Session, member_id: UUID, seqs: Iterable[int]) -> list[Lot]:
    """Lots by number."""
    return session.rows(_LOTS_NAMED, (member_id, array_of(seqs)), into=class_row(Lot))


@dataclass(frozen=True, slots=True)
class AwardLot:
    """A lot that holds, or held, points of an award; how many lapsed in it; whether it was brought back by hand."""

    lot: Lot
    lapsed: int
    reinstated: bool


def lots_of_awards(session: Session, owner: UUID, seqs: Iterable[int]) -> list[AwardLot]:
    """The lots that the entries `seqs` of `owner` opened, and those in which their points live on.

    These may be with whom the owner was merged into, or with several in a row.
    """
    rows = session.rows(_OF_AWARDS, {"owner": owner, "seqs": array_of(seqs)}, into=dict_row)
    return [AwardLot(lapsed=row.pop("lapsed"), reinstated=row.pop("reinstated"), lot=Lot(**row)) for row in rows]


def hold(session: Session, member_id: UUID, hold_id: str) -> Hold | None:
    """A hold with its pieces."""
    row = session.row(_HOLD_BY_ID, (member_id, hold_id), into=dict_row)
    return None if row is None else _hold(row)


def _account(row: Mapping[str, Any]) -> Account:
    idle = {code: Idle(_instant(clock["at"]), clock["points"]) for code, clock in row["idle"].items()}
    return Account(**{**{name: row[name] for name in ACCOUNT_COLUMNS}, "idle": idle})


def _lot(found: Mapping[str, Any]) -> Lot:
    return Lot(**_with_instants(found, "earned_at", "matures_at", "deadline_at", "expires_at"))


def _hold(found: Mapping[str, Any]) -> Hold:
    made = _with_instants(found, "held_at", "expires_at", "resolved_at")
    return Hold(**{**made, "pieces": tuple((lot, points) for lot, points in found["pieces"])})


def _debt(found: Mapping[str, Any]) -> Debt:
    return Debt(**_with_instants(found, "incurred_at"))


def _with_instants(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A row that came as JSON, or as columns, with its ids and instants as values."""
    made = dict(found)
    for name in ("member_id", "origin_member_id"):
        if isinstance(made.get(name), str):
            made[name] = UUID(made[name])
    for name in names:
        if isinstance(made[name], str):
            made[name] = _instant(made[name])
    return made


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
