"""Redemptions in two phases, over processes that die, that are two, and that lose their connections."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.rows import scalar_row

from loyalty.db.embedded import database_url, embedded_server
from tests.builders import order_json, reward_json
from tests.faults.service import Answer, Place, a_place, call, serving, until
from tests.faults.test_lost_database import _TERMINATE_ALL, _WAITING, assert_told_to_try_again

POINTS = 30
# Long enough for a kill, short enough to be waited for.
TTL_SECONDS = 4
ROUNDS = 6


@dataclass
class Shop:
    """A place with two of a reward, and members with points for three of them."""

    place: Place
    key: str

    def call(self, method: str, path: str, body: Any = None, *, port: int | None = None) -> Answer:
        return call(port or self.place.port, method, path, body, key=self.key)

    def hold(self, name: str, *, seconds: int = 900, customer_id: str = "c-42", **given: Any) -> Answer:
        body = {"reward": "five-off", "redemption_id": name, "hold": True, "hold_seconds": seconds}
        return self.call("POST", f"/v1/members/{customer_id}/redemptions", body, **given)

    def confirm(self, name: str, **given: Any) -> Answer:
        return self.call("POST", f"/v1/redemptions/{name}/confirm", **given)

    def status(self, name: str) -> str:
        return str(self.call("GET", f"/v1/redemptions/{name}").json["status"])

    def left(self) -> int:
        return int(self.call("GET", "/v1/admin/rewards/five-off").json["stock"])

    def points(self, customer_id: str = "c-42") -> tuple[int, int]:
        found = self.call("GET", f"/v1/members/{customer_id}/balance").json
        return found["available"], found["held"]

    @contextmanager
    def asking(self) -> Iterator[Any]:
        """Ask the database behind everybody's back."""
        with self.connected(autocommit=True) as connection:
            yield lambda sql: connection.cursor(row_factory=scalar_row).execute(sql).fetchone()

    @contextmanager
    def connected(self, *, autocommit: bool = False) -> Iterator[psycopg.Connection[Any]]:
        """A connection behind everybody's back."""
        with (
            embedded_server(self.place.data_dir) as server,
            psycopg.connect(database_url(server, "loyalty"), autocommit=autocommit) as connection,
        ):
            yield connection


@pytest.fixture
def shop() -> Iterator[Shop]:
    with a_place() as place:
        with serving(place, "--no-worker") as service:
            assert service.key is not None, service.log
            shop = Shop(place, service.key)
            assert shop.call("PUT", "/v1/admin/rewards/five-off", reward_json(points=POINTS, stock=2)).status == 201
            for member in ("c-42", "c-43"):
                assert shop.call("PUT", f"/v1/members/{member}", {}).status == 201
                line = {"line_id": "1", "sku": "TEA", "quantity": 3 * ROUNDS, "unit_price": POINTS * 100}
                order = order_json(customer_id=member, currency="USD", lines=[line])
                assert shop.call("POST", "/v1/orders", order).status == 201
            service.stop()
        yield shop
        assert place.run("verify").code == 0


def test_a_service_killed_between_hold_and_confirmation_leaves_nothing_stuck_once_the_time_is_over(shop: Shop):
    with serving(shop.place, "--no-worker") as service:
        before = shop.points()
        assert shop.hold("r-1", seconds=TTL_SECONDS).status == 201
        assert shop.hold("r-2", seconds=TTL_SECONDS).status == 201
        over = time.monotonic() + TTL_SECONDS
        assert (shop.left(), shop.points()) == (0, (before[0] - 2 * POINTS, 2 * POINTS))
        service.kill()
    time.sleep(max(0.0, over - time.monotonic()))

    # Nobody has done any job.
    with serving(shop.place, "--no-worker"):
        assert (shop.left(), shop.points(), shop.status("r-1")) == (2, before, "expired")
        assert shop.hold("r-3", customer_id="c-43").status == 201
        refused = shop.confirm("r-1")
        assert (refused.status, refused.json["code"]) == (409, "redemption-resolved")
        assert refused.json["redemption_status"] == "expired"
        assert shop.hold("r-1", seconds=TTL_SECONDS).is_replay
        assert (shop.left(), shop.points()) == (1, before)

    with serving(shop.place) as service:
        service.until(lambda: recorded(shop) == {"expired": 2, "held": 1}, "the job to record what is over")
        assert (shop.left(), shop.points()) == (1, before)


def recorded(shop: Shop) -> dict[str, int]:
    sql = "SELECT json_object_agg(status, n) FROM (SELECT status, count(*) AS n FROM redemptions GROUP BY 1) s"
    with shop.asking() as ask:
        return dict(ask(sql))


@contextmanager
def two_services(shop: Shop) -> Iterator[tuple[int, int]]:
    """Two services on one database, by their ports."""
    with serving(shop.place, "--no-worker"), embedded_server(shop.place.data_dir) as server:
        url = database_url(server, "loyalty")
        with a_place(DATABASE_URL=url) as place, serving(place, "--no-worker"):
            yield shop.place.port, place.port


def test_what_one_process_holds_another_confirms_and_of_both_at_once_one_does(shop: Shop):
    with two_services(shop) as ports:
        assert shop.call("POST", "/v1/admin/rewards/five-off/stock", {"change": ROUNDS}).status == 200
        before, stock = shop.points(), shop.left()
        for number in range(ROUNDS):
            assert shop.hold(f"r-{number}", port=ports[number % 2]).status == 201
            with ThreadPoolExecutor(2) as pool:
                answers = list(pool.map(lambda port, n=number: shop.confirm(f"r-{n}", port=port), ports))
            assert [answer.status for answer in answers] == [200, 200]
            assert sorted(answer.is_replay for answer in answers) == [False, True]
            assert answers[0].json == answers[1].json
        assert (shop.left(), shop.points()) == (stock - ROUNDS, (before[0] - ROUNDS * POINTS, 0))


def test_a_connection_lost_while_confirming_is_a_503_and_the_retry_confirms_once(shop: Shop):
    with serving(shop.place, "--no-worker") as service, shop.asking() as ask:
        assert shop.hold("r-1").status == 201
        before = shop.points()
        answers: list[Answer] = []
        sender = threading.Thread(target=lambda: answers.append(shop.confirm("r-1")))
        with shop.connected() as locking:
            # After the member's lock, before anything is written.
            locking.execute("LOCK TABLE stock_holds IN EXCLUSIVE MODE")
            sender.start()
            until(lambda: ask(_WAITING), "the confirmation to wait", lambda: service.log)
            ask(_TERMINATE_ALL)
            sender.join()

        assert_told_to_try_again(answers[0])
        assert (shop.status("r-1"), shop.points(), shop.left()) == ("held", before, 1)
        retried = shop.confirm("r-1")
        assert (retried.status, retried.is_replay) == (200, False)
        assert shop.confirm("r-1").is_replay
        assert (shop.points(), shop.left()) == ((before[0], 0), 1)
