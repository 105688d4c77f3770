"""The offers that members hold, read along with whatever else is read of them. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.offers.domain import Assignment

# Of an assignment `a`, in the order in which `held_from` takes it.
HELD = """a.assignment_id, a.offer_code, a.offer_version, a.status, a.promise, a.assigned_at, a.valid_to, a.activated_at
"""


def held_from(member_id: UUID, found: Sequence[Sequence[Any]]) -> tuple[Assignment, ...]:
    """The assignments of a member that an order's points may keep."""
    return tuple(
        Assignment(
            member_id=member_id,
            assignment_id=UUID(assignment_id),
            offer_code=code,
            offer_version=version,
            status=status,
            promise=promise,
            earns=True,
            assigned_at=datetime.fromisoformat(assigned_at),
            valid_to=datetime.fromisoformat(valid_to),
            activated_at=datetime.fromisoformat(activated_at),
        )
        for assignment_id, code, version, status, promise, assigned_at, valid_to, activated_at in found
    )
