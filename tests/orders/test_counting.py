"""What is counted of orders - purchases, caps, budgets - and what returns take out of it again."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from loyalty.db.session import transaction
from loyalty.orders.service import record_orders
from tests import shop
from tests.api import Api
from tests.builders import NOW, an_order
from tests.clocks import it_is

A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


def gift(**rule: Any) -> dict[str, Any]:
    return {"code": "gift", "kind": "bonus", "points": 40, **rule}


def awarded(answer: Any, code: str = "gift") -> int:
    """What the rule gave."""
    return sum(award["points"] for award in answer.json["awards"] if award["rule"]["code"] == code)


def test_what_comes_back_leaves_room_under_a_cap_again(api: Api):
    shop.publish_rules(api, gift(caps={"per_member": {"month": 60}}))
    api.enrol()
    assert [awarded(shop.buy(api, f"A-{n}", shop.a_line("1", 1000, quantity=4))) for n in range(3)] == [40, 20, 0]

    shop.give_back(api, "A-0", {"1": 1})

    assert awarded(shop.buy(api, "A-3")) == 10


def test_what_comes_back_goes_back_to_the_budget(api: Api):
    shop.publish_rules(api, gift(caps={"budget": 60}))
    for member in ("c-42", "c-43"):
        api.enrol(member)
    shop.buy(api, "A-1")
    assert awarded(shop.buy(api, "A-2", customer_id="c-43")) == 20

    api.post("/v1/orders/A-1/cancel")

    assert awarded(shop.buy(api, "A-3", customer_id="c-43")) == 40


def test_an_order_that_comes_back_in_pieces_counts_until_the_last_one(api: Api):
    shop.publish_rules(api, gift(milestone={"first": 1}))
    api.enrol()
    shop.buy(api, "A-1", shop.a_line("1", 1000, quantity=2))
    shop.give_back(api, "A-1", {"1": 1})
    assert awarded(shop.buy(api, "A-2")) == 0
    api.post("/v1/orders/A-2/cancel")

    shop.give_back(api, "A-1", {"1": 1}, return_id="R-2")

    assert awarded(shop.buy(api, "A-3")) == 40


def test_a_limit_counts_how_often_and_a_whole_return_does_not_count(api: Api):
    shop.publish_rules(api, gift(limits={"day": 1}))
    api.enrol()
    assert [awarded(shop.buy(api, f"A-{n}", shop.a_line("1", 1000, quantity=2))) for n in range(2)] == [40, 0]

    shop.give_back(api, "A-0", {"1": 1})
    assert awarded(shop.buy(api, "A-2")) == 0
    shop.give_back(api, "A-0", {"1": 1}, return_id="R-2")

    assert awarded(shop.buy(api, "A-3")) == 40


def test_a_cap_is_counted_in_the_period_in_which_the_order_was_placed(api: Api, monkeypatch: pytest.MonkeyPatch):
    shop.publish_rules(api, gift(caps={"per_member": {"day": 50}}))
    api.enrol()
    shop.buy(api, "A-1")
    it_is(monkeypatch, NOW + A_DAY)

    late = shop.buy(api, "A-2", placed_at=shop.at(NOW))
    today = shop.buy(api, "A-3", placed_at=shop.at(NOW + A_DAY))

    assert (awarded(late), awarded(today)) == (10, 40)


def test_history_counts_categories_with_all_below_them_and_forgets_what_came_back(api: Api):
    never = {"code": "never", "kind": "bonus", "points": 1, "when": 'history.categories["tea"].orders == 0'}
    much = {"code": "much", "kind": "bonus", "points": 2, "when": 'history.categories["tea"].spend >= 900'}
    shop.publish_rules(api, never, much)
    api.enrol()

    def buy_tea(order_id: str, **given: Any) -> list[int]:
        bought = shop.buy(api, order_id, shop.a_line("1", 1000, category="tea > green"), **given)
        return [awarded(bought, "never"), awarded(bought, "much")]

    assert buy_tea("A-1", discount=100) == [1, 0]
    assert buy_tea("A-2") == [0, 2]
    api.post("/v1/orders/A-1/cancel")
    api.post("/v1/orders/A-2/cancel")
    assert buy_tea("A-3") == [1, 0]


def test_the_orders_of_a_batch_see_each_other(api: Api):
    shop.publish_rules(api, gift(milestone={"every": 2}, caps={"per_member": {"ever": 70}, "budget": 100}))
    for member in ("c-42", "c-43"):
        api.enrol(member)
    orders = [an_order(order_id=f"A-{n}", customer_id=f"c-{42 + n % 2}") for n in range(8)]

    with api.app.app_context(), transaction() as session:
        outcomes = record_orders(session, api.program.program_id, orders, now=NOW)

    points = [orjson.loads(outcome.body)["points"]["awarded"] for outcome in outcomes.values()]
    # The second and the fourth of each, 40 and 30 at the most, and no more than 100 to both.
    assert points == [0, 0, 40, 40, 0, 0, 20, 0]


def test_a_budget_that_nobody_counts_gives_nothing_rather_than_all(api: Api):
    shop.publish_rules(api, gift(caps={"budget": 100}))
    api.enrol()
    with api.app.app_context(), transaction() as session:
        session.run("DELETE FROM rule_budgets WHERE program_id = %s", (api.program.program_id,))

    assert awarded(shop.buy(api, "A-1")) == 0
