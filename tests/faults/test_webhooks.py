"""Webhooks and `kill -9`: everything arrives at least once, and in order; twice only what was being sent."""

import os
import signal
import time
from collections import Counter

from loyalty.webhooks.domain import SENDERS
from tests.faults.service import a_place, call, serving, until
from tests.faults.test_worker import LATER, a_worker, asking
from tests.webhooks.receiver import Received, receiving

MEMBERS, EACH = 40, 50
FACTS = MEMBERS * EACH

HAPPEN = f"""
INSERT INTO events (owner_id, occurred_at, event_id, program_id, type, version, customer_id, recorded_at, data)
SELECT ('00000000-0000-7000-8000-' || lpad(m::text, 12, '0'))::uuid, now(), gen_random_uuid(), program_id,
    'order.confirmed', 1, 'c-' || m, now(), jsonb_build_object('points', n)
FROM programs, generate_series(1, {EACH}) n, generate_series(1, {MEMBERS}) m ORDER BY n, m
"""
# As if the two minutes after which a sender counts as dead were over.
DEAD = "UPDATE webhook_deliveries SET due_at = now() WHERE due_at > now()"
WAITING = "SELECT count(*) FROM webhook_deliveries WHERE delivered_at IS NULL"


def test_a_worker_killed_while_it_delivers_loses_nothing():
    def answer(_received: Received) -> int:
        time.sleep(0.005)
        return 204

    with receiving() as receiver, a_place(LOYALTY_WEBHOOK_ALLOWED_NETWORKS="127.0.0.0/8") as place:
        receiver.answer = answer
        with serving(place, "--no-worker") as service:
            assert service.key is not None, service.log
            made = call(place.port, "POST", "/v1/admin/webhooks", {"url": receiver.url}, key=service.key)
            assert made.status == 201, made.json
            service.stop()
        with asking(place) as ask:
            ask(HAPPEN)
            with a_worker(place) as worker:
                until(lambda: len(receiver.received) > FACTS / 4, "some of it to arrive")
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()
            assert 0 < ask(WAITING) < FACTS
            ask(LATER)
            ask(DEAD)
            with a_worker(place) as worker:
                until(lambda: not ask(WAITING), "all of it to arrive", lambda: str(len(receiver.received)))
                os.killpg(worker.pid, signal.SIGTERM)
                worker.communicate()

    arrived = Counter(received.headers["webhook-id"] for received in receiver.received)
    assert len(arrived) == FACTS
    twice = sum(arrived.values()) - FACTS
    assert twice <= SENDERS
    for number in range(1, MEMBERS + 1):
        first = dict.fromkeys(
            told["data"]["points"] for told in receiver.told() if told["customer_id"] == f"c-{number}"
        )
        assert list(first) == list(range(1, EACH + 1)), "in order, at the first arrival of each"
