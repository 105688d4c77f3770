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
from tests.shop import at, buckets, refused, replayed

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

    assert is_now == state.split(" ", maxsplit=1)[0]
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
