"""What redeems rewards by itself: a job that may come late, a search that runs once, and what it costs."""

from datetime import timedelta

import pytest

from loyalty.db.session import transaction
from loyalty.ledger import settlement
from loyalty.rewards import auto_redeeming, jobs
from tests.api import Api
from tests.builders import NOW, a_key, a_program
from tests.clocks import it_is
from tests.rewards.automation import give_by_itself, noticed, redeemed, republish, search, serve, withdraw
from tests.shop import (
    A_DAY,
    at,
    buy,
    configure,
    configure_units,
    in_days,
)
from tests.statements import statements


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    it_is(monkeypatch, NOW)


@pytest.fixture
def shop(api: Api) -> Api:
    """A shop that gives 5 off for each 100 points, by itself, and a member."""
    give_by_itself(api)
    api.enrol()
    return api


# The worker


def test_a_worker_that_was_down_for_a_week_redeems_what_is_left_then(shop: Api, monkeypatch: pytest.MonkeyPatch):
    configure_units(shop, points=({"mode": "immediate"}, {"mode": "rolling", "days": 3}))
    buy(shop, "A-1", amount=20_000)
    configure_units(shop, points=({"mode": "immediate"}, {"mode": "rolling", "days": 30}))
    buy(shop, "A-2", amount=10_000)
    later = NOW + 7 * A_DAY
    it_is(monkeypatch, later)

    serve(shop, later)

    (made,) = redeemed(shop)
    assert made["redeemed_at"] == at(later)


def test_sandboxes_are_served_by_their_own_clock(app, monkeypatch: pytest.MonkeyPatch):
    with app.app_context(), transaction() as session:
        program = a_program(session, sandbox=True)
        api = Api(app, program, a_key(session, program))
    configure_units(api, points=({"mode": "delay", "days": 14}, {"mode": "never"}))
    give_by_itself(api)
    api.enrol()
    buy(api, "A-1")
    api.post("/v1/admin/clock", {"now": in_days(20)})

    with app.app_context():
        for job in (jobs.search, jobs.redeem_automatically):
            while True:
                with transaction() as session:
                    if not job(session):
                        break

    assert [made["redeemed_at"] for made in redeemed(api)] == [in_days(20)]


def test_who_has_enough_already_is_found_in_batches_once_the_setting_is_a_minute_old(api: Api):
    for number in range(5):
        api.enrol(f"c-{number}")
        buy(api, f"A-{number}", customer_id=f"c-{number}", amount=10_000 - (number % 2) * 100)
    give_by_itself(api)

    search(api, NOW + timedelta(seconds=59))
    assert noticed(api) == []
    search(api, NOW + timedelta(seconds=60), limit=2)

    assert noticed(api) == ["c-0", "c-2", "c-4"]
    serve(api)
    assert [len(redeemed(api, f"c-{number}")) for number in range(5)] == [1, 0, 1, 0, 1]
    search(api, NOW + A_DAY)
    assert noticed(api) == []


def test_who_has_enough_at_a_new_price_is_found(shop: Api):
    buy(shop, "A-1", amount=9_000)
    search(shop, NOW + A_DAY)
    assert noticed(shop) == []

    republish(shop, points=90)
    search(shop, NOW + A_DAY)

    assert (noticed(shop), serve(shop)) == (["c-42"], 1)


def test_a_reward_that_is_withdrawn_is_redeemed_no_more_and_again_once_it_is_back(shop: Api):
    withdraw(shop)
    buy(shop, "A-1")
    assert noticed(shop) == []

    republish(shop)
    search(shop, NOW + A_DAY)

    assert (noticed(shop), serve(shop)) == (["c-42"], 1)


# Statements


def test_an_order_takes_no_statement_more_for_it(shop: Api):
    def order(order_id: str) -> int:
        with statements() as sent:
            buy(shop, order_id)
        return len(sent)

    order("A-1")
    with_it = order("A-2")
    configure(shop, auto_redeem=None)
    order("A-3")

    assert with_it == order("A-4")
    assert with_it <= 5


def test_many_who_are_noticed_at_once_cost_no_statement_more(shop: Api):
    configure_units(shop, points=({"mode": "delay", "days": 14}, {"mode": "never"}))
    later, program_id = NOW + 14 * A_DAY, shop.program.program_id
    for number in range(10):
        shop.enrol(f"c-{number}")
        buy(shop, f"A-{number}", customer_id=f"c-{number}")

    with shop.app.app_context(), transaction() as session, statements() as sent:
        settlement.settle_program(session, program_id, now=later)

    assert noticed(shop) == [f"c-{number}" for number in range(10)]
    assert len(sent) <= 5


@pytest.mark.parametrize(("given", "most"), [({}, 8), ({"stock": 10}, 9)])
def test_serving_a_member_takes_a_handful_of_statements(api: Api, given: dict[str, int], most: int):
    give_by_itself(api, **given)
    for customer_id in ("c-1", "c-2"):
        api.enrol(customer_id)
        buy(api, f"A-{customer_id}", customer_id=customer_id)

    def serve_one() -> list[str]:
        with api.app.app_context(), transaction() as session, statements() as sent:
            auto_redeeming.redeem_next(session, api.program.program_id, now=NOW)
        return sent

    serve_one()
    sent = serve_one()

    assert len(sent) <= most, sent
    assert [len(redeemed(api, customer_id)) for customer_id in ("c-1", "c-2")] == [1, 1]
