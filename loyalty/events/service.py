"""Telling facts."""

from datetime import datetime
from typing import Any
from uuid import UUID

from loyalty.core.ids import new_id
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.events.domain import Fact
from loyalty.events.models import EventRow


def tell(changes: Changes, program_id: UUID, *facts: Fact, now: datetime) -> None:
    """Add facts to the rows to be written, so that they are told with what they are about, or not at all.

    They cost no statement of their own. Facts told together stand in the log in this order.
    """
    changes.insert(EventRow, *(_row(program_id, fact, now) for fact in facts))


def tell_now(session: Session, program_id: UUID, *facts: Fact, now: datetime) -> None:
    """Tell facts by a statement of their own, where what they are about is not written as rows of `Changes`."""
    changes = Changes()
    tell(changes, program_id, *facts, now=now)
    write(session, changes)


def _row(program_id: UUID, fact: Fact, now: datetime) -> dict[str, Any]:
    return {
        "owner_id": fact.member_id or program_id,
        "occurred_at": fact.occurred_at,
        "event_id": new_id(),
        "program_id": program_id,
        "type": fact.type,
        "version": fact.version,
        "customer_id": fact.customer_id,
        "recorded_at": now,
        "data": fact.data,
    }
