"""Assignments as they are stored: read one by one, or along with the member."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session
from loyalty.offers.domain import Assignment

# Of an assignment `a`, in the order in which `assignment_from` takes it.
COLUMNS = """a.assignment_id, a.offer_code, a.offer_version, a.status, a.promise, a.earns, a.assigned_at, a.valid_to,
a.seen_at, a.activated_at, a.closed_at, a.voucher_code, a.order_id, a.points, a.amount, a.rank, a.score, a.probability,
a.in_list, a.trigger, a.reasons, a.holdout"""

_ONE = f"""
SELECT a.member_id, json_build_array({COLUMNS}) FROM assignments a WHERE a.assignment_id = %s AND a.program_id = %s
"""
_OPEN = f"""
SELECT a.member_id, json_build_array({COLUMNS}) FROM assignments a
WHERE a.member_id = %s AND a.closed_at IS NULL ORDER BY a.assignment_id
"""
_INSTANTS = ("assigned_at", "valid_to", "seen_at", "activated_at", "closed_at")
_NAMES = tuple(name.strip().removeprefix("a.") for name in COLUMNS.split(","))


def assignment(session: Session, program_id: UUID, assignment_id: UUID) -> Assignment | None:
    """One assignment of a program, if there is one; also one that is held out."""
    found = session.row(_ONE, (assignment_id, program_id), into=tuple_row)
    return None if found is None else assignment_from(*found)


def open_of(session: Session, member_id: UUID) -> list[Assignment]:
    """The assignments of a member that nobody has closed."""
    return [assignment_from(*row) for row in session.rows(_OPEN, (member_id,), into=tuple_row)]


def assignment_from(member_id: UUID, found: Sequence[Any]) -> Assignment:
    """An assignment from `COLUMNS`, as JSON has them."""
    made: dict[str, Any] = dict(zip(_NAMES, found, strict=True))
    for name in _INSTANTS:
        if made[name] is not None:
            made[name] = datetime.fromisoformat(made[name])
    made["reasons"] = tuple(made["reasons"])
    return Assignment(**{**made, "member_id": member_id, "assignment_id": UUID(made["assignment_id"])})


def row_of(program_id: UUID, given: Assignment) -> dict[str, Any]:
    """The whole row of an assignment."""
    row = {name: getattr(given, name) for name in _NAMES}
    return {**row, "reasons": list(given.reasons), "member_id": given.member_id, "program_id": program_id}


def life_of(given: Assignment) -> dict[str, Any]:
    """What of an assignment's row its life changes."""
    named = ("member_id", "assignment_id", "status", "seen_at", "activated_at", "closed_at", "voucher_code", "order_id")
    return {**{name: getattr(given, name) for name in named}, "amount": given.amount}
