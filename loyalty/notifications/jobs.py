"""What notifications do by themselves. Every program goes by its own clock."""

from functools import lru_cache
from threading import Lock

from loyalty.config import from_environment
from loyalty.core import clock
from loyalty.db.queue import Stop
from loyalty.db.session import Session
from loyalty.notifications import announcing, delivering, following, forgetting, stating, sweeping
from loyalty.notifications.carriers.carrier import Carrier
from loyalty.notifications.carriers.mail import server_from
from loyalty.notifications.carriers.services import services_from
from loyalty.notifications.domain import CARRIED, Channel

_sending: dict[Channel, Lock] = {channel: Lock() for channel in CARRIED}


def plan(session: Session) -> int:
    """Queue what members are to be told because of what has happened."""
    return following.plan_batch(session, now=clock.real_now())


def announce(session: Session) -> int:
    """Queue what members are to be told of new rewards."""
    return announcing.announce_batch(session, now=clock.real_now())


def sweep(session: Session) -> int:
    """Queue what members are to be told of points and tiers that end soon."""
    return sweeping.sweep_batch(session, now=clock.real_now())


def statements(session: Session) -> int:
    """Queue the statements of the month before."""
    return stating.state_batch(session, now=clock.real_now())


def deliver_inbox(stop: Stop) -> int:
    """Put messages into inboxes."""
    return delivering.deliver("inbox", None, stop=stop)


def deliver_webhook(stop: Stop) -> int:
    """Tell the shop what it is to send itself."""
    return delivering.deliver("webhook", None, stop=stop)


def deliver_email(stop: Stop) -> int:
    """Send e-mail, where there is a mail server."""
    return _carry("email", stop)


def deliver_apprise(stop: Stop) -> int:
    """Send what goes by Apprise, where there is a service."""
    return _carry("apprise", stop)


def forget(session: Session) -> int:
    """Delete messages that nobody will ask for again."""
    return forgetting.forget_batch(session, now=clock.real_now())


def _carry(channel: Channel, stop: Stop) -> int:
    carriers, public_url = ways_out()
    # While one job of this process sends, the next one finds that it need not: no more is on its way than one sends.
    if not _sending[channel].acquire(blocking=False):
        return 0
    try:
        return delivering.deliver(channel, carriers.get(channel), public_url=public_url, stop=stop)
    finally:
        _sending[channel].release()


@lru_cache
def ways_out() -> tuple[dict[Channel, Carrier], str]:
    """The carriers of this deployment, and its address. Raises OperatorError when they are not set up soundly."""
    settings = from_environment()
    carriers: dict[Channel, Carrier] = {}
    if settings.smtp_url:
        carriers["email"] = server_from(settings.smtp_url)
    if settings.apprise_urls:
        carriers["apprise"] = services_from(settings.apprise_urls)
    return carriers, settings.public_url
