"""Moving the members there are to another ladder: batch by batch, from wherever it was left off."""

from datetime import timedelta
from typing import Any

import pytest
from psycopg.rows import dict_row

from loyalty.db.session import transaction
from loyalty.tiers import moving
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.ladders import a_tier, evaluations, publish, standing, tier, until_done
from tests.shop import at, buy

LATER = NOW + timedelta(days=1)

# Silver is now bought with what gold was, and plain bronze with less than before.
HARDER = [a_tier("bronze", 0), a_tier("silver", 20_000), a_tier("gold", 50_000)]
EASIER = [a_tier("bronze", 0), a_tier("silver", 1000), a_tier("gold", 5000)]


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.fixture
def club(api: Api) -> Api:
    """Five members, each with silver."""
    publish(api)
    for number in range(5):
        api.enrol(f"m-{number}")
        buy(api, f"M-{number}", amount=10_000, customer_id=f"m-{number}")
    # And those that other tests have left.
    drain(api, LATER + timedelta(days=3))
    return api


def drain(api: Api, now: Any, limit: int = 500) -> list[int]:
    """Move everybody."""
    return until_done(api.app, lambda s: moving.move_batch(s, now=now, limit=limit))


def progress(api: Api, version: int = 2) -> dict[str, Any]:
    with api.app.app_context(), transaction() as session:
        where = (api.program.program_id, version)
        row = session.row("SELECT * FROM ladder_moves WHERE program_id = %s AND version = %s", where, into=dict_row)
    assert row is not None
    return row


def killed_after_a_batch() -> None:
    with transaction() as session:
        moving.move_batch(session, now=LATER, limit=2)
        raise RuntimeError("killed")


def tiers(api: Api) -> set[str | None]:
    return {tier(api, f"m-{number}") for number in range(5)}


@pytest.mark.parametrize(
    ("policy", "ladder", "expected", "up", "down"),
    [
        ("now", HARDER, "bronze", 0, 5),
        ("now", EASIER, "gold", 5, 0),
        ("upgrades_only", HARDER, "silver", 0, 0),
        ("upgrades_only", EASIER, "gold", 5, 0),
        ("at_validity_end", HARDER, "silver", 0, 0),
        ("at_validity_end", EASIER, "silver", 0, 0),
    ],
)
def test_what_becomes_of_members_is_what_was_chosen(
    club: Api, monkeypatch: pytest.MonkeyPatch, policy: str, ladder: Any, expected: str, up: int, down: int
):
    publish(club, 2, effective_from=LATER, moving=policy, tiers=ladder)
    it_is(monkeypatch, LATER)
    assert tiers(club) == {expected}, "what is read does not wait for the job"

    drain(club, LATER)

    assert {standing(club, f"m-{number}")["tier"] for number in range(5)} == {expected}
    done = progress(club)
    assert (done["members_done"], done["members_total"], done["up"], done["down"]) == (5, 5, up, down)
    assert (done["started_at"], done["finished_at"]) == (LATER, LATER)


def test_at_the_end_of_its_validity_a_tier_is_judged_by_the_new_ladder(club: Api, monkeypatch: pytest.MonkeyPatch):
    publish(club, 2, effective_from=LATER, moving="at_validity_end", tiers=HARDER)
    drain(club, LATER)

    it_is(monkeypatch, NOW + timedelta(days=366))

    assert tiers(club) == {"bronze"}


def test_a_ladder_that_is_still_to_come_moves_nobody(club: Api):
    publish(club, 2, effective_from=LATER, tiers=HARDER)

    assert drain(club, LATER - timedelta(seconds=1)) == []
    assert tiers(club) == {"silver"}
    assert progress(club)["started_at"] is None


def test_it_goes_on_from_wherever_it_was_left_off(club: Api, monkeypatch: pytest.MonkeyPatch):
    publish(club, 2, effective_from=LATER, tiers=HARDER)
    it_is(monkeypatch, LATER)
    with club.app.app_context(), transaction() as session:
        assert moving.move_batch(session, now=LATER, limit=2) == 2
    assert (progress(club)["members_done"], progress(club)["members_total"]) == (2, 5)
    with club.app.app_context(), pytest.raises(RuntimeError):
        killed_after_a_batch()
    assert progress(club)["members_done"] == 2

    drain(club, LATER, limit=2)

    done = progress(club)
    assert (done["members_done"], done["down"], done["finished_at"]) == (5, 5, LATER)
    assert [e["cause"] for e in evaluations(club, "m-0")] == ["enrolled", "order", "moved"]
    assert drain(club, LATER) == []


def test_who_was_touched_before_the_job_is_moved_once(club: Api, monkeypatch: pytest.MonkeyPatch):
    publish(club, 2, effective_from=LATER, tiers=HARDER)
    it_is(monkeypatch, LATER)

    told = buy(club, "M-9", amount=100, customer_id="m-0", placed_at=at(LATER)).json
    drain(club, LATER)

    assert told["tier"] == {"code": "bronze", "changed_from": None}
    assert [e["cause"] for e in evaluations(club, "m-0")] == ["enrolled", "order", "moved", "order"]
    assert (progress(club)["members_done"], progress(club)["down"]) == (5, 4)


def test_a_ladder_that_another_followed_is_followed_through(club: Api, monkeypatch: pytest.MonkeyPatch):
    publish(club, 2, effective_from=LATER, tiers=HARDER)
    publish(club, 3, effective_from=LATER + timedelta(days=1), tiers=EASIER)
    later = LATER + timedelta(days=2)
    it_is(monkeypatch, later)

    drain(club, later)

    assert {standing(club, f"m-{number}")["tier"] for number in range(5)} == {"gold"}
    assert [e["as_of"] for e in evaluations(club, "m-0") if e["cause"] == "moved"] == [
        LATER, LATER + timedelta(days=1),
    ]  # fmt: skip
