"""Tiers that end by themselves: exact without any job, and recorded by one that comes to an end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from loyalty.db.session import transaction
from loyalty.tiers import settlement
from tests.api import Api
from tests.builders import NOW, a_key, a_program
from tests.clocks import it_is
from tests.ladders import evaluations, pin, publish, recorded, standing, tier, until_done
from tests.shop import at, buy, in_days

# A year from NOW, and the day after.
ENDS = datetime(2027, 3, 2, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def review(api: Api, now: datetime, limit: int = 500) -> list[int]:
    """Run the job until it finds nothing to do."""
    program_id = api.program.program_id
    return until_done(api.app, lambda s: settlement.review_program(s, program_id, now=now, limit=limit))


def gold(api: Api, **ladder: Any) -> None:
    """A member who has bought enough for gold, once."""
    publish(api, **ladder)
    api.enrol()
    buy(api, "A-1", amount=20_000)


def test_a_tier_ends_at_midnight_with_no_job_run(api: Api, monkeypatch: pytest.MonkeyPatch):
    gold(api)

    it_is(monkeypatch, ENDS - SECOND)
    assert tier(api) == "gold"
    it_is(monkeypatch, ENDS)
    assert tier(api) == "bronze"
    assert standing(api)["tier"] == "gold"


def test_an_order_after_the_end_is_judged_by_what_is_left_and_records_it(api: Api, monkeypatch: pytest.MonkeyPatch):
    gold(api)
    it_is(monkeypatch, ENDS + SECOND)

    told = buy(api, "A-2", placed_at=at(ENDS + SECOND)).json

    assert told["points"]["awarded"] == 100
    assert told["tier"] == {"code": "silver", "changed_from": "bronze"}
    assert [(e["cause"], e["as_of"], e["new"]) for e in evaluations(api)[-2:]] == [
        ("fell", ENDS, "bronze"),
        ("order", ENDS + SECOND, "silver"),
    ]


def test_the_job_records_what_reads_say_with_the_true_instants_and_ends(api: Api, monkeypatch: pytest.MonkeyPatch):
    gold(api)
    later = ENDS + timedelta(days=3, hours=5)
    it_is(monkeypatch, later)
    told = tier(api)

    assert review(api, later) == [1]

    found = standing(api)
    assert (found["tier"], found["tier_since"], found["next_change_at"]) == (told, ENDS, None)
    fell = evaluations(api)[-1]
    assert (fell["cause"], fell["as_of"], fell["recorded_at"]) == ("fell", ENDS, later)
    assert recorded(api, "tier_periods", order="seq")[-1]["day"] == ENDS.date()


def test_when_a_grace_begins_the_job_looks_once_and_again_when_it_ends(api: Api, monkeypatch: pytest.MonkeyPatch):
    gold(api, grace={"days": 10})
    it_is(monkeypatch, ENDS + SECOND)

    assert review(api, ENDS + SECOND) == [1]
    assert (tier(api), standing(api)["next_change_at"]) == ("gold", ENDS + timedelta(days=10))
    it_is(monkeypatch, ENDS + timedelta(days=10))
    assert review(api, ENDS + timedelta(days=10)) == [1]
    assert (tier(api), standing(api)["next_change_at"]) == ("bronze", None)


def test_what_is_missing_may_be_made_up_for_in_the_grace(api: Api, monkeypatch: pytest.MonkeyPatch):
    gold(api, grace={"days": 10})
    it_is(monkeypatch, ENDS + SECOND)

    buy(api, "A-2", amount=20_000, placed_at=at(ENDS + SECOND))

    it_is(monkeypatch, ENDS + timedelta(days=20))
    assert tier(api) == "gold"


def test_who_is_closed_is_looked_at_once_and_never_again(api: Api, monkeypatch: pytest.MonkeyPatch):
    gold(api)
    api.post("/v1/members/c-42/close")
    it_is(monkeypatch, ENDS)

    assert review(api, ENDS) in ([], [1])
    assert standing(api)["next_change_at"] is None or standing(api)["next_change_at"] > ENDS
    assert review(api, ENDS + timedelta(days=1000)) in ([], [1])


def test_members_are_reviewed_in_batches(api: Api, monkeypatch: pytest.MonkeyPatch):
    gold(api)
    for number in range(4):
        api.enrol(f"m-{number}")
        buy(api, f"M-{number}", amount=20_000, customer_id=f"m-{number}")
    it_is(monkeypatch, ENDS)

    assert review(api, ENDS, limit=2) == [2, 2, 1]


@pytest.mark.parametrize("kept", [True, False])
def test_step_by_step_down_where_nothing_is_bought(api: Api, monkeypatch: pytest.MonkeyPatch, kept: bool):
    gold(api, downgrade="one_step")
    if kept:
        it_is(monkeypatch, NOW + timedelta(days=200))
        buy(api, "A-2", amount=19_000, placed_at=in_days(200))
    later = NOW + timedelta(days=365 * 3)
    it_is(monkeypatch, ENDS)
    assert tier(api) == "silver"

    it_is(monkeypatch, later)
    told = tier(api)
    assert review(api, later) == [1]
    assert standing(api)["tier"] == told
    assert [e["new"] for e in evaluations(api) if e["cause"] == "fell"][:1] == ["silver"]


def test_what_ends_the_same_night_is_one_review(api: Api, monkeypatch: pytest.MonkeyPatch):
    gold(api)
    pin(api, "silver", at(ENDS))
    it_is(monkeypatch, ENDS)

    assert review(api, ENDS) == [1]
    assert standing(api)["tier"] == "bronze"


def test_sandboxes_are_reviewed_by_their_own_clock(app: Flask):
    with app.app_context(), transaction() as session:
        program = a_program(session, sandbox=True)
        api = Api(app, program, a_key(session, program))
    gold(api)
    assert api.post("/v1/admin/clock", {"now": at(ENDS + SECOND)}).status_code == 200

    assert tier(api) == "bronze"
    until_done(app, lambda s: settlement.review_sandboxes(s, now=NOW))
    assert standing(api)["tier"] == "bronze"
