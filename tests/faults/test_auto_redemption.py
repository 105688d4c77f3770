"""Automatic redemption under `kill -9`: however often the worker dies, each member has what the points were for."""

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.builders import order_json, reward_json
from tests.faults.service import Place, a_place, call, serving, until
from tests.faults.test_worker import LATER, a_worker, asking

# Each has points for ten redemptions, which is one transaction.
MEMBERS, EACH = 40, 10
ALL = MEMBERS * EACH
# So many are redeemed before the worker is killed.
BETWEEN = 80
DONE = "SELECT count(*) FROM redemptions"
LEFT = "SELECT count(*) FROM account_notices"
# What must not exist: a member with more or fewer redemptions, vouchers or entries than there were points for.
UNEVEN = f"""
SELECT count(*) FROM accounts a WHERE a.available <> 0
  OR {EACH} <> (SELECT count(*) FROM redemptions r WHERE r.member_id = a.member_id)
  OR {EACH} <> (SELECT count(*) FROM vouchers v WHERE v.member_id = a.member_id)
  OR {EACH} <> (SELECT count(*) FROM entries e WHERE e.member_id = a.member_id AND e.kind = 'redeem')
"""
# As if the minute were over. Jobs carry nothing: what is to be done stands in the tables.
AGAIN = f"{LATER}; DELETE FROM procrastinate_jobs"


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """Members who have points enough for the reward that is redeemed by itself. The service is not running."""
    with a_place() as place:
        with serving(place, "--no-worker") as service:
            assert service.key is not None, service.log

            def send(method: str, path: str, body: Any, **headers: str) -> None:
                answer = call(place.port, method, path, body, key=service.key or "", **headers)
                assert answer.status in (200, 201), answer

            send("PUT", "/v1/admin/rewards/five-off", reward_json(points=30 // EACH, stock=ALL))
            for number in range(MEMBERS):
                send("PUT", f"/v1/members/c-{number}", {})
                send("POST", "/v1/orders", order_json(customer_id=f"c-{number}", currency="USD"))
            service.stop()
        yield place


def test_killed_workers_redeem_once(place: Place):
    with asking(place) as ask:
        ask(
            f"UPDATE programs SET notice_points = {30 // EACH}, config_version = config_version + 1,"
            """ settings = settings || '{"auto_redeem": {"reward": "five-off"}}'"""
        )
        ask("INSERT INTO account_notices SELECT program_id, member_id, now() FROM accounts")
        kills = 0
        while ask(LEFT):
            ask(AGAIN)
            wanted = min(ask(DONE) + BETWEEN, ALL)
            with a_worker(place) as process:
                until(partial(is_done, ask, wanted), "some to be redeemed")
                os.kill(process.pid, signal.SIGKILL)
                kills += 1

        assert kills > 1
        assert (ask(DONE), ask(UNEVEN)) == (ALL, 0)
        assert ask("SELECT remaining FROM reward_stock") == 0


def is_done(ask: Callable[[str], Any], wanted: int) -> bool:
    return ask(DONE) >= wanted
