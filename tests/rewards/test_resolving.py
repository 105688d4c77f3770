"""What becomes of a redemption: every verb in every state, and what points, stock, voucher and facts are afterwards."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.rewards import desk
from tests.rewards.desk import TTL, cancel, confirm, facts, fulfil, hold, left, offer, redeem, status
from tests.shop import (
    adjust,
    at,
    buckets,
    configure,
    configure_units,
    in_days,
    lots,
    merge,
    refused,
    replayed,
    story,
)

LATER = NOW + timedelta(minutes=10)
OVER = NOW + timedelta(seconds=TTL)
GOODS = {"points": 30, "stock": 5}

Verb = Callable[[Api], Any]
VERBS: dict[str, Verb] = {"redeem": hold, "confirm": confirm, "cancel": cancel, "fulfil": fulfil}


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop with five of a reward for 30 points that gives a code. Its member c-42 has 100 points."""
    it_is(monkeypatch, NOW)
    desk.enrol(api)
    offer(api, **GOODS)
    return api


def _expired(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(api)
    it_is(monkeypatch, OVER)


def _recorded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    _expired(api, monkeypatch)
    assert desk.expire(api, OVER) == 1


# How each state is reached.
STATES: dict[str, Any] = {
    "held": [hold],
    "confirmed": [hold, confirm],
    "confirmed at once": [redeem],
    "fulfilled": [hold, confirm, fulfil],
    "fulfilled at once": [redeem, fulfil],
    "cancelled while held": [hold, cancel],
    "cancelled when confirmed": [hold, confirm, cancel],
    "cancelled at once": [redeem, cancel],
    "expired": _expired,
    "expired and recorded": _recorded,
}
CONFIRMED, FULFILLED, CANCELLED, EXPIRED = (
    (409, f"redemption-resolved/{status}") for status in ("confirmed", "fulfilled", "cancelled", "expired")
)
NOT_YET = (409, "redemption-not-confirmed")
REPLAY = (0, "replay")
# state -> what confirm, cancel and fulfil are answered with: a new status, the first answer again, or a refusal.
TABLE: dict[str, tuple[Any, Any, Any]] = {
    "held": ((200, "confirmed"), (200, "cancelled"), NOT_YET),
    "confirmed": (REPLAY, (200, "cancelled"), (200, "fulfilled")),
    "confirmed at once": (CONFIRMED, (200, "cancelled"), (200, "fulfilled")),
    "fulfilled": (REPLAY, FULFILLED, REPLAY),
    "fulfilled at once": (FULFILLED, FULFILLED, REPLAY),
    "cancelled while held": (CANCELLED, REPLAY, CANCELLED),
    "cancelled when confirmed": (CANCELLED, REPLAY, CANCELLED),
    "cancelled at once": (CANCELLED, REPLAY, CANCELLED),
    "expired": (EXPIRED, EXPIRED, EXPIRED),
    "expired and recorded": (EXPIRED, EXPIRED, EXPIRED),
}
# status -> what the member has, what is left of five, and what was told of it.
OUTCOMES: dict[str, tuple[dict[str, int], int]] = {
    "held": ({"available": 70, "held": 30}, 4),
    "confirmed": ({"available": 70}, 4),
    "fulfilled": ({"available": 70}, 4),
    "cancelled": ({"available": 100}, 5),
    "expired": ({"available": 100}, 5),
}


def bring_to(api: Api, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = STATES[state]
    if callable(steps):
        steps(api, monkeypatch)
        return
    for step in steps:
        assert step(api).status_code in (200, 201)
    it_is(monkeypatch, LATER)


@pytest.mark.parametrize("state", STATES)
def test_points_and_stock_are_what_the_status_says(shop: Api, state: str, monkeypatch: pytest.MonkeyPatch):
    bring_to(shop, state, monkeypatch)

    is_now = status(shop)

    assert is_now == state.split(" ")[0]
    assert (buckets(shop), left(shop)) == OUTCOMES[is_now]


@pytest.mark.parametrize("verb", ["confirm", "cancel", "fulfil"])
@pytest.mark.parametrize("state", STATES)
def test_every_verb_in_every_state(shop: Api, state: str, verb: str, monkeypatch: pytest.MonkeyPatch):
    bring_to(shop, state, monkeypatch)
    before, told = status(shop), facts(shop)
    expected, what = TABLE[state][("confirm", "cancel", "fulfil").index(verb)]

    answer = VERBS[verb](shop)

    if what == "replay":
        assert (answer.status_code, replayed(answer)) == (200, True)
        assert (status(shop), facts(shop)) == (before, told)
    elif expected == 200:
        assert (answer.status_code, answer.json["status"], replayed(answer)) == (200, what, False)
        assert (status(shop), facts(shop)) == (what, [*told, what])
        again = VERBS[verb](shop)
        assert (again.status_code, again.data, replayed(again)) == (200, answer.data, True)
    else:
        code, _, resolved = what.partition("/")
        assert refused(answer) == (expected, code)
        assert answer.json.get("redemption_status", "") == resolved
        assert (status(shop), facts(shop)) == (before, told)
    assert (buckets(shop), left(shop)) == OUTCOMES[status(shop)]


@pytest.mark.parametrize("state", [state for state in STATES if not state.endswith("at once")])
def test_the_first_request_again_is_the_first_answer_in_every_state(
    shop: Api, state: str, monkeypatch: pytest.MonkeyPatch
):
    first = hold(shop)
    bring_to(shop, state, monkeypatch)
    before = status(shop)

    again = hold(shop)

    assert (again.status_code, again.data, replayed(again)) == (201, first.data, True)
    assert (status(shop), *(buckets(shop), left(shop))) == (before, *OUTCOMES[before])


@pytest.mark.parametrize("verb", ["confirm", "cancel", "fulfil"])
def test_of_what_was_never_redeemed_there_is_nothing_to_resolve(shop: Api, verb: str):
    assert refused(VERBS[verb](shop)) == (404, "redemption-not-found")


def test_a_refusal_says_what_the_redemption_is_since_when(shop: Api, monkeypatch: pytest.MonkeyPatch):
    _expired(shop, monkeypatch)

    answer = confirm(shop)

    assert answer.json["detail"] == f"Redemption 'r-1' is already expired, since {OVER.isoformat()}."
    assert (answer.json["redemption_status"], answer.json["resolved_at"]) == ("expired", at(OVER))


# Vouchers


def test_the_code_is_given_with_the_confirmation_and_not_before(shop: Api):
    assert hold(shop).json["voucher"] is None

    given = confirm(shop).json["voucher"]

    assert given == shop.get("/v1/redemptions/r-1").json["voucher"]
    assert fulfil(shop, reference="parcel 7").json["voucher"] == given
    assert shop.get(f"/v1/vouchers/{given['code']}").json["status"] == "active"


def test_a_cancelled_redemption_voids_its_code(shop: Api):
    code = redeem(shop).json["voucher"]["code"]

    assert cancel(shop, reason="changed their mind").json["voucher"] is None

    voucher = shop.get(f"/v1/vouchers/{code}").json
    assert (voucher["status"], voucher["void_reason"]) == ("void", "redemption cancelled")
    assert shop.get("/v1/redemptions/r-1").json["reason"] == "changed their mind"


def test_whoever_used_the_code_cannot_cancel_until_it_is_released(shop: Api):
    code = redeem(shop).json["voucher"]["code"]
    use = {"order_id": "o-1", "customer_id": "c-42", "order_total": 2000}
    assert shop.post(f"/v1/vouchers/{code}/redeem", use).status_code in (200, 201)

    assert refused(cancel(shop))[1] == "voucher-used"
    assert (status(shop), buckets(shop), left(shop)) == ("confirmed", {"available": 70}, 4)

    assert shop.post(f"/v1/vouchers/{code}/release", {"order_id": "o-1"}).status_code == 200
    assert cancel(shop).status_code == 200
    assert (buckets(shop), left(shop)) == OUTCOMES["cancelled"]


def test_a_fulfilment_with_another_reference_is_another_one(shop: Api):
    redeem(shop)
    assert fulfil(shop, reference="parcel 7").json["reference"] == "parcel 7"

    assert replayed(fulfil(shop, reference="parcel 7"))
    assert refused(fulfil(shop, reference="parcel 8")) == (409, "redemption-resolved")
    assert shop.get("/v1/redemptions/r-1").json["reference"] == "parcel 7"


# Points go back to where they came from.


@pytest.mark.parametrize("steps", [[redeem], [hold], [hold, confirm]])
def test_points_go_back_to_their_lots_with_their_expiry(shop: Api, steps: list[Verb], monkeypatch: pytest.MonkeyPatch):
    configure_units(shop, points=({}, {"mode": "rolling", "days": 10}))
    adjust(shop, 20)
    before = lots(shop)
    for step in steps:
        step(shop)
    it_is(monkeypatch, LATER)

    cancel(shop)

    assert lots(shop) == before
    assert sorted(before, key=str)[0][0] == 100
    assert [(20, "2026-03-12T00:00:00Z")] == [lot for lot in before if lot[1]]


@pytest.mark.parametrize(
    ("grace", "outcome", "available"),
    [(30, {"outcome": "extended", "points": 20, "expires_at": "2026-04-12T00:00:00Z"}, 100),
     (0, {"outcome": "forfeited", "points": 20, "expires_at": None}, 80)],
)  # fmt: skip
def test_points_whose_lot_lapsed_after_they_were_spent_live_on_for_the_grace_or_are_forfeited(
    api: Api, grace: int, outcome: dict[str, Any], available: int, monkeypatch: pytest.MonkeyPatch
):
    it_is(monkeypatch, NOW)
    configure(api, returns={"grace_days": grace})
    configure_units(api, points=({}, {"mode": "rolling", "days": 10}))
    desk.enrol(api, points=20)
    configure_units(api, points=({}, {"mode": "never"}))
    adjust(api, 80)
    offer(api, points=30)
    hold(api)
    confirm(api)
    it_is(monkeypatch, NOW + timedelta(days=11))

    answer = cancel(api)

    returned = {"outcome": "returned", "points": 10, "expires_at": None}
    assert sorted(answer.json["points_returned"], key=lambda each: -each["points"]) == [outcome, returned]
    assert answer.json["balance"]["available"] == available == buckets(api)["available"]


def test_held_points_that_lapse_meanwhile_can_be_spent_until_the_hold_ends(api: Api, monkeypatch: pytest.MonkeyPatch):
    it_is(monkeypatch, NOW)
    configure_units(api, points=({}, {"mode": "rolling", "days": 10}))
    desk.enrol(api)
    offer(api, points=30)
    a_day = 24 * 60 * 60
    for number in range(3):
        hold(api, f"r-{number}", seconds=7 * a_day)
    it_is(monkeypatch, NOW + timedelta(days=6))
    hold(api, "late", seconds=7 * a_day)  # of the ten that are left there are too few
    assert [buckets(api), status(api, "r-0")] == [{"available": 10, "held": 90}, "held"]
    for number in range(3):
        assert cancel(api, f"r-{number}").status_code == 200
    assert hold(api, "r-3", seconds=7 * a_day).status_code == 201
    assert hold(api, "r-4", seconds=7 * a_day).status_code == 201
    it_is(monkeypatch, NOW + timedelta(days=12))

    assert confirm(api, "r-3").status_code == 200
    assert cancel(api, "r-4").json["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 0}

    assert sum(points for _, points in story(api)) == 0
    assert [kind for kind, _ in story(api)][-2:] == ["release", "expire"]


def test_points_that_come_back_pay_what_the_member_owes(shop: Api):
    configure(shop, returns={"when_spent": "debt"}) if False else None
    redeem(shop)
    adjust(shop, -70)

    assert cancel(shop).json["balance"]["available"] == 30


# The reward, or the member, changes while something is held.


def test_a_withdrawn_reward_that_is_held_is_confirmed_and_given_back(shop: Api):
    hold(shop, "r-1")
    hold(shop, "r-2")
    etag = shop.get("/v1/admin/rewards/five-off").headers["ETag"]
    assert shop.call("DELETE", "/v1/admin/rewards/five-off", headers={"If-Match": etag}).status_code in (200, 204)

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


def test_what_is_left_is_what_the_edit_says_even_if_somebodys_time_is_over(
    shop: Api, monkeypatch: pytest.MonkeyPatch
):
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
    told = shop.get("/v1/events?type=redemption.cancelled").json["data"]
    assert [fact["customer_id"] for fact in told] == ["c-43"]


# Lists


def test_lists_by_status_show_what_is_so_now(shop: Api, monkeypatch: pytest.MonkeyPatch):
    hold(shop, "r-1")
    hold(shop, "r-2", seconds=60)
    redeem(shop, "r-3")
    it_is(monkeypatch, NOW + timedelta(seconds=60))

    def listed(which: str) -> list[tuple[str, str]]:
        data = shop.get(f"/v1/redemptions?status={which}").json["data"]
        return [(each["redemption_id"], each["status"]) for each in data]

    for _ in range(2):
        assert listed("held") == [("r-1", "held")]
        assert listed("expired") == [("r-2", "expired")]
        assert listed("confirmed") == [("r-3", "confirmed")]
        desk.expire(shop, NOW + timedelta(seconds=60))
    it_is(monkeypatch, OVER)
    assert listed("expired") == [("r-2", "expired"), ("r-1", "expired")]
    first = shop.get("/v1/redemptions?status=expired&limit=1").json
    second = shop.get(f"/v1/redemptions?status=expired&limit=1&after={first['next']}").json
    assert [each["redemption_id"] for page in (first, second) for each in page["data"]] == ["r-2", "r-1"]
    assert in_days(0) == at(NOW)
