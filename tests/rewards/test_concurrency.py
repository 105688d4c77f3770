"""Redemptions that meet: one of the last there is wins, the others are told why and lose nothing."""

from collections import Counter

import pytest

from tests.api import Api
from tests.builders import NOW, order_json, reward_json
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def redeem(api: Api, redemption_id: str, customer_id: str = "c-42"):
    wish = {"reward": "five-off", "redemption_id": redemption_id}
    return api.post(f"/v1/members/{customer_id}/redemptions", wish)


def test_of_two_redemptions_of_the_last_points_at_once_one_wins(api: Api):
    api.enrol("c-42")
    api.post("/v1/orders", order_json())
    api.put("/v1/admin/rewards/five-off", reward_json(points=30))

    answers = in_parallel(2, lambda number: redeem(api, f"r-{number}"))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 1}
    refused = next(answer.json for answer in answers if answer.status_code == 422)
    assert (refused["code"], refused["required"], refused["available"]) == ("insufficient-points", 30, 0)
    assert api.balance()["available"] == 0


def test_of_eight_redemptions_of_30_from_100_points_at_once_three_win(api: Api):
    api.enrol("c-42")
    line = {"line_id": "1", "sku": "x", "unit_price": 10_000}
    api.post("/v1/orders", order_json(lines=[line]))
    api.put("/v1/admin/rewards/five-off", reward_json(points=30))

    answers = in_parallel(8, lambda number: redeem(api, f"r-{number}"))

    assert Counter(answer.status_code for answer in answers) == {201: 3, 422: 5}
    assert api.balance()["available"] == 10


def test_of_ten_members_who_want_the_last_one_at_once_exactly_one_gets_it_and_the_others_keep_their_points(api: Api):
    for number in range(10):
        api.enrol(f"c-{number}")
        api.post("/v1/orders", order_json(customer_id=f"c-{number}"))
    api.put("/v1/admin/rewards/five-off", reward_json(points=30, stock=1))

    answers = in_parallel(10, lambda number: redeem(api, f"r-{number}", f"c-{number}"))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 9}
    assert {answer.json["code"] for answer in answers if answer.status_code == 422} == {"out-of-stock"}
    balances = Counter(api.balance(f"c-{number}")["available"] for number in range(10))
    assert balances == {30: 9, 0: 1}
    assert api.get("/v1/admin/rewards/five-off").json["stock"] == 0


def test_the_same_redemption_sent_six_times_at_once_costs_once(api: Api):
    api.enrol("c-42")
    api.post("/v1/orders", order_json())
    api.put("/v1/admin/rewards/five-off", reward_json(points=10))

    answers = in_parallel(6, lambda _: redeem(api, "r-1"))

    assert [answer.status_code for answer in answers] == [201] * 6
    assert len({answer.json["voucher"]["code"] for answer in answers}) == 1
    assert api.balance()["available"] == 20
