"""What tiers do by themselves."""

from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.tiers import moving, settlement


def review(session: Session) -> int:
    """Record the tiers that have ended of members whom nobody has touched since."""
    return settlement.review_batch(session, now=clock.real_now())


def review_sandboxes(session: Session) -> int:
    """The same in sandboxes whose clock was moved, by their own clocks."""
    return settlement.review_sandboxes(session, now=clock.real_now())


def move(session: Session) -> int:
    """Move members to the ladders that have come into force."""
    return moving.move_batch(session, now=clock.real_now())
