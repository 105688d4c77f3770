"""What webhooks do by themselves. Deliveries run on real time, in sandboxes, too."""

from secrets import SystemRandom
from uuid import UUID

from loyalty.config import from_environment
from loyalty.core import clock
from loyalty.core.outgoing import Client
from loyalty.db.queue import Stop, on_request
from loyalty.db.session import Session, transaction
from loyalty.webhooks import fanning, forgetting, sending
from loyalty.webhooks.domain import DELIVER, KEEP_DELIVERED


def relay(session: Session) -> int:
    """Give webhooks the facts that are new, and have workers deliver what is due."""
    now = clock.real_now()
    seen = fanning.fan_out(session, now=now)
    for webhook_id in fanning.due(session, now=now):
        fanning.call_for(session, webhook_id)
    return seen


@on_request(DELIVER)
def deliver(*, stop: Stop, webhook_id: str) -> None:
    """Deliver what is due to one webhook; what is left then, another job does, after those of other webhooks."""
    client = Client(from_environment().webhook_networks)
    try:
        chance = SystemRandom().random
        sending.deliver(client, UUID(webhook_id), stop=stop, chance=chance, now=clock.real_now())
    finally:
        client.close()
    with transaction() as session:
        if not stop() and UUID(webhook_id) in fanning.due(session, now=clock.real_now()):
            fanning.call_for(session, UUID(webhook_id))


def forget(session: Session) -> int:
    """Forget what arrived a month ago, and what was for webhooks that are deleted."""
    return forgetting.forget_batch(session, before=clock.real_now() - KEEP_DELIVERED)
