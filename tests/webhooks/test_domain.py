"""Webhooks: what is decided without a database."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from loyalty.core.ids import new_id
from loyalty.webhooks.domain import (
    ASK_AGAIN_MAX,
    AWAY_AFTER,
    DELAYS,
    GIVE_UP_AFTER,
    Health,
    Message,
    Outcome,
    delay,
    gives_up,
    health_after,
    patterns,
    pause_for,
    retry_at,
)
from loyalty.webhooks.sending import payload, signed
from tests.builders import NOW

ONE, OTHER = "whsec_" + "b25l" * 8, "whsec_" + "b3Ro" * 8
AWAY = Outcome(error="No connection came about.")
DONE = Outcome(status=204)


def a_message(**given: Any) -> Message:
    return Message(
        **{
            "sequence": 7, "event_id": new_id(), "type": "points.earned", "version": 1, "customer_id": "c-42",
            "occurred_at": NOW, "recorded_at": NOW + timedelta(microseconds=5), "data": {"points": 5}, **given,
        }
    )  # fmt: skip


def test_a_body_is_the_fact_as_the_feed_shows_it_and_its_number():
    message = a_message()

    assert json.loads(payload(message)) == {
        "event_id": str(message.event_id), "type": "points.earned", "version": 1, "customer_id": "c-42",
        "occurred_at": "2026-03-01T12:00:00Z", "recorded_at": "2026-03-01T12:00:00.000005Z", "data": {"points": 5},
        "sequence": 7,
    }  # fmt: skip


def test_the_official_library_accepts_what_we_sign():
    message = a_message()
    body = payload(message)

    headers = signed(message, body, [ONE], now=datetime.now(UTC))

    assert Webhook(ONE).verify(body, headers) == json.loads(body)
    assert headers["webhook-id"] == str(message.event_id)


def test_while_a_secret_is_changed_both_verify():
    message = a_message()
    body = payload(message)

    headers = signed(message, body, [OTHER, ONE], now=datetime.now(UTC))

    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (ONE, OTHER):
        assert Webhook(secret).verify(body, headers)


@pytest.mark.parametrize("tampered", ["body", "id", "timestamp", "secret", "late"])
def test_the_official_library_refuses_what_was_tampered_with(tampered: str):
    message, now = a_message(), datetime.now(UTC)
    body = payload(message)
    headers = signed(message, body, [ONE], now=now - timedelta(minutes=6) if tampered == "late" else now)
    headers |= {
        "id": {"webhook-id": str(new_id())},
        "timestamp": {"webhook-timestamp": str(int(now.timestamp()) + 1)},
    }.get(tampered, {})

    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER if tampered == "secret" else ONE).verify(
            body.replace(b"5", b"6") if tampered == "body" else body, headers
        )


def test_types_become_patterns():
    assert patterns([]) == ["%"]
    assert patterns(["points.*", "reward.stock_low"]) == ["points.%", r"reward.stock\_low"]


def test_each_failure_waits_longer_up_to_hours_and_chance_spreads_them():
    longest = [delay(number, chance=1.0) for number in range(1, 12)]

    assert longest[0] == timedelta(seconds=5)
    assert longest == sorted(longest)
    assert longest[-1] == longest[-2] == DELAYS[-1] == timedelta(hours=8)
    assert delay(3, chance=0.5) == timedelta(minutes=1)
    assert delay(9, chance=0.0) == timedelta(seconds=1)


def test_it_takes_about_three_days_to_give_up():
    since, at, failures, tries = NOW, NOW, 0, []
    while not gives_up(failures, since, at):
        failures += 1
        tries.append(at)
        at += delay(failures, chance=0.5)

    assert timedelta(days=3) <= at - since < timedelta(days=3, hours=12)
    assert len(tries) < 40


def test_a_long_silence_of_ours_is_no_reason_to_give_up():
    assert not gives_up(2, NOW, NOW + timedelta(days=30))


def test_retry_after_is_honoured_within_bounds():
    message = a_message(attempts=1)

    def waits(seconds: int, status: int = 503) -> timedelta:
        outcome = Outcome(status=status, retry_after=timedelta(seconds=seconds))
        return retry_at(message, outcome, Health(), chance=1.0, now=NOW) - NOW

    assert waits(60) == timedelta(seconds=60)
    assert waits(1) == timedelta(seconds=5)
    assert waits(10**9) == timedelta(hours=1)
    assert waits(60, status=500) == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("status", "success", "away"),
    [
        (200, True, False), (204, True, False), (299, True, False), (301, False, False), (302, False, False),
        (400, False, False), (404, False, False), (410, False, False), (429, False, True), (500, False, False),
        (502, False, True), (503, False, True), (504, False, True), (None, False, True),
    ],
)  # fmt: skip
def test_what_an_answer_means(status: int | None, success: bool, away: bool):
    outcome = Outcome(status=status)

    assert (outcome.is_success, outcome.is_away) == (success, away)


def test_an_endpoint_that_does_not_answer_several_times_is_away_until_it_answers():
    health = Health()
    for _ in range(AWAY_AFTER):
        assert not health.is_away
        health = health_after(health, AWAY, chance=1.0, now=NOW)

    assert health == Health(AWAY_AFTER, NOW, NOW + DELAYS[0])
    assert health_after(health, AWAY, chance=1.0, now=NOW) == health, "it was sent before that was known"
    assert health_after(health, AWAY, chance=1.0, now=NOW + DELAYS[0]).failures == AWAY_AFTER + 1
    assert retry_at(a_message(attempts=9), AWAY, health, chance=1.0, now=NOW) == health.next_try_at
    long_away = Health(99, NOW, NOW)
    assert health_after(long_away, AWAY, chance=1.0, now=NOW).next_try_at == NOW + ASK_AGAIN_MAX
    assert health_after(health, DONE, chance=1.0, now=NOW) == Health()
    assert health_after(health, Outcome(status=500), chance=1.0, now=NOW) == Health()


def test_an_endpoint_that_asks_to_be_left_alone_is_at_once():
    asked = Outcome(status=429, retry_after=timedelta(minutes=2))

    assert health_after(Health(), asked, chance=0.5, now=NOW).next_try_at == NOW + timedelta(minutes=2)


def test_why_an_endpoint_is_paused():
    message, later = a_message(attempts=len(DELAYS), failing_since=NOW), NOW + GIVE_UP_AFTER
    long_away = Health(len(DELAYS), NOW, later)

    assert pause_for(a_message(attempts=1), Outcome(status=410), Health(), now=NOW) == "gone"
    assert pause_for(message, Outcome(status=500), Health(), now=later) == "failing"
    assert pause_for(a_message(attempts=1), AWAY, long_away, now=later) == "failing"
    assert pause_for(message, Outcome(status=500), Health(), now=later - timedelta(seconds=1)) is None
    assert pause_for(replace(message, attempts=2), AWAY, Health(2, NOW, None), now=later) is None
