"""A member buys, and all are told: the member by mail and in the inbox, the shop by a webhook, until they say no."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from loyalty.core import clock
from loyalty.core.outgoing import Client
from loyalty.db.session import transaction
from loyalty.notifications import following, jobs
from loyalty.notifications.delivering import deliver
from loyalty.webhooks import jobs as webhook_jobs
from loyalty.webhooks import sending, service
from loyalty.webhooks.domain import NewWebhook
from tests.api import Api
from tests.builders import order_json
from tests.events.following import all_are_visible
from tests.notifications.mailbox import Mailbox, Server
from tests.statements import statements
from tests.webhooks.receiver import LOOPBACK, Receiver, receiving

PUBLIC_URL = "https://club.shop.example"
SETTINGS = {
    "channels": {"inbox": True, "email": True}, "kinds": {"points_earned": ["inbox", "email"]}, "quiet_hours": None,
    "digest": None, "email": {"from": "Club <club@shop.example>", "reply_to": None},
}  # fmt: skip


def buy(api: Api, order_id: str) -> Any:
    placed_at = clock.real_now().isoformat()
    return api.post("/v1/orders", order_json(order_id=order_id, placed_at=placed_at))


def the_worker_works(api: Api, mailbox: Mailbox, webhook_id: UUID) -> None:
    """What the worker does within seconds."""
    with api.app.app_context():
        all_are_visible(api.program.program_id)
        with transaction() as session:
            following.plan_program(session, api.program.program_id, now=clock.real_now())
        with Server(mailbox) as server:
            deliver("email", server, public_url=PUBLIC_URL)
        jobs.deliver_inbox(lambda: False)
        all_are_visible(api.program.program_id)
        while True:
            with transaction() as session:
                if not webhook_jobs.relay(session):
                    break
        client = Client(LOOPBACK)
        sending.deliver(client, webhook_id, stop=lambda: False, chance=lambda: 0.5, now=clock.real_now())
        client.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


def test_who_buys_is_told_and_so_is_the_shop_until_they_want_no_more(api: Api, receiver: Receiver):
    assert api.put("/v1/admin/notification-settings", SETTINGS).status_code == 200
    with api.app.app_context(), transaction() as session:
        # Over HTTP a webhook leads to no address of this machine, unless the operator allows it.
        new = NewWebhook(url=receiver.url, types=("order.*", "points.*"))
        made = service.create(
            session, api.program.program_id, new, networks=LOOPBACK, actor="test", now=clock.real_now()
        )
    api.enrol("c-42", first_name="Ada", email="ada@shop.example", locale="pl")
    assert buy(api, "A-1000").status_code == 201
    mailbox = Mailbox()

    with statements() as sent:
        assert buy(api, "A-1001").status_code == 201
    assert len(sent) <= 5, "one more than the use case: the key"
    the_worker_works(api, mailbox, made.webhook.webhook_id)

    first, second = mailbox.letters
    assert first["To"] == "ada@shop.example"
    assert "30" in first["Subject"]
    assert "punkt" in first["Subject"]
    assert second["Message-ID"] != first["Message-ID"]

    inbox = api.get("/v1/members/c-42/inbox").json
    assert inbox["unread"] == 2
    assert [message["kind"] for message in inbox["data"]] == ["points_earned"] * 2
    assert inbox["data"][0]["subject"] == second["Subject"]

    told = [Webhook(made.secret).verify(each.body, each.headers) for each in receiver.received]
    assert [each["type"] for each in told] == ["order.recorded", "points.earned"] * 2
    assert [each["sequence"] for each in told] == [1, 2, 3, 4]
    assert told[-1]["data"]["available"] == 60

    timeline = api.get("/v1/members/c-42/timeline").json["data"]
    assert {"member.enrolled", "order.recorded", "points.earned", "message.sent"} == {each["type"] for each in timeline}

    link = first["List-Unsubscribe"].strip("<>").removeprefix(PUBLIC_URL)
    one_click = {"List-Unsubscribe": "One-Click"}
    assert api.app.test_client().post(link, data=one_click).status_code == 200
    assert buy(api, "A-1002").status_code == 201
    the_worker_works(api, mailbox, made.webhook.webhook_id)

    assert len(mailbox.letters) == 2
    mails = api.get("/v1/members/c-42/messages?channel=email").json["data"]
    assert [(mail["status"], mail["reason"]) for mail in mails] == [
        ("suppressed", "kind_refused"), ("sent", None), ("sent", None),
    ]  # fmt: skip
    assert api.get("/v1/members/c-42/inbox").json["unread"] == 3, "the inbox disturbs nobody"
