"""What segments do by themselves. Every program goes by its own clock."""

from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.learning import segmenting


def follow(session: Session) -> int:
    """Look at who did something: into which segments that takes them, and out of which."""
    return segmenting.follow_batch(session, now=clock.real_now())


def sweep(session: Session) -> int:
    """Look at all members of programs where that is due."""
    return segmenting.sweep_batch(session, now=clock.real_now())
