"""Requests that meet: real threads, real connections, real commits."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from loyalty.core.answers import Answer
from loyalty.core.errors import IdempotencyConflict
from loyalty.db.session import transaction
from loyalty.orders.service import record_orders
from tests.api import Api
from tests.builders import NOW, an_order, order_json, reward_json
from tests.clocks import it_is


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def in_parallel(count, call):
    """Run `call(number)` in `count` threads that start together."""
    barrier = Barrier(count)

    def run(number):
        barrier.wait(timeout=30)
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_the_same_order_posted_six_times_at_once_is_recorded_once_and_replayed_five_times(api: Api):
    api.enrol("c-42")
    order = order_json(order_id="A-1001")

    answers = in_parallel(6, lambda _: api.post("/v1/orders", order))

    assert [answer.status_code for answer in answers] == [201] * 6
    assert Counter(answer.headers.get("Idempotent-Replayed") for answer in answers) == {None: 1, "true": 5}
    assert len({answer.data for answer in answers}) == 1
    assert len(api.get("/v1/members/c-42/entries").json["data"]) == 1
    assert api.balance()["available"] == 30


def test_a_guest_order_posted_six_times_at_once_is_recorded_once(api: Api):
    order = order_json(order_id="G-1")
    del order["customer_id"]

    answers = in_parallel(6, lambda _: api.post("/v1/orders", order))

    assert Counter(answer.headers.get("Idempotent-Replayed") for answer in answers) == {None: 1, "true": 5}


def test_of_different_orders_under_one_id_at_once_one_is_recorded_and_the_others_conflict(api: Api):
    api.enrol("c-42")
    api.enrol("c-43")

    def post(number):
        customer = "c-42" if number % 2 else "c-43"
        return api.post("/v1/orders", order_json(order_id="A-1", customer_id=customer, shipping=number))

    answers = in_parallel(6, post)

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 5}
    earned = api.balance("c-42")["available"] + api.balance("c-43")["available"]
    assert earned == 30


def test_orders_of_one_member_at_once_all_count(api: Api):
    api.enrol("c-42")

    answers = in_parallel(8, lambda number: api.post("/v1/orders", order_json(order_id=f"A-{number}")))

    assert [answer.status_code for answer in answers] == [201] * 8
    entries = api.get("/v1/members/c-42/entries").json["data"]
    assert [entry["seq"] for entry in entries] == list(range(8, 0, -1))
    assert [entry["available_after"] for entry in entries] == [30 * n for n in range(8, 0, -1)]


def test_a_customer_enrolled_by_two_orders_at_once_is_one_member(api: Api):
    api.patch("/v1/admin/program", {"auto_enrol": True}, headers={"If-Match": '"1"'})

    answers = in_parallel(
        4, lambda number: api.post("/v1/orders", order_json(order_id=f"A-{number}", customer_id="new"))
    )

    assert [answer.status_code for answer in answers] == [201] * 4
    assert api.balance("new")["available"] == 120


def test_batches_that_want_the_same_ids_in_opposite_orders_do_not_wait_for_each_other_in_a_circle(api: Api):
    for customer in ("ada", "bob"):
        api.enrol(customer)

    def record(turn, customer, step):
        orders = [an_order(order_id=f"{turn}-{number:03}", customer_id=customer) for number in range(300)][::step]
        with api.app.app_context(), transaction() as session:
            outcomes = record_orders(session, api.program.program_id, orders, now=NOW)
        return Counter(type(outcome) for outcome in outcomes.values())

    for turn in range(5):
        told = in_parallel(2, lambda number, turn=turn: record(turn, *(("ada", 1), ("bob", -1))[number]))
        assert sum(told, Counter()) == {Answer: 300, IdempotencyConflict: 300}

    assert api.balance("ada")["available"] + api.balance("bob")["available"] == 5 * 300 * 100


def test_sixteen_threads_of_orders_and_redemptions_leave_the_books_clean(api: Api):
    members = [f"c-{number}" for number in range(5)]
    for member in members:
        api.enrol(member)
    api.put("/v1/admin/rewards/five-off", reward_json(points=25, stock=40))

    def shop(number):
        chance, statuses = random.Random(number), Counter()
        for turn in range(12):
            member = chance.choice(members)
            if chance.random() < 0.6:
                answer = api.post("/v1/orders", order_json(order_id=f"o-{number}-{turn}", customer_id=member))
            else:
                wish = {"reward": "five-off", "redemption_id": f"r-{number}-{turn}"}
                answer = api.post(f"/v1/members/{member}/redemptions", wish)
            statuses[answer.status_code, (answer.json or {}).get("code")] += 1
        return statuses

    statuses = sum(in_parallel(16, shop), Counter())

    assert set(statuses) <= {(201, None), (422, "insufficient-points"), (422, "out-of-stock")}
    left = api.get("/v1/admin/rewards/five-off").json["stock"]
    redeemed = sum(
        entry["kind"] == "redeem"
        for member in members
        for entry in api.get(f"/v1/members/{member}/entries?limit=200").json["data"]
    )
    assert redeemed == 40 - left
