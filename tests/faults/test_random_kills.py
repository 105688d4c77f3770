"""`kill -9` at any instant, twenty times, while everything happens at once: nothing told is lost, nothing is half done.

Each request carries its own id, so the one that got no answer is sent again and gets the answer it would have got.
"""

import http.client
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import tuple_row

from loyalty.db.embedded import database_url, embedded_server
from tests.builders import order_json, reward_json
from tests.faults.service import Answer, Client, Place, Service, a_place, call, serving, until

ROUNDS = 8
TILLS = 4
MEMBERS = [f"c-{number}" for number in range(6)]
REWARD_POINTS = 7
# Enough for all that this file spends.
FORTUNE = 1_000_000
A_MONTH_SECONDS = 31 * 24 * 3600
# When something is killed: so long after the tills have opened.
SOONEST_SECONDS, LATEST_SECONDS = 0.1, 1.2
PAUSE_SECONDS = 0.1
# How likely an order is returned, or a hold captured, at each turn of its till.
GOES_ON = 0.3

# Each row is a request that was carried out, by its own id: in how many of its places it left something, and its marks
# in the history. Done is all of it, not done is nothing of it.
TRACES = """
SELECT kind, id, count(*) FROM (
    SELECT 'order' AS kind, key AS id FROM natural_keys WHERE kind = 'order'
    UNION ALL SELECT 'order', order_id FROM orders
    UNION ALL SELECT 'order', order_id FROM entries WHERE kind = 'earn'
    UNION ALL SELECT 'return', key FROM natural_keys WHERE kind = 'return'
    UNION ALL SELECT 'return', key FROM receipts WHERE kind = 'return'
    UNION ALL SELECT 'return', return_id FROM returns
    UNION ALL SELECT 'return', reference FROM entries WHERE kind = 'reverse'
    UNION ALL SELECT 'redemption', key FROM natural_keys WHERE kind = 'redemption'
    UNION ALL SELECT 'redemption', r.redemption_id FROM redemptions r JOIN vouchers v ON v.code = r.voucher_code
    UNION ALL SELECT 'redemption', reference FROM entries WHERE kind = 'redeem' AND reference LIKE 'redemption%'
    UNION ALL SELECT 'hold', key FROM natural_keys WHERE kind = 'hold'
    UNION ALL SELECT 'hold', key FROM receipts WHERE kind = 'hold'
    UNION ALL SELECT 'hold', hold_id FROM holds
    UNION ALL SELECT 'hold', reference FROM entries WHERE kind = 'hold'
    UNION ALL SELECT 'capture', key FROM idempotency_keys WHERE status = 200
    UNION ALL SELECT 'capture', 'capture-' || hold_id FROM holds WHERE status = 'captured'
    UNION ALL SELECT 'capture', 'capture-' || reference FROM entries WHERE kind = 'redeem' AND reference LIKE 'hold%'
    UNION ALL SELECT 'transfer', key FROM natural_keys WHERE kind = 'transfer'
    UNION ALL SELECT 'transfer', key FROM receipts WHERE kind = 'transfer'
    UNION ALL SELECT 'transfer', reference FROM entries WHERE kind = 'transfer_out'
    UNION ALL SELECT 'transfer', reference FROM entries WHERE kind = 'transfer_in'
    UNION ALL SELECT 'adjustment', key FROM natural_keys WHERE kind = 'adjustment'
    UNION ALL SELECT 'adjustment', key FROM receipts WHERE kind = 'adjustment'
    UNION ALL SELECT 'adjustment', reference FROM entries WHERE kind = 'adjust') traces
GROUP BY kind, id
"""
PLACES = {"order": 3, "return": 4, "redemption": 3, "hold": 4, "capture": 3, "transfer": 4, "adjustment": 3}


@dataclass(frozen=True)
class Request:
    """A request that may be sent again, and what it does to whom."""

    kind: str
    id: str
    path: str
    body: dict[str, Any]
    effect: dict[str, int]

    def send(self, client: Client) -> Answer:
        headers = {"Idempotency-Key": self.id} if self.kind == "capture" else {}
        return client.call("POST", self.path, self.body, headers)


