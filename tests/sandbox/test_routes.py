"""The clock of a sandbox: whose it is, where it may go, who follows it, and what stays on real time."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from psycopg.errors import CheckViolation

from loyalty.access import guard
from loyalty.core import clock
from loyalty.db.session import reading, transaction
from loyalty.ledger import settlement
from loyalty.programs import queries as programs
from loyalty.sandbox import service
from tests.api import Api
from tests.builders import NOW, a_key, a_member, a_program
from tests.clocks import it_is
from tests.ledger.books import earn

NEXT_YEAR = "2027-03-01T12:00:00Z"


@pytest.fixture
def sandbox(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop with a program to try things in."""
    it_is(monkeypatch, NOW)
    with app.app_context(), transaction() as session:
        program = a_program(session, sandbox=True)
        return Api(app, program, a_key(session, program))


def test_a_new_sandbox_lives_in_the_present(sandbox: Api):
    assert sandbox.get("/v1/admin/clock").json == {"now": "2026-03-01T12:00:00Z", "ahead_seconds": 0}


def test_the_clock_is_moved_and_flows_on_from_there(sandbox: Api, monkeypatch: pytest.MonkeyPatch):
    moved = sandbox.post("/v1/admin/clock", {"now": NEXT_YEAR})
    assert moved.json == {"now": NEXT_YEAR, "ahead_seconds": 365 * 86_400, "settled": 0}

    it_is(monkeypatch, NOW + timedelta(minutes=3))
    assert sandbox.get("/v1/admin/clock").json["now"] == "2027-03-01T12:03:00Z"


def test_the_clock_never_goes_back(sandbox: Api):
    for to in ("2026-03-01T11:59:59Z", "2025-01-01T00:00:00Z"):
        refused = sandbox.post("/v1/admin/clock", {"now": to})
        assert (refused.status_code, refused.json["code"]) == (422, "clock-backwards")
    sandbox.post("/v1/admin/clock", {"now": NEXT_YEAR})

    refused = sandbox.post("/v1/admin/clock", {"now": "2027-03-01T11:59:59Z"})

    assert (refused.status_code, refused.json["code"]) == (422, "clock-backwards")
    assert refused.json["now"] == NEXT_YEAR
    assert sandbox.get("/v1/admin/clock").json["now"] == NEXT_YEAR


def test_only_a_sandbox_has_a_clock_of_its_own(api: Api):
    for refused in (api.get("/v1/admin/clock"), api.post("/v1/admin/clock", {"now": "2199-01-01T00:00:00Z"})):
        assert (refused.status_code, refused.json["code"]) == (422, "not-a-sandbox")


def test_a_retry_with_the_same_key_is_answered_with_the_first_answer(sandbox: Api, monkeypatch: pytest.MonkeyPatch):
    key = {"headers": {"Idempotency-Key": "to next year"}}
    first = sandbox.post("/v1/admin/clock", {"now": NEXT_YEAR}, **key)
    it_is(monkeypatch, NOW + timedelta(minutes=3))

    again = sandbox.post("/v1/admin/clock", {"now": NEXT_YEAR}, **key)

    assert (again.status_code, again.get_data()) == (200, first.get_data())
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_move_is_told_by_the_audit_log(sandbox: Api):
    sandbox.post("/v1/admin/clock", {"now": NEXT_YEAR})

    told = sandbox.get("/v1/admin/audit?resource=clock").json["data"]

    assert [(c["action"], c["before"], c["after"], c["at"]) for c in told] == [
        ("clock.moved", {"now": "2026-03-01T12:00:00Z"}, {"now": NEXT_YEAR}, NEXT_YEAR)
    ]


def test_other_programs_and_what_comes_after_a_request_stay_in_the_present(sandbox: Api, api: Api):
    sandbox.post("/v1/admin/clock", {"now": NEXT_YEAR})
    assert sandbox.enrol()["enrolled_at"] == NEXT_YEAR

    assert clock.now() == NOW
    assert api.enrol()["enrolled_at"] == "2026-03-01T12:00:00Z"
    assert sandbox.enrol("c-43")["enrolled_at"] == NEXT_YEAR
    assert sandbox.as_key("loy_nonsense").get("/v1/rewards").status_code == 401
    assert clock.now() == NOW


def test_keys_expire_in_real_time(sandbox: Api, monkeypatch: pytest.MonkeyPatch):
    made = sandbox.post("/v1/admin/keys", {"scopes": ["admin"], "expires_at": "2026-03-01T13:00:00Z"}).json
    till = sandbox.as_key(made["secret"])

    till.post("/v1/admin/clock", {"now": NEXT_YEAR})

    assert till.get("/v1/rewards").status_code == 200
    it_is(monkeypatch, datetime.fromisoformat("2026-03-01T13:00:00Z"))
    assert till.get("/v1/rewards").status_code == 401


def test_every_process_follows_at_once_for_the_keys_of_sandboxes_are_not_remembered(sandbox: Api):
    sandbox.get("/v1/admin/clock")
    with sandbox.app.app_context(), transaction() as session:  # as another process does
        ahead = timedelta(days=7)
        session.run("UPDATE programs SET clock_ahead = %s WHERE program_id = %s", (ahead, sandbox.program.program_id))

    assert sandbox.enrol()["enrolled_at"] == "2026-03-08T12:00:00Z"
    assert all(known.caller.program_id != sandbox.program.program_id for known in guard._known.values())


def test_the_database_keeps_the_clock_of_a_real_program(api: Api):
    with (
        api.app.app_context(),
        pytest.raises(CheckViolation, match="runs_ahead"),
        transaction() as session,
    ):
        session.run("UPDATE programs SET clock_ahead = '1 day' WHERE program_id = %s", (api.program.program_id,))
    with api.app.app_context(), reading() as session:
        assert programs.clock(session, api.program.program_id).ahead == clock.REAL


def test_one_request_settles_so_many_members_and_leaves_the_rest_to_the_worker(
    sandbox: Api, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service, "SETTLED_MAX", 3)
    monkeypatch.setattr(service, "settle_program", partial(settlement.settle_program, limit=2))
    with sandbox.app.app_context(), transaction() as session:
        for _ in range(6):
            member = a_member(session, sandbox.program)
            earn(session, sandbox.program, member, 100, expires_at=NOW + timedelta(days=1))

    assert sandbox.post("/v1/admin/clock", {"now": NEXT_YEAR}).json["settled"] == 4

    with sandbox.app.app_context(), transaction() as session:
        assert settlement.settle_program(session, sandbox.program.program_id, now=NOW + timedelta(days=365)) == 2
