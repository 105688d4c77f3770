"""What the ledger does by itself."""

from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.ledger import settlement


def settle(session: Session) -> int:
    """Record what has matured or lapsed of members whom nobody has touched since."""
    return settlement.settle_batch(session, now=clock.real_now())


def settle_sandboxes(session: Session) -> int:
    """The same in sandboxes whose clock was moved, by their own clocks."""
    return settlement.settle_sandboxes(session, now=clock.real_now())
