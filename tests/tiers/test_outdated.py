"""Another process has published a ladder, and moved a member to it, before this one has heard of it."""

from datetime import timedelta

import pytest

from loyalty.tiers import queries
from loyalty.tiers.domain import Ladders
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.ladders import publish, recorded, tier
from tests.shop import at, buy, give_back

LATER = NOW + timedelta(days=1)


@pytest.fixture
def moved(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A member who stands under the second ladder, in a process that knows the first one alone."""
    it_is(monkeypatch, NOW)
    publish(api)
    api.enrol()
    buy(api, "A-0")
    publish(api, 2, effective_from=LATER, window={"mode": "lifetime"})
    it_is(monkeypatch, LATER)
    buy(api, "A-1", amount=100, placed_at=at(LATER))
    assert [row["ladder_version"] for row in recorded(api, "tier_standings")] == [2]
    version, published, _ = queries._remembered[api.program.program_id]
    only = published[:1]
    queries._remembered[api.program.program_id] = (version, only, Ladders.of(only, "UTC"))
    return api


def test_a_read_shows_what_was_known_a_moment_ago(moved: Api):
    assert tier(moved) == "silver"
    assert moved.get("/v1/members/c-42/tier").status_code == 200


def test_a_write_hears_of_the_ladder_and_judges_by_it(moved: Api, monkeypatch: pytest.MonkeyPatch):
    fresh = queries._NEWER
    heard: list[str] = []
    ladders = queries.ladders

    def as_if_published_meanwhile(session, program):
        if heard:
            queries._remembered.pop(program.program_id, None)
        heard.append(fresh)
        return ladders(session, program)

    monkeypatch.setattr(queries, "ladders", as_if_published_meanwhile)

    assert buy(moved, "A-2", amount=15_000, placed_at=at(LATER)).json["tier"]["code"] == "gold"
    heard.clear()
    version, published, _ = queries._remembered[moved.program.program_id]
    queries._remembered[moved.program.program_id] = (version, published[:1], Ladders.of(published[:1], "UTC"))
    assert give_back(moved, "A-2", {"1": 1}).json["tier"]["code"] == "silver"
