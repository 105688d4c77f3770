"""The proof of the books.

Each check is one statement over the accounts of a program (or of one member) that returns what is wrong, so the
database does the work and only findings travel. An empty list of findings means: every account equals the sum of its
entries and the sum of its lots, every lot equals what it was opened with less what was taken from it, every debit says
which lots it consumed, every history is without gaps, and all postings sum to zero.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, tuple_row

from loyalty.db.session import Session

# Who has more findings than this has one problem, not a thousand.
FINDINGS_MAX = 100

_SCOPE = """scope AS MATERIALIZED (
    SELECT a.* FROM accounts a
    WHERE (%(program_id)s::uuid IS NULL OR a.program_id = %(program_id)s)
      AND (%(member_id)s::uuid IS NULL OR a.member_id = %(member_id)s)),
owners AS MATERIALIZED (SELECT DISTINCT member_id FROM scope)"""

_ENTRIES = "SELECT e.* FROM entries e JOIN owners USING (member_id)"
_LOTS = "SELECT l.* FROM lots l JOIN owners USING (member_id)"
_TAKEN = "SELECT x.* FROM allocations x JOIN owners USING (member_id)"

# check -> (what it means, a query of member_id, seq, unit, expected, found)
CHECKS: dict[str, tuple[str, str]] = {
    "account-equals-entries": (
        "The account is not the sum of its entries.",
        f"""
        SELECT a.member_id, a.last_seq AS seq, a.unit,
               ARRAY[coalesce(e.available, 0), coalesce(e.pending, 0), coalesce(e.held, 0), coalesce(e.debt, 0),
                     coalesce(e.last_seq, 0)] AS expected,
               ARRAY[a.available, a.pending, a.held, a.debt, a.last_seq] AS found
        FROM scope a LEFT JOIN (
            SELECT member_id, unit, sum(available)::bigint AS available, sum(pending)::bigint AS pending,
                   sum(held)::bigint AS held, sum(debt)::bigint AS debt, max(seq) AS last_seq
            FROM ({_ENTRIES}) x GROUP BY member_id, unit) e ON e.member_id = a.member_id AND e.unit = a.unit
        WHERE ROW(a.available, a.pending, a.held, a.debt, a.last_seq) IS DISTINCT FROM
              ROW(coalesce(e.available, 0), coalesce(e.pending, 0), coalesce(e.held, 0), coalesce(e.debt, 0),
                  coalesce(e.last_seq, 0))""",
    ),
    "account-equals-lots": (
        "The account is not the sum of its lots.",
        f"""
        SELECT a.member_id, NULL::bigint AS seq, a.unit,
               ARRAY[coalesce(l.available, 0), coalesce(l.pending, 0)] AS expected, ARRAY[a.available, a.pending] AS found
        FROM scope a LEFT JOIN (
            SELECT member_id, unit, coalesce(sum(remaining) FILTER (WHERE NOT pending), 0)::bigint AS available,
                   coalesce(sum(remaining) FILTER (WHERE pending), 0)::bigint AS pending
            FROM ({_LOTS}) x GROUP BY member_id, unit) l ON l.member_id = a.member_id AND l.unit = a.unit
        WHERE ROW(a.available, a.pending) IS DISTINCT FROM ROW(coalesce(l.available, 0), coalesce(l.pending, 0))""",
    ),
    "lot-equals-allocations": (
        "What remains of a lot is not what it was opened with less what was taken from it.",
        f"""
        SELECT l.member_id, l.seq, l.unit, l.points - coalesce(x.taken, 0) AS expected, l.remaining AS found
        FROM ({_LOTS}) l LEFT JOIN (
            SELECT member_id, lot_seq, sum(points)::bigint AS taken FROM ({_TAKEN}) t GROUP BY member_id, lot_seq) x
            ON x.member_id = l.member_id AND x.lot_seq = l.seq
        WHERE l.remaining <> l.points - coalesce(x.taken, 0)""",
    ),
    "lot-has-its-entry": (
        "A credit and the lot it opened differ.",
        f"""
        SELECT e.member_id, e.seq, e.unit, e.points AS expected, l.points AS found
        FROM ({_ENTRIES}) e FULL JOIN ({_LOTS}) l ON l.member_id = e.member_id AND l.seq = e.seq
        WHERE (e.kind = 'earn' OR l.seq IS NOT NULL) AND
              ROW(e.points, e.unit, e.kind) IS DISTINCT FROM ROW(l.points, l.unit, 'earn')""",
    ),
    "debit-equals-allocations": (
        "An entry took other points from lots than it took from the account.",
        f"""
        SELECT e.member_id, e.seq, e.unit, -(e.available + e.pending) AS expected, coalesce(x.taken, 0) AS found
        FROM ({_ENTRIES}) e LEFT JOIN (
            SELECT member_id, seq, sum(points)::bigint AS taken FROM ({_TAKEN}) t GROUP BY member_id, seq) x
            ON x.member_id = e.member_id AND x.seq = e.seq
        WHERE (e.kind IN ('redeem', 'expire') OR x.taken IS NOT NULL) AND
              coalesce(x.taken, 0) <> -(e.available + e.pending)""",
    ),
    "seq-without-gaps": (
        "A history has a gap.",
        f"""
        SELECT member_id, max(seq) AS seq, NULL::text AS unit, max(seq) AS expected, count(*) AS found
        FROM ({_ENTRIES}) e GROUP BY member_id HAVING count(*) <> max(seq) OR min(seq) <> 1""",
    ),
    "running-balance": (
        "The balance after an entry is not the balance before it and its effect.",
        f"""
        SELECT member_id, seq, unit, running AS expected, available_after AS found FROM (
            SELECT e.*, sum(available) OVER (PARTITION BY member_id, unit ORDER BY seq)::bigint AS running
            FROM ({_ENTRIES}) e) r
        WHERE available_after <> running""",
    ),
    "postings-sum-to-zero": (
        "Debits and credits of a unit do not cancel out.",
        """
        SELECT NULL::uuid AS member_id, NULL::bigint AS seq, p.unit, 0 AS expected, sum(p.points)::bigint AS found
        FROM ledger_postings p JOIN owners USING (member_id) GROUP BY p.unit HAVING sum(p.points) <> 0""",
    ),
    "account-exists": (
        "There are entries without an account.",
        """
        SELECT e.member_id, max(e.seq) AS seq, e.unit, NULL::bigint AS expected, count(*) AS found
        FROM members m JOIN entries e USING (member_id) LEFT JOIN accounts a
             ON a.member_id = e.member_id AND a.unit = e.unit
        WHERE a.member_id IS NULL AND (%(program_id)s::uuid IS NULL OR m.program_id = %(program_id)s)
          AND (%(member_id)s::uuid IS NULL OR m.member_id = %(member_id)s)
        GROUP BY e.member_id, e.unit""",
    ),
}

_COUNT = f"""
WITH {_SCOPE} SELECT (SELECT count(*) FROM scope), (SELECT count(*) FROM ({_ENTRIES}) e), (SELECT count(*) FROM ({_LOTS}) l)
"""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked and what was found."""

    ok: bool
    checked: dict[str, int]
    findings: list[dict[str, Any]] = field(default_factory=list)


def verify(session: Session, *, program_id: UUID | None = None, member_id: UUID | None = None) -> Verification:
    """Prove the books of one program, one member, or everybody.

    The checks must see one state, so the session's transaction should be a repeatable read (`take_snapshot`).
    """
    where = {"program_id": program_id, "member_id": member_id}
    counts = session.row(_COUNT, where, into=tuple_row)
    assert counts is not None, "counting answers one row"
    findings: list[dict[str, Any]] = []
    for check, (meaning, sql) in CHECKS.items():
        for row in session.rows(f"WITH {_SCOPE} {sql} LIMIT {FINDINGS_MAX}", where, into=dict_row):
            findings.append({"check": check, "detail": meaning, **row})
    return Verification(
        not findings, dict(zip(("accounts", "entries", "lots"), counts, strict=True)), findings[:FINDINGS_MAX]
    )


def take_snapshot(session: Session) -> None:
    """Let all statements of this transaction see one state, however long they take."""
    session.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    session.run("SET LOCAL statement_timeout = 0")
