"""What members use of what they are offered: rewards and offers, as long as nothing was taken back."""

from datetime import timedelta

import pytest

from loyalty.features.decay import HABIT, as_of
from loyalty.features.domain import NO_FEATURES, Buying
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.learning.learned import assert_as_rebuilt, features, learned, rows
from tests.offers.shelf import an_offer, give, publish
from tests.rewards import desk
from tests.rewards.desk import cancel, confirm, hold, redeem
from tests.shop import buy, give_back, merge


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    it_is(monkeypatch, NOW)
    desk.enrol(api, points=500)
    desk.offer(api)
    return api


def used(shop: Api, customer_id: str = "c-42") -> tuple[int, float]:
    buying = features(shop, customer_id).buying
    return buying.redeemed, round(as_of(buying.redeemed_weight, NOW + HABIT, HABIT), 3)


def test_rewards_that_were_confirmed_count_and_count_less_with_time(shop: Api):
    redeem(shop, "r-1")
    hold(shop, "r-2")
    learned(shop)
    assert used(shop) == (1, 0.5)

    confirm(shop, "r-2")
    learned(shop)
    assert used(shop) == (2, 1.0)
    assert features(shop).buying.orders == 0
    assert_as_rebuilt(shop)


def test_what_was_cancelled_was_not_used(shop: Api):
    redeem(shop, "r-1")
    redeem(shop, "r-2")
    learned(shop)
    cancel(shop, "r-1")
    learned(shop)
    assert used(shop) == (1, 0.5)

    cancel(shop, "r-2")
    learned(shop)
    assert features(shop) == NO_FEATURES
    assert rows(shop)["member_features"] == []


def test_what_was_used_goes_to_who_stays(shop: Api):
    desk.enrol(shop, "c-1")
    redeem(shop, "r-1", "c-1")
    redeem(shop, "r-2")
    buy(shop, "o-1")
    learned(shop)
    assert merge(shop, "c-1", "c-42").status_code == 200
    learned(shop)

    assert used(shop) == (2, 1.0)
    assert features(shop, "c-1").buying == Buying()
    assert_as_rebuilt(shop)


def test_offers_count_until_they_are_given_back(shop: Api):
    publish(shop, an_offer(), an_offer("other"))
    give(shop)
    for status in ("expired", "dismissed"):
        give(shop, offer="other", activated=NOW - timedelta(days=30), status=status)
    buy(shop, "A-1")
    learned(shop)
    assert used(shop) == (1, 0.5)

    give_back(shop, "A-1", {"1": 1})
    learned(shop)

    assert features(shop) == NO_FEATURES
    assert_as_rebuilt(shop)
