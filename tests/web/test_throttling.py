"""Who guesses is slowed, by key and by address; who knows is not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from loyalty.app import create_app
from loyalty.config import Settings
from loyalty.core import clock
from loyalty.core.limits import Limit
from loyalty.db.session import transaction
from loyalty.web import jobs, throttling
from tests.api import Api
from tests.builders import NOW, a_key, a_program
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.shop import refused
from tests.vouchers.builders import a_voucher, ask, redeem

BY_KEY, BY_ADDRESS = Limit("key", 6, 1), Limit("address", 4, 3)


@pytest.fixture(autouse=True)
def today(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)
    monkeypatch.setitem(app.extensions, "loyalty-limits", (BY_KEY, BY_ADDRESS))


def guess(api: Api, address: str = "203.0.113.7", *, code: str = "NOBODYS", verb: str = "validate") -> Any:
    """Try a code from an address."""
    path, environ = f"/v1/vouchers/{code}", {"REMOTE_ADDR": address}
    if verb == "get":
        return api.get(path, environ_base=environ)
    return api.post(f"{path}/{verb}", {"order_id": "A-1"}, environ_base=environ)


def another_key(api: Api) -> Api:
    with api.app.app_context(), transaction() as session:
        return api.as_key(a_key(session, api.program))


def test_an_address_that_fails_too_often_waits(api: Api):
    a_voucher(api)
    for verb in ("validate", "redeem", "release", "get"):
        assert refused(guess(api, verb=verb)) == (404, "voucher-not-found")

    for verb in ("validate", "redeem", "release", "get"):
        answer = guess(api, verb=verb)
        assert refused(answer) == (429, "too-many-attempts")
    # A code that is there, too: whoever guesses must not learn which one is.
    assert refused(guess(api, code="SPRING-26")) == (429, "too-many-attempts")

    assert answer.headers["Retry-After"] == "3"
    assert answer.headers["RateLimit"] == '"address";r=0;t=3'
    assert answer.headers["RateLimit-Policy"] == '"address";q=4;w=12'
    assert {name: answer.json[name] for name in ("by", "quota", "window_seconds", "retry_after_seconds")} == {
        "by": "address", "quota": 4, "window_seconds": 12, "retry_after_seconds": 3,
    }  # fmt: skip
    # Another address goes on.
    assert guess(api, "203.0.113.8", code="SPRING-26").status_code == 200


def test_a_key_that_fails_too_often_waits_from_wherever_it_is_used(api: Api):
    for number in range(6):
        assert guess(api, f"203.0.113.{number}").status_code == 404

    answer = guess(api, "203.0.113.99")

    assert refused(answer) == (429, "too-many-attempts")
    assert (answer.json["by"], answer.headers["Retry-After"]) == ("key", "1")
    assert guess(another_key(api), "203.0.113.99").status_code == 404


def test_one_more_failure_is_free_in_a_while_and_all_are_after_a_quiet_time(api: Api, monkeypatch: pytest.MonkeyPatch):
    for _ in range(4):
        guess(api)

    it_is(monkeypatch, NOW + timedelta(seconds=3) - timedelta(microseconds=1))
    assert guess(api).status_code == 429
    it_is(monkeypatch, NOW + timedelta(seconds=3))
    assert [guess(api).status_code for _ in range(2)] == [404, 429]
    it_is(monkeypatch, NOW + timedelta(seconds=15))
    assert [guess(api).status_code for _ in range(5)] == [404] * 4 + [429]


def test_being_refused_is_not_held_against_anybody(api: Api, monkeypatch: pytest.MonkeyPatch):
    for _ in range(50):
        guess(api)

    it_is(monkeypatch, NOW + timedelta(seconds=3))

    assert guess(api).status_code == 404


def test_who_knows_codes_is_never_slowed(api: Api):
    code = a_voucher(api)
    redeem(api, code)

    for number in range(20):
        assert guess(api, code=code).status_code == 200
        assert ask(api, "redeem", code, f"B-{number}").status_code == 422
        assert ask(api, "release", code, f"B-{number}").status_code == 409


def test_a_program_does_not_feel_what_another_one_s_callers_try(api: Api):
    with api.app.app_context(), transaction() as session:
        program = a_program(session)
        other = Api(api.app, program, a_key(session, program))
    for _ in range(5):
        guess(api)

    assert guess(api).status_code == 429
    assert guess(other).status_code == 404


def test_the_addresses_of_one_subscriber_are_one(api: Api):
    for number in range(4):
        guess(api, f"2001:db8:1:2::{number}")

    assert guess(api, "2001:db8:1:2:ffff::1").status_code == 429
    assert guess(api, "2001:db8:1:3::1").status_code == 404


@pytest.mark.parametrize(
    ("remote", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"), ("::ffff:203.0.113.7", "203.0.113.7"), ("2001:DB8::7", "2001:db8::/64"),
        ("unix:", "unix:"), ("", None), (None, None),
    ],
)  # fmt: skip
def test_what_an_address_is_counted_as(remote: str | None, counted: str | None):
    assert throttling.address_of(remote) == counted


def test_a_limit_of_nought_is_none(app: Flask, api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(app.extensions, "loyalty-limits", (Limit("key", 0, 1), Limit("address", 0, 1)))

    assert {guess(api).status_code for _ in range(30)} == {404}


def test_a_hundred_guesses_at_once_pass_by_no_more_than_there_are_threads(api: Api):
    answers = in_parallel(32, lambda _: guess(api).status_code)
    later = in_parallel(8, lambda _: guess(api).status_code)

    assert set(answers) <= {404, 429}
    assert later == [429] * 8


def test_the_limits_are_settings_of_the_service():
    settings = replace(Settings(database_url="postgresql://nowhere"), failures_per_key=7, failures_per_address=0)

    made = create_app(settings)

    assert made.extensions["loyalty-limits"] == (Limit("key", 7, 1), Limit("address", 0, 1))


@pytest.fixture
def quiet(committed_db: Flask) -> Iterator[Flask]:
    """Nothing is held against anybody."""
    with transaction() as session:
        session.run("DELETE FROM attempts")
    return committed_db


def test_what_is_held_against_nobody_any_more_is_forgotten_in_batches(
    quiet: Flask, api: Api, monkeypatch: pytest.MonkeyPatch
):
    for number in range(5):
        guess(api, f"203.0.113.{number}")
    it_is(monkeypatch, clock.real_now() + timedelta(seconds=4))
    guess(api, "203.0.113.200")

    def forget() -> list[int]:
        with transaction() as session:
            return [throttling.forget_batch(session, before=clock.real_now(), limit=3) for _ in range(3)]

    # The key, which failed six times, is not clear yet, nor is the last address.
    assert forget() == [3, 2, 0]
    it_is(monkeypatch, clock.real_now() + timedelta(minutes=1))
    with transaction() as session:
        assert jobs.forget_attempts(session) == 2
