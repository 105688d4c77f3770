"""The catalogue and redemption over HTTP."""

import pytest

from loyalty.core import codes
from tests.api import Api
from tests.builders import NOW, order_json, reward_json
from tests.clocks import it_is


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def redeem(api: Api, redemption_id: str = "r-1", reward: str = "five-off"):
    return api.post("/v1/members/c-42/redemptions", {"reward": reward, "redemption_id": redemption_id})


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop whose member c-42 holds 30 points."""
    api.enrol()
    api.post("/v1/orders", order_json(order_id="A-1"))
    return api


def test_a_reward_is_created_with_201_and_replaced_with_its_etag(api: Api):
    created = api.put("/v1/admin/rewards/five-off", reward_json(stock=3))
    assert (created.status_code, created.headers["ETag"], created.json["stock"]) == (201, '"1"', 3)

    assert api.put("/v1/admin/rewards/five-off", reward_json()).status_code == 428
    stale = api.put("/v1/admin/rewards/five-off", reward_json(), headers={"If-Match": '"7"'})
    assert (stale.status_code, stale.json["code"], stale.json["current"]) == (412, "stale-version", 1)

    replaced = api.put("/v1/admin/rewards/five-off", reward_json(name="6 off"), headers={"If-Match": '"1"'})
    assert (replaced.status_code, replaced.json["name"], replaced.json["stock"]) == (200, "6 off", None)
    read = api.get("/v1/admin/rewards/five-off")
    assert (read.headers["ETag"], read.json) == ('"2"', replaced.json)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"points": 0}, "/points"),
        ({"points": "100"}, "/points"),
        ({"type": "car"}, "/type"),
        ({"value": {}}, "/value/amount"),
        ({"type": "discount_percent", "value": {"percent": 101}}, "/value/percent"),
        ({"stock": -1}, "/stock"),
        ({"valid_from": "2026-02-01T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z"}, "/valid_to"),
        ({"fulfilment": "pigeon"}, "/fulfilment"),
        ({"limits": {"fortnight": 1}}, "/limits/fortnight"),
        ({"when": ""}, "/when"),
        ({"name": ""}, "/name"),
    ],
)
def test_a_wrong_reward_is_refused_by_its_pointer(api: Api, change, pointer):
    refused = api.put("/v1/admin/rewards/five-off", reward_json(**change))
    assert refused.status_code == 422
    assert pointer in {error["pointer"] for error in refused.json["errors"]}
    assert api.get("/v1/admin/rewards/five-off").status_code == 404


def test_the_catalogue_is_listed_by_code_page_by_page(api: Api):
    for code in ("c", "a", "b"):
        api.put(f"/v1/admin/rewards/{code}", reward_json())
    first = api.get("/v1/rewards?limit=2").json
    second = api.get(f"/v1/rewards?limit=2&after={first['next']}").json
    assert [r["code"] for r in first["data"]] == ["a", "b"]
    assert ([r["code"] for r in second["data"]], second["next"]) == (["c"], None)


def test_a_redemption_spends_points_and_gives_a_voucher_that_is_unguessable(shop: Api):
    shop.put("/v1/admin/rewards/five-off", reward_json(points=10, stock=5))

    answers = [redeem(shop, f"r-{number}").json for number in range(3)]

    assert [answer["balance"]["available"] for answer in answers] == [20, 10, 0]
    vouchers = {answer["voucher"]["code"] for answer in answers}
    assert len(vouchers) == 3
    assert all(set(code) <= set(codes.ALPHABET + "-") and len(codes.canonical(code)) == 12 for code in vouchers)
    assert shop.get("/v1/admin/rewards/five-off").json["stock"] == 2
    kinds = [(e["kind"], e["reference"]) for e in shop.get("/v1/members/c-42/entries").json["data"]]
    assert kinds == [("redeem", "r-2"), ("redeem", "r-1"), ("redeem", "r-0"), ("earn", None)]


def test_a_reward_without_a_code_is_confirmed_without_a_voucher(shop: Api):
    shop.put("/v1/admin/rewards/tea", reward_json(type="experience", value={}, points=10, fulfilment="none"))
    assert redeem(shop, reward="tea").json["voucher"] is None


def test_a_redemption_is_read_back(shop: Api):
    shop.put("/v1/admin/rewards/five-off", reward_json(points=10))
    made = redeem(shop).json
    found = shop.get("/v1/redemptions/r-1").json
    assert found["voucher"] == made["voucher"]
    assert (found["customer_id"], found["reward"], found["status"], found["points"]) == (
        "c-42",
        "five-off",
        "confirmed",
        10,
    )
    assert shop.get("/v1/redemptions/r-2").json["code"] == "redemption-not-found"


def test_a_replayed_redemption_is_the_first_answer_and_costs_once(shop: Api):
    shop.put("/v1/admin/rewards/five-off", reward_json(points=10, stock=1))
    first = redeem(shop)
    again = redeem(shop)
    assert (again.status_code, again.data, again.headers["Idempotent-Replayed"]) == (201, first.data, "true")
    assert shop.balance()["available"] == 20


def test_the_same_redemption_id_for_something_else_is_a_conflict(shop: Api):
    shop.put("/v1/admin/rewards/five-off", reward_json(points=10))
    shop.put("/v1/admin/rewards/tea", reward_json(points=10))
    redeem(shop)
    refused = redeem(shop, reward="tea")
    assert (refused.status_code, refused.json["code"]) == (409, "idempotency-conflict")


def test_a_refused_redemption_says_what_is_missing_and_leaves_its_id_free(shop: Api):
    shop.put("/v1/admin/rewards/five-off", reward_json(points=40))
    refused = redeem(shop)
    assert (refused.status_code, refused.json["code"]) == (422, "insufficient-points")
    assert (refused.json["required"], refused.json["available"], refused.json["missing"]) == (40, 30, 10)

    shop.post("/v1/orders", order_json(order_id="A-2"))
    assert redeem(shop).status_code == 201


def test_what_is_gone_is_out_of_stock_and_the_points_stay(shop: Api):
    shop.put("/v1/admin/rewards/five-off", reward_json(points=10, stock=1))
    redeem(shop, "r-1")
    refused = redeem(shop, "r-2")
    assert (refused.status_code, refused.json["code"], refused.json["reward"]) == (422, "out-of-stock", "five-off")
    assert shop.balance()["available"] == 20
    assert shop.get("/v1/redemptions/r-2").status_code == 404


def test_a_reward_can_be_had_from_its_first_instant_and_not_at_its_last(shop: Api, monkeypatch):
    window = {"valid_from": "2026-03-01T12:00:00Z", "valid_to": "2026-03-02T12:00:00Z"}
    shop.put("/v1/admin/rewards/five-off", reward_json(points=10, **window))

    it_is(monkeypatch, NOW.replace(hour=11, minute=59))
    assert redeem(shop).json["code"] == "not-started"
    it_is(monkeypatch, NOW.replace(day=2))
    assert redeem(shop).json["code"] == "ended"
    it_is(monkeypatch, NOW)
    assert redeem(shop).status_code == 201


def test_an_unknown_reward_and_an_unknown_member_are_not_found(shop: Api):
    assert redeem(shop).json["code"] == "reward-not-found"
    wish = {"reward": "five-off", "redemption_id": "r-1"}
    assert shop.post("/v1/members/nobody/redemptions", wish).json["code"] == "member-not-found"
