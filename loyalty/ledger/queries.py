"""Reading accounts, lots and entries. Every statement names the member and costs what is open, not what has been."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row, dict_row, tuple_row

from loyalty.db.paging import BIGINT_MAX, Page, Window, page
from loyalty.db.session import Session, array_of
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Account, Lot
from loyalty.ledger.errors import UnitUnknown
from loyalty.members.errors import MemberNotFound
from loyalty.programs import queries as programs

_ACCOUNT_COLUMNS = """
member_id, unit, available, pending, held, debt, lifetime_earned, lifetime_spent, last_seq, next_change_at
"""
_LOT_COLUMNS = "member_id, seq, unit, points, remaining, pending, earned_at, matures_at, expires_at"

_ACCOUNTS = f"SELECT {_ACCOUNT_COLUMNS} FROM accounts WHERE member_id = ANY(%s::uuid[])"

# Account by account, so that the indexes of open lots, which lead with member and unit, are entered at the due ones.
_DUE = """
SELECT l.member_id, l.seq, l.unit, l.points, l.remaining, l.pending, l.earned_at, l.matures_at, l.expires_at
FROM accounts a JOIN lots l ON l.member_id = a.member_id AND l.unit = a.unit
WHERE a.member_id = ANY(%(ids)s::uuid[]) AND l.remaining > 0 AND l.expires_at <= %(now)s
UNION
SELECT l.member_id, l.seq, l.unit, l.points, l.remaining, l.pending, l.earned_at, l.matures_at, l.expires_at
FROM accounts a JOIN lots l ON l.member_id = a.member_id AND l.unit = a.unit
WHERE a.member_id = ANY(%(ids)s::uuid[]) AND l.pending AND l.remaining > 0 AND l.matures_at <= %(now)s
"""

# The next change of each account among the lots that are not due: one look into each index.
_NEXT = """
SELECT a.member_id, a.unit, least(
    (SELECT l.expires_at FROM lots l WHERE l.member_id = a.member_id AND l.unit = a.unit AND l.remaining > 0
     AND l.expires_at > %(now)s ORDER BY l.expires_at LIMIT 1),
    (SELECT l.matures_at FROM lots l WHERE l.member_id = a.member_id AND l.unit = a.unit AND l.pending
     AND l.remaining > 0 AND l.matures_at > %(now)s ORDER BY l.matures_at LIMIT 1))
FROM accounts a WHERE a.member_id = ANY(%(ids)s::uuid[])
"""

_TO_SPEND = f"""
SELECT {_LOT_COLUMNS} FROM lots
WHERE member_id = %(member_id)s AND unit = %(unit)s AND remaining > 0
  AND (NOT pending OR matures_at <= %(now)s) AND (expires_at IS NULL OR expires_at > %(now)s)
ORDER BY expires_at, earned_at, seq LIMIT %(limit)s OFFSET %(offset)s
"""

_HOLDING = f"""
SELECT m.member_id AS owner_id, {", ".join(f"a.{c.strip()}" for c in _ACCOUNT_COLUMNS.split(","))},
  (SELECT coalesce(json_agg(json_build_object('points', g.points, 'at', g.expires_at)), '[]') FROM (
     SELECT l.expires_at, sum(l.remaining) AS points FROM lots l
     WHERE l.member_id = a.member_id AND l.unit = a.unit AND l.remaining > 0 AND l.expires_at > %(now)s
       AND (NOT l.pending OR l.matures_at <= %(now)s)
     GROUP BY l.expires_at ORDER BY l.expires_at LIMIT %(instants)s) g) AS expiring,
  (SELECT coalesce(json_agg(json_build_object('points', g.points, 'at', g.matures_at)), '[]') FROM (
     SELECT l.matures_at, sum(l.remaining) AS points FROM lots l
     WHERE l.member_id = a.member_id AND l.unit = a.unit AND l.pending AND l.remaining > 0
       AND l.matures_at > %(now)s
     GROUP BY l.matures_at ORDER BY l.matures_at LIMIT %(instants)s) g) AS maturing
FROM natural_keys k JOIN members m ON m.member_id = k.member_id
LEFT JOIN accounts a ON a.member_id = m.member_id AND a.unit = %(unit)s
WHERE k.program_id = %(program_id)s AND k.kind = 'member' AND k.key = %(customer_id)s
"""

_ENTRIES = """
SELECT seq, kind, points, available_after, unit, order_id, rule_code, rule_version, reason, reference, occurred_at,
       recorded_at
