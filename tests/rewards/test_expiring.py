"""Time runs out: by itself, at its instant, once, whether a job writes it down or not."""

from datetime import timedelta

import pytest
from flask import Flask

from loyalty.db.session import transaction
from loyalty.rewards import expiring, jobs
from tests.api import Api
from tests.builders import NOW, a_key, a_program
from tests.clocks import it_is
from tests.rewards import desk
from tests.rewards.desk import TTL, cancel, confirm, facts, hold, left, offer, redeem, status
from tests.shop import at, buckets, entries, refused

OVER = NOW + timedelta(seconds=TTL)
A_MICROSECOND = timedelta(microseconds=1)
A_WEEK = timedelta(days=7)


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop with one of a reward for 30 points that gives a code. Its members c-42 and c-43 have 100 points each."""
    it_is(monkeypatch, NOW)
    for customer_id in ("c-42", "c-43"):
        desk.enrol(api, customer_id)
    offer(api, points=30, stock=1)
    return api


def test_a_hold_lasts_up_to_its_instant_and_not_a_microsecond_longer(shop: Api, monkeypatch: pytest.MonkeyPatch):
    assert hold(shop).json["expires_at"] == at(OVER)
    it_is(monkeypatch, OVER - A_MICROSECOND)
    assert (status(shop), left(shop), buckets(shop)) == ("held", 0, {"available": 70, "held": 30})
    assert refused(redeem(shop, "r-2", "c-43")) == (422, "out-of-stock")
    it_is(monkeypatch, OVER)
    assert (status(shop), left(shop), buckets(shop)) == ("expired", 1, {"available": 100})
    assert refused(confirm(shop)) == (409, "redemption-resolved")


def test_a_hold_is_confirmed_in_its_last_microsecond(shop: Api, monkeypatch: pytest.MonkeyPatch):
    hold(shop)
    it_is(monkeypatch, OVER - A_MICROSECOND)

    assert confirm(shop).status_code == 200

    it_is(monkeypatch, OVER + A_WEEK)
    assert desk.expire(shop, OVER + A_WEEK) == 0
    assert (status(shop), left(shop), buckets(shop)) == ("confirmed", 0, {"available": 70})


@pytest.mark.parametrize("recorded", [False, True])
def test_what_somebody_let_lapse_the_next_one_has_at_once_without_any_job(
    shop: Api, recorded: bool, monkeypatch: pytest.MonkeyPatch
):
    hold(shop)
    it_is(monkeypatch, OVER)
    if recorded:
        desk.expire(shop, OVER)

    assert hold(shop, "r-2", "c-43").status_code == 201

    assert (left(shop), refused(hold(shop, "r-3"))) == (0, (422, "out-of-stock"))
    assert desk.expire(shop, OVER) == (0 if recorded else 1)
    assert (left(shop), facts(shop)) == (
        0,
        ["held", "held", "expired"] if not recorded else ["held", "expired", "held"],
    )
    it_is(monkeypatch, OVER + timedelta(seconds=TTL))
    assert desk.expire(shop, OVER + timedelta(seconds=TTL)) == 1
    assert left(shop) == 1


def test_a_worker_that_was_down_for_a_week_finds_nothing_wrong_and_writes_it_down_once(
    shop: Api, monkeypatch: pytest.MonkeyPatch
):
    offer(shop, points=30, stock=4)
    for number in range(3):
        hold(shop, f"r-{number}")
    confirm(shop, "r-0")
    cancel(shop, "r-1")
    it_is(monkeypatch, OVER + A_WEEK)
    assert (left(shop), buckets(shop)) == (3, {"available": 70})

    assert [desk.expire(shop, OVER + A_WEEK) for _ in range(3)] == [1, 0, 0]

    assert (left(shop), buckets(shop)) == (3, {"available": 70})
    found = shop.get("/v1/redemptions/r-2").json
    assert (found["status"], found["closed_at"]) == ("expired", at(OVER))
    assert desk.told(shop)[-1] == ("redemption.expired", OVER, "c-42")
    freed = [each for each in entries(shop) if each["kind"] == "release"][-1]
    assert (freed["occurred_at"], freed["reference"]) == (at(OVER), "redemption/r-2")


def test_the_job_takes_what_is_due_bit_by_bit_and_leaves_the_rest(shop: Api, monkeypatch: pytest.MonkeyPatch):
    offer(shop, points=10, stock=9)
    for number in range(5):
        hold(shop, f"r-{number}", seconds=60 + number)
    then = NOW + timedelta(seconds=63)
    it_is(monkeypatch, then)
    with shop.app.app_context():
        done = []
        for _ in range(3):
            with transaction() as session:
                done.append(expiring.expire_program(session, shop.program.program_id, now=then, limit=3))

    assert done == [3, 1, 0]
    assert [status(shop, f"r-{number}") for number in range(5)] == ["expired"] * 4 + ["held"]
    assert left(shop) == 8


def test_whoever_is_being_served_is_passed_over(shop: Api, monkeypatch: pytest.MonkeyPatch):
    offer(shop, points=10, stock=9)
    hold(shop, "r-1")
    hold(shop, "r-2", "c-43")
    it_is(monkeypatch, OVER)
    with shop.app.app_context(), transaction() as other:
        other.run("SELECT FROM members WHERE program_id = %s AND customer_id = 'c-42' FOR UPDATE",
                  (shop.program.program_id,))  # fmt: skip
        assert desk.expire(shop, OVER) == 1
    assert desk.expire(shop, OVER) == 1


def test_every_minute_the_jobs_record_what_is_over_in_every_program(shop: Api, monkeypatch: pytest.MonkeyPatch):
    hold(shop)
    it_is(monkeypatch, OVER)

    with shop.app.app_context():
        while True:
            with transaction() as session:
                if not jobs.expire(session):
                    break

    assert facts(shop) == ["held", "expired"]


def test_a_sandbox_runs_out_of_time_by_its_own_clock(app: Flask, monkeypatch: pytest.MonkeyPatch):
    it_is(monkeypatch, NOW)
    with app.app_context(), transaction() as session:
        program = a_program(session, sandbox=True)
        sandbox = Api(app, program, a_key(session, program))
    desk.enrol(sandbox)
    offer(sandbox, points=30, stock=1)
    hold(sandbox)
    assert sandbox.post("/v1/admin/clock", {"now": at(NOW + timedelta(seconds=TTL - 1))}).status_code == 200
    assert status(sandbox) == "held"
    assert sandbox.post("/v1/admin/clock", {"now": at(OVER)}).status_code == 200

    assert (status(sandbox), left(sandbox), buckets(sandbox)) == ("expired", 1, {"available": 100})
    with app.app_context(), transaction() as session:
        assert expiring.expire_batch(session, now=OVER + A_WEEK) == 0
        assert jobs.expire_sandboxes(session) == 1
    assert facts(sandbox) == ["held", "expired"]
    assert (status(sandbox), left(sandbox)) == ("expired", 1)


# Clocks of two servers


def test_a_server_whose_clock_is_behind_cannot_confirm_what_the_next_one_has(
    shop: Api, monkeypatch: pytest.MonkeyPatch
):
    hold(shop)
    it_is(monkeypatch, OVER)
    assert redeem(shop, "r-2", "c-43").status_code == 201
    it_is(monkeypatch, OVER - timedelta(seconds=2))

    assert refused(confirm(shop)) == (409, "redemption-resolved")
    assert cancel(shop).status_code == 200

    assert (left(shop), buckets(shop), buckets(shop, "c-43")) == (0, {"available": 100}, {"available": 70})


def test_a_server_whose_clock_is_behind_cannot_confirm_what_the_member_spent_otherwise(
    shop: Api, monkeypatch: pytest.MonkeyPatch
):
    offer(shop, "all", points=100)
    offer(shop, points=30, limits={"ever": 1})
    hold(shop)
    it_is(monkeypatch, OVER)
    assert redeem(shop, "r-2", reward="all").status_code == 201
    it_is(monkeypatch, OVER - timedelta(seconds=2))

    for refusal in (confirm(shop), cancel(shop)):
        assert refused(refusal) == (409, "redemption-resolved")
        assert refusal.json["redemption_status"] == "expired"
    assert buckets(shop) == {}


def test_what_the_job_of_a_server_ahead_recorded_stands(shop: Api, monkeypatch: pytest.MonkeyPatch):
    hold(shop)
    assert desk.expire(shop, OVER) == 1

    for refusal in (confirm(shop), cancel(shop)):
        assert refused(refusal) == (409, "redemption-resolved")
    assert left(shop) == 1
    it_is(monkeypatch, OVER)
    assert buckets(shop) == {"available": 100}
