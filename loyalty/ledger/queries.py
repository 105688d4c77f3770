"""Reading histories, lots and holds as they stand: what fell due and is not recorded yet is shown, too."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.db.paging import BIGINT_MAX, Page, Window, page
from loyalty.db.session import Session
from loyalty.ledger.book import Book
from loyalty.ledger.domain import Entry
from loyalty.ledger.errors import HoldNotFound
from loyalty.ledger.holdings import holdings_of
from loyalty.ledger.settling import settle
from loyalty.programs import queries as programs

_SHOWN = (
    "seq", "kind", "points", "available_after", "unit", "order_id", "reason", "reference", "detail", "occurred_at",
)  # fmt: skip

_ENTRIES = f"""
SELECT {", ".join(_SHOWN)}, rule_code, rule_version, recorded_at
FROM entries WHERE member_id = %(member_id)s AND seq < %(before)s
ORDER BY seq DESC LIMIT %(limit)s
"""

_LOTS = """
SELECT l.seq, l.unit, l.points, l.remaining, l.held, l.pending, l.earned_at, l.matures_at, l.deadline_at,
       coalesce(l.expires_at, CASE WHEN NOT l.pending THEN (a.idle -> l.expiry ->> 'at')::timestamptz END) AS expires_at
FROM lots l JOIN accounts a ON a.member_id = l.member_id AND a.unit = l.unit
WHERE l.member_id = %(member_id)s AND l.seq < %(before)s
ORDER BY l.seq DESC LIMIT %(limit)s
"""

_DEBTS = """
SELECT seq, unit, points, remaining, incurred_at, order_id, reference
FROM debts WHERE member_id = %(member_id)s AND seq < %(before)s
ORDER BY seq DESC LIMIT %(limit)s
"""

_HOLD = """
SELECT h.hold_id, m.customer_id, h.unit, h.points, h.captured, h.held_at, h.expires_at, h.order_id, h.reason,
       CASE WHEN h.status = 'held' AND h.expires_at <= %(now)s THEN 'expired' ELSE h.status END AS status,
       CASE WHEN h.status = 'held' AND h.expires_at <= %(now)s THEN h.expires_at ELSE h.resolved_at END AS resolved_at
FROM natural_keys k JOIN holds h ON h.member_id = k.member_id AND h.hold_id = k.key
JOIN members m ON m.member_id = h.member_id
WHERE k.program_id = %(program_id)s AND k.kind = 'hold' AND k.key = %(hold_id)s
"""

# All accounts of a program: this takes as long as there are members.
_IN_ALL = """
SELECT coalesce(sum(available + pending + held), 0)::bigint AS outstanding, coalesce(sum(debt), 0)::bigint AS debt
FROM accounts WHERE program_id = %s AND unit = %s
"""


def entries(
    session: Session, program_id: UUID, member_id: UUID, window: Window, *, now: datetime
) -> Page[dict[str, Any]]:
    """A member's history, newest first."""
    where = _after(member_id, window)
    book = _settled(session, program_id, member_id, now)
    due = [_shown(entry, now) for entry in reversed(book.entries) if entry.seq < where["before"]]
    rows = due + session.rows(_ENTRIES, where, into=dict_row)
    for row in rows:
        code, version = row.pop("rule_code"), row.pop("rule_version")
        row["rule"] = code and {"code": code, "version": version}
    return page(rows[: window.limit + 1], window, lambda r: [r["seq"]])


def lots(session: Session, program_id: UUID, member_id: UUID, window: Window, *, now: datetime) -> Page[dict[str, Any]]:
    """A member's lots, newest first, spent ones too."""
    book = _settled(session, program_id, member_id, now)
    rows = session.rows(_LOTS, _after(member_id, window), into=dict_row)
    for row in rows:
        if (lot := book.lots.get(row["seq"])) is not None:
            row |= {name: getattr(lot, name) for name in ("remaining", "held", "pending", "matures_at")}
            row["expires_at"] = row["expires_at"] or lot.expires_at
    return page(rows, window, lambda lot: [lot["seq"]])


def debts(
    session: Session, program_id: UUID, member_id: UUID, window: Window, *, now: datetime
) -> Page[dict[str, Any]]:
    """What a member owes or owed, the latest first."""
    book = _settled(session, program_id, member_id, now)
    rows = session.rows(_DEBTS, _after(member_id, window), into=dict_row)
    for row in rows:
        if (debt := book.debts.get(row["seq"])) is not None:
            row["remaining"] = debt.remaining
    return page(rows, window, lambda debt: [debt["seq"]])


def hold(session: Session, program_id: UUID, hold_id: str, *, now: datetime) -> dict[str, Any]:
    """A hold as it stands: one that nobody resolved in time has expired. Refuses: HoldNotFound."""
    row = session.row(_HOLD, {"program_id": program_id, "hold_id": hold_id, "now": now}, into=dict_row)
    if row is None:
        raise HoldNotFound(hold_id)
    return row


def held_in_all(session: Session, program_id: UUID, unit: str) -> dict[str, int]:
    """What all accounts hold in a unit, and what they owe, as it is recorded: `outstanding` and `debt`."""
    found = session.row(_IN_ALL, (program_id, unit), into=dict_row)
    assert found is not None, "a sum of nothing is nought"
    return found


def _settled(session: Session, program_id: UUID, member_id: UUID, now: datetime) -> Book:
    held = holdings_of(session, [member_id], now=now)[member_id]
    book = Book(held, zone=programs.current(session, program_id).time_zone, now=now)
    settle(book, book.now)
    return book


def _shown(entry: Entry, now: datetime) -> dict[str, Any]:
    more = {"rule_code": entry.rule_code, "rule_version": entry.rule_version, "recorded_at": now}
    return {name: getattr(entry, name) for name in _SHOWN} | more


def _after(member_id: UUID, window: Window) -> dict[str, Any]:
    position = window.position(int)
    return {"member_id": member_id, "before": position[0] if position else BIGINT_MAX, "limit": window.limit + 1}
