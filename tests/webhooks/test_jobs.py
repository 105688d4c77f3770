"""The jobs of webhooks: when a worker delivers, what is forgotten, and what it costs to find that out."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from psycopg.rows import scalar_row

from loyalty.core import clock
from loyalty.core.ids import new_id
from loyalty.db.session import Session, transaction
from loyalty.webhooks import delivering, fanning, forgetting, jobs, queries
from loyalty.webhooks.domain import KEEP_DELIVERED
from tests.builders import NOW
from tests.rights import as_owner
from tests.webhooks.desk import Desk
from tests.webhooks.receiver import Receiver, receiving

A_DAY = timedelta(days=1)
JOBS = "SELECT count(*) FROM procrastinate_jobs WHERE queueing_lock = %s AND status = 'todo'"


@pytest.fixture
def receiver(committed_db: Flask) -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


def relay() -> int:
    with transaction() as session:
        return jobs.relay(session)


def called_for(desk: Desk) -> int | None:
    with transaction() as session:
        return session.row(JOBS, (f"webhooks.deliver:{desk.webhook_id}",), into=scalar_row)


def test_of_an_endpoint_with_something_due_one_job_waits(receiver: Receiver):
    desk = Desk(receiver.url)
    while relay():
        pass
    assert called_for(desk) == 0
    desk.happen(3)

    while relay():
        pass
    relay()

    assert called_for(desk) == 1


def test_a_job_delivers_and_calls_for_no_other(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOYALTY_WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8")
    desk = Desk(receiver.url)
    desk.happen(3)
    desk.fan_out(now=clock.real_now())

    jobs.deliver(stop=lambda: False, webhook_id=str(desk.webhook_id))

    assert receiver.numbers() == [1, 2, 3]
    assert called_for(desk) == 0


def test_a_job_whose_time_is_over_calls_for_another(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOYALTY_WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8")
    monkeypatch.setattr("loyalty.webhooks.sending.RUN", timedelta(seconds=-1))
    desk = Desk(receiver.url)
    desk.happen(3)
    desk.fan_out(now=clock.real_now())

    jobs.deliver(stop=lambda: False, webhook_id=str(desk.webhook_id))

    assert receiver.numbers() == []
    assert called_for(desk) == 1


def test_nothing_leads_into_a_network_that_is_not_open(receiver: Receiver):
    desk = Desk(receiver.url)
    desk.happen(1)
    desk.fan_out(now=clock.real_now())

    jobs.deliver(stop=lambda: False, webhook_id=str(desk.webhook_id))

    assert receiver.received == []
    assert desk.log()[0].last_error == "The URL is none that may be spoken to."


def forget(before: Any) -> None:
    while True:
        with transaction() as session:
            if not forgetting.forget_batch(session, before=before, limit=2):
                return


def test_what_arrived_a_month_ago_is_forgotten_from_the_front(receiver: Receiver):
    desk = Desk(receiver.url)
    for day in range(6):
        desk.happen(1, now=NOW + day * A_DAY)
        desk.fan_out(now=NOW + day * A_DAY)
        receiver.answer = lambda received: 500 if received.json["sequence"] == 5 else 200
        desk.deliver(now=NOW + day * A_DAY)

    forget(NOW + 2 * A_DAY)
    assert [delivery.sequence for delivery in desk.log()] == [3, 4, 5, 6]

    forget(NOW + KEEP_DELIVERED)
    assert [delivery.sequence for delivery in desk.log()] == [5, 6], "what waits stays, and what comes after it"


def test_what_was_for_a_webhook_that_is_deleted_is_forgotten(receiver: Receiver):
    desk = Desk(receiver.url)
    desk.happen(5)
    desk.fan_out()
    with transaction() as session:
        session.run("DELETE FROM webhooks WHERE webhook_id = %s", (desk.webhook_id,))

    forget(NOW - 1_000 * A_DAY)

    with transaction() as session:
        left = "SELECT count(*) FROM webhook_deliveries WHERE webhook_id = %s"
        assert session.row(left, (desk.webhook_id,), into=scalar_row) == 0


# What it costs

MANY = """
INSERT INTO webhook_deliveries (
    webhook_id, sequence, owner_id, occurred_at, event_id, type, given_at, due_at, delivered_at)
SELECT %(webhook_id)s, n, ('00000000-0000-7000-8000-' || lpad((n %% 1000)::text, 12, '0'))::uuid, now(),
    gen_random_uuid(), 'points.earned', now(),
    CASE WHEN n = 15001 THEN now() END, CASE WHEN n <= 15000 THEN now() END
FROM generate_series(1, 30000) n
"""


def explained(session: Session, statement: str, parameters: dict[str, Any]) -> str:
    return "\n".join(session.rows(f"EXPLAIN {statement}", parameters, into=scalar_row))


def test_whatever_waits_and_whatever_arrived_the_next_is_found_by_an_index(session: Session):
    named = {"webhook_id": new_id(), "now": NOW}
    session.run(MANY, named)
    as_owner(session)
    session.run("ANALYZE webhook_deliveries")

    due = {**named, "room": 8, "dead_at": NOW}
    assert "ix_webhook_deliveries_due_at" in explained(session, delivering._CLAIM, due)
    results = '[{"sequence": 15001, "status": 200, "milliseconds": 1}]'
    plan = explained(session, delivering._DELIVERED, {**named, "results": results})
    assert "ix_webhook_deliveries_waiting" in plan
    assert "Seq Scan on webhook_deliveries" not in plan
    for status, index in (("waiting", "waiting"), ("delivered", "delivered"), (None, "pk_webhook_deliveries")):
        page = explained(session, queries.deliveries_by(status), {**named, "before": 10**9, "limit": 51})
        assert index in page
        assert "Seq Scan on webhook_deliveries" not in page


def test_the_facts_to_be_given_are_found_by_the_index_of_the_log(session: Session):
    webhook_id = new_id()
    session.run(MANY, {"webhook_id": webhook_id})
    as_owner(session)
    session.run("ANALYZE webhook_deliveries")
    session.run("SET LOCAL enable_seqscan = off")
    place = {
        "program_id": new_id(),
        "webhook_id": webhook_id,
        "xid": 1,
        "seq": 1,
        "sequence": 0,
        "limit": 9,
        "now": NOW,
    }

    plan = explained(session, fanning._GIVE, {**place, "types": "{points.%}"})

    assert "ix_events_program_id_xid_seq" in plan
    assert "ix_webhook_deliveries_waiting_by_owner" in plan
    assert "Sort" not in plan.split("CTE page", 1)[1].split("CTE")[0]
