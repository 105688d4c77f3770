"""Rehearsals of offers over HTTP, and by the worker: asked for, looked at, cut off, stopped."""

from uuid import UUID

import pytest
from procrastinate.exceptions import JobAborted

from loyalty.core import clock
from loyalty.core.ids import new_id
from loyalty.db.session import transaction
from loyalty.personalisation import ranking
from loyalty.rehearsals import jobs, service
from tests.api import Api
from tests.builders import NOW, a_key
from tests.clocks import it_is
from tests.learning.learned import rebuilt
from tests.personalisation.offering import OFFERS, points, put_draft
from tests.rehearsals.builders import base, work_off
from tests.rehearsals.offering import Chances, order


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A member who bought coffee yesterday, and one who never bought anything."""
    it_is(monkeypatch, NOW)
    monkeypatch.setattr(ranking, "rank", Chances())
    api.enrol("c-42")
    api.enrol("c-43")
    order(api, "c-42", 1, coffee=3_000)
    rebuilt(api)
    return api


def asked(shop: Api) -> str:
    """The address of a rehearsal that is asked for."""
    answer = shop.post(f"{OFFERS}/rehearse", {"offers": [points(categories=["coffee"])]})
    assert answer.status_code == 202, answer.json
    return f"{OFFERS}/rehearsals/{answer.json['rehearsal_id']}"


def test_a_rehearsal_is_queued_done_and_shown(shop: Api, database_url: str):
    where = asked(shop)
    queued = shop.get(where).json
    assert (queued["status"], queued["result"]) == ("queued", None)
    assert (queued["from"], queued["to"]) == ("2026-02-01T12:00:00Z", "2026-03-01T12:00:00Z")
    assert queued["progress"] == {"members_done": 0, "members_total": None}

    work_off(shop.app, database_url)

    done = shop.get(where).json
    assert (done["status"], done["attempts"], done["error"]) == ("done", 1, None)
    assert done["progress"] == {"members_done": 1, "members_total": 1}
    assert done["result"]["offers"][0]["best"] == [
        {"customer_id": "c-42", "rank": 1, "probability": 1.0, "list": "favourites", "value": "100"}
    ]
    assert done["result"]["offers"][0]["expected_cost"] == 100
    assert [each["rehearsal_id"] for each in shop.get(f"{OFFERS}/rehearsals").json["data"]] == [done["rehearsal_id"]]
    assert shop.post(f"{where}/cancel").json["status"] == "done"


def test_without_offers_it_is_the_stored_draft(shop: Api, database_url: str):
    assert shop.post(f"{OFFERS}/rehearse").json["code"] == "nothing-to-publish"
    assert put_draft(shop, points(code="kept")).status_code == 200
    answer = shop.post(f"{OFFERS}/rehearse", {"days": 7})

    work_off(shop.app, database_url)

    found = shop.get(f"{OFFERS}/rehearsals/{answer.json['rehearsal_id']}").json
    assert found["from"] == "2026-02-22T12:00:00Z"
    assert [each["code"] for each in found["result"]["offers"]] == ["kept"]


@pytest.mark.parametrize(
    "body", [{"offers": [{}]}, {"personalising": {}}, {"days": 0}, {"days": 10_000}, {"rules": []}, {"offers": None}]
)
def test_what_makes_no_sense_is_refused(shop: Api, body: dict[str, object]):
    assert shop.post(f"{OFFERS}/rehearse", body).json["code"] == "invalid-request"


def test_offers_that_could_not_be_published_are_refused(shop: Api):
    answer = shop.post(f"{OFFERS}/rehearse", {"offers": [points(), points()]})

    assert (answer.status_code, answer.json["code"]) == (422, "offers-invalid")
    assert {error["level"] for error in answer.json["errors"]} == {"error"}
    assert shop.get(f"{OFFERS}/rehearsals").json["data"] == []


def test_the_kinds_do_not_meet(shop: Api):
    rules = shop.post("/v1/admin/earning-rules/rehearse", {"rules": [base()]}).json["rehearsal_id"]

    assert shop.get(asked(shop).replace("offers", "earning-rules")).status_code == 404
    assert shop.get(f"{OFFERS}/rehearsals/{rules}").status_code == 404
    assert shop.post(f"{OFFERS}/rehearsals/{rules}/cancel").status_code == 404
    assert len(shop.get(f"{OFFERS}/rehearsals").json["data"]) == 1


def test_a_retry_asks_for_one_rehearsal(shop: Api):
    again = {"Idempotency-Key": new_id().hex}
    bodies = [shop.post(f"{OFFERS}/rehearse", {"offers": [points()]}, headers=again).json for _ in range(2)]

    assert bodies[0] == bodies[1]
    assert len(shop.get(f"{OFFERS}/rehearsals").json["data"]) == 1


def test_it_takes_an_administrator(shop: Api):
    with shop.app.app_context(), transaction() as session:
        reader = shop.as_key(a_key(session, shop.program, "members:read"))

    assert reader.post(f"{OFFERS}/rehearse").status_code == 403
    assert reader.get(f"{OFFERS}/rehearsals").status_code == 403


def test_one_that_was_cut_off_begins_again_and_one_that_is_cancelled_stops(shop: Api):
    where = asked(shop)
    rehearsal_id = where.rpartition("/")[2]

    def somebody_cancels() -> bool:
        assert shop.post(f"{where}/cancel").status_code == 200
        return False

    with shop.app.app_context():
        with transaction() as session:  # by a worker that is killed
            assert service.begin(session, UUID(rehearsal_id), now=clock.now())
        with pytest.raises(JobAborted):
            jobs.rehearse(stop=lambda: True, rehearsal_id=rehearsal_id)
        assert (shop.get(where).json["status"], shop.get(where).json["attempts"]) == ("running", 2)
        jobs.rehearse(stop=somebody_cancels, rehearsal_id=rehearsal_id)

    assert (shop.get(where).json["status"], shop.get(where).json["attempts"]) == ("cancelled", 3)
    assert shop.get(where).json["result"] is None
