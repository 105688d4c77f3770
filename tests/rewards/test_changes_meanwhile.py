"""The reward, or the member, changes while something is held: what was promised is given, nothing is counted twice."""

from datetime import timedelta

import pytest

from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.rewards import desk
from tests.rewards.desk import cancel, confirm, fulfil, hold, left, offer, redeem
from tests.shop import buckets, merge, refused, replayed

OVER = NOW + timedelta(seconds=desk.TTL)


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop with five of a reward for 30 points that gives a code. Its member c-42 has 100 points."""
    it_is(monkeypatch, NOW)
    desk.enrol(api)
    offer(api, points=30, stock=5)
    return api


def test_a_withdrawn_reward_that_is_held_is_confirmed_and_given_back(shop: Api):
    hold(shop, "r-1")
    hold(shop, "r-2")
    assert shop.post("/v1/admin/rewards/five-off/withdraw").status_code == 200

    assert refused(hold(shop, "r-3")) == (404, "reward-not-found")
    assert confirm(shop, "r-1").json["voucher"] is not None
    assert cancel(shop, "r-2").status_code == 200
    assert (buckets(shop), left(shop)) == ({"available": 70}, 4)


def test_what_is_held_is_given_as_it_was_promised_and_costs_what_it_did(shop: Api):
    hold(shop)
    offer(shop, points=90, value={"amount": 900}, stock=0)

    given = confirm(shop).json

    assert (given["points"], given["voucher"]["value"]["amount"]) == (30, 500)
    assert (buckets(shop), left(shop)) == ({"available": 70}, 0)


def test_what_is_held_of_a_reward_that_has_no_end_any_more_leaves_it_without_end(shop: Api):
    hold(shop, "r-1")
    hold(shop, "r-2")
    offer(shop, points=30, stock=None)

    assert confirm(shop, "r-1").status_code == cancel(shop, "r-2").status_code == 200
    assert (buckets(shop), left(shop)) == ({"available": 70}, None)


def test_what_was_held_of_a_stock_is_nothing_to_a_pool(shop: Api, monkeypatch: pytest.MonkeyPatch):
    for number in range(3):
        hold(shop, f"r-{number}")
    offer(shop, points=10, fulfilment="pool")
    desk.upload(shop, 2)
    assert left(shop) == 2

    assert confirm(shop, "r-0").json["voucher"] is not None
    assert cancel(shop, "r-1").status_code == 200
    it_is(monkeypatch, OVER)
    assert desk.expire(shop, OVER) == 1

    assert left(shop) == 2
    given = [redeem(shop, f"p-{number}") for number in range(3)]
    assert [answer.status_code for answer in given] == [201, 201, 422]
    assert {answer.json["voucher"]["code"] for answer in given[:2]} == {"GIFT-CARD-0000", "GIFT-CARD-0001"}
    assert cancel(shop, "r-0").status_code == 200
    assert left(shop) == 0


def test_who_holds_one_of_a_pool_has_a_code_whatever_the_reward_gives_meanwhile(shop: Api):
    offer(shop, points=10, fulfilment="pool")
    desk.upload(shop, 3)
    hold(shop, "p-1")
    hold(shop, "p-2")
    offer(shop, points=10, stock=5)
    assert left(shop) == 5
    assert cancel(shop, "p-2").status_code == 200
    assert left(shop) == 5
    offer(shop, points=10, fulfilment="pool")
    assert left(shop) == 2
    redeem(shop, "p-3")
    redeem(shop, "p-4")
    assert refused(redeem(shop, "p-5")) == (422, "out-of-stock")

    assert confirm(shop, "p-1").json["voucher"]["code"].startswith("GIFT-CARD")


def test_what_is_left_is_what_the_edit_says_even_if_somebodys_time_is_over(shop: Api, monkeypatch: pytest.MonkeyPatch):
    hold(shop, "r-1")
    it_is(monkeypatch, OVER)
    hold(shop, "r-2")
    offer(shop, points=30, stock=7)
    assert left(shop) == 7

    desk.expire(shop, OVER)
    cancel(shop, "r-2")

    assert left(shop) == 8


@pytest.mark.parametrize("becomes", ["suspend", "close"])
def test_what_is_under_way_ends_whatever_becomes_of_the_member(shop: Api, becomes: str):
    for number in (1, 2, 3):
        assert hold(shop, f"r-{number}").status_code == 201
    confirm(shop, "r-1")
    assert shop.post(f"/v1/members/c-42/{becomes}", {}).status_code == 200

    assert cancel(shop, "r-1").status_code == confirm(shop, "r-2").status_code == cancel(shop, "r-3").status_code == 200
    assert fulfil(shop, "r-2").status_code == 200
    assert refused(hold(shop, "r-4"))[0] in (403, 409, 422)
    assert (buckets(shop), left(shop)) == ({"available": 70}, 4)


def test_who_holds_something_is_not_merged_and_what_they_had_comes_back_to_who_they_are_now(
    shop: Api, monkeypatch: pytest.MonkeyPatch
):
    desk.enrol(shop, "c-43", points=5)
    redeem(shop, "r-1")
    hold(shop, "r-2")
    assert refused(merge(shop, "c-42", "c-43"))[1] == "holds-open"
    it_is(monkeypatch, OVER)
    assert merge(shop, "c-42", "c-43").status_code == 200

    assert refused(confirm(shop, "r-2")) == (409, "redemption-resolved")
    assert cancel(shop, "r-1").json["balance"]["available"] == 105
    assert replayed(cancel(shop, "r-1"))
    assert desk.expire(shop, OVER) == 1
    assert (buckets(shop, "c-43"), left(shop)) == ({"available": 105}, 5)
    assert ("redemption.cancelled", OVER, "c-43") in desk.told(shop)