FROM entries WHERE member_id = %(member_id)s AND seq < %(before)s
ORDER BY seq DESC LIMIT %(limit)s
"""

_LOTS = f"""
SELECT {_LOT_COLUMNS} FROM lots
WHERE member_id = %(member_id)s AND seq < %(before)s
ORDER BY seq DESC LIMIT %(limit)s
"""

# How many coming instants a balance lists. A year of weekly orders, rounded to month ends, has twelve.
INSTANTS_MAX = 60

# Most redemptions consume a handful of lots; a member who never spent has many, and they come in chunks.
LOTS_CHUNK = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What a member holds in one unit at an instant, and what becomes of it."""

    unit: str
    as_of: datetime
    available: int
    pending: int
    held: int
    debt: int
    lifetime_earned: int
    lifetime_spent: int
    maturing: list[dict[str, Any]]
    expiring: list[dict[str, Any]]


def accounts_of(session: Session, member_ids: Sequence[UUID]) -> list[Account]:
    """The accounts of members, all units."""
    return session.rows(_ACCOUNTS, (array_of(member_ids),), into=class_row(Account))


def due_lots(session: Session, member_ids: Sequence[UUID], *, now: datetime) -> list[Lot]:
    """The open lots that have matured or lapsed by `now` and are not recorded as such."""
    return session.rows(_DUE, {"ids": array_of(member_ids), "now": now}, into=class_row(Lot))


def next_changes(
    session: Session, member_ids: Sequence[UUID], *, now: datetime
) -> dict[UUID, dict[str, datetime | None]]:
    """By member and unit, the first instant after `now` at which a lot matures or lapses."""
    found: dict[UUID, dict[str, datetime | None]] = {}
    for member_id, unit, at in session.rows(_NEXT, {"ids": array_of(member_ids), "now": now}, into=tuple_row):
        found.setdefault(member_id, {})[unit] = at
    return found


def lots_to_spend(session: Session, member_id: UUID, unit: str, points: int, *, now: datetime) -> list[Lot]:
    """Open lots in the order of consumption, as many as it takes to cover `points`."""
    lots: list[Lot] = []
    where = {"member_id": member_id, "unit": unit, "now": now, "limit": LOTS_CHUNK}
    while sum(lot.remaining for lot in lots) < points:
        chunk = session.rows(_TO_SPEND, {**where, "offset": len(lots)}, into=class_row(Lot))
        lots += chunk
        if len(chunk) < LOTS_CHUNK:
            break
    return lots


def balance(session: Session, program_id: UUID, customer_id: str, unit: str, *, now: datetime) -> Balance:
    """What a member holds at `now`, exactly, whether or not any job has run. Refuses: MemberNotFound, UnitUnknown.

    One statement; one more when something has matured or lapsed and is not recorded yet.
    """
    where = {"program_id": program_id, "customer_id": customer_id, "unit": unit, "now": now, "instants": INSTANTS_MAX}
    row = session.row(_HOLDING, where, into=dict_row)
    if row is None:
        raise MemberNotFound(customer_id)
    if row["unit"] is None:
        if unit not in programs.current(session, program_id).units:
            raise UnitUnknown(unit)
        account = Account(member_id=row["owner_id"], unit=unit)
    else:
        account = Account(**{name.strip(): row[name.strip()] for name in _ACCOUNT_COLUMNS.split(",")})
    if account.is_due(now):
        book = Book(account.member_id, [account], due_lots(session, [account.member_id], now=now))
        book.settle(now)
        account = book.account(unit)
    shown = ("unit", "available", "pending", "held", "debt", "lifetime_earned", "lifetime_spent")
    return Balance(
        as_of=now,
        maturing=_instants(row["maturing"]),
        expiring=_instants(row["expiring"]),
        **{name: getattr(account, name) for name in shown},
    )


def entries(session: Session, member_id: UUID, window: Window) -> Page[dict[str, Any]]:
    """A member's history, newest first."""
    rows = session.rows(_ENTRIES, _after(member_id, window), into=dict_row)
    for row in rows:
        code, version = row.pop("rule_code"), row.pop("rule_version")
        row["rule"] = code and {"code": code, "version": version}
    return page(rows, window, lambda r: [r["seq"]])


def lots(session: Session, member_id: UUID, window: Window) -> Page[Lot]:
    """A member's lots, newest first, spent ones too."""
    return page(session.rows(_LOTS, _after(member_id, window), into=class_row(Lot)), window, lambda lot: [lot.seq])


def _after(member_id: UUID, window: Window) -> dict[str, Any]:
    position = window.position(int)
    return {"member_id": member_id, "before": position[0] if position else BIGINT_MAX, "limit": window.limit + 1}


def _instants(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"points": int(g["points"]), "at": datetime.fromisoformat(g["at"])} for g in groups]
