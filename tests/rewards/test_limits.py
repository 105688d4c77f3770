"""How often a member may have a reward: what is held counts, what was cancelled or timed out does not."""

from datetime import datetime, timedelta

import pytest

from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.rewards import desk
from tests.rewards.desk import TTL, cancel, confirm, fulfil, hold, offer, redeem
from tests.shop import buckets, configure, merge, refused

OVER = NOW + timedelta(seconds=TTL)
LIMIT = (422, "limit-reached")


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop whose member c-42 has 1,000 points. Its reward costs 10 and can be had three times."""
    it_is(monkeypatch, NOW)
    desk.enrol(api, points=1000)
    offer(api, points=10, limits={"ever": 3})
    return api


def test_what_is_held_counts_and_so_does_what_it_becomes(shop: Api):
    hold(shop, "r-1")
    hold(shop, "r-2")
    redeem(shop, "r-3")
    assert refused(hold(shop, "r-4")) == LIMIT
    confirm(shop, "r-1")
    fulfil(shop, "r-1")

    answer = redeem(shop, "r-4")

    assert refused(answer) == LIMIT
    assert (answer.json["limit"], answer.json["period"], answer.json["available_from"]) == (3, "ever", None)
    assert buckets(shop) == {"available": 970, "held": 10}


def test_what_was_cancelled_or_timed_out_does_not_count(shop: Api, monkeypatch: pytest.MonkeyPatch):
    for number in range(3):
        hold(shop, f"r-{number}")
    cancel(shop, "r-0")
    confirm(shop, "r-1")
    cancel(shop, "r-1")
    assert redeem(shop, "s-0").status_code == redeem(shop, "s-1").status_code == 201
    assert refused(redeem(shop, "s-2")) == LIMIT

    it_is(monkeypatch, OVER)  # nobody writes down that r-2 is over

    assert redeem(shop, "s-2").status_code == 201
    assert desk.expire(shop, OVER) == 1
    assert refused(redeem(shop, "s-3")) == LIMIT


def test_a_limit_refused_leaves_the_id_free(shop: Api):
    for number in range(3):
        redeem(shop, f"r-{number}")
    assert refused(redeem(shop, "r-3")) == LIMIT
    cancel(shop, "r-0")

    assert redeem(shop, "r-3").status_code == 201


@pytest.mark.parametrize(
    ("period", "last", "next_one"),
    [
        ("day", "2026-03-01T22:59:59Z", "2026-03-01T23:00:00Z"),
        ("week", "2026-03-01T22:59:59Z", "2026-03-01T23:00:00Z"),  # NOW is a Sunday
        ("month", "2026-03-31T21:59:59Z", "2026-03-31T22:00:00Z"),  # summer time since the 29th
        ("quarter", "2026-03-31T21:59:59Z", "2026-03-31T22:00:00Z"),
        ("year", "2026-12-31T22:59:59Z", "2026-12-31T23:00:00Z"),
    ],
)
def test_a_period_begins_anew_at_midnight_in_the_zone_of_the_program(
    shop: Api, period: str, last: str, next_one: str, monkeypatch: pytest.MonkeyPatch
):
    configure(shop, time_zone="Europe/Berlin")
    offer(shop, points=10, limits={period: 2})
    assert redeem(shop, "r-1").status_code == hold(shop, "r-2", seconds=604_800).status_code == 201
    confirm(shop, "r-2")
    it_is(monkeypatch, datetime.fromisoformat(last))
    answer = redeem(shop, "r-3")
    assert (refused(answer), answer.json["available_from"]) == (LIMIT, next_one)

    it_is(monkeypatch, datetime.fromisoformat(next_one))

    assert redeem(shop, "r-3").status_code == 201


def test_of_several_limits_the_longest_that_is_reached_is_told(shop: Api, monkeypatch: pytest.MonkeyPatch):
    offer(shop, points=10, limits={"day": 1, "ever": 2})
    redeem(shop, "r-1")
    assert redeem(shop, "r-2").json["period"] == "day"
    it_is(monkeypatch, NOW + timedelta(days=1))
    redeem(shop, "r-2")
    assert redeem(shop, "r-3").json["period"] == "ever"


def test_what_somebody_had_before_they_were_merged_counts(shop: Api):
    desk.enrol(shop, "c-43", points=100)
    redeem(shop, "r-1", "c-43")
    redeem(shop, "r-2", "c-43")
    redeem(shop, "r-3")
    assert redeem(shop, "r-4").status_code == 201
    cancel(shop, "r-4")

    assert merge(shop, "c-43", "c-42").status_code == 200

    assert refused(redeem(shop, "r-5")) == LIMIT
    cancel(shop, "r-1")
    assert redeem(shop, "r-5").status_code == 201


def test_another_reward_has_a_limit_of_its_own(shop: Api):
    offer(shop, "tea", points=10, limits={"ever": 1})
    for number in range(3):
        redeem(shop, f"r-{number}")

    assert redeem(shop, "r-3", reward="tea").status_code == 201
    assert refused(redeem(shop, "r-4", reward="tea")) == LIMIT


@pytest.mark.parametrize("wish", [redeem, hold])
def test_of_thirty_two_at_once_three_have_it(shop: Api, wish):
    answers = in_parallel(32, lambda number: wish(shop, f"r-{number}"))

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [422] * 29
    assert {answer.json["code"] for answer in answers if answer.status_code == 422} == {"limit-reached"}
    assert buckets(shop)["available"] == 970
