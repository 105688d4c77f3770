"""What is done about outcomes by itself."""

from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.outcomes import filling, following


def fill(session: Session) -> int:
    """Count the windows that are over, by each program's own clock."""
    return filling.fill_batch(session, now=clock.real_now())


def follow(session: Session) -> int:
    """Count again what late orders and returns change."""
    return following.follow_batch(session)
