"""What rewards do by themselves."""

from loyalty.core import clock
from loyalty.db.queue import regularly
from loyalty.db.session import Session
from loyalty.rewards import expiring


@regularly("rewards.expire", cron="* * * * *")
def expire(session: Session) -> int:
    """Record the redemptions that nobody confirmed in time."""
    return expiring.expire_batch(session, now=clock.real_now())


@regularly("rewards.expire_sandboxes", cron="* * * * *")
def expire_sandboxes(session: Session) -> int:
    """The same in sandboxes whose clock was moved, by their own clocks."""
    return expiring.expire_sandboxes(session, now=clock.real_now())
