"""What offers do by themselves."""

from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.personalisation import expiring, triggering, winning_back


def expire(session: Session) -> int:
    """Record the offers that are over."""
    return expiring.expire_batch(session, now=clock.real_now())


def expire_sandboxes(session: Session) -> int:
    """The same in sandboxes whose clock was moved, by their own clocks."""
    return expiring.expire_sandboxes(session, now=clock.real_now())


def win_back(session: Session) -> int:
    """Give offers to members who stay away, by each program's own clock."""
    return winning_back.sweep_batch(session, now=clock.real_now())


def thank(session: Session) -> int:
    """Give offers to members who have brought a friend."""
    return triggering.follow_batch(session, now=clock.real_now())
