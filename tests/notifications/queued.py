"""Messages in the queue of a program that has members, and what has become of them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from psycopg.rows import dict_row

from loyalty.core.ids import new_id
from loyalty.db.session import Session, transaction
from loyalty.notifications import arranging
from loyalty.notifications.domain import CHANNELS, Caps, Settings, Wanted
from loyalty.notifications.queueing import enqueue
from loyalty.programs.domain import Program
from tests.builders import NOW, a_member, a_program

# Everything goes out at once, whatever the hour: what is not the matter of a test does not get into its way.
AT_ONCE = Settings(
    channels=frozenset(CHANNELS), kinds={kind: frozenset(CHANNELS) for kind in ("points_earned", "points_matured")},
    quiet_hours=None, digest=None, caps=Caps(None, None), sender="Club <club@shop.example>",
)  # fmt: skip
EARNED: dict[str, Any] = {"points": 5, "pending": 0, "matures_at": None, "expires_at": None, "order_id": "A-1"}


def a_shop(session: Session, settings: Settings = AT_ONCE, **given: Any) -> Program:
    """A program with settings of its notifications."""
    program = a_program(session, **given)
    arranging.change(session, program.program_id, settings, actor="test", now=NOW)
    return program


def a_customer(session: Session, program: Program, customer_id: str = "", **profile: Any) -> UUID:
    """A member who can be reached on every channel."""
    usual = {"email": f"{customer_id or 'ada'}@shop.example", "phone": "+37120000000", "first_name": "Ada"}
    return a_member(session, program, customer_id, **{**usual, **profile}).member_id


def wanted(member_id: UUID, kind: str = "points_earned", data: dict[str, Any] | None = None, **given: Any) -> Wanted:
    """That a member has earned points, unless said otherwise."""
    made = Wanted(member_id=member_id, kind=kind, key=str(new_id()), data=data or EARNED, occurred_at=NOW)
    return replace(made, **given)


def queue(
    program: Program, *asked: Wanted, channel: str | None = "email", settings: Settings = AT_ONCE, now: datetime = NOW
) -> None:
    """Queue messages, on one channel only unless `channel` is None."""
    only = settings if channel is None else replace(settings, kinds={w.kind: frozenset({channel}) for w in asked})
    with transaction() as session:
        enqueue(session, program.program_id, asked, only, now=now)


def rows(program: Program, **where: Any) -> list[dict[str, Any]]:
    """The messages of a program, in the order in which they were queued."""
    with transaction() as session:
        found = session.rows(
            "SELECT * FROM messages WHERE program_id = %s ORDER BY seq", (program.program_id,), into=dict_row
        )
    return [row for row in found if all(row[name] == value for name, value in where.items())]


def outcomes(program: Program) -> list[str]:
    """What became of each message: its status, or why it was not sent."""
    return [row["reason"] or row["status"] for row in rows(program)]


def make_due(program: Program, by: timedelta = timedelta(days=1)) -> None:
    """Let the time pass until what waits is due, and until those who had messages have them no more."""
    with transaction() as session:
        session.run(
            "UPDATE messages SET due_at = due_at - %s, leased_until = leased_until - %s"
            " WHERE program_id = %s AND status = 'queued'",
            (by, by, program.program_id),
        )  # fmt: skip


def changed(program: Program, ids: Iterable[UUID], **columns: Any) -> None:
    """Change messages behind everybody's back."""
    sets = ", ".join(f"{name} = %s" for name in columns)
    values = [orjson.dumps(v).decode() if isinstance(v, dict) else v for v in columns.values()]
    with transaction() as session:
        session.run(f"UPDATE messages SET {sets} WHERE program_id = %s AND message_id = ANY(%s)",
                    (*values, program.program_id, list(ids)))  # fmt: skip
