"""`kill -9` under load: whatever dies, no acknowledged point is lost, none is given twice, nothing is half-written."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg.rows import scalar_row

from loyalty.db.embedded import database_url, embedded_server
from tests.builders import order_json, reward_json
from tests.faults.service import Answer, Client, Place, a_place, call, serving, until

CLIENTS = 4
MEMBERS = [f"c-{number}" for number in range(6)]
REWARD_POINTS = 7
# Enough for every redemption of this file.
FORTUNE = 1_000_000
# So much is acknowledged before something is killed.
ACKNOWLEDGED_BEFORE = 60
# Between the requests of a till, and after one that failed: to be told once is enough.
BREATH_SECONDS = 0.01
PAUSE_SECONDS = 0.1

# What must not exist: one half of what is written together.
HALVES = {
    "an order id without its order": """
        SELECT count(*) FROM natural_keys k WHERE k.kind = 'order' AND NOT EXISTS
            (SELECT FROM orders o WHERE o.member_id = k.member_id AND o.order_id = k.key)""",
    "an order without its order id": """
        SELECT count(*) FROM orders o WHERE NOT EXISTS
            (SELECT FROM natural_keys k WHERE k.kind = 'order' AND k.member_id = o.member_id AND k.key = o.order_id)""",
    "an order without exactly one entry": """
        SELECT count(*) FROM orders o WHERE 1 <>
            (SELECT count(*) FROM entries e WHERE e.member_id = o.member_id AND e.order_id = o.order_id)""",
    "a redemption without its id, or an id without its redemption": """
        SELECT count(*) FROM redemptions r FULL JOIN
            (SELECT * FROM natural_keys WHERE kind = 'redemption') k
            ON k.member_id = r.member_id AND k.key = r.redemption_id
        WHERE r.member_id IS NULL OR k.member_id IS NULL""",
    "a redemption without its voucher": """
        SELECT count(*) FROM redemptions r WHERE NOT EXISTS (SELECT FROM vouchers v WHERE v.code = r.voucher_code)""",
    "redemptions and entries that redeem differ": """
        SELECT (SELECT count(*) FROM redemptions) - (SELECT count(*) FROM entries WHERE kind = 'redeem')""",
}


@dataclass(frozen=True)
class Request:
    """A request that may be sent again: it carries its own id."""

    customer_id: str
    path: str
    body: dict[str, Any]

    @property
    def points(self) -> int:
        """What it does to the balance."""
        if "reward" in self.body:
            return -REWARD_POINTS
        return sum(line["quantity"] * line["unit_price"] // 100 for line in self.body["lines"])


@dataclass
class Shop:
    """Several tills that send orders and redemptions, remembering which were acknowledged."""

    place: Place
    key: str
    # What was sent since the last proof, and what all members hold by the proofs so far.
    sent: list[Request] = field(default_factory=list)
    proved: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, Any] = field(default_factory=dict)
    answers: Counter[Any] = field(default_factory=Counter)
    refusals: list[Answer] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def till(self, name: str) -> None:
        """Send requests, one after the other, whether they are answered or not."""
        with closing(Client(self.place.port, self.key)) as client:
            for number in range(1_000_000):
                if self.closed.is_set():
                    return
                request = a_request(f"{name}-{number}", number)
                self.sent.append(request)
                time.sleep(BREATH_SECONDS)
                try:
                    self.note(request, client.call("POST", request.path, request.body))
                except (OSError, http.client.HTTPException):
                    self.answers["none"] += 1
                    time.sleep(PAUSE_SECONDS)

    def note(self, request: Request, answer: Answer) -> None:
        self.answers[answer.status] += 1
        if answer.status == 201:
            self.acknowledged[id_of(request)] = answer.json
        else:
            self.refusals.append(answer)
            time.sleep(PAUSE_SECONDS)


def id_of(request: Request) -> str:
    return request.body.get("order_id") or request.body["redemption_id"]


def a_request(name: str, number: int) -> Request:
    """Every third request is a redemption; members take turns, so that tills meet at the same ones."""
    customer_id = MEMBERS[number % len(MEMBERS)]
    if number % 3 == 2:
        body = {"reward": "seven", "redemption_id": f"r-{name}"}
        return Request(customer_id, f"/v1/members/{customer_id}/redemptions", body)
    lines = [{"line_id": "1", "sku": "TEA", "quantity": 1 + number % 4, "unit_price": 1100}]
    body = order_json(order_id=f"o-{name}", customer_id=customer_id, currency="USD", lines=lines)
    return Request(customer_id, "/v1/orders", body)


@pytest.fixture(scope="module")
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
                lines = [{"line_id": "1", "sku": "GOLD", "quantity": 1, "unit_price": FORTUNE * 100}]
                fortune = order_json(order_id=f"o-fortune-{member}", customer_id=member, currency="USD", lines=lines)
                request = Request(member, "/v1/orders", fortune)
                shop.sent.append(request)
                shop.note(request, call(place.port, "POST", request.path, request.body, key=shop.key))
            service.stop()
        yield shop


def under_load(shop: Shop, round_name: str, fault: Callable[[], None], *, afterwards: Callable[[], object]) -> None:
    """Open the tills, let `fault` happen, close the tills as soon as `afterwards` holds."""
    shop.closed.clear()
    shop.answers.clear()
    before = len(shop.acknowledged)
    tills = [threading.Thread(target=shop.till, args=(f"{round_name}-{n}",)) for n in range(CLIENTS)]
    for till in tills:
        till.start()
    try:
        until(lambda: len(shop.acknowledged) >= before + ACKNOWLEDGED_BEFORE, "the tills to be busy", lambda: str(shop))
        fault()
        until(afterwards, "what follows the fault", lambda: f"{shop.answers} {shop.refusals[-1:]}")
    finally:
        shop.closed.set()
        for till in tills:
            till.join()


def assert_all_is_well(shop: Shop) -> None:
    """The books are proved, nothing is half-written, and every request, sent again, gets its one answer."""
    verified = shop.place.run("verify")
    assert (verified.code, verified.stderr) == (0, ""), verified
    assert_only_retries_were_asked_for(shop)

    with closing(Client(shop.place.port, shop.key)) as client:
        for request in shop.sent:
            answer = client.call("POST", request.path, request.body)
            assert answer.status == 201, (request, answer)
            first = shop.acknowledged.setdefault(id_of(request), answer.json)
            assert answer.json == first, "an order was forgotten, or answered in another way than before"
            points = answer.json["points"]
            assert points == (REWARD_POINTS if "reward" in request.body else given(request.points)), (request, answer)
            shop.proved[request.customer_id] += request.points
        shop.sent.clear()
        balances = {member: client.call("GET", f"/v1/members/{member}/balance").json["available"] for member in MEMBERS}
        proof = client.call("GET", "/v1/ledger/verification").json

    assert balances == shop.proved
    assert halves(shop) == dict.fromkeys(HALVES, 0)
    assert proof["ok"], proof


def given(points: int) -> dict[str, int]:
    return {"awarded": points, "pending": 0, "available": points}


def assert_only_retries_were_asked_for(shop: Shop) -> None:
    """No fault was answered in another way than by silence or by 503, which says when to try again."""
    for refusal in shop.refusals:
        assert refusal.status == 503, refusal
        assert refusal.headers["Content-Type"] == "application/problem+json"
        assert int(refusal.headers["Retry-After"]) >= 1
        assert refusal.json["code"] == "unavailable"


def halves(shop: Shop) -> dict[str, int]:
    with embedded_server(shop.place.data_dir) as server, psycopg.connect(database_url(server, "loyalty")) as database:
        return {what: database.cursor(row_factory=scalar_row).execute(sql).fetchone() for what, sql in HALVES.items()}


def test_the_service_is_killed_and_another_command_stops_its_orphaned_database_before_it_returns(shop: Shop):
    with serving(shop.place) as service:
        under_load(shop, "service", service.kill, afterwards=lambda: shop.answers["none"])
    assert shop.place.run("verify").code == 0
    assert shop.place.database_processes() == {}

    with serving(shop.place):
        assert_all_is_well(shop)


def test_the_service_is_killed_and_takes_over_its_orphaned_database_when_it_returns(shop: Shop):
    with serving(shop.place) as service:
        postmaster = shop.place.postmaster()
        under_load(shop, "orphan", service.kill, afterwards=lambda: shop.answers["none"])

    with serving(shop.place) as service:
        assert shop.place.postmaster() == postmaster
        assert_all_is_well(shop)
        service.stop()
    assert shop.place.database_processes() == {}


def test_the_database_is_killed_and_the_service_recovers_by_itself_once_it_is_back(shop: Shop):
    seen: list[int] = []

    with serving(shop.place) as service:

        def kill_and_return() -> None:
            shop.place.kill_database()
            until(lambda: shop.answers[503] > CLIENTS, "refusals", lambda: str(shop.answers))
            assert call(shop.place.port, "GET", "/healthz").status == 200
            assert call(shop.place.port, "GET", "/readyz").status == 503
            # Any command starts the database again; here one that proves what the crash left.
            verified = shop.place.run("verify")
            assert verified.code == 0, verified
            seen.append(len(shop.acknowledged))

        workers = service.workers()
        under_load(
            shop,
            "database",
            kill_and_return,
            afterwards=lambda: len(shop.acknowledged) >= seen[0] + ACKNOWLEDGED_BEFORE,
        )
        assert service.workers() == workers, "the service was to recover without a restart"
        assert_all_is_well(shop)


def test_a_backend_is_killed_and_nobody_has_to_do_anything(shop: Shop):
    with serving(shop.place) as service:
        workers = service.workers()
        seen: list[int] = []

        def kill_a_backend() -> None:
            with embedded_server(shop.place.data_dir) as server, psycopg.connect(server) as database:
                sql = "SELECT pid FROM pg_stat_activity WHERE application_name = 'loyalty'"
                backend = database.cursor(row_factory=scalar_row).execute(sql).fetchone()
            shop.place.database_processes()[backend].kill()
            # PostgreSQL throws everybody out, recovers, and lets them in again.
            until(lambda: shop.answers[503], "a refusal", lambda: str(shop.answers))
            seen.append(len(shop.acknowledged))

        under_load(
            shop, "backend", kill_a_backend, afterwards=lambda: len(shop.acknowledged) >= seen[0] + ACKNOWLEDGED_BEFORE
        )
        assert service.workers() == workers
        assert_all_is_well(shop)


def test_service_and_database_are_killed_together(shop: Shop):
    def kill_both() -> None:
        service.kill()
        shop.place.kill_database()

    with serving(shop.place) as service:
        under_load(shop, "both", kill_both, afterwards=lambda: shop.answers["none"])
    assert shop.place.database_processes() == {}

    with serving(shop.place):
        assert_all_is_well(shop)
