"""Two phases as a checkout uses them: hold, wait for the payment, confirm; over several processes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.rewards import desk
from tests.rewards.desk import TTL, cancel, confirm, facts, fulfil, hold, left, offer, redeem, upload
from tests.shop import at, buckets, entries, pointers, refused, story

OVER = NOW + timedelta(seconds=TTL)


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop with ten of a reward for 30 points that gives a code. Its member c-42 has 100 points."""
    it_is(monkeypatch, NOW)
    desk.enrol(api)
    offer(api, points=30, stock=10)
    return api


def test_a_redemption_from_the_hold_to_the_parcel(shop: Api, monkeypatch: pytest.MonkeyPatch):
    held = hold(shop).json
    assert held == {
        "redemption_id": "r-1", "reward": "five-off", "status": "held", "points": 30, "expires_at": at(OVER),
        "voucher": None, "balance": {"available": 70, "pending": 0, "held": 30, "debt": 0},
    }  # fmt: skip
    it_is(monkeypatch, NOW + timedelta(minutes=1))
    confirmed = confirm(shop).json
    assert (confirmed["status"], confirmed["expires_at"]) == ("confirmed", None)
    assert confirmed["balance"] == {"available": 70, "pending": 0, "held": 0, "debt": 0}
    it_is(monkeypatch, NOW + timedelta(days=1))
    assert fulfil(shop, reference="parcel 7").json["reference"] == "parcel 7"

    found = shop.get("/v1/redemptions/r-1").json
    shown = ("status", "redeemed_at", "confirmed_at", "fulfilled_at", "closed_at", "reference")
    assert [found[name] for name in shown] == [
        "fulfilled", at(NOW), "2026-03-01T12:01:00Z", "2026-03-02T12:00:00Z", None, "parcel 7",
    ]  # fmt: skip
    assert facts(shop) == ["held", "confirmed", "fulfilled"]
    assert story(shop)[1:] == [("hold", -30), ("redeem", -30)]
    assert {each["reference"] for each in entries(shop)[1:]} == {"redemption/r-1"}


def test_what_is_held_can_neither_be_spent_nor_held_again(shop: Api):
    for number in range(3):
        hold(shop, f"r-{number}")

    answer = redeem(shop, "r-3")

    assert refused(answer) == (422, "insufficient-points")
    assert (answer.json["required"], answer.json["available"], answer.json["missing"]) == (30, 10, 20)
    assert (left(shop), buckets(shop)) == (7, {"available": 10, "held": 90})


def test_a_refused_hold_takes_nothing(shop: Api):
    offer(shop, points=30, stock=0)
    offer(shop, "dear", points=101, stock=5)

    assert refused(hold(shop)) == (422, "out-of-stock")
    assert refused(hold(shop, reward="dear")) == (422, "insufficient-points")

    assert (left(shop, "dear"), buckets(shop), facts(shop)) == (5, {"available": 100}, [])
    assert refused(confirm(shop)) == (404, "redemption-not-found")


def test_the_hold_of_a_redemption_is_resolved_as_a_redemption_only(shop: Api):
    hold(shop)

    assert shop.post("/v1/holds/redemption%2Fr-1/capture", {}).status_code == 404
    assert shop.post("/v1/holds/r-1/release").status_code == 404
    assert buckets(shop) == {"available": 70, "held": 30}


def test_an_id_is_taken_for_every_reward_way_and_length(shop: Api):
    hold(shop)
    offer(shop, "tea", points=10)

    for other in (redeem(shop), hold(shop, seconds=60), hold(shop, reward="tea")):
        assert refused(other) == (409, "idempotency-conflict")


@pytest.mark.parametrize("seconds", [0, -1, 604_801, "60"])
def test_a_hold_lasts_from_a_second_to_a_week(shop: Api, seconds: object):
    assert pointers(hold(shop, seconds=seconds)) == ["/hold_seconds"]


def test_a_redemption_at_once_has_no_length(shop: Api):
    wish = {"reward": "five-off", "redemption_id": "r-1", "hold_seconds": 60}
    assert pointers(shop.post("/v1/members/c-42/redemptions", wish)) == ["/hold_seconds"]


def test_one_of_a_pool_is_kept_and_given_when_it_is_confirmed(shop: Api):
    offer(shop, points=30, fulfilment="pool")
    codes = upload(shop, 2)
    hold(shop, "r-1")
    hold(shop, "r-2")
    assert (left(shop), refused(redeem(shop, "r-3"))) == (0, (422, "out-of-stock"))

    cancel(shop, "r-1")

    assert left(shop) == 1
    assert confirm(shop, "r-2").json["voucher"]["code"] == codes[0]
    assert redeem(shop, "r-3").json["voucher"]["code"] == codes[1]


def test_a_code_of_a_pool_that_was_shown_is_given_to_nobody_else(shop: Api):
    offer(shop, points=30, fulfilment="pool")
    upload(shop, 1)
    redeem(shop, "r-1")

    cancel(shop, "r-1")

    assert (left(shop), refused(redeem(shop, "r-2")), buckets(shop)) == (0, (422, "out-of-stock"), {"available": 100})


def test_two_clients_confirm_at_once_and_are_told_the_same(shop: Api):
    hold(shop)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: confirm(shop), range(2)))

    assert answers[0].data == answers[1].data
    assert (left(shop), buckets(shop)) == (9, {"available": 70})
