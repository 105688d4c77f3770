"""Whatever a shop does, and whenever somebody looks: outcomes are what all orders say at once."""

from datetime import timedelta
from random import Random

import pytest

from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.outcomes.counted import assert_as_orders_say, filled, followed
from tests.personalisation.shelf import an_offer, offers, publish
from tests.shop import a_line, buy, cancel, configure, give_back, in_days, merge

pytestmark = pytest.mark.usefixtures("ranker")

DAYS = 70


class Shop:
    """A shop with a few members, by chance."""

    def __init__(self, api: Api, chance: Random, monkeypatch: pytest.MonkeyPatch) -> None:
        self.api, self.chance, self.monkeypatch, self.day = api, chance, monkeypatch, 0.0
        self.left, self.orders = [f"c-{number}" for number in range(6)], {}
        configure(api, auto_enrol=True, holdout_percent=30)
        publish(api, an_offer(holdout_percent="40"), an_offer("tea", holdout_percent="60"))
        for customer_id in self.left:
            api.enrol(customer_id)

    def waits(self) -> None:
        self.day += self.chance.uniform(0, 6)
        it_is(self.monkeypatch, NOW + timedelta(days=self.day))

    def buys(self) -> None:
        chance, order_id = self.chance, f"o-{len(self.orders)}"
        lines = [
            a_line(str(n), chance.randrange(1_000), chance.randint(1, 3), category=chance.choice(["tea", "coffee"]))
            for n in range(chance.randint(1, 3))
        ]
        who = {"customer_id": chance.choice([*self.left, None])}
        placed = in_days(chance.uniform(-20, self.day))
        buy(self.api, order_id, *lines, **who, placed_at=placed, discount=chance.randint(0, 40))
        self.orders[order_id] = {line["line_id"]: line["quantity"] for line in lines}

    def looks(self) -> None:
        offers(self.api, self.chance.choice(self.left))

    def gives_back(self) -> None:
        order_id = self.chance.choice([*self.orders])
        left = {line_id: units for line_id, units in self.orders[order_id].items() if units}
        if left:
            line_id = self.chance.choice([*left])
            units = self.chance.randint(1, left[line_id])
            self.orders[order_id][line_id] -= units
            return_id = f"R-{self.chance.getrandbits(60)}"
            assert give_back(self.api, order_id, {line_id: units}, return_id=return_id).status_code == 201

    def cancels(self) -> None:
        order_id = self.chance.choice([*self.orders])
        assert cancel(self.api, order_id).status_code == 200
        self.orders[order_id] = {}

    def merges(self) -> None:
        if len(self.left) > 3:
            source, into = self.chance.sample(self.left, 2)
            if merge(self.api, source, into).status_code == 200:
                self.left.remove(source)

    def counts(self) -> None:
        filled(self.api, now=NOW + timedelta(days=self.day), limit=self.chance.choice([1, 4, 1_000]))

    def follows(self) -> None:
        followed(self.api, limit=self.chance.choice([1, 3, 1_000]))


@pytest.mark.parametrize("seed", range(4))
def test_bit_by_bit_is_all_at_once(api: Api, seed: int, monkeypatch: pytest.MonkeyPatch):
    shop = Shop(api, Random(seed), monkeypatch)
    for _ in range(5):
        shop.looks()
        shop.buys()
    acts = [shop.waits, shop.buys, shop.looks, shop.gives_back, shop.cancels, shop.merges, shop.counts, shop.follows]
    for act in shop.chance.choices(acts, [14, 10, 8, 6, 2, 1, 4, 3], k=70):
        act()
    shop.day = max(shop.day, DAYS)
    it_is(monkeypatch, NOW + timedelta(days=shop.day))
    shop.counts()
    followed(api, limit=5)

    assert_as_orders_say(api)
