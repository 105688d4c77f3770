"""Rehearsals of ladders over HTTP, and by the worker: asked for, looked at, cut off, stopped."""

from uuid import UUID

import pytest
from procrastinate.exceptions import JobAborted

from loyalty.core import clock
from loyalty.core.ids import new_id
from loyalty.db.session import transaction
from loyalty.rehearsals import jobs, service
from loyalty.tiers.models import LadderDraftRow
from tests.api import Api
from tests.builders import a_key, order_json
from tests.rehearsals.builders import base, work_off
from tests.rehearsals.ladders import a_ladder, tier

LADDER = "/v1/admin/ladder"


@pytest.fixture
def shop(api: Api) -> Api:
    """A member who bought for 30.00, and one who never did."""
    api.enrol("c-42")
    api.enrol("c-43")
    assert api.post("/v1/orders", order_json(order_id="A-1")).status_code == 201
    return api


def asked(shop: Api) -> str:
    """The address of a rehearsal that is asked for."""
    answer = shop.post(f"{LADDER}/rehearse", {"ladder": a_ladder(tier("bronze", 0), tier("silver", 2_000))})
    assert answer.status_code == 202, answer.json
    return f"{LADDER}/rehearsals/{answer.json['rehearsal_id']}"


def test_a_rehearsal_is_queued_done_and_shown(shop: Api, database_url: str):
    where = asked(shop)
    queued = shop.get(where).json
    assert (queued["status"], queued["result"]) == ("queued", None)
    assert queued["progress"] == {"members_done": 0, "members_total": None}

    work_off(shop.app, database_url)

    done = shop.get(where).json
    assert (done["status"], done["attempts"], done["error"]) == ("done", 1, None)
    assert done["progress"] == {"members_done": 1, "members_total": 1}
    assert done["result"]["matrix"] == [
        {"from": None, "to": "bronze", "members": 1, "named": []},
        {"from": None, "to": "silver", "members": 1, "named": ["c-42"]},
    ]
    assert done["result"]["winners"][0]["valid_until"].endswith("Z")
    assert [each["rehearsal_id"] for each in shop.get(f"{LADDER}/rehearsals").json["data"]] == [done["rehearsal_id"]]
    assert shop.post(f"{where}/cancel").json["status"] == "done"


def test_without_a_ladder_it_is_the_stored_draft(shop: Api, database_url: str):
    assert shop.post(f"{LADDER}/rehearse").json["code"] == "nothing-to-publish"
    row = {"program_id": shop.program.program_id, "version": 1, "updated_at": clock.now()}
    with shop.app.app_context(), transaction() as session:
        session.orm.add(LadderDraftRow(**row, ladder=a_ladder(tier("wood", 0))))
    answer = shop.post(f"{LADDER}/rehearse", {"members": "upgrades_only"})

    work_off(shop.app, database_url)

    result = shop.get(f"{LADDER}/rehearsals/{answer.json['rehearsal_id']}").json["result"]
    assert [each["code"] for each in result["tiers"]] == ["wood"]


@pytest.mark.parametrize("ladder", [{}, {"tiers": []}, {**a_ladder(), "window": {"mode": "rolling", "weeks": 3}}])
def test_what_is_no_ladder_is_refused(shop: Api, ladder):
    assert shop.post(f"{LADDER}/rehearse", {"ladder": ladder}).json["code"] == "invalid-request"


def test_a_ladder_that_could_not_be_published_is_refused(shop: Api):
    answer = shop.post(f"{LADDER}/rehearse", {"ladder": {**a_ladder(), "tiers": [tier("silver", 5)]}})

    assert answer.json["code"] == "ladder-invalid"
    assert [error["code"] for error in answer.json["errors"]] == ["lowest-not-zero"]


def test_the_two_kinds_do_not_meet(shop: Api):
    rules = shop.post("/v1/admin/earning-rules/rehearse", {"rules": [base()]}).json["rehearsal_id"]

    assert shop.get(asked(shop).replace("ladder", "earning-rules")).status_code == 404
    assert shop.get(f"{LADDER}/rehearsals/{rules}").status_code == 404
    assert shop.post(f"{LADDER}/rehearsals/{rules}/cancel").status_code == 404
    assert len(shop.get(f"{LADDER}/rehearsals").json["data"]) == 1


def test_a_retry_asks_for_one_rehearsal(shop: Api):
    again = {"Idempotency-Key": new_id().hex}
    bodies = [shop.post(f"{LADDER}/rehearse", {"ladder": a_ladder()}, headers=again).json for _ in range(2)]

    assert bodies[0] == bodies[1]
    assert len(shop.get(f"{LADDER}/rehearsals").json["data"]) == 1


def test_it_takes_an_administrator(shop: Api):
    with shop.app.app_context(), transaction() as session:
        reader = shop.as_key(a_key(session, shop.program, "members:read"))

    assert reader.post(f"{LADDER}/rehearse").status_code == 403
    assert reader.get(f"{LADDER}/rehearsals").status_code == 403


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
