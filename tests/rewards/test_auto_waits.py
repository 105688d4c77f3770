"""Rewards that cannot be redeemed by themselves now: why, and when that is tried again."""

from datetime import timedelta
from unittest import mock

import pytest

from loyalty.rewards import service
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.rewards.automation import give_by_itself, redeemed, serve, waits
from tests.shop import (
    A_DAY,
    at,
    buckets,
    buy,
    configure,
    in_days,
    pay,
    publish_ladder,
)

AN_HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop that gives 5 off for each 100 points, by itself, and a member."""
    give_by_itself(api)
    api.enrol()
    return api


def test_what_is_out_of_stock_is_tried_again_in_an_hour(api: Api):
    give_by_itself(api, stock=1)
    api.enrol()
    buy(api, "A-1", amount=20_000)

    serve(api)
    assert (len(redeemed(api)), waits(api)) == (1, [("c-42", "out-of-stock", at(NOW + AN_HOUR))])
    assert buckets(api) == {"available": 100}

    api.post("/v1/admin/rewards/five-off/stock", {"change": 1}, headers={"Idempotency-Key": "one more"})
    assert serve(api, NOW + AN_HOUR - timedelta(seconds=1)) == 0
    assert serve(api, NOW + AN_HOUR) == 1
    assert (len(redeemed(api)), waits(api)) == (2, [])


def test_an_empty_pool_leaves_nothing_half_done(api: Api):
    give_by_itself(api, fulfilment="pool")
    api.post("/v1/admin/rewards/five-off/codes", {"codes": ["GIFT-1"]}, headers={"Idempotency-Key": "codes"})
    api.enrol()
    buy(api, "A-1", amount=20_000)

    serve(api)

    (made,) = redeemed(api)
    assert made["voucher"]["code"] == "GIFT-1"
    assert (buckets(api), waits(api)) == ({"available": 100}, [("c-42", "out-of-stock", at(NOW + AN_HOUR))])


def test_a_limit_is_waited_for_until_its_period_is_over(api: Api, monkeypatch: pytest.MonkeyPatch):
    give_by_itself(api, limits={"month": 2})
    api.enrol()
    buy(api, "A-1", amount=50_000)

    serve(api)
    assert (len(redeemed(api)), waits(api)) == (2, [("c-42", "limit-reached", "2026-04-01T00:00:00Z")])

    it_is(monkeypatch, NOW + 31 * A_DAY)
    serve(api, NOW + 31 * A_DAY)
    assert (len(redeemed(api)), waits(api)) == (4, [("c-42", "limit-reached", "2026-05-01T00:00:00Z")])


def test_a_window_is_waited_for_until_it_opens_and_not_after_it_closed(api: Api, monkeypatch: pytest.MonkeyPatch):
    give_by_itself(api, valid_from=in_days(2), valid_to=in_days(3))
    for customer_id in ("c-1", "c-2"):
        api.enrol(customer_id)
        buy(api, f"A-{customer_id}", customer_id=customer_id, amount=10_000)
    serve(api)
    assert waits(api) == [("c-1", "not-started", in_days(2)), ("c-2", "not-started", in_days(2))]

    it_is(monkeypatch, NOW + 2 * A_DAY)
    serve(api, NOW + 2 * A_DAY)
    assert [len(redeemed(api, customer_id)) for customer_id in ("c-1", "c-2")] == [1, 1]
    buy(api, "A-3", customer_id="c-1")
    serve(api, NOW + 3 * A_DAY)

    assert waits(api) == [("c-1", "ended", None)]


def test_a_condition_is_asked_again_every_day_and_with_every_change_of_points(api: Api):
    give_by_itself(api, when="member.attributes.newsletter == true")
    api.enrol()
    buy(api, "A-1", amount=10_000)
    serve(api)
    assert waits(api) == [("c-42", "condition-not-met", in_days(1))]

    api.enrol("c-42", attributes={"newsletter": True})
    assert serve(api) == 0
    buy(api, "A-2", amount=100)
    serve(api)

    assert (len(redeemed(api)), waits(api)) == (1, [])


def test_the_tier_decides_who_has_it_and_for_how_much(api: Api):
    publish_ladder(api, {"code": "basic", "threshold": 0}, {"code": "gold", "threshold": 15_000})
    give_by_itself(api, points=120, points_by_tier={"gold": 80}, tiers=["gold"])
    api.enrol()
    buy(api, "A-1", amount=10_000)
    serve(api)
    assert waits(api) == [("c-42", "tier-too-low", in_days(1))]

    buy(api, "A-2", amount=5_000)
    serve(api)

    assert [made["points"] for made in redeemed(api)] == [80]
    assert (buckets(api), waits(api)) == ({"available": 70}, [])


def test_who_has_enough_for_another_tier_only_is_not_redeemed_for(api: Api):
    publish_ladder(api, {"code": "basic", "threshold": 0}, {"code": "gold", "threshold": 50_000})
    give_by_itself(api, points_by_tier={"gold": 80})
    api.enrol()

    buy(api, "A-1", amount=9_000)
    serve(api)

    assert (redeemed(api), waits(api)) == ([], [("c-42", "insufficient-points", in_days(1))])


def test_books_that_contradict_themselves_hold_up_nobody(shop: Api):
    shop.enrol("c-43")
    buy(shop, "A-1")
    buy(shop, "A-2", customer_id="c-43")
    redeem, broken = service.redeem_for, shop.get("/v1/members/c-42").json["customer_id"]

    def unsound(session, program_id, member, *args, **kwargs):
        assert member.customer_id != broken
        return redeem(session, program_id, member, *args, **kwargs)

    with mock.patch("loyalty.rewards.auto_redeeming.redeem_for", unsound):
        assert serve(shop) == 2

    assert (len(redeemed(shop, "c-43")), waits(shop)) == (1, [("c-42", "books-unsound", at(NOW + AN_HOUR))])


def test_who_has_spent_the_points_elsewhere_waits_no_more(api: Api):
    give_by_itself(api, stock=0)
    api.enrol()
    buy(api, "A-1")
    serve(api)
    assert len(waits(api)) == 1

    pay(api, 1)

    assert waits(api) == []
    assert (serve(api, NOW + A_DAY), serve(api, NOW + 9 * A_DAY)) == (1, 0)


def test_nobody_waits_for_what_the_program_no_longer_gives(api: Api):
    give_by_itself(api, stock=0)
    api.enrol()
    buy(api, "A-1")
    serve(api)

    configure(api, auto_redeem=None)

    assert waits(api) == []


def test_those_who_wait_are_told_page_by_page(api: Api):
    give_by_itself(api, stock=0)
    for number in range(5):
        api.enrol(f"c-{number}")
        buy(api, f"A-{number}", customer_id=f"c-{number}")
    serve(api)

    found, after = [], ""
    while True:
        page = api.get(f"/v1/admin/automatic-redemption/waits?limit=2{after}").json
        found.append([wait["customer_id"] for wait in page["data"]])
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert found == [["c-0", "c-1"], ["c-2", "c-3"], ["c-4"]]
