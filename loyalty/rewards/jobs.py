"""What rewards do by themselves."""

from loyalty.core import clock
from loyalty.db.session import Session
from loyalty.rewards import auto_redeeming, expiring, sweeping


def expire(session: Session) -> int:
    """Record the redemptions that nobody confirmed in time."""
    return expiring.expire_batch(session, now=clock.real_now())


def expire_sandboxes(session: Session) -> int:
    """The same in sandboxes whose clock was moved, by their own clocks."""
    return expiring.expire_sandboxes(session, now=clock.real_now())


def redeem_automatically(session: Session) -> int:
    """Redeem the program's reward for members whose points suffice, by each program's own clock."""
    return auto_redeeming.redeem_batch(session, now=clock.real_now())


def search(session: Session) -> int:
    """Find who had enough points before their program redeemed rewards by itself, or before it cost so little."""
    return sweeping.sweep_batch(session, now=clock.real_now())
