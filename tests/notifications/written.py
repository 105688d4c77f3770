"""Messages as the queue would have written them, whatever it was that made them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

from loyalty.core.ids import new_id
from loyalty.db.session import Session, transaction
from loyalty.templates.kinds import KINDS
from tests.api import Api
from tests.builders import NOW

POINTS_EARNED = {"points": 120, "pending": 0, "matures_at": None, "expires_at": None, "order_id": "A-1001"}

_MEMBER = "SELECT member_id FROM members WHERE program_id = %s AND customer_id = %s"


def member_id(api: Api, customer_id: str = "c-42") -> UUID:
    """The internal id of a member."""
    with api.app.app_context(), transaction() as session:
        found = session.row(_MEMBER, (api.program.program_id, customer_id), into=scalar_row)
    assert isinstance(found, UUID)
    return found


def a_message(api: Api, customer_id: str = "c-42", **given: Any) -> str:
    """Write a message to a member; answers its id. It was sent to the inbox unless said otherwise."""
    member = member_id(api, customer_id)
    with api.app.app_context(), transaction() as session:
        return write_message(session, api.program.program_id, member, **given)


def write_message(session: Session, program_id: UUID, member: UUID, **given: Any) -> str:
    """Write a message in a transaction of the caller's."""
    at: datetime = given.pop("at", NOW)
    status, kind = given.get("status", "sent"), given.get("kind", "points_earned")
    row = {
        "member_id": member, "message_id": new_id(), "program_id": program_id, "kind": kind, "channel": "inbox",
        "key": str(new_id()), "marketing": KINDS[kind].category == "marketing", "data": POINTS_EARNED,
        "status": status, "reason": None, "occurred_at": at, "created_at": at, "due_at": at,
        "sent_at": at if status == "sent" else None, "attempts": 0, **given,
    }  # fmt: skip
    row["data"] = Jsonb(row["data"])
    places = ", ".join(f"%({name})s" for name in row)
    session.run(f"INSERT INTO messages ({', '.join(row)}) VALUES ({places})", row)
    return str(row["message_id"])
