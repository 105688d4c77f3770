"""Reading the clock."""

from datetime import datetime
from uuid import UUID

from loyalty.db.session import Session
from loyalty.programs import queries as programs
from loyalty.sandbox.domain import SandboxClock
from loyalty.sandbox.errors import NotASandbox


def clock(session: Session, program_id: UUID, *, now: datetime) -> SandboxClock:
    """The sandbox's clock when the real one shows `now`. Refuses: NotASandbox."""
    found = programs.clock(session, program_id)
    if not found.sandbox:
        raise NotASandbox("This program is no sandbox: its time is the real one.")
    return SandboxClock(now + found.ahead, found.ahead)
