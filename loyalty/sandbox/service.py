"""Moving the clock of a sandbox."""

from datetime import datetime
from uuid import UUID

from loyalty.audit import service as audit
from loyalty.db.session import Session
from loyalty.ledger.settlement import settle_program
from loyalty.programs import service as programs
from loyalty.sandbox import queries
from loyalty.sandbox.domain import SandboxClock
from loyalty.sandbox.errors import ClockBackwards
from loyalty.tiers.settlement import review_program

# What one request may take: about a second. Whoever is left is settled by the worker within a minute or by whatever
# touches them before; no balance waits for either.
SETTLED_MAX = 2_000


def move_clock(session: Session, program_id: UUID, to: datetime, *, actor: str, now: datetime) -> SandboxClock:
    """Let it be `to` in a sandbox when the real clock shows `now`, and settle what falls due until then.

    Refuses: NotASandbox, ClockBackwards.
    """
    programs.hold_still(session, program_id)
    before = queries.clock(session, program_id, now=now)
    if to < before.now:
        raise ClockBackwards(now=before.now)
    programs.set_clock(session, program_id, ahead=to - now)
    audit.record(
        session, program_id, actor=actor, action="clock.moved", resource="clock", before={"now": before.now},
        after={"now": to}, now=to,
    )  # fmt: skip
    return SandboxClock(to, to - now, _settle(session, program_id, now=to))


def _settle(session: Session, program_id: UUID, *, now: datetime) -> int:
    settled = 0
    for settle in (settle_program, review_program):
        while settled < SETTLED_MAX and (count := settle(session, program_id, now=now)):
            settled += count
    return settled
