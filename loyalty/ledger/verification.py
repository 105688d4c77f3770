"""The proof of the books.

No findings means: every account is the sum of its entries and of its lots; every lot is what its entry promised less
what was taken from it; every debit says which lots it consumed; holds are within funds; debts are owed; histories have
no gaps; what fell due did so at its instant; nothing that is to come is forgotten; and all postings sum to zero.

Members are checked some hundreds at a time, so that memory is bounded however long the books are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row, scalar_row, tuple_row

from loyalty.db.session import Session, array_of
from loyalty.ledger.checks import CHECKS

# Who has more findings than this has one problem, not a thousand.
FINDINGS_MAX = 100

# So many members are checked by one statement.
BATCH = 500

TABLES = (
    "accounts", "entries", "lots", "allocations", "holds", "debts", "upcoming", "checkpoints", "ledger_postings",
)  # fmt: skip

# Sums over everybody in question, unit by unit, that must be zero; they are added up batch by batch.
TOTALS: dict[str, tuple[str, str]] = {
    "postings-sum-to-zero": (
        "Debits and credits of a unit do not cancel out.",
        "SELECT unit, sum(points)::bigint FROM {ledger_postings} p GROUP BY unit",
    ),
    "transfers-cancel-out": (
        "What members gave and what members got differ.",
        "SELECT unit, sum(points)::bigint FROM {entries} e WHERE kind IN ('transfer_in', 'transfer_out') GROUP BY unit",
    ),
}

_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)

# A member belongs to a program by its own row, an account by the account's: where the two differ, that is a finding.
_OF_PROGRAM = """
SELECT member_id FROM (
    (SELECT member_id FROM members WHERE program_id = %(program_id)s AND member_id > %(after)s
     ORDER BY member_id LIMIT %(limit)s)
    UNION
    (SELECT member_id FROM accounts WHERE program_id = %(program_id)s AND member_id > %(after)s
     ORDER BY member_id LIMIT %(limit)s)) m
ORDER BY member_id LIMIT %(limit)s
"""
_OF_ALL = "SELECT member_id FROM members WHERE member_id > %(after)s ORDER BY member_id LIMIT %(limit)s"

_COUNT = """
SELECT (SELECT count(*) FROM {accounts} x), (SELECT count(*) FROM {entries} x), (SELECT count(*) FROM {lots} x)
"""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose books: those of some members, or all that lie in a range of ids (so that nobody's books are not missed)."""

    members: tuple[UUID, ...] | None = None
    after: UUID = _FIRST
    upto: UUID = _LAST

    def over(self, sql: str) -> str:
        """The statement over these books. Whose they are is part of its text, so that each plan fits its purpose."""
        named = self.members is not None
        where = "member_id = ANY(%(members)s::uuid[])" if named else "member_id > %(after)s AND member_id <= %(upto)s"
        return sql.format(**{name: f"(SELECT * FROM {name} WHERE {where})" for name in TABLES})

    @property
    def parameters(self) -> dict[str, Any]:
        """What `over` leaves open."""
        return {"members": array_of(self.members or ()), "after": self.after, "upto": self.upto}


@dataclass(slots=True)
class Verification:
    """What was checked and what was found."""

    checked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("accounts", "entries", "lots"), 0))
    findings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the books are in order."""
        return not self.findings


def verify(session: Session, *, program_id: UUID | None = None, member_id: UUID | None = None) -> Verification:
    """Prove the books of one member, one program, or everybody.

    The checks must see one state, so the session's transaction should be a repeatable read (`take_snapshot`).
    """
    result = Verification()
    totals: dict[tuple[str, str], int] = {}
    for whose in _batches(session, program_id, member_id):
        counts = session.row(whose.over(_COUNT), whose.parameters, into=tuple_row)
        assert counts is not None, "counting answers one row"
        for name, count in zip(result.checked, counts, strict=True):
            result.checked[name] += count
        for check in CHECKS:
            result.findings += findings_of(session, check, whose)
        for check, (_, sql) in TOTALS.items():
            for unit, points in session.rows(whose.over(sql), whose.parameters, into=tuple_row):
                totals[check, unit] = totals.get((check, unit), 0) + points
        if len(result.findings) >= FINDINGS_MAX:
            break
    if len(result.findings) < FINDINGS_MAX:
        result.findings += _unequal(totals, one_member=member_id is not None)
    del result.findings[FINDINGS_MAX:]
    return result


def findings_of(session: Session, check: str, whose: Whose) -> list[dict[str, Any]]:
    """What one check finds in some books."""
    meaning, sql = CHECKS[check]
    differing = f"SELECT * FROM ({sql}) c WHERE expected IS DISTINCT FROM found ORDER BY member_id, seq"
    rows = session.rows(whose.over(f"{differing} LIMIT {FINDINGS_MAX}"), whose.parameters, into=dict_row)
    return [{"check": check, "detail": meaning, **row} for row in rows]


def take_snapshot(session: Session) -> None:
    """Let all statements of this transaction see one state, however long they take."""
    session.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    take_your_time(session)


def take_your_time(session: Session) -> None:
    """Let statements of this transaction run long, each by a plan of its own."""
    session.run("SET LOCAL statement_timeout = 0")
    # One member or all of them: that is a difference of plans.
    session.run("SET LOCAL plan_cache_mode = force_custom_plan")
    # All of a history is joined with all of it. Whoever takes it for short, for want of statistics, would go through it
    # row by row; where rows are looked up one by one, on purpose, that remains the only way.
    session.run("SET LOCAL enable_nestloop = off")


def _batches(session: Session, program_id: UUID | None, member_id: UUID | None) -> Iterator[Whose]:
    if member_id is not None:
        yield Whose(members=(member_id,))
        return
    after = _FIRST
    sql = _OF_ALL if program_id is None else _OF_PROGRAM
    while True:
        where = {"program_id": program_id, "after": after, "limit": BATCH}
        ids: list[UUID] = session.rows(sql, where, into=scalar_row)
        if program_id is not None:
            yield Whose(members=tuple(ids))
        else:
            yield Whose(after=after, upto=ids[-1] if len(ids) == BATCH else _LAST)
        if len(ids) < BATCH:
            return
        after = ids[-1]


def _unequal(totals: dict[tuple[str, str], int], *, one_member: bool) -> Iterator[dict[str, Any]]:
    for (check, unit), points in totals.items():
        # What one member gave, another got.
        if points and not (one_member and check == "transfers-cancel-out"):
            yield {
                "check": check, "detail": TOTALS[check][0], "member_id": None, "seq": None, "unit": unit,
                "expected": 0, "found": points,
            }  # fmt: skip
