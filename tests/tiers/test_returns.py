"""What comes back no longer counts, and what that leaves of a tier is up to the ladder."""

import pytest

from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.ladders import publish, recorded, standing, tier
from tests.shop import buy, give_back


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.mark.parametrize(("downgrade", "left"), [("full", "bronze"), ("one_step", "silver"), ("none", "gold")])
def test_what_is_left_of_a_tier_that_was_reached_with_what_came_back(api: Api, downgrade: str, left: str):
    publish(api, downgrade=downgrade)
    api.enrol()
    buy(api, "A-1", amount=25_000)

    answer = give_back(api, "A-1", {"1": 1}).json

    assert answer["tier"] == {"code": left, "changed_from": "gold" if left != "gold" else None}
    assert tier(api) == left
    assert [g["tier"] for g in recorded(api, "tier_grants")] == ([left] if left != "bronze" else [])


def test_what_is_left_ends_when_the_tier_that_was_lost_would_have(api: Api, monkeypatch: pytest.MonkeyPatch):
    publish(api, downgrade="one_step")
    api.enrol()
    buy(api, "A-1", amount=25_000)
    ends = standing(api)["next_change_at"]
    give_back(api, "A-1", {"1": 1})

    assert standing(api)["next_change_at"] == ends
    it_is(monkeypatch, ends)
    assert tier(api) == "bronze"


def test_a_return_of_which_enough_is_left_changes_nothing(api: Api):
    publish(api)
    api.enrol()
    buy(api, "A-1", shop.a_line("1", 10_000, 3))

    assert give_back(api, "A-1", {"1": 1}).json["tier"] == {"code": "gold", "changed_from": None}
    assert give_back(api, "A-1", {"1": 1}, return_id="R-2").json["tier"] == {"code": "silver", "changed_from": "gold"}
    assert shop.cancel(api, "A-1").json["tier"] == {"code": "bronze", "changed_from": "silver"}


def test_a_tier_that_was_reached_without_it_stays(api: Api):
    publish(api)
    api.enrol()
    buy(api, "A-1", amount=20_000)
    buy(api, "A-2", amount=20_000)

    assert shop.cancel(api, "A-1").json["tier"] == {"code": "gold", "changed_from": None}


def test_a_replayed_return_counts_once(api: Api):
    publish(api)
    api.enrol()
    buy(api, "A-1", shop.a_line("1", 10_000, 3))
    first = give_back(api, "A-1", {"1": 1})

    assert give_back(api, "A-1", {"1": 1}).json == first.json
    assert standing(api)["spend"] == 20_000
