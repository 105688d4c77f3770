"""What notifications do by themselves. Every program goes by its own clock."""

from loyalty.core import clock
from loyalty.db.queue import regularly
from loyalty.db.session import Session
from loyalty.notifications import announcing, following, stating, sweeping


# The sixth field is that of seconds.
@regularly("notifications.plan", cron="* * * * * */5")
def plan(session: Session) -> int:
    """Queue what members are to be told because of what has happened."""
    return following.plan_batch(session, now=clock.real_now())


@regularly("notifications.announce", cron="* * * * *")
def announce(session: Session) -> int:
    """Queue what members are to be told of new rewards."""
    return announcing.announce_batch(session, now=clock.real_now())


@regularly("notifications.sweep", cron="*/10 * * * *")
def sweep(session: Session) -> int:
    """Queue what members are to be told of points and tiers that end soon."""
    return sweeping.sweep_batch(session, now=clock.real_now())


@regularly("notifications.statements", cron="7 * * * *")
def statements(session: Session) -> int:
    """Queue the statements of the month before."""
    return stating.state_batch(session, now=clock.real_now())
