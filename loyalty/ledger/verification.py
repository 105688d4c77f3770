"""The proof of the books.

Each check is one statement over the books of one member, of a program or of everybody that says what is expected and
what is found; the rows in which these differ are findings, so the database does the work and only findings travel. No
findings means: every account is the sum of its entries and of its lots, every lot is what it was opened with less what
was taken from it, every debit says which lots it consumed, every history is without gaps, what matured or lapsed did so
at its instant, nothing that is to come is forgotten, and all postings sum to zero.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, tuple_row

from loyalty.db.session import Session

# Who has more findings than this has one problem, not a thousand.
FINDINGS_MAX = 100

TABLES = ("accounts", "entries", "lots", "allocations", "ledger_postings")

# check -> (what it means, a query of member_id, seq, unit, expected, found over the {tables} in question)
CHECKS: dict[str, tuple[str, str]] = {
    "account-equals-entries": (
        "The account is not the sum of its entries.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit,
               ARRAY[coalesce(e.available, 0), coalesce(e.pending, 0), coalesce(e.held, 0), coalesce(e.debt, 0),
                     coalesce(e.earned, 0), coalesce(e.spent, 0), coalesce(e.last_seq, 0)] AS expected,
               ARRAY[a.available, a.pending, a.held, a.debt, a.lifetime_earned, a.lifetime_spent, a.last_seq] AS found
        FROM {accounts} a LEFT JOIN (
            SELECT member_id, unit, sum(available)::bigint AS available, sum(pending)::bigint AS pending,
                   sum(held)::bigint AS held, sum(debt)::bigint AS debt, max(seq) AS last_seq,
                   sum(points) FILTER (WHERE kind = 'earn')::bigint AS earned,
                   -sum(points) FILTER (WHERE kind = 'redeem')::bigint AS spent
            FROM {entries} x GROUP BY member_id, unit) e ON e.member_id = a.member_id AND e.unit = a.unit""",
    ),
    "account-equals-lots": (
        "The account is not the sum of its lots.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit,
               ARRAY[coalesce(l.available, 0), coalesce(l.pending, 0)] AS expected,
               ARRAY[a.available, a.pending] AS found
        FROM {accounts} a LEFT JOIN (
            SELECT member_id, unit, sum(remaining) FILTER (WHERE NOT pending)::bigint AS available,
                   sum(remaining) FILTER (WHERE pending)::bigint AS pending
            FROM {lots} x GROUP BY member_id, unit) l ON l.member_id = a.member_id AND l.unit = a.unit""",
    ),
    "account-knows-what-comes": (
        "The account expects its next change later than one of its lots matures or lapses.",
        # It may expect it sooner: the lot that was to lapse has been spent.
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit, l.soonest AS expected,
               CASE WHEN a.next_change_at <= l.soonest THEN l.soonest ELSE a.next_change_at END AS found
        FROM {accounts} a JOIN (
            SELECT member_id, unit, min(CASE WHEN pending THEN matures_at ELSE expires_at END) AS soonest
            FROM {lots} x WHERE remaining > 0 GROUP BY member_id, unit) l
            ON l.member_id = a.member_id AND l.unit = a.unit
        WHERE l.soonest IS NOT NULL""",
    ),
    "account-exists": (
        "There are entries without an account.",
        """
        SELECT e.member_id, e.seq, e.unit, true AS expected, a.member_id IS NOT NULL AS found
        FROM (SELECT member_id, unit, max(seq) AS seq FROM {entries} x GROUP BY member_id, unit) e
        LEFT JOIN accounts a ON a.member_id = e.member_id AND a.unit = e.unit""",
    ),
    "account-of-its-program": (
        "The account is not in the program of its member.",
        """
        SELECT a.member_id, a.last_seq AS seq, a.unit, m.program_id AS expected, a.program_id AS found
        FROM {accounts} a LEFT JOIN members m ON m.member_id = a.member_id""",
    ),
    "lot-equals-allocations": (
        "What remains of a lot is not what it was opened with less what was taken from it.",
        """
        SELECT coalesce(l.member_id, x.member_id) AS member_id, coalesce(l.seq, x.lot_seq) AS seq, l.unit,
               coalesce(l.points, 0) - coalesce(x.taken, 0) AS expected, coalesce(l.remaining, 0) AS found
        FROM {lots} l FULL JOIN (
            SELECT member_id, lot_seq, sum(points)::bigint AS taken FROM {allocations} t GROUP BY member_id, lot_seq) x
            ON x.member_id = l.member_id AND x.lot_seq = l.seq""",
    ),
    "lot-has-its-entry": (
        "A credit and the lot it opened differ.",
        """
        SELECT coalesce(e.member_id, l.member_id) AS member_id, coalesce(e.seq, l.seq) AS seq,
               coalesce(e.unit, l.unit) AS unit,
               CASE WHEN e.seq IS NOT NULL THEN jsonb_build_array(e.points, e.unit, e.occurred_at) END AS expected,
               CASE WHEN l.seq IS NOT NULL THEN jsonb_build_array(l.points, l.unit, l.earned_at) END AS found
        FROM (SELECT * FROM {entries} x WHERE kind = 'earn') e
        FULL JOIN {lots} l ON l.member_id = e.member_id AND l.seq = e.seq""",
    ),
    "lot-matures-once": (
        "A lot is pending although it matured, or is not although it did not.",
        """
        SELECT l.member_id, l.seq, l.unit, (e.pending > 0)::int - coalesce(m.times, 0) AS expected,
               l.pending::int AS found
        FROM {lots} l JOIN {entries} e ON e.member_id = l.member_id AND e.seq = l.seq LEFT JOIN (
            SELECT member_id, reference, count(*)::int AS times
            FROM {entries} x WHERE kind = 'mature' GROUP BY member_id, reference) m
            ON m.member_id = l.member_id AND m.reference = l.seq::text""",
    ),
    "debit-equals-allocations": (
        "An entry took other points from lots than it took from the account.",
        """
        SELECT coalesce(e.member_id, x.member_id) AS member_id, coalesce(e.seq, x.seq) AS seq, e.unit,
               CASE WHEN e.kind IN ('redeem', 'expire') OR x.taken IS NOT NULL
                    THEN coalesce(-(e.available + e.pending), 0) ELSE 0 END AS expected,
               coalesce(x.taken, 0) AS found
        FROM {entries} e FULL JOIN (
            SELECT member_id, seq, sum(points)::bigint AS taken FROM {allocations} t GROUP BY member_id, seq) x
            ON x.member_id = e.member_id AND x.seq = e.seq""",
    ),
    "entry-adds-up": (
        "The points of an entry are not its effect on the account.",
        # Maturing, holding and releasing only move points between the member's own buckets.
        """
        SELECT member_id, seq, unit,
               CASE WHEN moves THEN ARRAY[available, 0] ELSE ARRAY[effect, effect] END AS expected,
               ARRAY[points, effect] AS found
        FROM (SELECT *, available + pending + held - debt AS effect, kind IN ('mature', 'hold', 'release') AS moves
              FROM {entries} x) e""",
    ),
    "entry-at-its-instant": (
        "Points matured or lapsed at another instant than their lot says.",
        """
        SELECT e.member_id, e.seq, e.unit,
               CASE e.kind WHEN 'mature' THEN l.matures_at ELSE l.expires_at END AS expected, e.occurred_at AS found
        FROM (SELECT *, CASE WHEN reference ~ '^[0-9]+$' AND length(reference) < 19 THEN reference::bigint END AS lot
              FROM {entries} x WHERE kind IN ('mature', 'expire')) e
        LEFT JOIN {lots} l ON l.member_id = e.member_id AND l.seq = e.lot""",
    ),
    "running-balance": (
        "The balance after an entry is not the balance before it and its effect.",
        """
        SELECT member_id, seq, unit, available + coalesce(lag(available_after) OVER (
                   PARTITION BY member_id, unit ORDER BY seq), 0) AS expected, available_after AS found
        FROM {entries} e""",
    ),
    "seq-without-gaps": (
        "A history has a gap.",
        """
        SELECT DISTINCT ON (member_id) member_id, expected AS seq, unit, expected, found FROM (
            SELECT member_id, unit, seq AS found, row_number() OVER (PARTITION BY member_id ORDER BY seq) AS expected
            FROM {entries} x) e
        WHERE expected <> found ORDER BY member_id, found""",
    ),
    "postings-sum-to-zero": (
        "Debits and credits of a unit do not cancel out.",
        """
        SELECT NULL::uuid AS member_id, NULL::bigint AS seq, p.unit, 0 AS expected, sum(p.points)::bigint AS found
        FROM {ledger_postings} p GROUP BY p.unit""",
    ),
}

