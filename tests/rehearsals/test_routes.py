"""Rehearsals over HTTP: asked for, looked at, listed, stopped."""

from datetime import timedelta

import pytest

from loyalty.core import clock
from loyalty.core.ids import new_id
from loyalty.db.session import transaction
from tests.api import Api
from tests.builders import a_key, order_json
from tests.rehearsals.builders import base, one, work_off

RULES = "/v1/admin/earning-rules"
WAITING = "SELECT count(*) FROM procrastinate_jobs WHERE args->>'rehearsal_id' = %s"


@pytest.fixture
def shop(api: Api) -> Api:
    """A member who bought for 30.00 a week ago."""
    api.enrol("c-42")
    placed_at = (clock.now() - timedelta(days=7)).isoformat()
    assert api.post("/v1/orders", order_json(order_id="A-1", placed_at=placed_at)).status_code == 201
    return api


def test_a_rehearsal_is_queued_done_and_shown(shop: Api, database_url: str):
    asked = shop.post(f"{RULES}/rehearse", {"days": 30, "rules": [base("2")]})

    assert (asked.status_code, asked.json["status"], asked.json["result"]) == (202, "queued", None)
    where = f"{RULES}/rehearsals/{asked.json['rehearsal_id']}"
    assert where == f"{RULES}/rehearsals/{asked.json['rehearsal_id']}"
    assert shop.get(where).json["progress"] == {"orders_done": 0, "orders_total": None}

    work_off(shop.app, database_url)

    done = shop.get(where).json
    assert (done["status"], done["attempts"], done["error"]) == ("done", 1, None)
    assert done["progress"] == {"orders_done": 1, "orders_total": 1}
    assert done["result"]["points"] == {"draft": 60, "given": 30, "difference": 30}
    assert done["result"]["winners"][0]["customer_id"] == "c-42"
    assert done["started_at"] <= done["finished_at"]
    listed = shop.get(f"{RULES}/rehearsals").json["data"]
    assert [each["rehearsal_id"] for each in listed] == [done["rehearsal_id"]]
    assert shop.post(f"{where}/cancel").json["status"] == "done"


def test_without_rules_it_is_the_stored_draft_as_it_was_when_asked_for(shop: Api, database_url: str):
    assert shop.post(f"{RULES}/rehearse").json["code"] == "nothing-to-publish"
    shop.put(f"{RULES}/draft", {"rules": [base("3")]})
    asked = shop.post(f"{RULES}/rehearse", {"from": "2026-01-01T00:00:00Z"})
    shop.put(f"{RULES}/draft", {"rules": [base("9")]}, headers={"If-Match": '"1"'})

    work_off(shop.app, database_url)

    assert shop.get(f"{RULES}/rehearsals/{asked.json['rehearsal_id']}").json["result"]["points"]["draft"] == 90


def test_a_draft_that_could_not_be_published_is_refused(shop: Api):
    refused = shop.post(f"{RULES}/rehearse", {"rules": [base(), base()]})

    assert (refused.status_code, refused.json["code"]) == (422, "rules-invalid")
    assert refused.json["errors"][0]["code"] == "tie"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"days": 0}, "/days"),
        ({"days": 5, "from": "2026-01-01T00:00:00Z"}, "/days"),
        ({"from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "/to"),
        ({"segments": [{"code": "a", "name": "A", "when": "true"}]}, "/segments"),
        ({"from": "2199-01-01T00:00:00Z", "rules": [base()]}, "/from"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(shop: Api, body, pointer: str):
    refused = shop.post(f"{RULES}/rehearse", body)

    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, pointer)


def test_a_retry_asks_for_one_rehearsal(shop: Api):
    again = {"Idempotency-Key": new_id().hex}
    first = shop.post(f"{RULES}/rehearse", {"rules": [base()]}, headers=again)
    second = shop.post(f"{RULES}/rehearse", {"rules": [base()]}, headers=again)

    assert first.json == second.json
    assert second.status_code == 202
    assert len(shop.get(f"{RULES}/rehearsals").json["data"]) == 1
    with shop.app.app_context():
        assert one(WAITING, first.json["rehearsal_id"]) == 1


def test_a_rehearsal_that_waits_can_be_cancelled(shop: Api, database_url: str):
    asked = shop.post(f"{RULES}/rehearse", {"rules": [base()]}).json
    where = f"{RULES}/rehearsals/{asked['rehearsal_id']}"

    assert shop.post(f"{where}/cancel").json["status"] == "cancelled"

    work_off(shop.app, database_url)
    assert shop.get(where).json["status"] == "cancelled"
    assert shop.get(where).json["result"] is None


def test_the_list_is_paged_newest_first(shop: Api):
    made = [shop.post(f"{RULES}/rehearse", {"rules": [base()]}).json["rehearsal_id"] for _ in range(3)]

    first = shop.get(f"{RULES}/rehearsals?limit=2").json
    rest = shop.get(f"{RULES}/rehearsals?limit=2&after={first['next']}").json

    assert [each["rehearsal_id"] for each in first["data"] + rest["data"]] == made[::-1]
    assert rest["next"] is None


def test_it_is_for_admins_and_of_their_own_program(shop: Api):
    with shop.app.app_context(), transaction() as session:
        reports = shop.as_key(a_key(session, shop.program, "reports"))

    assert reports.post(f"{RULES}/rehearse", {}).status_code == 403
    assert shop.get(f"{RULES}/rehearsals/{new_id()}").json["code"] == "rehearsal-not-found"
