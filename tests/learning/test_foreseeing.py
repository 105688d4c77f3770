"""What decayed counters mean is learned from what became of members who had them. Pure, but for the last tests."""

import math
import random

import numpy as np
import pytest

from loyalty.db.session import reading
from loyalty.features import counted
from loyalty.features.decay import DAY
from loyalty.features.outlook import AHEAD, USUAL
from loyalty.learning import counting, foreseeing, looking_back
from loyalty.learning.foreseeing import MEMBERS_MIN, POWERS, Seen, learned, spread
from tests.api import Api
from tests.builders import NOW
from tests.learning.habits import member_id_of
from tests.learning.learned import learned as followed
from tests.shop import a_line, at, buy, cancel, configure, give_back, merge


def a_program(count: int, *, odds: tuple[float, float], spend: tuple[float, float], seed: int = 7) -> list[Seen]:
    """Members who do what they do by chance, with these odds; who buys spends what is expected, and by luck."""
    luck, made = random.Random(seed), []
    for _ in range(count):
        visits = luck.lognormvariate(0, 1)
        worth = visits * luck.lognormvariate(8, 0.5)
        chance = 1 / (1 + math.exp(-(odds[0] + odds[1] * math.log(visits))))
        buys = luck.random() < chance
        amount = math.exp(spend[0] + spend[1] * math.log(worth)) / chance * luck.lognormvariate(-0.125, 0.5)
        made.append(Seen(visits, worth, int(buys), round(amount) if buys else 0))
    return made


@pytest.mark.parametrize("odds", [(-1.5, 0.8), (0.5, 1.2)])
def test_what_is_true_of_members_is_found(odds: tuple[float, float]):
    found = learned(a_program(20_000, odds=odds, spend=(1.0, 0.9)))

    assert found.members == 20_000
    assert found.odds == pytest.approx(odds, abs=0.08)
    assert found.spend == pytest.approx((1.0, 0.9), abs=0.5)
    assert found.spend[1] == pytest.approx(0.9, abs=0.06)


def test_as_many_buy_and_as_much_is_spent_as_is_expected_in_all():
    members = a_program(3_000, odds=(-0.7, 1.0), spend=(0.5, 0.95))
    found = learned(members)

    assert sum(found.buys(each.visits) for each in members) == pytest.approx(
        sum(each.orders > 0 for each in members), rel=0.01
    )
    assert sum(found.spends(each.worth) for each in members) == pytest.approx(
        sum(each.spend for each in members), rel=0.01
    )


def test_of_few_members_nothing_is_learned():
    members = a_program(MEMBERS_MIN, odds=(2.0, 0.5), spend=(1.0, 0.9))

    assert learned(members[:-1]) == USUAL
    assert learned(members).members == MEMBERS_MIN


@pytest.mark.parametrize(("orders", "spend"), [(0, 0), (3, 500)])
def test_where_all_do_the_same_there_is_an_answer(orders: int, spend: int):
    found = learned([Seen(0.1 + each / 100, each * 100.0, orders, spend) for each in range(300)])

    assert found.buys(1.0) > 0.95 if orders else found.buys(1.0) < 0.05
    assert POWERS[0] <= found.odds[1] <= POWERS[1]


def test_who_has_more_is_never_expected_to_do_less():
    # The other way round: the fewer visits, the likelier an order.
    found = learned([Seen(1 + each, 100.0 * (1 + each), int(each < 100), 500 * (each < 100)) for each in range(400)])

    assert (found.odds[1], found.spend[1]) == (POWERS[0], POWERS[0])


def test_members_are_counted_by_level_and_fifth():
    counted = spread(USUAL, np.array([0.01, 1.0, 50.0, 50.0]), np.array([5.0, 15.0, 45.0, 10.0]), (10, 20, 30, 40))

    assert counted.spread == ((1, 0, 0, 0, 1), (0, 1, 0, 0, 0), (1, 0, 0, 0, 0))


@pytest.fixture
def shop(api: Api) -> Api:
    """1 bought 100 and 10 days ago, 2 only 200 days ago, 3 only 5 days ago, 4 before and since, but gave that back."""
    configure(api, auto_enrol=True)
    for customer, days in (("c-1", 100), ("c-1", 10), ("c-2", 200), ("c-3", 5), ("c-4", 120), ("c-4", 20), ("c-4", 3)):
        line = a_line("1", 500, 2)
        buy(api, f"{customer}-{days}", line, customer_id=customer, placed_at=at(NOW - days * DAY))
    give_back(api, "c-4-3", {"1": 1})
    cancel(api, "c-4-20")
    return api


def seen_of(api: Api, *customers: str) -> list[Seen]:
    with api.app.app_context(), reading() as session:
        ids = [member_id_of(session, api, customer) for customer in customers]
        return sorted(looking_back.look(session, ids, now=NOW), key=lambda each: each.visits)


def test_members_are_seen_as_they_were_with_what_they_bought_since(shop: Api):
    followed(shop)
    second, fourth, first = seen_of(shop, "c-1", "c-2", "c-3", "c-4")

    def days_before(days):
        """A visit, decayed with a half-life of 60 days until the scores were to look ahead."""
        return 2 ** -((days - AHEAD / DAY) / 60)

    assert (first.visits, first.worth) == pytest.approx((days_before(100), 1000 * days_before(100)))
    assert (first.orders, first.spend) == (1, 1000)
    assert (second.visits, second.orders, second.spend) == (pytest.approx(days_before(200)), 0, 0)
    assert (fourth.visits, fourth.orders, fourth.spend) == (pytest.approx(days_before(120)), 1, 500)


def test_the_nightly_count_keeps_what_was_learned(shop: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(foreseeing, "MEMBERS_MIN", 3)
    followed(shop)
    with shop.app.app_context():
        assert counting.count(shop.program.program_id, now=NOW) == 1
        with reading() as session:
            cuts, outlook = counted.cuts_and_outlook(session, shop.program.program_id)

    assert outlook.members == 3
    assert sum(map(sum, outlook.spread)) == 4
    assert cuts.as_of == NOW
    assert shop.get("/v1/members/c-1/scores").json["learned_from"] == 3


def test_orders_of_a_merged_member_are_of_who_stays(shop: Api):
    assert merge(shop, "c-3", "c-2").status_code == 200
    followed(shop)
    (second,) = seen_of(shop, "c-2")

    assert (second.orders, second.spend) == (1, 1000)
