"""A worker that is killed while it sends mail: every message arrives, and only what was on its way arrives twice."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage

import psycopg
import pytest
from psycopg.rows import scalar_row

from loyalty.db.embedded import database_url, embedded_server
from loyalty.notifications.carrying import LINES
from tests.faults.service import Place, a_place, call, serving, until
from tests.faults.test_worker import a_worker
from tests.notifications.mailbox import Mailbox, Server

MEMBERS, EACH = 40, 12
KILLS = 2

SETTINGS = {
    "channels": {"inbox": False, "email": True}, "kinds": {"tier_up": ["email"]}, "quiet_hours": None, "digest": None,
    "caps": {"day": None, "week": None}, "email": {"from": "Club <club@shop.example>", "reply_to": None},
}  # fmt: skip
# Numbered in the order in which each member is to be told.
QUEUE = """
INSERT INTO messages (member_id, message_id, program_id, kind, channel, key, marketing, data, status, occurred_at,
    created_at, due_at, attempts)
SELECT m.member_id, gen_random_uuid(), m.program_id, 'tier_up', 'email', number::text, false,
    jsonb_build_object('tier', 'number-' || number, 'from', NULL, 'ladder_version', 1), 'queued', now(), now(), now(), 0
FROM generate_series(1, %s) number CROSS JOIN members m WHERE m.customer_id LIKE 'mail-%%' ORDER BY number + 0
"""
# As if the minutes were over after which somebody else may send what a killed worker had, and take over its jobs.
LATER = """
UPDATE messages SET leased_until = leased_until - interval '1 hour';
UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour';
DELETE FROM procrastinate_periodic_defers
"""
LEFT = "SELECT count(*) FROM messages WHERE status = 'queued'"
SENT = "SELECT count(*) FROM messages WHERE status = 'sent'"


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with a_place() as place:
        with serving(place, "--no-worker") as service:
            assert service.key is not None, service.log
            for number in range(MEMBERS):
                profile = {"email": f"mail-{number}@shop.example", "first_name": "Ada"}
                enrolled = call(place.port, "PUT", f"/v1/members/mail-{number}", profile, key=service.key)
                assert enrolled.status == 201
            settings = call(place.port, "PUT", "/v1/admin/notification-settings", SETTINGS, key=service.key)
            assert settings.status == 200, settings.json
            service.stop()
        yield place


def number_of(letter: EmailMessage) -> int:
    """Which of the member's messages a letter is."""
    return int(letter["Subject"].rpartition("number-")[2].split()[0].strip(".!"))


def test_every_message_arrives_in_order_though_the_worker_is_killed(place: Place):
    mailbox = Mailbox()
    with (
        Server(mailbox) as server,
        embedded_server(place.data_dir) as database,
        closing(psycopg.connect(database_url(database, "loyalty"), autocommit=True)) as connection,
    ):
        ask = connection.cursor(row_factory=scalar_row)
        ask.execute(QUEUE, (EACH,))
        queued = MEMBERS * EACH
        assert ask.execute(LEFT).fetchone() == queued
        mail = f"smtp://127.0.0.1:{server.port}"

        for kill in range(1, KILLS + 1):
            enough = queued * kill // (KILLS + 1)
            with a_worker(place, LOYALTY_SMTP_URL=mail) as worker:
                until(lambda enough=enough: len(mailbox.letters) >= enough, "a part of the mail to arrive")
                worker.kill()
                worker.wait()
            ask.execute(LATER)
        with a_worker(place, LOYALTY_SMTP_URL=mail):
            until(lambda: ask.execute(LEFT).fetchone() == 0, "all mail to be sent")
        assert ask.execute(SENT).fetchone() == queued

    duplicates = sum(times - 1 for times in mailbox.arrived.values())
    assert len(mailbox.arrived) == queued
    assert duplicates <= KILLS * LINES, Counter(mailbox.arrived.values())
    first_times: dict[str, list[int]] = {}
    for letter in mailbox.letters:
        numbers = first_times.setdefault(letter["To"], [])
        if number_of(letter) not in numbers:
            numbers.append(number_of(letter))
    assert {who: n for who, n in first_times.items() if n != list(range(1, EACH + 1))} == {}
