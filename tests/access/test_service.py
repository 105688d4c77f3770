"""Keys: what is stored of them, and how often the guard asks for one."""

import hashlib
from datetime import timedelta

import pytest
from psycopg.rows import dict_row

from loyalty.access import guard, queries, service
from loyalty.access.domain import AREAS, SCOPES, Caller, NewKey
from loyalty.access.errors import KeyNotFound
from loyalty.db.session import Session
from tests.api import Api
from tests.builders import NOW, a_program, new_id
from tests.statements import statements

A_DAY = timedelta(days=1)


def test_of_a_key_its_hash_is_stored_and_the_first_letters(session: Session):
    program = a_program(session)

    issued = service.create_key(session, program.program_id, NewKey(("orders",), "Till 7", NOW + A_DAY), now=NOW)

    stored = session.row("SELECT * FROM api_keys WHERE key_id = %s", (issued.key.key_id,), into=dict_row)
    assert stored == {
        "key_id": issued.key.key_id,
        "program_id": program.program_id,
        "prefix": issued.secret[:11],
        "secret_hash": hashlib.sha256(issued.secret.encode()).digest(),
        "name": "Till 7",
        "scopes": ["orders"],
        "created_at": NOW,
        "expires_at": NOW + A_DAY,
        "revoked_at": None,
    }


def test_a_secret_is_long_and_never_the_same(session: Session):
    program = a_program(session)

    made = {service.create_key(session, program.program_id, NewKey(("admin",)), now=NOW).secret for _ in range(5)}

    assert len(made) == 5
    assert all(secret.startswith("loy_") and len(secret) >= 4 + 43 for secret in made)  # 256 bits, six a letter


def test_scopes_are_kept_once_each_and_in_order(session: Session):
    new = NewKey(("rewards", "orders:read", "rewards"))

    issued = service.create_key(session, a_program(session).program_id, new, now=NOW)

    assert issued.key.scopes == ["orders:read", "rewards"]


def test_a_key_opens_its_program_until_it_expires_or_is_revoked(session: Session):
    program = a_program(session)
    issued = service.create_key(session, program.program_id, NewKey(("orders",), expires_at=NOW + A_DAY), now=NOW)
    secret_hash = service.hash_of(issued.secret)

    caller = queries.caller_with(session, secret_hash, now=NOW)

    assert caller == Caller(program.program_id, issued.key.key_id, frozenset({"orders"}), NOW + A_DAY)
    assert queries.caller_with(session, secret_hash, now=NOW + A_DAY) is None
    assert queries.caller_with(session, service.hash_of("loy_other"), now=NOW) is None
    service.revoke_key(session, program.program_id, issued.key.key_id, now=NOW)
    assert queries.caller_with(session, secret_hash, now=NOW) is None


def test_a_key_keeps_the_date_it_was_revoked_first(session: Session):
    program = a_program(session)
    key_id = service.create_key(session, program.program_id, NewKey(("orders",)), now=NOW).key.key_id

    first = service.revoke_key(session, program.program_id, key_id, now=NOW + A_DAY)
    again = service.revoke_key(session, program.program_id, key_id, now=NOW + 2 * A_DAY)

    assert first.revoked_at == again.revoked_at == NOW + A_DAY


def test_a_key_is_revoked_by_its_own_program_alone(session: Session):
    issued = service.create_key(session, a_program(session).program_id, NewKey(("orders",)), now=NOW)

    for program_id, key_id in ((a_program(session).program_id, issued.key.key_id), (new_id(), new_id())):
        with pytest.raises(KeyNotFound):
            service.revoke_key(session, program_id, key_id, now=NOW)

    assert queries.caller_with(session, service.hash_of(issued.secret), now=NOW)


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("access", ["read", "write"])
def test_a_scope_opens_what_it_says(area: str, access: str):
    opens = {scope for scope in SCOPES if Caller(new_id(), new_id(), frozenset({scope})).may(area, access)}

    assert opens == {"admin", area, f"{area}:{access}"}


def test_administration_is_open_to_admins_alone():
    opens = {scope for scope in SCOPES if Caller(new_id(), new_id(), frozenset({scope})).may("admin", "read")}

    assert opens == {"admin"}


# The guard's memory


def test_a_key_that_was_just_seen_costs_no_statement(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(guard, "REMEMBERED_SECONDS", 60.0)
    api.get("/v1/redemptions")

    with statements() as sent:
        api.get("/v1/redemptions")

    assert len(sent) == 1  # the redemptions themselves
    assert "api_keys" not in sent[0]


def test_a_key_that_is_unknown_is_looked_up_every_time(api: Api):
    stranger = api.as_key("loy_unknown")

    with statements() as sent:
        answers = [stranger.get("/v1/rewards").status_code for _ in range(2)]

    assert answers == [401, 401]
    assert len(sent) == 2


def test_the_memory_of_keys_is_bounded(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(guard, "REMEMBERED_MAX", 3)
    secrets = [api.post("/v1/admin/keys", {"scopes": ["rewards"]}).json["secret"] for _ in range(5)]

    for secret in secrets:
        assert api.as_key(secret).get("/v1/rewards").status_code == 200
        assert len(guard._known) <= 3
    assert all(api.as_key(secret).get("/v1/rewards").status_code == 200 for secret in secrets)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic {key}", "{key}", "Bearer {key}x", "Bearer x{key}"])
def test_what_is_not_the_key_opens_nothing(api: Api, header: str):
    headers = {"Authorization": header.format(key=api.key)}

    answer = api.as_key(None).get("/v1/rewards", headers=headers)

    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
