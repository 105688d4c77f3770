"""The life of a shop, by chance: orders, also late and of guests, and all that can become of them and of points."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.core.calendar import local_date
from loyalty.db.session import transaction
from loyalty.rollups import segments
from tests import shop
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.offers import shelf
from tests.payments import checkout
from tests.rewards import desk
from tests.rollups.counted import count_page
from tests.shop import A_DAY, a_line, at

GOODS: tuple[dict[str, str], ...] = ({}, {"category": "tea"}, {"category": "coffee"}, {"category": "coffee > beans"})
CHANNELS: tuple[dict[str, str], ...] = ({}, {"channel": "web"}, {"channel": "shop"})
ZONE = "Europe/Warsaw"
SEGMENTS = ("champions", "new")

_MOVE_INTO = """
INSERT INTO segment_members (program_id, segment, member_id, since)
SELECT program_id, %s, member_id, now() FROM members WHERE program_id = %s AND customer_id = ANY(%s)
"""


class Life:
    """A shop with a few members. Time passes with each act; what is refused is refused."""

    def __init__(self, api: Api, monkeypatch: pytest.MonkeyPatch, chance: Random) -> None:
        self.api, self.chance, self.now, self.number = api, chance, NOW, 0
        self.monkeypatch = monkeypatch
        self.left, self.orders, self.open = ["c-1", "c-2", "c-3", "c-4"], dict[str, dict[str, int]](), dict[str, str]()
        it_is(monkeypatch, NOW - 50 * A_DAY)
        shop.configure(api, auto_enrol=True, time_zone=ZONE, returns={"policy": "debt", "max_debt": None})
        shop.configure_units(
            api, points=({"mode": "delay", "days": 1}, {"mode": "rolling", "days": 9}),
        )  # fmt: skip
        shop.publish_rules(api, {"points": "1"}, shop.a_bonus("review", 30))
        shop.publish_ladder(api, {"code": "basic", "threshold": 0}, {"code": "gold", "threshold": 4_000})
        desk.offer(api, points=20)
        shelf.publish(api, shelf.an_offer(categories=["coffee"]))
        it_is(monkeypatch, NOW)
        for customer_id in self.left:
            api.enrol(customer_id)

    def acts(self, times: int) -> None:
        """So many acts by chance."""
        weighted: dict[Callable[[], Any], int] = {
            self.buys: 9, self.gives_back: 5, self.cancels: 2, self.merges: 1, self.adjusts: 3, self.holds: 3,
            self.resolves: 4, self.transfers: 1, self.redeems: 4, self.resolves_a_redemption: 3, self.reviews: 1,
            self.pays: 3, self.resolves_a_payment: 3, self.offers: 3, self.reinstates: 1, self.notes_segments: 2,
            self.is_counted: 3, self.leaves: 1,
        }  # fmt: skip
        for act in self.chance.choices([*weighted], [*weighted.values()], k=times):
            self.now += timedelta(hours=self.chance.randrange(30))
            it_is(self.monkeypatch, self.now)
            act()

    def new(self, what: str) -> str:
        """An id."""
        self.number += 1
        return f"{what}-{self.number}"

    def whom(self) -> str:
        """One of the members who are left."""
        return self.chance.choice(self.left)

    def buys(self) -> None:
        """An order of today or of the last weeks; some are paid with what is held."""
        order_id, chance = self.new("o"), self.chance
        lines = [
            a_line(
                str(n), chance.randrange(900), chance.randint(1, 3), sku=chance.choice("abc"), **chance.choice(GOODS)
            )
            for n in range(chance.randint(1, 3))
        ]
        total = sum(line["quantity"] * line["unit_price"] for line in lines)
        discount = chance.choice([0, 0, chance.randint(0, total)])
        placed = self.now - chance.choice([0, 0, 1, 20]) * chance.random() * A_DAY
        who = {"customer_id": chance.choice([*self.left, None])}
        shop.buy(self.api, order_id, *lines, **who, **chance.choice(CHANNELS), placed_at=at(placed), discount=discount)
        self.orders[order_id] = {line["line_id"]: line["quantity"] for line in lines}

    def gives_back(self) -> None:
        """Some units of an order."""
        if not self.orders:
            return
        order_id = self.chance.choice([*self.orders])
        if left := {line_id: units for line_id, units in self.orders[order_id].items() if units}:
            line_id = self.chance.choice([*left])
            units = self.chance.randint(1, left[line_id])
            self.orders[order_id][line_id] -= units
            answer = shop.give_back(self.api, order_id, {line_id: units}, return_id=self.new("R"))
            assert answer.status_code == 201, answer.json

    def cancels(self) -> None:
        """All that is left of an order."""
        if self.orders:
            order_id = self.chance.choice([*self.orders])
            assert shop.cancel(self.api, order_id).status_code == 200
            self.orders[order_id] = {}

    def merges(self) -> None:
        """Two members turn out to be one."""
        if len(self.left) > 2:
            source, into = self.chance.sample(self.left, 2)
            if shop.merge(self.api, source, into).status_code == 200:
                self.left.remove(source)

    def leaves(self) -> None:
        """A new one comes, and goes."""
        self.api.enrol(customer_id := self.new("c"))
        shop.adjust(self.api, 10, customer_id)
        shop.transfer(self.api, 5, customer_id, self.whom())
        self.api.delete(f"/v1/members/{customer_id}")

    def adjusts(self) -> None:
        """Points by hand."""
        shop.adjust(self.api, self.chance.choice([-5, 40, 120]), self.whom())

    def holds(self) -> None:
        """Points are kept; some for an order that may never come."""
        more = self.chance.choice([{}, {"order_id": f"o-{self.chance.randint(1, 60)}"}])
        seconds = self.chance.choice([600, 9 * 24 * 3600])
        hold_id = self.new("h")
        if shop.hold(self.api, hold_id, self.chance.randint(1, 60), self.whom(), hold_seconds=seconds, **more).json:
            self.open[hold_id] = "hold"

    def resolves(self) -> None:
        """A hold is captured, in part or wholly, or released."""
        if hold_id := self._open("hold"):
            how = self.chance.choice([shop.capture, shop.release, lambda api, each: shop.capture(api, each, points=1)])
            how(self.api, hold_id)

    def transfers(self) -> None:
        """Points go from one to another."""
        giver, taker = self.chance.sample(self.left, 2)
        shop.transfer(self.api, self.chance.randint(1, 30), giver, taker)

    def redeems(self) -> None:
        """A reward, at once or held first."""
        how = self.chance.choice([desk.redeem, desk.hold])
        if how(self.api, redemption_id := self.new("r"), self.whom()).status_code == 201:
            self.open[redemption_id] = "redemption"

    def resolves_a_redemption(self) -> None:
        """It is confirmed, or cancelled; or its time was over."""
        with self.api.app.app_context():
            desk.expire(self.api, self.now)
        if redemption_id := self._open("redemption"):
            self.chance.choice([desk.confirm, desk.cancel, desk.cancel])(self.api, redemption_id)

    def reviews(self) -> None:
        """An activity is thanked for."""
        shop.report(self.api, self.new("a"), "review", self.whom(), occurred_at=at(self.now))

    def pays(self) -> None:
        """Points pay for an order: held, and captured with it or before."""
        payment_id, who = self.new("p"), self.whom()
        if checkout.hold(self.api, 10, payment_id, who, order_total=10_000).status_code == 201:
            self.open[payment_id] = "payment"
            if self.chance.random() < 0.6:
                paid = checkout.order(
                    self.api, 10, order_id := self.new("o"), payment_id, customer_id=who, placed_at=at(self.now),
                    **self.chance.choice(CHANNELS),
                )  # fmt: skip
                assert paid.status_code == 201, paid.json
                self.orders[order_id] = {"1": 1, "2": 1}

    def resolves_a_payment(self) -> None:
        """It is captured, released, or refunded in part."""
        if payment_id := self._open("payment"):
            self.chance.choice([checkout.capture, checkout.release])(self.api, payment_id)
            checkout.refund(self.api, self.chance.choice([None, 1, 3]), payment_id)

    def offers(self) -> None:
        """An offer that an order of coffee redeems."""
        who = self.whom()
        shelf.give(self.api, who, activated=self.now - A_DAY)
        line = a_line("1", 250, 2, **GOODS[3])
        shop.buy(self.api, order_id := self.new("o"), line, customer_id=who, placed_at=at(self.now))
        self.orders[order_id] = {"1": 2}

    def reinstates(self) -> None:
        """Lapsed points come back, if there are any."""
        who = self.whom()
        for lot in self.api.get(f"/v1/members/{who}/lots?limit=200").json["data"]:
            shop.reinstate(self.api, lot["lot"], who)

    def notes_segments(self) -> None:
        """Members move from segment to segment, and a day's end notes who is in which."""
        program_id = self.api.program.program_id
        with self.api.app.app_context(), transaction() as session:
            session.run("DELETE FROM segment_members WHERE program_id = %s", (program_id,))
            for code in SEGMENTS:
                some = [who for who in self.left if self.chance.random() < 0.5]
                session.run(_MOVE_INTO, (code, program_id, some))
            day = local_date(self.now, ZONE)
            taken = "SELECT count(*) FROM rollup_segments WHERE program_id = %s AND taken_on >= %s"
            if not session.row(taken, (program_id, day), into=scalar_row):
                assert segments.take_program(session, program_id, day)

    def is_counted(self) -> None:
        """Some of what has happened, as far as the log can be read yet."""
        count_page(self.api, limit=self.chance.choice([1, 3, 20]))

    def _open(self, what: str) -> str | None:
        found = [each for each, kind in self.open.items() if kind == what]
        return self.chance.choice(found) if found else None
