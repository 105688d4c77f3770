"""Orders that meet: in one budget, in one cap, and with rules that are just being published."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from psycopg.rows import tuple_row

from loyalty.core import clock
from loyalty.db.session import transaction
from tests import shop
from tests.api import Api
from tests.builders import NOW, order_json
from tests.clocks import it_is

BUDGET = """
SELECT b.spent, (SELECT coalesce(sum(e.points), 0) FROM entries e JOIN members m USING (member_id)
                 WHERE m.program_id = b.program_id AND e.rule_code = b.rule_code)::bigint
FROM rule_budgets b WHERE b.program_id = %s AND b.rule_code = %s
"""
JUDGED = """
SELECT o.order_id, (o.judged->>'rules')::int, o.placed_at, (
    SELECT s.version FROM earning_rule_sets s
    WHERE s.program_id = o.program_id AND (s.effective_from IS NULL OR s.effective_from <= o.placed_at)
    ORDER BY s.version DESC LIMIT 1)
FROM orders o WHERE o.program_id = %s
"""


def in_parallel(count: int, call: Any) -> list[Any]:
    """Run `call(number)` in `count` threads, sixteen at a time, that start together."""
    barrier = Barrier(min(count, 16))

    def run(number: int) -> Any:
        if number < barrier.parties:
            barrier.wait(timeout=30)
        return call(number)

    with ThreadPoolExecutor(min(count, 16)) as pool:
        return list(pool.map(run, range(count)))


def rows(api: Api, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with api.app.app_context(), transaction() as session:
        return session.rows(sql, parameters, into=tuple_row)


def gifts(answers: list[Any], code: str = "gift") -> list[int]:
    assert {answer.status_code for answer in answers} == {201}, [answer.json for answer in answers]
    return [a["points"] for answer in answers for a in answer.json["awards"] if a["rule"]["code"] == code]


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.mark.usefixtures("frozen")
def test_64_parallel_orders_against_a_budget_with_room_for_ten_awards_give_exactly_ten(api: Api):
    shop.publish_rules(api, {"points": "1"}, {"code": "gift", "kind": "bonus", "points": 100, "caps": {"budget": 1000}})
    for number in range(64):
        api.enrol(f"c-{number}")

    answers = in_parallel(64, lambda n: shop.buy(api, f"A-{n}", customer_id=f"c-{n}"))

    assert gifts(answers) == [100] * 10
    assert rows(api, BUDGET, api.program.program_id, "gift") == [(1000, 1000)]
    (told,) = api.get("/v1/admin/earning-rules/budgets").json["data"]
    assert (told["rule"]["code"], told["budget"], told["spent"], told["left"]) == ("gift", 1000, 1000, 0)


@pytest.mark.usefixtures("frozen")
def test_what_is_left_of_a_budget_is_given_to_the_point_and_said_to_be_cut(api: Api):
    shop.publish_rules(api, {"points": "1"}, {"code": "gift", "kind": "bonus", "points": 70, "caps": {"budget": 1000}})
    for number in range(32):
        api.enrol(f"c-{number}")

    answers = in_parallel(32, lambda n: shop.buy(api, f"A-{n}", customer_id=f"c-{n}"))

    assert sorted(gifts(answers)) == [20] + [70] * 14
    (cut,) = [a["cut"] for answer in answers for a in answer.json["awards"] if "cut" in a]
    assert cut == {"cap": "budget", "limit": 1000, "room": 20, "points": 70}


@pytest.mark.usefixtures("frozen")
def test_two_budgets_wanted_in_any_order_do_not_wait_for_each_other_in_a_circle(api: Api):
    budget = {"kind": "bonus", "points": 10, "caps": {"budget": 100_000}}
    shop.publish_rules(api, {**budget, "code": "a"}, {**budget, "code": "b"}, {**budget, "code": "c"})
    for number in range(16):
        api.enrol(f"c-{number}")

    def buy_and_return(number: int) -> Any:
        bought = shop.buy(api, f"A-{number}", customer_id=f"c-{number % 16}")
        assert shop.give_back(api, f"A-{number}", {"1": 1}, return_id=f"R-{number}").status_code == 201
        return bought

    answers = in_parallel(64, buy_and_return)

    assert len(gifts(answers, "a")) == 64
    for code in "abc":
        assert rows(api, BUDGET, api.program.program_id, code)[0][0] == 0


@pytest.mark.usefixtures("frozen")
def test_parallel_orders_of_one_member_never_get_more_than_a_cap_leaves(api: Api):
    gift = {"code": "gift", "kind": "bonus", "points": 30, "caps": {"per_member": {"month": 100}}}
    first = {"code": "first", "kind": "bonus", "points": 7, "milestone": {"first": 1}}
    shop.publish_rules(api, {"points": "1"}, gift, first)
    api.enrol()

    answers = in_parallel(16, lambda n: shop.buy(api, f"A-{n}"))

    assert sorted(gifts(answers)) == [10, 30, 30, 30]
    assert gifts(answers, "first") == [7]


def test_while_rules_are_published_every_order_is_judged_by_those_in_force_when_it_was_placed(api: Api):
    for number in range(6):
        api.enrol(f"c-{number}")
    shop.publish_rules(api, {"points": "1"})
    closed, versions = threading.Event(), Counter()

    def till(number: int) -> None:
        for turn in range(10_000):
            if closed.is_set():
                return
            placed_at = clock.now().isoformat()
            # Orders arrive as they are placed, by the clock of the shop.
            order = order_json(order_id=f"A-{number}-{turn}", customer_id=f"c-{number}", placed_at=placed_at)
            answer = api.post("/v1/orders", order)
            assert answer.status_code == 201, answer.json
            # By the rules of version v an order of 30.00 earns 30 x v.
            versions[answer.json["points"]["awarded"] // 30] += 1

    with ThreadPoolExecutor(6) as pool:
        tills = [pool.submit(till, number) for number in range(6)]
        for rate in range(2, 7):
            publish(api, rate)
        closed.set()
        for each in tills:
            each.result(timeout=60)

    judged = rows(api, JUDGED, api.program.program_id)
    assert [row for row in judged if row[1] != row[3]] == []
    assert len(judged) == sum(versions.values()) + 5
    assert set(versions) == {1, 2, 3, 4, 5, 6}


def publish(api: Api, rate: int) -> None:
    """As a marketer does: who is answered is sure that the next order is judged by it."""
    path = "/v1/admin/earning-rules"
    rule = {"code": "base", "kind": "base", "priority": 1, "points_per": {"amount": 100, "points": str(rate)}}
    etag = api.get(f"{path}/draft").headers["ETag"]
    assert api.put(f"{path}/draft", {"rules": [rule]}, headers={"If-Match": etag}).status_code == 200
    assert api.post(f"{path}/publish", {}).status_code == 200
    order = order_json(order_id=f"after-{rate}", customer_id="c-0", placed_at=clock.now().isoformat())
    assert api.post("/v1/orders", order).json["points"]["awarded"] == 30 * rate
