"""A program with a webhook, and the jobs of webhooks done by hand, at any time."""

from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from uuid import UUID

from psycopg.rows import dict_row

from loyalty.core.outgoing import Client
from loyalty.db.paging import Window
from loyalty.db.session import reading, transaction
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program
from loyalty.webhooks import fanning, queries, sending, service
from loyalty.webhooks.domain import Issued, NewWebhook, Webhook
from loyalty.webhooks.queries import Delivery
from tests.builders import NOW, a_member, a_program
from tests.events.following import a_fact, all_are_visible, told
from tests.webhooks.receiver import LOOPBACK

AN_HOUR = timedelta(hours=1)


def deliver_to(webhook_id: UUID | str, **given: Any) -> int:
    """Deliver what is due to a webhook, while time stands still; answers how many attempts that took."""
    client = Client(LOOPBACK)
    defaults = {"stop": lambda: False, "chance": lambda: 1.0}
    with closing(client), mock.patch("loyalty.core.clock.stopwatch", return_value=timedelta):
        return sending.deliver(client, UUID(str(webhook_id)), **{**defaults, **given})


class Desk:
    """A program, some members, and one webhook."""

    def __init__(self, url: str, *types: str, members: int = 1) -> None:
        with transaction() as session:
            self.program: Program = a_program(session)
            self.members: list[LockedMember] = [a_member(session, self.program) for _ in range(members)]
        all_are_visible(self.program_id)
        self.made: Issued = self.another(url, *types)
        self.webhook_id = self.made.webhook.webhook_id

    @property
    def program_id(self) -> UUID:
        return self.program.program_id

    def another(self, url: str, *types: str, now: datetime = NOW) -> Issued:
        new = NewWebhook(url=url, types=types)
        with transaction() as session:
            return service.create(session, self.program_id, new, networks=LOOPBACK, actor="me", now=now)

    def happen(self, count: int = 1, *, now: datetime = NOW, program: bool = False, **given: Any) -> None:
        """So many facts of each member (or of the program), in turn, and everybody can see them."""
        owners: list[LockedMember | None] = [None] if program else list(self.members)
        with transaction() as session:
            facts = [a_fact(number + 1, member=member, **given) for number in range(count) for member in owners]
            told(session, self.program_id, *facts, now=now)
        all_are_visible(self.program_id)

    def fan_out(self, *, limit: int = 1_000, now: datetime = NOW) -> int:
        """Give all webhooks what is new; answers how many transactions that took."""
        for turn in range(10_000):
            with transaction() as session:
                if not fanning.fan_out(session, limit=limit, now=now):
                    return turn
        raise AssertionError("there is no end of it")

    def deliver(self, *, now: datetime = NOW, webhook_id: UUID | None = None, **given: Any) -> int:
        """Deliver what is due, while time stands still; answers how many attempts that took."""
        return deliver_to(webhook_id or self.webhook_id, now=now, **given)

    def is_due(self, *, now: datetime = NOW) -> bool:
        """Whether a worker would deliver to the webhook."""
        with reading() as session:
            return self.webhook_id in fanning.due(session, now=now)

    def shown(self, *, now: datetime = NOW) -> Webhook:
        with reading() as session:
            return queries.webhook(session, self.program_id, self.webhook_id, now=now)

    def log(self, status: str | None = None) -> list[Delivery]:
        """What the webhook is told, the earliest first."""
        with reading() as session:
            found = queries.deliveries(session, self.program_id, self.webhook_id, Window(limit=200), status=status)
        return list(reversed(found.data))

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """What the log of the program tells of one type."""
        sql = "SELECT data FROM events WHERE program_id = %s AND type = %s ORDER BY xid, seq"
        with reading() as session:
            return [row["data"] for row in session.rows(sql, (self.program_id, kind), into=dict_row)]

    def resume(self, *, now: datetime = NOW) -> Webhook:
        with transaction() as session:
            return service.resume(session, self.program_id, self.webhook_id, actor="me", now=now)

    def pause(self, *, now: datetime = NOW) -> Webhook:
        with transaction() as session:
            return service.pause(session, self.program_id, self.webhook_id, actor="me", now=now)
