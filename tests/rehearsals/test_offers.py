"""What a rehearsal of offers says, against what orders say, and against what members are then given."""

from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.db.session import reading
from loyalty.personalisation import ranking
from loyalty.rehearsals import offer_members
from loyalty.rehearsals.domain import Interrupted
from loyalty.tables import METADATA
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.learning.learned import rebuilt
from tests.personalisation import shelf
from tests.rehearsals.offering import Chances, an_offer, order, rehearsed, the_offer
from tests.shop import configure, publish_ladder, publish_rules

# Who bought what, so many days ago.
ORDERS: list[tuple[str, int, dict[str, int]]] = [
    ("ann", 90, {"coffee": 2_000}), ("ann", 50, {"coffee": 1_000, "tea": 3_000}), ("ann", 20, {"coffee": 3_000}),
    ("ann", 3, {"bread": 500}),
    ("bob", 60, {"coffee": 1_200}), ("bob", 10, {"bread": 700}),
    ("cid", 5, {"tea": 4_000}),
    ("dot", 40, {"coffee": 900}),
]  # fmt: skip


@pytest.fixture
def chances(monkeypatch: pytest.MonkeyPatch) -> Chances:
    made = Chances()
    monkeypatch.setattr(ranking, "rank", made)
    monkeypatch.setattr(ranking, "explain", lambda *_args, **_kwargs: ())
    return made


