"""The clock of the caller's program, if that is a sandbox."""

from datetime import datetime

from flask import g

from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.sandbox import queries, service
from loyalty.sandbox.domain import SandboxClock
from loyalty.sandbox.errors import ClockBackwards, NotASandbox
from loyalty.sandbox.examples import CLOCK, MOVED_CLOCK, NEW_CLOCK
from loyalty.sandbox.schemas import ClockSchema, MovedClockSchema, NewClockSchema
from loyalty.web.blueprints import Blueprint, reads, transactional
from loyalty.web.idempotency import idempotent

bp = Blueprint("clock", __name__, url_prefix="/v1/admin/clock", description="What time it is in a sandbox.")


@bp.get("")
@bp.refuses(NotASandbox)
@reads
@bp.response(200, ClockSchema(), example=CLOCK)
def get_clock(session: Session) -> SandboxClock:
    """What time it is in this sandbox."""
    return queries.clock(session, g.caller.program_id, now=clock.real_now())


@bp.post("")
@bp.refuses(NotASandbox, ClockBackwards)
@transactional
@idempotent
@bp.arguments(NewClockSchema(), example=NEW_CLOCK)
@bp.response(200, MovedClockSchema(), example=MOVED_CLOCK)
def move_clock(session: Session, wanted: dict[str, datetime]) -> SandboxClock:
    """Move the clock of a sandbox forward: what matures or lapses until then does. It flows on from there."""
    actor = str(g.caller.key_id)
    return service.move_clock(session, g.caller.program_id, wanted["now"], actor=actor, now=clock.real_now())
