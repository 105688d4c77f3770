"""Members changed at once: one enrolment, no lost change, no deadlock."""

from collections import Counter
from uuid import UUID

import pytest

from loyalty.db.session import transaction
from loyalty.members import locks
from tests.api import Api
from tests.builders import NOW, order_json
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def test_a_customer_enrolled_six_times_at_once_is_enrolled_once(api: Api):
    answers = in_parallel(6, lambda number: api.put("/v1/members/c-42", {"attributes": {"till": number}}))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 5}
    assert len({answer.json["member_id"] for answer in answers}) == 1
    assert len({answer.json["referral_code"] for answer in answers}) == 1


def test_changes_of_different_fields_at_once_are_all_kept(api: Api):
    api.enrol("c-42")
    profile = {
        "first_name": "Ada",
        "last_name": "King",
        "email": "a@example.com",
        "phone": "+48221234567",
        "locale": "en",
    }
    changes = [{name: value} for name, value in profile.items()]

    answers = in_parallel(len(changes), lambda number: api.put("/v1/members/c-42", changes[number]))

    assert {answer.status_code for answer in answers} == {200}
    kept = api.get("/v1/members/c-42").json
    assert {name: kept[name] for name in profile} == profile


def test_of_orders_and_a_closing_at_once_none_is_recorded_after_it(api: Api):
    api.enrol("c-42")

    def act(number: int) -> int:
        if number == 3:
            return api.post("/v1/members/c-42/close").status_code
        return api.post("/v1/orders", order_json(order_id=f"o-{number}")).status_code

    statuses = in_parallel(7, act)

    recorded = [number for number, status in enumerate(statuses) if status == 201]
    assert set(statuses) <= {200, 201, 422}
    assert len(api.get("/v1/members/c-42/entries").json["data"]) == len(recorded)
    assert api.post("/v1/orders", order_json()).json["code"] == "member-closed"


def test_members_locked_together_in_any_order_do_not_wait_for_each_other_in_a_circle(api: Api):
    names = [f"c-{number}" for number in range(6)]
    for name in names:
        api.enrol(name)

    def lock(number: int) -> list[UUID]:
        wanted = names[number:] + names[:number]
        with api.app.app_context():
            for _ in range(10):
                with transaction() as session:
                    locked = locks.lock_members(session, api.program.program_id, wanted)
        return sorted(member.member_id for member in locked.values())

    assert len({tuple(found) for found in in_parallel(6, lock)}) == 1