# A member belongs to a program by its own row, an account by the account's: where the two differ, that is a finding.
_OWNERS = """
WITH owners AS MATERIALIZED (
    SELECT member_id FROM members WHERE program_id = %(program_id)s
    UNION SELECT member_id FROM accounts WHERE program_id = %(program_id)s)
"""
_COUNT = """
SELECT (SELECT count(*) FROM {accounts} x), (SELECT count(*) FROM {entries} x), (SELECT count(*) FROM {lots} x)
"""


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked and what was found."""

    ok: bool
    checked: dict[str, int]
    findings: list[dict[str, Any]] = field(default_factory=list)


def verify(session: Session, *, program_id: UUID | None = None, member_id: UUID | None = None) -> Verification:
    """Prove the books of one member, one program, or everybody.

    The checks must see one state, so the session's transaction should be a repeatable read (`take_snapshot`).
    """
    whose = {"program_id": program_id, "member_id": member_id}
    counts = session.row(_over(_COUNT, **whose), whose, into=tuple_row)
    assert counts is not None, "counting answers one row"
    findings: list[dict[str, Any]] = []
    for check, (meaning, _) in CHECKS.items():
        differing = session.rows(statement(check, **whose), whose, into=dict_row)
        findings += [{"check": check, "detail": meaning, **row} for row in differing]
    return Verification(
        not findings, dict(zip(("accounts", "entries", "lots"), counts, strict=True)), findings[:FINDINGS_MAX]
    )


def statement(check: str, *, program_id: UUID | None, member_id: UUID | None) -> str:
    """The statement of one check. Whose books it reads is part of its text, so that each plan fits its purpose."""
    differing = f"SELECT * FROM ({CHECKS[check][1]}) c WHERE expected IS DISTINCT FROM found ORDER BY member_id, seq"
    return _over(f"{differing} LIMIT {FINDINGS_MAX}", program_id=program_id, member_id=member_id)


def _over(sql: str, *, program_id: UUID | None, member_id: UUID | None) -> str:
    if member_id is not None:
        return sql.format(**{name: f"(SELECT * FROM {name} WHERE member_id = %(member_id)s)" for name in TABLES})
    if program_id is not None:
        joined = {name: f"(SELECT t.* FROM {name} t JOIN owners USING (member_id))" for name in TABLES}
        return _OWNERS + sql.format(**joined)
    return sql.format(**{name: name for name in TABLES})


def take_snapshot(session: Session) -> None:
    """Let all statements of this transaction see one state, however long they take."""
    session.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    session.run("SET LOCAL statement_timeout = 0")
    # One program or all of them: that is a difference of plans.
    session.run("SET LOCAL plan_cache_mode = force_custom_plan")
