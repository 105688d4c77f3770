"""Orders that meet: each other, a return, and the job."""

from datetime import UTC, datetime
from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.db.session import transaction
from loyalty.tiers import settlement
from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.earning.test_concurrency import in_parallel
from tests.ladders import publish, standing, tier
from tests.shop import at

FELL = """
SELECT count(*) FROM tier_evaluations JOIN members USING (member_id) WHERE program_id = %s AND cause = 'fell'
"""


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def test_parallel_orders_of_one_member_end_at_the_tier_of_their_sum_and_each_step_is_told_once(api: Api):
    publish(api)
    api.enrol()

    answers = in_parallel(8, lambda n: shop.buy(api, f"A-{n}", amount=3000))

    steps = [
        (a.json["tier"]["changed_from"], a.json["tier"]["code"]) for a in answers if a.json["tier"]["changed_from"]
    ]
    assert sorted(steps) == [("bronze", "silver"), ("silver", "gold")]
    assert (standing(api)["tier"], standing(api)["spend"]) == ("gold", 24_000)


def test_orders_against_returns_end_where_what_is_left_says(api: Api):
    publish(api)
    api.enrol()
    for number in range(4):
        shop.buy(api, f"A-{number}", amount=5000)

    def either(number: int) -> Any:
        if number % 2:
            return shop.buy(api, f"B-{number}", amount=3000)
        return shop.give_back(api, f"A-{number // 2}", {"1": 1}, return_id=f"R-{number}")

    answers = in_parallel(8, either)

    assert {answer.status_code for answer in answers} == {201}
    assert (standing(api)["spend"], tier(api)) == (12_000, "silver")


def test_the_job_against_orders_records_every_end_once(api: Api, monkeypatch: pytest.MonkeyPatch):
    publish(api)
    for number in range(8):
        api.enrol(f"c-{number}")
        shop.buy(api, f"A-{number}", amount=20_000, customer_id=f"c-{number}")
    ends = datetime(2027, 3, 2, tzinfo=UTC)
    it_is(monkeypatch, ends)

    def either(number: int) -> Any:
        if number % 2:
            return shop.buy(api, f"B-{number}", customer_id=f"c-{number // 2}", placed_at=at(ends)).status_code
        with api.app.app_context(), transaction() as session:
            settlement.review_program(session, api.program.program_id, now=ends, limit=3)
        return 201

    assert set(in_parallel(16, either)) == {201}

    with api.app.app_context(), transaction() as session:
        settlement.review_program(session, api.program.program_id, now=ends)
    assert [tier(api, f"c-{number}") for number in range(8)] == ["silver"] * 8
    with api.app.app_context(), transaction() as session:
        assert session.row(FELL, (api.program.program_id,), into=scalar_row) == 8