@pytest.fixture
def shop(api: Api, chances: Chances, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Ann, bob and cid bought in the last four weeks; dot did before, and eve never."""
    it_is(monkeypatch, NOW)
    monkeypatch.setattr("loyalty.programs.queries.FRESH_SECONDS", 0)
    for customer_id in ("ann", "bob", "cid", "dot", "eve"):
        api.enrol(customer_id)
    for customer_id, days_ago, prices in ORDERS:
        order(api, customer_id, days_ago, **prices)
    publish_rules(api, {"code": "base", "points": "1"})
    rebuilt(api)
    return api


def chance(customer_id: str, category: str) -> float:
    """The share of a member's orders with a category, out of the orders themselves."""
    mine = [prices for who, _, prices in ORDERS if who == customer_id]
    return sum(category in prices for prices in mine) / len(mine) or 0.01


def spend(customer_id: str, category: str) -> float:
    """What a member spends on a category in an order with it."""
    prices = [prices[category] for who, _, prices in ORDERS if who == customer_id and category in prices]
    return sum(prices) / len(prices)


LOOKED_AT = ("ann", "bob", "cid")


def test_numbers_are_those_of_the_orders(shop: Api):
    outcome = rehearsed(
        shop,
        an_offer("coffee", "multiplier", "3"),
        an_offer("tea", "discount_percent", "20", most=700, budget_amount=10_000),
        an_offer("bread", "bonus_points", 100, least_value=50, budget_points=80),
    )

    result = outcome.result
    assert (outcome.done, result["members"], result["with_offers"], result["without_offers"]) == (3, 3, 3, 0)
    assert (result["places"], result["currency"]) == (9, "EUR")
    coffee, tea, bread = result["offers"]
    for offer in (coffee, tea, bread):
        assert (offer["eligible"], offer["given"], offer["in_top_3"], offer["refused"]) == (3, 3, 3, {})
        expected = sum(chance(who, offer["code"]) for who in LOOKED_AT)
        assert offer["expected_redemptions"] == round(expected, 2)
    # Two more points for each 1.00; cid buys coffee like those who did.
    usual = (spend("ann", "coffee") + spend("bob", "coffee")) / 2
    cost = 2 * sum(
        chance(who, "coffee") * amount / 100
        for who, amount in (("ann", spend("ann", "coffee")), ("bob", spend("bob", "coffee")), ("cid", usual))
    )
    assert (coffee["cost_in"], coffee["expected_cost"], coffee["budget"]) == ("points", round(cost), None)
    # A fifth off tea, 7.00 at the most; the vouchers of all three may be used.
    usual = (spend("ann", "tea") + spend("cid", "tea")) / 2
    off = {"ann": spend("ann", "tea") / 5, "bob": usual / 5, "cid": min(700, spend("cid", "tea") / 5)}
    cost = sum(chance(who, "tea") * off[who] for who in LOOKED_AT)
    assert tea["expected_cost"] == round(cost)
    assert tea["budget"] == {
        "limit": 10_000, "spent": 0, "reserved": 2_100, "used_percent": round(cost, 2) / 100, "runs_out": False,
    }  # fmt: skip
    # 100 points fall to 50 with the chance, whole points; and 80 are not enough.
    promised = {who: int(100 - 50 * chance(who, "bread")) for who in LOOKED_AT}
    cost = sum(chance(who, "bread") * promised[who] for who in LOOKED_AT)
    assert (bread["expected_cost"], bread["budget"]["runs_out"]) == (round(cost), cost > 80)
    assert bread["best"][0] == {
        "customer_id": "bob", "rank": 1, "probability": 0.5, "list": "favourites", "value": str(promised["bob"]),
    }  # fmt: skip
    # Rounded once.
    assert result["expected_points"] == pytest.approx(coffee["expected_cost"] + bread["expected_cost"], abs=1)
    assert (result["expected_amount"], result["expected_points_worth"]) == (
        tea["expected_cost"], result["expected_points"],
    )  # fmt: skip
    assert {each["list"]: each["places"] for each in result["lists"]} == {"favourites": 6, "win_back": 0, "discover": 3}


def test_it_is_of_those_who_bought_in_the_days_and_are_active(shop: Api):
    assert rehearsed(shop, an_offer()).result["members"] == 3
    assert rehearsed(shop, an_offer(), days=45).result["members"] == 4
    assert rehearsed(shop, an_offer(), days=4).result["members"] == 1

    assert shop.post("/v1/members/ann/suspend").status_code == 200

    assert rehearsed(shop, an_offer()).result["members"] == 2
    nobody = rehearsed(shop, an_offer(), days=1).result
    assert (nobody["members"], nobody["places"], nobody["offers"][0]["refused"]) == (0, 0, {})
    assert "Nobody bought anything in these days." in nobody["notes"]


def test_it_counts_why_offers_are_not_for_members(shop: Api):
    publish_ladder(shop, {"code": "bronze", "threshold": 0}, {"code": "gold", "threshold": 9_000})
    result = rehearsed(
        shop,
        an_offer("coffee", tiers=["gold"]),
        an_offer("tea", when="history.orders >= 2"),
        an_offer("bread", trigger="win_back"),
        an_offer("jam", valid_to="2026-02-01T00:00:00+00:00"),
        an_offer("rum"),
        never_personalise={"categories": ["rum"]},
    ).result

    assert {each["code"]: (each["eligible"], each["refused"]) for each in result["offers"]} == {
        "coffee": (1, {"tier": 2}),
        "tea": (2, {"condition": 1}),
        "bread": (0, {"trigger_only": 3}),
        "jam": (0, {"ended": 3}),
        "rum": (0, {"never_personalise": 3}),
    }
    assert (result["with_offers"], result["without_offers"]) == (2, 1)
    assert (
        "Offers that are given when something happens take no place, and are not rehearsed: bread." in result["notes"]
    )


def test_whoever_does_not_want_offers_to_be_personal_is_ranked_as_if_new(shop: Api):
    shop.enrol("fay", consents={"personalisation": False})
    order(shop, "fay", 1, coffee=2_000)
    rebuilt(shop)

    coffee = rehearsed(shop, an_offer()).result["offers"][0]

    fay = next(each for each in coffee["best"] if each["customer_id"] == "fay")
    assert (fay["probability"], fay["list"]) == (0.01, "discover")


def test_what_begins_later_is_looked_at_as_if_it_had_begun(shop: Api):
    result = rehearsed(shop, an_offer(valid_from="2026-04-01T00:00:00+00:00")).result

    assert result["offers"][0]["given"] == 3
    assert "These begin later, and are looked at as if they had begun: coffee." in result["notes"]


def test_what_members_hold_is_left_out_and_what_they_had_counts(shop: Api):
    offer = an_offer(caps={"ever": 1}, cooldown_days=30, budget_points=1_000)
    shelf.publish(shop, offer)
    for customer_id in ("ann", "bob"):
        assert shelf.codes(shop, customer_id) == ["coffee"]
    assert rehearsed(shop, offer).result["offers"][0]["eligible"] == 3

    order(shop, "ann", 0, coffee=2_000)
    assert shelf.assignments(shop, status="redeemed")

    coffee = rehearsed(shop, offer).result["offers"][0]
    assert (coffee["eligible"], coffee["refused"]) == (2, {"cap_reached": 1})
    assert coffee["budget"]["spent"] == 100


def test_a_budget_that_is_spent_gives_nothing(shop: Api):
    offer = an_offer(budget_points=100)
    shelf.publish(shop, offer)
    assert shelf.codes(shop, "ann") == ["coffee"]
    order(shop, "ann", 0, coffee=2_000)

    coffee = rehearsed(shop, offer).result["offers"][0]

    assert (coffee["eligible"], coffee["refused"], coffee["budget"]["used_percent"]) == (
        0,
        {"budget_exhausted": 3},
        None,
    )


def test_holdouts_are_counted_apart(shop: Api):
    configure(shop, holdout_percent=100)
    result = rehearsed(shop, an_offer(), an_offer("tea", holdout_percent=100)).result
    assert (result["held_out"], result["with_offers"], result["without_offers"], result["places"]) == (3, 0, 0, 0)
    assert result["offers"][0]["held_out"] == {"program": 3, "offer": 0}
    assert result["offers"][0]["best"] == result["offers"][0]["overlooked"] == []

    configure(shop, holdout_percent=0)
    result = rehearsed(shop, an_offer(), an_offer("tea", holdout_percent=100)).result
    assert the_offer(result, "coffee")["held_out"] == {"program": 0, "offer": 0}
    assert the_offer(result, "tea")["held_out"] == {"program": 0, "offer": 3}
    assert the_offer(result, "tea")["expected_redemptions"] == 0.0


def test_it_says_who_would_see_it_and_why_others_would_not(shop: Api, chances: Chances):
    chances.by_code = {"coffee-1": 0.9, "coffee-2": 0.8, "tea": 0.7, "last": 0.001}
    many = [an_offer(f"more-{n}") for n in range(9)]

    result = rehearsed(
        shop, an_offer("coffee-1", group="drinks"), an_offer("coffee-2", group="drinks"), an_offer("tea"),
        an_offer("last"), *many,
    ).result  # fmt: skip

    assert [each["customer_id"] for each in the_offer(result, "coffee-1")["best"]] != []
    second, last = the_offer(result, "coffee-2"), the_offer(result, "last")
    assert (second["in_top_3"], second["given"], second["overlooked"][0]["why"]) == (3, 0, "group")
    assert (last["in_top_10"], last["given"]) == (0, 0)
    assert [(each["rank"], each["why"]) for each in last["overlooked"]] == [(13, "rank")] * 3


def test_the_most_that_favourites_may_have_is_kept(shop: Api, chances: Chances):
    result = rehearsed(shop, an_offer("coffee"), an_offer("tea"), favourites_percent=10).result

    # Ann buys both, and coffee more often.
    assert the_offer(result, "tea")["overlooked"] == [
        {"customer_id": "ann", "rank": 2, "probability": 0.25, "list": "favourites", "why": "places"}
    ]


@pytest.mark.parametrize("personalising", [{}, {"exploration_percent": 30}, {"favourites_percent": 20}])
def test_what_it_says_is_what_members_are_then_given(shop: Api, personalising: dict[str, Any]):
    configure(shop, holdout_percent=30)
    drafted = [
        an_offer(f"{category}-{n}", holdout_percent=40 if n == 2 else 0, group=category if n < 2 else None)
        for category in ("coffee", "tea", "bread", "jam")
        for n in range(4)
    ]
    result = rehearsed(shop, *drafted, **personalising).result

    shelf.publish(shop, *drafted, **personalising)
    given = {customer_id: shelf.codes(shop, customer_id) for customer_id in LOOKED_AT}

    told = {offer["code"]: {each["customer_id"] for each in offer["best"]} for offer in result["offers"]}
    assert told == {code: {who for who in LOOKED_AT if code in given[who]} for code in told}
    rows = shelf.assignments(shop, status="held_out")
    assert sum(sum(offer["held_out"].values()) for offer in result["offers"]) == len(rows)


def test_it_writes_nothing_and_says_the_same_again(shop: Api):
    before = all_rows(shop)
    drafted = [an_offer("coffee", "multiplier", "2"), an_offer("tea", "discount_amount", 500)]

    assert rehearsed(shop, *drafted, exploration_percent=40) == rehearsed(shop, *drafted, exploration_percent=40)

    assert all_rows(shop) == before


def test_it_is_read_page_by_page_and_says_how_far_it_is(shop: Api, monkeypatch: pytest.MonkeyPatch):
    whole = rehearsed(shop, an_offer("coffee", "multiplier", "2")).result
    monkeypatch.setattr(offer_members, "PAGE", 2)
    told: list[tuple[int, int]] = []

    def listen(done: int, total: int) -> bool:
        told.append((done, total))
        return True

    assert rehearsed(shop, an_offer("coffee", "multiplier", "2"), told=listen).result == whole
    assert told == [(0, 3), (2, 3)]
    with pytest.raises(Interrupted):
        rehearsed(shop, an_offer(), told=lambda done, _total: done < 2)


def all_rows(shop: Api) -> dict[str, int]:
    with shop.app.app_context(), reading() as session:
        return {t: session.row(f"SELECT count(*) FROM {t}", into=scalar_row) or 0 for t in METADATA.tables}