@dataclass
class Shop:
    """Several tills, what they sent since the last proof, and what they were told."""

    place: Place
    key: str
    sent: list[Request] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    should_have: Counter[str] = field(default_factory=Counter)
    should_be: set[tuple[str, str]] = field(default_factory=set)
    refusals: list[tuple[Request, Answer]] = field(default_factory=list)
    unanswered: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def till(self, name: str) -> None:
        """One request after the other, whether they are answered or not."""
        chance, answered, number = random.Random(name), [], 0
        with closing(Client(self.place.port, self.key)) as client:
            while not self.closed.is_set():
                number += 1
                request = a_request(f"{name}-{number}", chance, answered)
                self.sent.append(request)
                try:
                    answer = request.send(client)
                except (OSError, http.client.HTTPException):
                    self.unanswered += 1
                    time.sleep(PAUSE_SECONDS)
                    continue
                if answer.status in (200, 201):
                    self.told[request.id] = answer.json
                    answered.append(request)
                else:
                    self.refusals.append((request, answer))
                    time.sleep(PAUSE_SECONDS)


def a_request(name: str, chance: random.Random, answered: list[Request]) -> Request:
    """Anything; what goes on with an order or a hold of this till does so once."""
    for request in answered:
        if request.kind in ("order", "hold") and chance.random() < GOES_ON:
            answered.remove(request)
            if request.kind == "order":
                return a_return(f"return-{name}", request, chance)
            return a_capture(request, chance)
    kind = chance.choice(("order", "redemption", "hold", "transfer", "adjustment"))
    member, other = chance.sample(MEMBERS, 2)
    points = chance.randint(1, 40)
    if kind == "order":
        return an_order(f"order-{name}", member, points)
    change = chance.choice((-1, 1)) * points
    body, effect = {
        "redemption": ({"reward": "seven"}, {member: -REWARD_POINTS}),
        "hold": ({"points": points, "hold_seconds": A_MONTH_SECONDS}, {member: 0}),
        "transfer": ({"points": points, "to": other}, {member: -points, other: points}),
        "adjustment": ({"points": change, "reason": "a test"}, {member: change}),
    }[kind]
    id_ = f"{kind}-{name}"
    return Request(kind, id_, f"/v1/members/{member}/{kind}s", {f"{kind}_id": id_, **body}, effect)


def an_order(order_id: str, member: str, points: int) -> Request:
    lines = [{"line_id": "1", "sku": "TEA", "quantity": points, "unit_price": 100}]
    placed_at = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    body = order_json(order_id=order_id, customer_id=member, currency="USD", lines=lines, placed_at=placed_at)
    return Request("order", order_id, "/v1/orders", body, {member: points})


def a_return(return_id: str, order: Request, chance: random.Random) -> Request:
    units = chance.randint(1, order.body["lines"][0]["quantity"])
    body = {"return_id": return_id, "lines": [{"line_id": "1", "quantity": units}]}
    return Request("return", return_id, f"/v1/orders/{order.id}/returns", body, {order.body["customer_id"]: -units})


