"""Offers from orders to reasons, all of it real: every number that a member is told is counted again from orders."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from loyalty.core import clock
from loyalty.learning import counting
from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.learning.learned import learned
from tests.offers.shelf import an_offer, publish
from tests.shop import A_DAY, a_line, at

# Bakers buy flour and yeast, the others coffee and filters; everybody buys milk.
TASTES = {
    "baker": ["flour > wheat", "yeast", "milk"],
    "drinker": ["coffee > beans", "filters", "milk"],
}
GOODS = sorted({path for goods in TASTES.values() for path in goods})


@dataclass
class Town:
    """What the members of a shop bought, as it was told to the shop: order, instant, categories with all above."""

    api: Api
    orders: dict[str, list[tuple[str, datetime, set[str]]]] = field(default_factory=dict)

    def buy(self, customer: str, order_id: str, placed: datetime, paths: list[str]) -> None:
        lines = [a_line(str(n), 500, sku=f"SKU-{path}", category=path) for n, path in enumerate(paths)]
        shop.buy(self.api, order_id, *lines, customer_id=customer, placed_at=at(placed))
        wide = {" > ".join(path.split(" > ")[:n]) for path in paths for n in (1, 2)}
        self.orders.setdefault(customer, []).append((order_id, placed, wide))

    def of(self, customer: str, category: str) -> list[tuple[str, datetime]]:
        found = [(order, placed) for order, placed, paths in self.orders[customer] if category in paths]
        return sorted(found, key=lambda each: (each[1], each[0]))


@pytest.fixture
def town(api: Api, monkeypatch: pytest.MonkeyPatch) -> Town:
    it_is(monkeypatch, NOW)
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)
    monkeypatch.setattr("loyalty.features.counted.FRESH_SECONDS", 0)
    chance, made = Random(7), Town(api)
    for number in range(16):
        customer, goods = f"m-{number}", TASTES["baker" if number % 2 else "drinker"]
        api.enrol(customer)
        for visit in range(5 + number % 4):
            placed = NOW - (visit * 9 + chance.randrange(8)) * A_DAY - timedelta(hours=chance.randrange(12) + 1)
            basket = [path for path in goods if chance.random() < 0.7] or ["milk"]
            # One baker has never tried yeast.
            basket = [path for path in basket if (number, path) != (1, "yeast")] or ["milk"]
            made.buy(customer, f"A-{number}-{visit}", placed, basket)
    publish(api, *(an_offer(f"o-{n}", categories=[path]) for n, path in enumerate(GOODS)))
    count(made)
    return made


def count(town: Town) -> None:
    learned(town.api)
    with town.api.app.app_context():
        assert counting.count(town.api.program.program_id, now=clock.now()) is not None


def offers(town: Town, customer: str, **query: str) -> dict[str, dict[str, Any]]:
    """A member's offers by the category that they are on."""
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = town.api.get(f"/v1/members/{customer}/offers?{asked}")
    assert answer.status_code == 200, answer.json
    return {each["categories"][0]: each for each in answer.json["data"]}


def reasons(offer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {reason["feature"]: reason for reason in offer["reasons"]}


@pytest.mark.parametrize("customer", ["m-1", "m-2", "m-7"])
def test_every_number_that_a_member_is_told_is_that_of_the_orders(town: Town, customer: str):
    came = {who for who, orders in town.orders.items() if any(NOW - placed <= 28 * A_DAY for _, placed, _ in orders)}
    seen: Counter[str] = Counter()
    for category, offer in offers(town, customer).items():
        bought, told = town.of(customer, category), reasons(offer)
        seen.update(told.keys())
        if not bought:
            assert not told.keys() & {"bought_often", "usual_interval", "days_since_last"}
        else:
            often = told["bought_often"]
            assert often["value"] == len(bought)
            assert often["orders"] == [order for order, _ in bought][-5:]
            assert str(len(town.orders[customer])) in often["detail"]
            assert told["days_since_last"]["value"] == (NOW - bought[-1][1]) // A_DAY
            assert told["days_since_last"]["orders"] == [bought[-1][0]]
        if "usual_interval" in told:
            usual = (bought[-1][1] - bought[0][1]) / A_DAY / (len(bought) - 1)
            assert told["usual_interval"]["value"] == round(usual)
        if "popular" in told:
            lately = {who for who in came for _, placed in town.of(who, category) if NOW - placed <= 28 * A_DAY}
            assert told["popular"]["value"] == round(100 * len(lately) / len(came))
            assert str(told["popular"]["value"]) in told["popular"]["detail"]
        for order in told.get("bought_together", {"orders": []})["orders"]:
            assert order in {each for each, _, _ in town.orders[customer]}
    assert {"bought_often", "days_since_last", "popular"} <= seen.keys()


def test_whoever_buys_as_bakers_do_is_shown_yeast_before_what_drinkers_buy(town: Town):
    found = offers(town, "m-1", list="discover")

    assert next(iter(found)) == "yeast"
    why = reasons(found["yeast"])["bought_together"]
    assert why["value"] > 1.5
    assert "wheat" in why["detail"] or "milk" in why["detail"]
    assert set(why["orders"]) <= {order for order, _, _ in town.orders["m-1"]}


def test_the_three_lists_are_of_one_score(town: Town):
    everything = offers(town, "m-1", limit="50")

    lists = {name: offers(town, "m-1", list=name) for name in ("favourites", "win_back", "discover")}

    assert {path for found in lists.values() for path in found} == set(everything)
    for name, found in lists.items():
        assert all(each["list"] == name for each in found.values())
        assert list(found) == [path for path in everything if path in found]
    for path, offer in everything.items():
        bought = town.of("m-1", path)
        recent = bought and NOW - bought[-1][1] <= 56 * A_DAY
        assert offer["list"] == ("favourites" if recent else "win_back" if bought else "discover")
    assert [offer["rank"] for offer in everything.values()] == sorted(offer["rank"] for offer in everything.values())
    assert all(0 <= offer["probability"] <= 1 for offer in everything.values())


def test_what_comes_back_is_no_reason_any_more(town: Town, monkeypatch: pytest.MonkeyPatch):
    town.api.enrol("new")
    town.buy("new", "N-1", NOW - 2 * A_DAY, ["yeast"])
    town.buy("new", "N-2", NOW - A_DAY, ["milk"])
    shop.cancel(town.api, "N-1")
    count(town)

    told = reasons(offers(town, "new")["yeast"])

    assert "bought_often" not in told


def test_whoever_is_new_gets_what_is_popular_and_is_told_so_in_their_language(town: Town):
    town.api.enrol("new", locale="pl")

    found = offers(town, "new")

    first = next(iter(found))
    assert first == "milk"
    (why,) = found[first]["reasons"]
    assert (why["feature"], why["orders"]) == ("popular", [])
    assert why["detail"].startswith("Jesteś tu od niedawna, więc oto co jest popularne")


def test_an_order_redeems_the_offer_that_fits(town: Town):
    yeast = offers(town, "m-1")["yeast"]

    order = shop.buy(town.api, "N-1", a_line("1", 300, category="yeast"), customer_id="m-1", placed_at=at(NOW))

    assert {award["rule"]["code"]: award["points"] for award in order.json["awards"]}[f"offer:{yeast['offer']}"] == 100
    left = [offer["assignment_id"] for offer in offers(town, "m-1").values()]
    assert yeast["assignment_id"] not in left
