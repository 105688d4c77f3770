"""Deliveries: everything arrives, in order for each member, whatever happens meanwhile."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from psycopg.rows import tuple_row
from standardwebhooks import Webhook

from loyalty.db.session import reading, transaction
from loyalty.webhooks import delivering
from loyalty.webhooks.domain import ASK_AGAIN_MAX, DELAYS, GIVE_UP_AFTER, LEASE, SENDERS, Outcome
from tests.builders import NOW
from tests.webhooks.desk import AN_HOUR, Desk
from tests.webhooks.receiver import Received, Receiver, receiving


@pytest.fixture
def receiver(committed_db: Flask) -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


def test_what_happens_arrives_numbered_signed_and_once(receiver: Receiver):
    desk = Desk(receiver.url)
    desk.happen(3)
    desk.fan_out()
    now = datetime.now(UTC)

    assert desk.deliver(now=now) == 3
    assert desk.deliver(now=now) == 0

    assert receiver.numbers() == [1, 2, 3]
    for received in receiver.received:
        told = Webhook(desk.made.secret).verify(received.body, received.headers)
        assert told["event_id"] == received.headers["webhook-id"]
        assert told["customer_id"] == desk.members[0].customer_id
    assert [delivery.status for delivery in desk.log()] == ["delivered"] * 3
    shown = desk.shown()
    assert (shown.sequence, shown.delivered, shown.waiting, shown.waiting_since) == (3, 3, 0, None)


def test_what_happened_before_there_was_a_webhook_is_not_told(receiver: Receiver):
    desk = Desk(receiver.url)
    desk.happen(2)
    later = desk.another(receiver.url)
    desk.happen(1)
    desk.fan_out()

    desk.deliver(webhook_id=later.webhook.webhook_id)

    assert receiver.numbers() == [1]


def test_each_webhook_is_told_what_it_wants_with_numbers_of_its_own(receiver: Receiver):
    desk = Desk(receiver.url, "reward.out_of_stock", "points.*")
    for kind in ("reward.stock_low", "reward.out_of_stock", "points.earned", "pointsx.earned"):
        desk.happen(1, type=kind)

    assert desk.fan_out(limit=2) == 2
    desk.deliver()

    assert [(t["sequence"], t["type"]) for t in receiver.told()] == [(1, "reward.out_of_stock"), (2, "points.earned")]


def test_members_are_told_in_order_by_many_senders_though_much_of_it_fails(receiver: Receiver):
    desk, chance = Desk(receiver.url, members=12), random.Random(7)
    desk.happen(8)
    desk.fan_out(limit=30)

    def answer(_received: Received) -> int:
        time.sleep(0.002)
        return 500 if chance.random() < 0.3 else 200

    receiver.answer = answer
    for hour in range(40):
        desk.deliver(now=NOW + hour * AN_HOUR, chance=lambda: 0.0)
        if not desk.shown().waiting:
            break

    accepted = {delivery.sequence for delivery in desk.log("delivered")}
    assert len(accepted) == 96
    assert 1 < receiver.at_once_most <= SENDERS
    for member in desk.members:
        numbers = receiver.numbers(member.customer_id)
        assert numbers == sorted(numbers), "a later one never came before an earlier one"
        assert len(set(numbers)) == 8


def test_a_member_whose_fact_is_refused_does_not_hold_up_others(receiver: Receiver):
    desk = Desk(receiver.url, members=3)
    desk.happen(4)
    desk.fan_out()
    stuck = desk.members[1].customer_id
    receiver.answer = lambda received: 400 if received.json["customer_id"] == stuck else 200

    desk.deliver()

    assert receiver.numbers(stuck) == [2]
    assert [len(receiver.numbers(m.customer_id)) for m in desk.members] == [4, 1, 4]
    shown = desk.shown()
    assert (shown.waiting, shown.delivered, shown.failing_since, shown.next_try_at) == (4, 1, NOW, None)
    head = desk.log("waiting")[0]
    assert (head.attempts, head.last_status, head.last_error) == (1, 400, "The receiver answered 400.")
    assert head.next_attempt_at == NOW + DELAYS[0]
    assert [delivery.next_attempt_at for delivery in desk.log("waiting")[1:]] == [None] * 3

    receiver.answer = lambda _received: 200
    desk.deliver(now=NOW + AN_HOUR)
    assert receiver.numbers(stuck) == [2, 2, 5, 8, 11]


@pytest.mark.parametrize("down", ["nobody listens", "503"])
def test_a_receiver_that_is_down_for_an_hour_gets_everything_in_order(committed_db: Flask, down: str):
    with receiving() as receiver:
        port = receiver.port
        desk = Desk(receiver.url, members=10)
        if down == "503":
            receiver.answer = lambda _received: 503
            outage = _outage(desk)
            receiver.received.clear()
    if down != "503":
        outage = _outage(desk)

    with receiving(port) as receiver:
        back = NOW + AN_HOUR + ASK_AGAIN_MAX
        assert desk.is_due(now=back)
        desk.deliver(now=back)
        for member in desk.members:
            numbers = receiver.numbers(member.customer_id)
            assert (numbers, len(numbers)) == (sorted(numbers), 6)
        assert len(receiver.received) == 60
    assert outage < 30, "nobody knocks at a closed door all the time"
    shown = desk.shown()
    assert (shown.waiting, shown.failing_since, shown.next_try_at) == (0, None, None)


def _outage(desk: Desk) -> int:
    """An hour of facts and attempts, minute by minute; answers how many attempts."""
    attempts = 0
    for minute in range(60):
        now = NOW + timedelta(minutes=minute)
        if minute % 10 == 0:
            desk.happen(1, now=now)
            desk.fan_out(now=now)
        attempts += desk.deliver(now=now) if desk.is_due(now=now) else 0
    assert desk.shown().failing_since == NOW
    return attempts


def test_whoever_asks_to_be_left_alone_is(receiver: Receiver):
    desk = Desk(receiver.url, members=20)
    desk.happen(1)
    desk.fan_out()
    receiver.answer = lambda _received: (429, {"Retry-After": "600"})

    desk.deliver()
    assert len(receiver.received) <= SENDERS
    assert not desk.is_due(now=NOW + timedelta(seconds=599))

    receiver.answer = lambda _received: 200
    assert desk.is_due(now=NOW + timedelta(seconds=600))
    desk.deliver(now=NOW + timedelta(seconds=601))
    assert desk.shown().waiting == 0


@pytest.mark.parametrize("down", ["nobody listens", "500"])
def test_after_days_it_is_paused_told_and_goes_on_when_it_is_resumed(committed_db: Flask, down: str):
    with receiving() as receiver:
        port, now = receiver.port, NOW
        desk = Desk(receiver.url)
        desk.happen(2)
        desk.fan_out()
        if down == "500":
            receiver.answer = lambda _received: 500
            now = _until_paused(desk)
    if down != "500":
        now = _until_paused(desk)

    paused = desk.shown()
    assert (paused.paused_reason, paused.waiting, paused.failing_since) == ("failing", 2, NOW)
    assert GIVE_UP_AFTER <= now - NOW < GIVE_UP_AFTER + timedelta(hours=12)
    (fact,) = desk.facts("webhook.paused")
    assert fact == {
        "webhook_id": str(desk.webhook_id), "reason": "failing", "failing_since": "2026-03-01T12:00:00Z",
    }  # fmt: skip
    desk.happen(3)
    desk.fan_out()
    assert desk.shown().sequence == 2, "its place stays"
    assert desk.deliver(now=now + timedelta(days=99)) == 0

    later = now + timedelta(days=100)
    with receiving(port) as receiver:
        assert desk.resume(now=later).status == "active"
        assert desk.resume(now=later).status == "active"
        _all_visible(desk)
        desk.fan_out(now=later)
        desk.deliver(now=later)
        # The third and the seventh are the pause and the end of it, which are no member's.
        assert sorted(receiver.numbers()) == [1, 2, 3, 4, 5, 6, 7]
        assert receiver.numbers(desk.members[0].customer_id) == [1, 2, 4, 5, 6]


def _all_visible(desk: Desk) -> None:
    desk.happen(0)


def _until_paused(desk: Desk) -> datetime:
    for hour in range(24 * 5):
        now = NOW + hour * AN_HOUR
        if desk.is_due(now=now):
            desk.deliver(now=now)
        if desk.shown().paused_at:
            return now
    raise AssertionError("it was never paused")


def test_a_receiver_that_has_gone_is_paused_at_once(receiver: Receiver):
    desk = Desk(receiver.url)
    desk.happen(2)
    desk.fan_out()
    receiver.answer = lambda _received: 410

    desk.deliver()

    assert len(receiver.received) == 1
    assert (desk.shown().paused_reason, desk.shown().waiting) == ("gone", 2)
    assert desk.facts("webhook.paused")[0]["reason"] == "gone"


def test_redirects_are_failures(receiver: Receiver):
    desk = Desk(receiver.url)
    desk.happen(1)
    desk.fan_out()
    receiver.answer = lambda _received: (301, {"Location": receiver.url})

    desk.deliver()

    assert len(receiver.received) == 1
    assert desk.log()[0].last_error == "The receiver answered 301: redirects are not followed."


def test_what_a_killed_sender_had_is_sent_again_when_it_counts_as_dead(receiver: Receiver):
    desk = Desk(receiver.url)
    desk.happen(2)
    desk.fan_out()
    with transaction() as session:
        turn = delivering.take_turn(session, desk.webhook_id, [], room=8, under_way=0, chance=lambda: 1.0, now=NOW)
    assert turn
    assert len(turn.messages) == 1, "the second waits for the first"

    assert desk.deliver(now=NOW + LEASE - timedelta(seconds=1)) == 0
    desk.deliver(now=NOW + LEASE)

    assert receiver.numbers() == [1, 2]


def test_a_sender_that_comes_late_changes_nothing(receiver: Receiver):
    desk = Desk(receiver.url)
    desk.happen(1)
    desk.fan_out()
    with transaction() as session:
        turn = delivering.take_turn(session, desk.webhook_id, [], room=8, under_way=0, chance=lambda: 1.0, now=NOW)
    assert turn
    late = [(turn.messages[0], Outcome(status=500, error="late"))]
    desk.deliver(now=NOW + LEASE)

    with transaction() as session:
        delivering.take_turn(session, desk.webhook_id, late, room=8, under_way=0, chance=lambda: 1.0, now=NOW + LEASE)

    assert desk.log()[0].status == "delivered"


def test_nothing_is_open_in_the_database_while_it_is_sent(receiver: Receiver, committed_db: Flask):
    desk = Desk(receiver.url)
    desk.happen(1)
    desk.fan_out()
    seen = []
    sql = """SELECT count(*) FROM pg_stat_activity
        WHERE state = 'idle in transaction' AND datname = current_database()"""

    def answer(_received: Received) -> int:
        with committed_db.app_context(), reading() as session:
            seen.append(session.row(sql, into=tuple_row))
        return 200

    receiver.answer = answer
    desk.deliver()
    assert seen == [(0,)]


def test_a_job_that_is_told_to_stop_finishes_what_it_has_begun(receiver: Receiver):
    desk = Desk(receiver.url, members=30)
    desk.happen(2)
    desk.fan_out()

    assert desk.deliver(stop=lambda: len(receiver.received) > 4) < 60
    assert desk.shown().waiting == 60 - len(receiver.received)
