"""An order that fulfils an offer redeems it in its own transaction; a return undoes that."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import orjson
import pytest

from loyalty.db.session import transaction
from loyalty.orders.service import record_orders
from tests import shop
from tests.api import Api
from tests.builders import NOW, a_key, an_order, order_json
from tests.builders import a_line as bought
from tests.clocks import it_is
from tests.offers.shelf import an_offer, assignment, facts_of, give, publish, spent
from tests.shop import A_DAY, a_line, at
from tests.statements import statements

COFFEE = {"category": "coffee > beans"}
TEA = {"category": "tea"}


@pytest.fixture(autouse=True)
def _noon(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.fixture
def member(api: Api) -> Api:
    """A shop with one member, and one point for each 1.00."""
    api.enrol()
    return api


def awards(answer: Any) -> dict[str, int]:
    return {award["rule"]["code"]: award["points"] for award in answer.json["awards"]}


def test_a_bonus_is_given_with_the_order_that_fulfils_the_offer_and_once(member: Api):
    publish(member, an_offer(categories=["coffee"]))
    given = give(member)

    first = shop.buy(member, "A-1", a_line("1", 1000, **COFFEE), a_line("2", 500, **TEA))
    second = shop.buy(member, "A-2", a_line("1", 1000, **COFFEE))

    assert awards(first) == {"base": 15, "offer:spring": 100}
    (award,) = [award for award in first.json["awards"] if award["rule"]["code"] == "offer:spring"]
    assert award["reason"] == "100 for the offer 'spring'"
    assert award["lines"] == [{"line_id": "1", "points": 100}]
    assert awards(second) == {"base": 10}
    kept = assignment(member, given)
    assert (kept["status"], kept["order_id"], kept["points"], kept["closed_at"]) == ("redeemed", "A-1", 100, NOW)
    assert facts_of(member) == [
        ("offer.redeemed", {
            "assignment_id": str(given), "offer": "spring", "title": "Spring", "valid_to": at(NOW + 28 * A_DAY),
            "order_id": "A-1", "points": 100, "amount": None,
        }),
    ]  # fmt: skip


def test_a_multiplier_multiplies_the_base_of_its_goods_with_what_was_promised_to_this_member(member: Api):
    publish(member, an_offer(promise={"kind": "multiplier", "value": "3"}, skus=["SKU-1"]))
    give(member, kind="multiplier", value="2.5")

    order = shop.buy(member, "A-1", a_line("1", 1000), a_line("2", 500))

    assert awards(order) == {"base": 15, "offer:spring": 15}
    assert order.json["awards"][1]["reason"] == "x2.5 for the offer 'spring'"


@pytest.mark.parametrize(
    ("given", "offer", "line"),
    [
        ({"activated": None}, {}, {}),
        ({"activated": NOW + timedelta(hours=1)}, {}, {}),
        ({"activated": NOW - 28 * A_DAY}, {}, {}),
        ({}, {"categories": ["tea"]}, COFFEE),
        ({}, {"exclude_categories": ["coffee"]}, COFFEE),
        ({}, {"min_basis": 1001}, {}),
        ({"status": "dismissed"}, {}, {}),
        ({"status": "redeemed"}, {}, {}),
    ],
    ids=["not activated", "activated later", "over", "other goods", "excluded", "too little", "dismissed", "used"],
)
def test_an_order_that_does_not_fulfil_an_offer_redeems_nothing(
    member: Api, given: dict[str, Any], offer: dict[str, Any], line: dict[str, Any]
):
    publish(member, an_offer(**offer))
    found = give(member, **given)
    before = assignment(member, found)

    order = shop.buy(member, "A-1", a_line("1", 1000, **line))

    assert awards(order) == {"base": 10}
    assert assignment(member, found) == before
    assert facts_of(member) == []


def test_an_order_told_late_redeems_what_was_valid_when_it_was_placed(member: Api):
    publish(member, an_offer())
    given = give(member, activated=NOW - 10 * A_DAY, days=5, status="expired")

    order = shop.buy(member, "A-1", amount=1000, placed_at=at(NOW - 6 * A_DAY))

    assert awards(order) == {"base": 10, "offer:spring": 100}
    assert assignment(member, given)["status"] == "redeemed"


def test_a_preview_tells_what_an_offer_would_give_and_redeems_nothing(member: Api):
    publish(member, an_offer())
    given = give(member)

    preview = member.post("/v1/orders/preview", order_json(order_id="A-1", placed_at=at(NOW)))

    assert awards(preview)["offer:spring"] == 100
    assert assignment(member, given)["status"] == "activated"


def test_an_offer_that_an_order_does_not_fulfil_is_explained_before_and_after(member: Api):
    publish(member, an_offer(categories=["tea", "cocoa"]))
    give(member)
    order = order_json(order_id="A-1", placed_at=at(NOW), lines=[a_line("1", 1000, **COFFEE)])

    preview = member.post("/v1/orders/preview", order).json
    member.post("/v1/orders", order)
    explained = member.get("/v1/orders/A-1/explanation").json

    for told in (preview, explained):
        (refused,) = [each for each in told["refused"] if each["rule"]["code"] == "offer:spring"]
        assert refused["condition"] == "lines"
        assert refused["values"]["categories"] == ["coffee > beans"]


def test_when_all_of_the_order_comes_back_the_offer_may_be_used_again(member: Api):
    publish(member, an_offer(categories=["coffee"], budget_points=1000))
    given = give(member)
    shop.buy(member, "A-1", a_line("1", 1000, **COFFEE), a_line("2", 500, **TEA))
    assert spent(member) == 100

    shop.give_back(member, "A-1", {"2": 1})
    assert assignment(member, given)["status"] == "redeemed"
    answer = shop.give_back(member, "A-1", {"1": 1}, return_id="R-2")

    assert answer.json["points"]["reversed"] == 110
    again = assignment(member, given)
    assert (again["status"], again["closed_at"], again["order_id"], again["points"]) == ("activated", None, None, None)
    assert spent(member) == 0
    (_, told) = facts_of(member)[-1]
    assert (told["order_id"], told["open"]) == ("A-1", True)
    assert awards(shop.buy(member, "A-2", a_line("1", 1000, **COFFEE))) == {"base": 10, "offer:spring": 100}
    assert [kind for kind, _ in facts_of(member)] == ["offer.redeemed", "offer.reinstated", "offer.redeemed"]


def test_whoever_has_been_given_the_offer_once_more_meanwhile_does_not_have_it_twice(member: Api):
    publish(member, an_offer())
    first = give(member)
    shop.buy(member, "A-1")
    second = give(member)

    shop.give_back(member, "A-1", {"1": 1})

    assert [assignment(member, each)["status"] for each in (first, second)] == ["expired", "activated"]
    assert facts_of(member)[-1][1]["open"] is False


def test_what_comes_back_in_part_gives_back_its_share_of_the_budget(member: Api):
    publish(member, an_offer(budget_points=1000))
    give(member)
    shop.buy(member, "A-1", a_line("1", 1000, 4))

    shop.give_back(member, "A-1", {"1": 1})

    assert spent(member) == 75


def test_an_offer_that_ended_meanwhile_has_expired_when_its_order_is_cancelled(
    member: Api, monkeypatch: pytest.MonkeyPatch
):
    publish(member, an_offer())
    given = give(member, days=3)
    shop.buy(member, "A-1")
    it_is(monkeypatch, NOW + 4 * A_DAY)

    shop.cancel(member, "A-1")

    ended = assignment(member, given)
    assert (ended["status"], ended["closed_at"]) == ("expired", NOW + 4 * A_DAY)
    assert facts_of(member)[-1][1]["open"] is False


def test_a_budget_in_points_is_never_overspent_and_who_gets_nothing_keeps_the_offer(api: Api):
    publish(api, an_offer(budget_points=150))
    found = []
    for customer in ("c-1", "c-2", "c-3"):
        api.enrol(customer)
        found.append(give(api, customer))

    given = [
        awards(shop.buy(api, f"A-{number}", amount=1000, customer_id=f"c-{number}")).get("offer:spring", 0)
        for number in (1, 2, 3)
    ]

    assert given == [100, 50, 0]
    assert [assignment(api, each)["status"] for each in found] == ["redeemed", "redeemed", "activated"]
    assert spent(api) == 150


def test_two_orders_at_once_redeem_an_offer_once(member: Api):
    publish(member, an_offer(budget_points=1000))
    give(member)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: shop.buy(member, f"A-{number}", amount=1000), range(8)))

    assert sorted(awards(answer).get("offer:spring", 0) for answer in answers) == [0] * 7 + [100]
    assert spent(member) == 100


def test_an_offer_is_redeemed_once_by_a_batch_of_orders_of_one_member(member: Api):
    publish(member, an_offer(), an_offer("second", categories=["coffee"]))
    give(member)
    give(member, offer="second")
    orders = [
        an_order(bought(1000, category="tea"), order_id="A-1", placed_at=NOW - A_DAY),
        an_order(bought(1000, category="tea"), order_id="A-2"),
        an_order(bought(1000, category="coffee > beans"), order_id="A-3"),
    ]

    with member.app.app_context(), transaction() as session:
        answers = record_orders(session, member.program.program_id, orders, now=NOW)

    bodies = {order_id: orjson.loads(answer.body) for order_id, answer in answers.items()}
    given = {order_id: {a["rule"]["code"] for a in body["awards"]} - {"base"} for order_id, body in bodies.items()}
    assert given == {"A-1": set(), "A-2": {"offer:spring"}, "A-3": {"offer:second"}}


def test_an_order_of_a_member_with_offers_and_budgets_takes_five_statements(member: Api):
    publish(member, an_offer(budget_points=1000), an_offer("second"))
    give(member)
    give(member, offer="second")
    with member.app.app_context(), transaction() as session:
        key = a_key(session, member.program, "orders:write")
    shop_of = member.as_key(key)
    shop.buy(shop_of, "A-0", amount=1000, placed_at=at(NOW - A_DAY))

    with statements() as sent:
        order = shop.buy(shop_of, "A-1", amount=1000)

    assert set(awards(order)) == {"base", "offer:spring", "offer:second"}
    assert len(sent) == 5


def test_without_offers_an_order_asks_for_none(member: Api):
    shop.buy(member, "A-0", amount=1000)

    with statements() as sent:
        shop.buy(member, "A-1", amount=1000)

    assert not any("assignments" in statement for statement in sent)
