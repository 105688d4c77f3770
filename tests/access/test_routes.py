"""Keys: made, shown once, listed without their secret, refused when revoked or expired."""

from datetime import timedelta

from psycopg.rows import dict_row

from loyalty.access import guard
from loyalty.access.domain import Caller
from loyalty.core import clock
from loyalty.core.ids import new_id
from loyalty.db.session import reading
from tests.api import Api
from tests.builders import order_json
from tests.clocks import it_is


def new_key(api: Api, *scopes: str, **given) -> dict:
    return api.post("/v1/admin/keys", {"scopes": list(scopes), **given}).json


def test_a_new_key_opens_what_its_scopes_say_and_nothing_else(api: Api):
    issued = new_key(api, "members:read", name="storefront")
    shown = api.as_key(issued["secret"])
    api.enrol("c-42")

    assert shown.get("/v1/members/c-42").status_code == 200
    refused = shown.put("/v1/members/c-42", {})
    assert (refused.status_code, refused.json["code"], refused.json["required"]) == (
        403,
        "scope-missing",
        "members:write",
    )
    assert shown.post("/v1/orders", order_json()).status_code == 403


def test_the_secret_is_shown_once_and_stored_as_a_hash(api: Api):
    issued = new_key(api, "orders")

    listed = api.get("/v1/admin/keys").json["data"]
    assert issued["secret"].startswith(listed[0]["prefix"])
    assert all("secret" not in key for key in listed)
    with api.app.app_context(), reading() as session:
        stored = session.row("SELECT * FROM api_keys WHERE key_id = %s", (issued["key_id"],), into=dict_row)
    assert issued["secret"] not in repr(stored)
    assert len(stored["secret_hash"]) == 32


def test_a_replayed_creation_does_not_show_the_secret_again_and_makes_no_second_key(api: Api):
    headers = {"Idempotency-Key": "make-one"}
    first = api.post("/v1/admin/keys", {"scopes": ["orders"]}, headers=headers)
    again = api.post("/v1/admin/keys", {"scopes": ["orders"]}, headers=headers)

    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json == {**first.json, "secret": None}
    assert len(api.get("/v1/admin/keys").json["data"]) == 2  # the admin's own, and this one


def test_a_revoked_key_is_refused_at_once_by_the_process_that_revoked_it(api: Api):
    issued = new_key(api, "members")
    other = api.as_key(issued["secret"])
    assert other.get("/v1/members/nobody").status_code == 404

    revoked = api.post(f"/v1/admin/keys/{issued['key_id']}/revoke")

    assert revoked.json["revoked_at"] is not None
    assert other.get("/v1/members/nobody").status_code == 401
    assert api.post(f"/v1/admin/keys/{issued['key_id']}/revoke").json == revoked.json


def test_a_key_revoked_elsewhere_is_refused_within_a_second(api: Api, monkeypatch):
    issued = new_key(api, "members")
    other = api.as_key(issued["secret"])
    remembered = dict(guard._known)
    other.get("/v1/members/nobody")
    in_this_process = {h: k for h, k in guard._known.items() if h not in remembered}
    api.post(f"/v1/admin/keys/{issued['key_id']}/revoke")
    guard._known.update(in_this_process)  # as in another process, which was not told

    assert other.get("/v1/members/nobody").status_code == 404
    began = guard.time.monotonic()
    monkeypatch.setattr(guard.time, "monotonic", lambda: began + guard.REMEMBERED_SECONDS)
    assert other.get("/v1/members/nobody").status_code == 401


def test_a_key_is_refused_from_the_instant_it_expires(api: Api, monkeypatch):
    expires_at = clock.now() + timedelta(hours=1)
    issued = new_key(api, "members", expires_at=expires_at.isoformat())
    other = api.as_key(issued["secret"])

    assert other.get("/v1/members/nobody").status_code == 404
    it_is(monkeypatch, expires_at)
    assert other.get("/v1/members/nobody").status_code == 401


def test_another_programs_key_cannot_be_revoked(api: Api):
    refused = api.post(f"/v1/admin/keys/{new_id()}/revoke")
    assert (refused.status_code, refused.json["code"]) == (404, "key-not-found")


def test_scopes_that_do_not_exist_are_refused_with_a_pointer(api: Api):
    refused = api.post("/v1/admin/keys", {"scopes": ["members", "everything"]})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/scopes/1"
    assert api.post("/v1/admin/keys", {"scopes": []}).json["errors"][0]["pointer"] == "/scopes"


def test_keys_are_listed_newest_first_page_by_page(api: Api):
    made = [new_key(api, "orders", name=str(number))["key_id"] for number in range(3)]

    first = api.get("/v1/admin/keys?limit=2").json
    second = api.get(f"/v1/admin/keys?limit=2&after={first['next']}").json

    listed = [key["key_id"] for key in first["data"] + second["data"]]
    assert listed[:3] == made[::-1]
    assert len(listed) == 4
    assert second["next"] is None


def test_admin_opens_everything_and_an_area_opens_both_of_its_halves():
    def caller(*scopes):
        return Caller(new_id(), new_id(), frozenset(scopes))

    assert caller("admin").may("orders", "write")
    assert caller("orders").may("orders", "read")
    assert caller("orders").may("orders", "write")
    assert caller("orders:read").may("orders", "read")
    assert not caller("orders:read").may("orders", "write")
    assert not caller("orders").may("admin", "read")
