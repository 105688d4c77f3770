"""Sending, with no transaction open: one that waits for a stranger would hold up the log for everybody."""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
from standardwebhooks import Webhook

from loyalty.core import clock
from loyalty.core.ids import new_id
from loyalty.core.outgoing import Client, UnreachableError
from loyalty.db.queue import Stop
from loyalty.db.session import transaction
from loyalty.webhooks import delivering
from loyalty.webhooks.delivering import Chance, Endpoint, Result
from loyalty.webhooks.domain import RUN, SENDERS, Message, Outcome

USER_AGENT = "loyalty-webhooks/1"
REDIRECTS = range(300, 400)


def payload(message: Message) -> bytes:
    """The body: the fact as `GET /v1/events` shows it, and its number."""
    told = {
        "event_id": message.event_id, "type": message.type, "version": message.version,
        "customer_id": message.customer_id, "occurred_at": message.occurred_at.astimezone(UTC),
        "recorded_at": message.recorded_at.astimezone(UTC), "data": message.data, "sequence": message.sequence,
    }  # fmt: skip
    return orjson.dumps(told, option=orjson.OPT_UTC_Z)


def signed(message: Message, body: bytes, secrets: Sequence[str], *, now: datetime) -> dict[str, str]:
    """The headers of an attempt, as Standard Webhooks has them: signed with every secret that is good."""
    name, at = str(message.event_id), now.astimezone(UTC)
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(name, at, body.decode()) for secret in secrets),
    }


def send(client: Client, endpoint: Endpoint, message: Message, *, now: datetime) -> Outcome:
    """Send once; what came of it. Nothing of the answer is kept but its status."""
    body = payload(message)
    elapsed = clock.stopwatch()
    try:
        answer = client.post(endpoint.url, body, signed(message, body, endpoint.secrets, now=now))
    except UnreachableError as error:
        return Outcome(error=str(error), milliseconds=elapsed() // timedelta(milliseconds=1))
    asked = None if answer.retry_after_seconds is None else timedelta(seconds=answer.retry_after_seconds)
    return Outcome(
        status=answer.status, error=_error(answer.status), milliseconds=answer.milliseconds, retry_after=asked
    )


def ping(client: Client, endpoint: Endpoint, *, now: datetime) -> Outcome:
    """Send a fact that is none, to see what the receiver says."""
    there = now + endpoint.ahead
    message = Message(
        sequence=None, event_id=new_id(), type="webhook.ping", version=1, customer_id=None, occurred_at=there,
        recorded_at=there, data={"webhook_id": str(endpoint.webhook_id)},
    )  # fmt: skip
    return send(client, endpoint, message, now=now)


def deliver(client: Client, webhook_id: UUID, *, stop: Stop, chance: Chance, now: datetime) -> int:
    """Deliver to a webhook until nothing is due, or for as long as a job may take; answers how many attempts were made.

    At any moment no more is claimed than is being sent, so a kill leaves no more than that to be sent twice.
    """
    elapsed, attempts = clock.stopwatch(), 0
    under_way: dict[Future[Outcome], Message] = {}
    finished: list[Result] = []
    with ThreadPoolExecutor(SENDERS, "webhooks") as senders:
        while True:
            at, over = now + elapsed(), stop() or elapsed() > RUN
            room = 0 if over else SENDERS - len(under_way)
            with transaction() as session:
                turn = delivering.take_turn(
                    session, webhook_id, finished, room=room, under_way=len(under_way), chance=chance, now=at
                )
            for message in turn.messages if turn else ():
                under_way[senders.submit(send, client, turn.endpoint, message, now=at)] = message  # type: ignore[union-attr]
                attempts += 1
            if not under_way:
                return attempts
            ready, _ = wait(under_way, return_when=FIRST_COMPLETED)
            finished = [(under_way.pop(each), each.result()) for each in ready]


def _error(status: int) -> str | None:
    if status in REDIRECTS:
        return f"The receiver answered {status}: redirects are not followed."
    return None if 200 <= status < REDIRECTS.start else f"The receiver answered {status}."  # noqa: PLR2004