def a_capture(hold: Request, chance: random.Random) -> Request:
    points = chance.randint(1, hold.body["points"])
    return Request(
        "capture",
        f"capture-{hold.id}",
        f"/v1/holds/{hold.id}/capture",
        {"points": points},
        {next(iter(hold.effect)): -points},
    )


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop whose members have plenty of points. Its service is not running."""
    with a_place() as place:
        with serving(place) as service:
            assert service.key is not None, service.log
            shop = Shop(place, service.key)
            reward = reward_json(points=REWARD_POINTS)
            assert call(place.port, "PUT", "/v1/admin/rewards/seven", reward, key=shop.key).status == 201
            for member in MEMBERS:
                assert call(place.port, "PUT", f"/v1/members/{member}", {}, key=shop.key).status == 201
                # An order whose price is the fortune; one unit of it, for a line has not so many.
                fortune = an_order(f"order-fortune-{member}", member, FORTUNE)
                fortune.body["lines"][0].update(quantity=1, unit_price=FORTUNE * 100)
                shop.sent.append(fortune)
            service.stop()
        yield shop


def kill_a_worker(shop: Shop, service: Service, chance: random.Random) -> None:
    """One of the processes that answer requests or do the jobs; the others go on, and it is replaced."""
    victim = chance.choice([*service.workers(), *(worker.pid for worker in shop.place.jobs_workers())])
    os.kill(victim, signal.SIGKILL)


def kill_the_database(shop: Shop, service: Service, chance: random.Random) -> None:
    """All of PostgreSQL; the service stays and waits for it."""
    shop.place.kill_database()


def kill_the_service(shop: Shop, service: Service, chance: random.Random) -> None:
    """All that answers requests; the database is an orphan."""
    service.kill()


def kill_everything(shop: Shop, service: Service, chance: random.Random) -> None:
    """As when the machine loses power."""
    service.kill()
    shop.place.kill_database()


FAULTS = (kill_a_worker, kill_the_database, kill_the_service, kill_everything)


def under_load(shop: Shop, service: Service, number: int, chance: random.Random) -> None:
    """Open the tills, kill something at some instant, close the tills."""
    shop.closed.clear()
    tills = [threading.Thread(target=shop.till, args=(f"{number}-{till}",)) for till in range(TILLS)]
    for till in tills:
        till.start()
    try:
        time.sleep(chance.uniform(SOONEST_SECONDS, LATEST_SECONDS))
        FAULTS[number % len(FAULTS)](shop, service, chance)
        time.sleep(PAUSE_SECONDS)
    finally:
        shop.closed.set()
        for till in tills:
            till.join()


def assert_nothing_is_half_done(shop: Shop) -> None:
    """What was told is there, what was not is either there or not, and nothing else is."""
    with embedded_server(shop.place.data_dir) as server, psycopg.connect(database_url(server, "loyalty")) as database:
        rows = database.cursor(row_factory=tuple_row).execute(TRACES).fetchall()
    done = {(kind, id_) for kind, id_, _ in rows}
    assert [row for row in rows if row[2] != PLACES[row[0]]] == []
    acknowledged = {(request.kind, request.id) for request in shop.sent if request.id in shop.told}
    unknown = {(request.kind, request.id) for request in shop.sent} - acknowledged
    assert shop.should_be | acknowledged <= done
    assert done <= shop.should_be | acknowledged | unknown


def assert_all_is_well(shop: Shop) -> None:
    """The books are proved, and every request, sent again, gets its one answer."""
    assert_nothing_is_half_done(shop)
    for request, refusal in shop.refusals:
        assert (refusal.status, refusal.json["code"]) == (503, "unavailable"), (request, refusal)
    with closing(Client(shop.place.port, shop.key)) as client:
        for request in shop.sent:
            answer = request.send(client)
            assert answer.status in (200, 201), (request, answer)
            assert answer.json == shop.told.get(request.id, answer.json), "answered in another way than before"
            assert answer.is_replay or request.id not in shop.told, "done again"
            shop.should_have.update(request.effect)
            shop.should_be.add((request.kind, request.id))
        proof = client.call("GET", "/v1/ledger/verification").json
        balances = {member: client.call("GET", f"/v1/members/{member}/balance").json for member in MEMBERS}
    assert proof["ok"], proof
    assert {who: has["available"] + has["held"] for who, has in balances.items()} == shop.should_have
    shop.sent.clear()
    shop.told.clear()
    shop.refusals.clear()


def test_whatever_is_killed_at_whatever_instant_all_that_was_told_holds(shop: Shop):
    chance = random.Random(20)
    number = told = 0
    while number < ROUNDS:
        with serving(shop.place) as service:
            assert_all_is_well(shop)
            while number < ROUNDS and service.process.poll() is None:
                under_load(shop, service, number, chance)
                told += len(shop.told)
                number += 1
                if service.process.poll() is None:
                    if not shop.place.database_processes():
                        # Any command starts the database again; here the one that proves what the crash left.
                        verified = shop.place.run("verify")
                        assert (verified.code, verified.stderr) == (0, ""), verified
                    until(service.is_ready, "the service to recover")
                    assert_all_is_well(shop)
    with serving(shop.place):
        assert_all_is_well(shop)
    verified = shop.place.run("verify")
    assert (verified.code, verified.stderr) == (0, ""), verified
    assert told > 20 * ROUNDS
    assert shop.unanswered > ROUNDS
