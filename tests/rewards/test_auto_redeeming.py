"""Rewards redeemed by themselves: whether, how often, for whom, and in which order with all else."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.db.session import transaction
from loyalty.ledger import settlement
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.rewards.automation import give_by_itself, noticed, redeemed, serve, waits, withdraw
from tests.shop import (
    A_DAY,
    adjust,
    at,
    buckets,
    buy,
    configure,
    configure_units,
    give_back,
    in_days,
    lots,
    pay,
    publish_ladder,
    refused,
    story,
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


def settings(api: Api, **given):
    etag = api.get("/v1/admin/program").headers["ETag"]
    return api.patch("/v1/admin/program", given, headers={"If-Match": etag})


# The setting


def test_nothing_is_redeemed_by_itself_unless_the_program_says_so(api: Api):
    assert api.get("/v1/admin/program").json["auto_redeem"] is None
    api.enrol()

    buy(api, "A-1", amount=50_000)

    assert (noticed(api), serve(api)) == ([], 0)


def test_the_setting_is_shown_and_taken_back(shop: Api):
    assert shop.get("/v1/admin/program").json["auto_redeem"] == {"reward": "five-off"}
    buy(shop, "A-1")

    configure(shop, auto_redeem=None)

    assert shop.get("/v1/admin/program").json["auto_redeem"] is None
    assert (serve(shop), noticed(shop), redeemed(shop)) == (1, [], [])
    buy(shop, "A-2")
    assert noticed(shop) == []


def test_a_reward_that_nobody_can_have_is_refused(api: Api):
    reward = {"name": "Tea", "type": "free_product", "points": 10, "value": {"sku": "TEA"}}
    for code, given in (("tea", {}), ("gone", {"fulfilment": "code"})):
        assert api.put(f"/v1/admin/rewards/{code}", {**reward, **given}).status_code == 201
    withdraw(api, "gone")

    for code in ("nothing", "tea", "gone"):
        answer = settings(api, auto_redeem={"reward": code})
        assert refused(answer) == (422, "auto-redeem-impossible")
        assert answer.json["reward"] == code
    assert api.get("/v1/admin/program").json["auto_redeem"] is None


def test_a_configuration_may_bring_the_reward_along(api: Api):
    exported = api.get("/v1/admin/config").json
    exported["program"]["auto_redeem"] = {"reward": "five-off"}
    reward = {"code": "five-off", "name": "5 off", "type": "discount_amount", "points": 100, "value": {"amount": 500}}
    exported["rewards"] = [{**reward, "fulfilment": "code"}]

    answer = api.post("/v1/admin/config/import", exported)

    assert answer.status_code == 200, answer.json
    api.enrol()
    buy(api, "A-1")
    assert noticed(api) == ["c-42"]


# Redeeming


def test_when_the_points_suffice_a_voucher_is_issued(shop: Api):
    buy(shop, "A-1", amount=9_900)
    assert (noticed(shop), serve(shop)) == ([], 0)

    buy(shop, "A-2", amount=100)
    assert (noticed(shop), serve(shop)) == (["c-42"], 1)

    (made,) = redeemed(shop)
    assert (made["status"], made["points"], made["reason"]) == ("confirmed", 100, "automatic")
    assert made["redemption_id"].startswith("auto:")
    assert len(made["redemption_id"]) == 5 + 32
    assert made["voucher"]["value"]["amount"] == 500
    assert buckets(shop) == {}
    assert story(shop) == [("earn", 99), ("earn", 1), ("redeem", -100)]
    assert shop.get(f"/v1/redemptions/{made['redemption_id']}").json == made
    assert (noticed(shop), waits(shop), serve(shop)) == ([], [], 0)


def test_it_is_told_how_it_came_about(shop: Api):
    buy(shop, "A-1")
    serve(shop)

    told = shop.get("/v1/events?type=redemption.confirmed").json["data"]

    assert [(fact["data"]["reason"], fact["data"]["reward"], fact["customer_id"]) for fact in told] == [
        ("automatic", "five-off", "c-42")
    ]


def test_as_often_as_the_points_suffice(shop: Api):
    buy(shop, "A-1", amount=35_000)

    serve(shop)

    assert len(redeemed(shop)) == 3
    assert buckets(shop) == {"available": 50}


def test_ten_at_a_time_and_the_rest_the_next_time(shop: Api):
    buy(shop, "A-1", amount=233_000)

    assert serve(shop) == 3

    assert len(redeemed(shop)) == 23
    assert (buckets(shop), noticed(shop)) == ({"available": 30}, [])


def test_exactly_ten_leave_nothing_to_do(shop: Api):
    buy(shop, "A-1", amount=100_000)

    assert serve(shop) == 1

    assert (len(redeemed(shop)), noticed(shop), waits(shop)) == (10, [], [])


def test_the_points_that_lapse_first_are_spent(shop: Api):
    configure_units(shop, points=({"mode": "immediate"}, {"mode": "rolling", "days": 20}))
    buy(shop, "A-1", amount=6_000)
    configure_units(shop, points=({"mode": "immediate"}, {"mode": "rolling", "days": 10}))
    buy(shop, "A-2", amount=6_000)

    serve(shop)

    assert lots(shop) == [(20, "2026-03-22T00:00:00Z")]


@pytest.mark.parametrize("earn", [lambda api: adjust(api, 100), lambda api: buy(api, "A-1")])
def test_however_the_points_came(shop: Api, earn):
    earn(shop)

    assert serve(shop) == 1
    assert len(redeemed(shop)) == 1


def test_what_was_spent_meanwhile_is_nothing_to_wait_for(shop: Api):
    buy(shop, "A-1")
    pay(shop, 1)

    assert serve(shop) == 1

    assert (redeemed(shop), waits(shop), noticed(shop)) == ([], [], [])


def test_who_has_declined_gets_nothing_until_they_change_their_mind(shop: Api):
    shop.enrol("c-42", attributes={"auto_redeem": False})
    buy(shop, "A-1")

    serve(shop)
    assert (redeemed(shop), waits(shop)) == ([], [("c-42", "declined", in_days(1))])

    shop.enrol("c-42", attributes={"auto_redeem": True})
    serve(shop, NOW + A_DAY)
    assert (len(redeemed(shop)), waits(shop)) == (1, [])


def test_who_is_suspended_waits_and_who_is_closed_or_merged_is_forgotten(shop: Api):
    for customer_id in ("c-1", "c-2", "c-3"):
        shop.enrol(customer_id)
        buy(shop, f"A-{customer_id}", customer_id=customer_id)
    shop.post("/v1/members/c-1/suspend")
    shop.post("/v1/members/c-2/close")
    shop.post("/v1/members/c-3/merge", {"into": "c-42"})

    serve(shop)

    assert waits(shop) == [("c-1", "member-suspended", in_days(1))]
    assert [len(redeemed(shop, customer_id)) for customer_id in ("c-1", "c-2", "c-42")] == [0, 0, 1]
    assert noticed(shop) == []


# The order of things at one instant


def test_points_that_mature_are_noticed_when_that_is_recorded(shop: Api, monkeypatch: pytest.MonkeyPatch):
    configure_units(shop, points=({"mode": "delay", "days": 14}, {"mode": "never"}))
    buy(shop, "A-1")
    assert noticed(shop) == []
    later = NOW + 14 * A_DAY
    it_is(monkeypatch, later)

    with shop.app.app_context(), transaction() as session:
        settlement.settle_program(session, shop.program.program_id, now=later)

    assert (noticed(shop), serve(shop, later)) == (["c-42"], 1)
    assert story(shop) == [("earn", 100), ("mature", 100), ("redeem", -100)]


def test_a_point_that_lapses_at_that_instant_is_gone(shop: Api, monkeypatch: pytest.MonkeyPatch):
    configure_units(shop, points=({"mode": "immediate"}, {"mode": "rolling", "days": 10}))
    buy(shop, "A-1")
    lapses = NOW.replace(hour=0) + 11 * A_DAY
    it_is(monkeypatch, lapses)

    serve(shop, lapses)

    assert (redeemed(shop), waits(shop), noticed(shop)) == ([], [], [])


def test_a_point_that_matures_at_the_instant_at_which_others_lapse_counts_and_those_do_not(
    shop: Api, monkeypatch: pytest.MonkeyPatch
):
    midnight = NOW.replace(hour=0) + 11 * A_DAY
    configure_units(shop, points=({"mode": "immediate"}, {"mode": "rolling", "days": 10}))
    buy(shop, "A-1", amount=9_900)
    configure_units(shop, points=({"mode": "delay", "days": 10}, {"mode": "never"}))
    buy(shop, "A-2", amount=10_000, placed_at=at(midnight - 10 * A_DAY - AN_HOUR * 12))
    it_is(monkeypatch, midnight)

    with shop.app.app_context(), transaction() as session:
        settlement.settle_program(session, shop.program.program_id, now=midnight)
    serve(shop, midnight)

    assert [made["points"] for made in redeemed(shop)] == [100]
    assert ("expire", -99) in story(shop)


@pytest.mark.parametrize(
    ("before", "prices", "reasons"), [(timedelta(seconds=1), [80], []), (timedelta(0), [], ["insufficient-points"])]
)
def test_the_tier_that_ends_at_that_instant_gives_no_price(
    api: Api, monkeypatch: pytest.MonkeyPatch, before: timedelta, prices: list[int], reasons: list[str]
):
    publish_ladder(
        api,
        {"code": "basic", "threshold": 0},
        {"code": "gold", "threshold": 9_000},
        window={"mode": "rolling", "months": 1},
        validity={"mode": "months", "months": 1},
    )
    give_by_itself(api, points=100, points_by_tier={"gold": 80}, valid_from=in_days(1), early_access=False)
    api.enrol()
    buy(api, "A-1", amount=9_000)
    serve(api)
    then = datetime(2026, 4, 2, tzinfo=UTC) - before
    it_is(monkeypatch, then)

    serve(api, then)

    assert [made["points"] for made in redeemed(api)] == prices
    assert [reason for _, reason, _ in waits(api)] == reasons


@pytest.mark.parametrize(("policy", "left"), [("clamp", {}), ("debt", {"debt": 100})])
def test_a_return_after_the_voucher_was_issued_is_forgiven_or_owed(shop: Api, policy: str, left: dict[str, int]):
    configure(shop, returns={"policy": policy})
    buy(shop, "A-1")
    serve(shop)

    assert give_back(shop, "A-1", {"1": 1}).status_code == 201

    assert (buckets(shop), len(redeemed(shop)), redeemed(shop)[0]["status"]) == (left, 1, "confirmed")
    assert serve(shop) == 0


def test_what_is_cancelled_gives_its_points_back_and_is_redeemed_again(shop: Api):
    buy(shop, "A-1")
    serve(shop)
    (made,) = redeemed(shop)

    shop.post(f"/v1/redemptions/{made['redemption_id']}/cancel", {"reason": "no"})

    assert serve(shop) == 1
    assert [each["status"] for each in redeemed(shop)] == ["confirmed", "cancelled"]
