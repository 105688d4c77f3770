"""Whatever a shop does, and whenever somebody looks: what was learned bit by bit is what all orders say at once."""

from random import Random

import pytest

from tests.api import Api
from tests.learning.learned import assert_as_rebuilt, learned
from tests.shop import a_line, buy, cancel, configure, give_back, in_days, merge

GOODS = ({}, {"category": "tea"}, {"category": "coffee"}, {"category": "coffee > beans"})


class Shop:
    """A shop with a few members, by chance."""

    def __init__(self, api: Api, chance: Random) -> None:
        self.api, self.chance, self.left, self.orders = api, chance, ["c-1", "c-2", "c-3", "c-4"], {}
        configure(api, auto_enrol=True)

    def buys(self) -> None:
        order_id, chance = f"o-{len(self.orders)}", self.chance
        lines = [
            a_line(
                str(n), chance.randrange(1_000), chance.randint(1, 3), sku=chance.choice("abc"), **chance.choice(GOODS)
            )
            for n in range(chance.randint(1, 3))
        ]
        total = sum(line["quantity"] * line["unit_price"] for line in lines)
        who = {"customer_id": chance.choice([*self.left, None])}
        # Now and then at the same instant as another one.
        placed = in_days(-chance.randint(1, 20))
        buy(self.api, order_id, *lines, **who, placed_at=placed, discount=chance.randint(0, total))
        self.orders[order_id] = {line["line_id"]: line["quantity"] for line in lines}

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
        if len(self.left) > 2:
            source, into = self.chance.sample(self.left, 2)
            if merge(self.api, source, into).status_code == 200:
                self.left.remove(source)

    def learns(self) -> None:
        learned(self.api, limit=self.chance.choice([1, 3, 1_000]))


@pytest.mark.parametrize("seed", range(4))
def test_bit_by_bit_is_all_at_once(api: Api, seed: int):
    shop = Shop(api, Random(seed))
    for _ in range(8):
        shop.buys()
    acts, weights = [shop.buys, shop.gives_back, shop.cancels, shop.merges, shop.learns], [8, 6, 2, 1, 4]
    for act in shop.chance.choices(acts, weights, k=45):
        act()
    learned(api, limit=5)

    assert_as_rebuilt(api)
