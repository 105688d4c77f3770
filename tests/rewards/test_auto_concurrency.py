"""Automatic redemption under way: two workers, a shop in between, and what is cut off between any two statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg
import pytest

from loyalty.db.batches import in_batches
from loyalty.db.session import transaction
from loyalty.rewards import auto_redeeming, jobs, sweeping
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.orders.test_concurrency import in_parallel
from tests.rewards.automation import give_by_itself, noticed, redeemed, search, serve, waits
from tests.shop import A_DAY, buckets, buy


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop that gives 5 off for each 100 points, by itself."""
    give_by_itself(api)
    return api


class Killed(BaseException):
    """The process is gone."""


@contextmanager
def killed_before(number: int) -> Iterator[None]:
    """The statement of this number is never sent."""
    execute, sent = psycopg.Cursor.execute, 0

    def counting(cursor: psycopg.Cursor[Any], *args: Any, **kwargs: Any) -> psycopg.Cursor[Any]:
        nonlocal sent
        sent += 1
        if sent == number:
            raise Killed
        return execute(cursor, *args, **kwargs)

    with patch.object(psycopg.Cursor, "execute", counting):
        yield


def worker(api: Api) -> int:
    with api.app.app_context():
        return in_batches(jobs.redeem_automatically)


def test_two_workers_at_once_redeem_once(shop: Api):
    for number in range(12):
        shop.enrol(f"c-{number}")
        buy(shop, f"A-{number}", customer_id=f"c-{number}")

    in_parallel(2, lambda _: worker(shop))

    assert [len(redeemed(shop, f"c-{number}")) for number in range(12)] == [1] * 12
    assert (noticed(shop), waits(shop)) == ([], [])


def test_of_a_worker_and_a_shop_that_want_the_same_points_one_has_them(shop: Api):
    for number in range(6):
        shop.enrol(f"c-{number}")
        buy(shop, f"A-{number}", customer_id=f"c-{number}")

    def ask(caller: int) -> None:
        if caller == 0:
            worker(shop)
        for number in range(6 if caller else 0):
            wish = {"reward": "five-off", "redemption_id": f"r-{number}"}
            shop.post(f"/v1/members/c-{number}/redemptions", wish)

    in_parallel(2, ask)
    serve(shop)

    assert [len(redeemed(shop, f"c-{number}")) for number in range(6)] == [1] * 6
    assert [buckets(shop, f"c-{number}") for number in range(6)] == [{}] * 6


def test_no_notice_is_lost_while_orders_come_in(shop: Api):
    shop.enrol()

    def go(caller: int) -> None:
        for number in range(8):
            if caller:
                buy(shop, f"A-{caller}-{number}", amount=5_000)
            else:
                worker(shop)

    in_parallel(4, go)
    serve(shop)

    assert (len(redeemed(shop)), buckets(shop)) == (12, {})


def test_what_is_killed_between_any_two_statements_is_done_once(shop: Api):
    shop.enrol()
    buy(shop, "A-1")
    program_id, number, done = shop.program.program_id, 0, False
    while not done:
        number += 1
        try:
            with shop.app.app_context(), killed_before(number), transaction() as session:
                auto_redeeming.redeem_next(session, program_id, now=NOW)
            done = True
        except Killed:
            assert (redeemed(shop), noticed(shop), buckets(shop)) == ([], ["c-42"], {"available": 100})

    assert number > 5
    assert (len(redeemed(shop)), noticed(shop), buckets(shop), serve(shop)) == (1, [], {}, 0)


def test_a_search_that_is_killed_goes_on_where_it_was(api: Api):
    for number in range(6):
        api.enrol(f"c-{number}")
        buy(api, f"A-{number}", customer_id=f"c-{number}")
    later = NOW + A_DAY
    search(api, later)  # what other tests have begun
    give_by_itself(api)

    def step() -> None:
        with api.app.app_context(), transaction() as session:
            sweeping.sweep_batch(session, now=later, limit=2)

    step()
    assert noticed(api) == ["c-0", "c-1"]
    serve(api)
    for number in range(1, 6):
        with pytest.raises(Killed), killed_before(number):
            step()
        assert noticed(api) == []
    step()
    assert noticed(api) == ["c-2", "c-3"]
    search(api, later, limit=2)
    assert noticed(api) == ["c-2", "c-3", "c-4", "c-5"]


def test_who_is_locked_is_served_when_they_are_free(shop: Api):
    shop.enrol()
    buy(shop, "A-1")
    lock = "SELECT 1 FROM members WHERE program_id = %s FOR NO KEY UPDATE"
    with shop.app.app_context(), transaction() as other:
        other.run(lock, (shop.program.program_id,))
        assert serve(shop) == 0

    assert serve(shop) == 1
    assert len(redeemed(shop)) == 1
