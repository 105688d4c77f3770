"""Features follow the orders: never lost, never double, and undone by what comes back."""

from threading import Barrier, Thread
from typing import Any

import pytest
from psycopg.rows import scalar_row

from loyalty.db.batches import in_batches
from loyalty.db.session import transaction
from loyalty.features.domain import NO_FEATURES
from loyalty.learning import following, gathering, jobs
from loyalty.learning.following import follow_program
from loyalty.members import queries as members
from tests.api import Api
from tests.builders import NOW
from tests.events.following import all_are_visible
from tests.learning.learned import assert_as_rebuilt, features, learned, member_of, place, rows
from tests.shop import a_line, buy, cancel, configure, give_back, in_days, merge
from tests.statements import statements

BEANS = {"category": "coffee > beans"}


@pytest.fixture
def shop(api: Api) -> Api:
    configure(api, auto_enrol=True)
    return api


def coffee(api: Api, order_id: str, days: float = 0, **given: Any) -> None:
    """An order of two bags of beans at 5.00 each."""
    buy(api, order_id, a_line("1", 500, 2, **BEANS), placed_at=in_days(days), **given)


def test_an_order_is_learned_by_category_with_all_above_it_by_article_and_in_all(shop: Api):
    lines = (a_line("1", 500, 2, **BEANS), a_line("2", 300, 1, discount=50, category="coffee"), a_line("3", 250))
    buy(shop, "o-1", *lines, discount=150, placed_at=in_days(-1))
    learned(shop)

    known = features(shop, skus=("SKU-1", "SKU-3", "SKU-4"))
    assert (known.buying.orders, known.buying.gross, known.buying.spend) == (1, 1_550, 1_350)
    assert {path: (g.orders, g.quantity, g.spend) for path, g in known.categories.items()} == {
        "coffee": (1, 3, 1_125), "coffee > beans": (1, 2, 900),
    }  # fmt: skip
    assert {sku: g.quantity for sku, g in known.skus.items()} == {"SKU-1": 2, "SKU-3": 1}
    assert known.categories["coffee"].recent == ("o-1",)
    assert_as_rebuilt(shop)


def test_late_orders_take_their_place(shop: Api):
    for day in (-5, -1, -9, -3, -7, -2, -8):
        coffee(shop, f"o{day}", day)
        learned(shop)

    beans = features(shop).categories["coffee > beans"]
    assert beans.recent == ("o-7", "o-5", "o-3", "o-2", "o-1")
    assert ((beans.first_at - NOW).days, (beans.last_at - NOW).days, beans.orders) == (-9, -1, 7)
    assert_as_rebuilt(shop)


def test_what_comes_back_is_taken_away_as_far_as_it_came_back(shop: Api):
    buy(shop, "o-1", a_line("1", 500, 3, **BEANS), a_line("2", 200, category="tea"), placed_at=in_days(-2))
    learned(shop)
    give_back(shop, "o-1", {"1": 1})
    learned(shop)
    beans = features(shop).categories["coffee > beans"]
    assert (beans.orders, beans.quantity, beans.spend) == (1, 2, 1_000)

    give_back(shop, "o-1", {"1": 2}, return_id="R-2")
    learned(shop)
    known = features(shop)
    assert set(known.categories) == {"tea"}
    assert (known.buying.orders, known.buying.spend, known.buying.gross) == (1, 200, 200)
    assert_as_rebuilt(shop)


def test_a_cancelled_order_leaves_no_trace(shop: Api):
    coffee(shop, "o-1", -3)
    learned(shop)
    before = rows(shop)
    coffee(shop, "o-2", -2)
    learned(shop)
    cancel(shop, "o-2")
    learned(shop)

    after = rows(shop)
    assert len(after.pop("learned_orders")) == 2
    before.pop("learned_orders")
    assert after == before
    cancel(shop, "o-1")
    learned(shop)
    assert features(shop) == NO_FEATURES
    assert not rows(shop)["goods_features"]
    assert_as_rebuilt(shop)


@pytest.mark.parametrize("gone", ["o-0", "o-1", "o-7"])
def test_when_the_first_or_one_of_the_newest_goes_the_other_orders_say_which_takes_its_place(shop: Api, gone: str):
    for number in range(8):
        coffee(shop, f"o-{number}", number - 9)
    learned(shop)
    cancel(shop, gone)
    learned(shop)

    left = [f"o-{number}" for number in range(8) if f"o-{number}" != gone]
    beans = features(shop).categories["coffee > beans"]
    assert beans.recent == tuple(left[-5:])
    assert (beans.first_at - NOW).days == int(left[0][2:]) - 9
    assert_as_rebuilt(shop)


def test_what_came_back_before_anybody_looked_was_never_there(shop: Api):
    coffee(shop, "o-1", -2)
    cancel(shop, "o-1")
    learned(shop)

    assert features(shop) == NO_FEATURES
    assert len(rows(shop)["learned_orders"]) == 1
    assert_as_rebuilt(shop)


def test_guests_are_nobody(shop: Api):
    buy(shop, "o-1", a_line("1", 500, **BEANS), customer_id=None)
    learned(shop)
    cancel(shop, "o-1")
    learned(shop)

    assert rows(shop) == {"member_features": [], "goods_features": [], "learned_orders": []}


def test_who_becomes_one_with_another_takes_all_along_and_later_returns_too(shop: Api):
    coffee(shop, "o-1", -5, customer_id="c-1")
    coffee(shop, "o-2", -4, customer_id="c-2")
    learned(shop)
    assert merge(shop, "c-1", "c-2").status_code == 200
    learned(shop)
    assert features(shop, "c-1") == NO_FEATURES
    assert features(shop, "c-2").categories["coffee"].recent == ("o-1", "o-2")

    coffee(shop, "o-3", -3, customer_id="c-3")
    assert merge(shop, "c-2", "c-3").status_code == 200
    learned(shop)
    cancel(shop, "o-1")
    learned(shop)
    assert features(shop, "c-3").categories["coffee"].recent == ("o-2", "o-3")
    assert_as_rebuilt(shop)


def test_a_merge_that_nobody_has_looked_at_yet_is_seen_with_the_orders(shop: Api):
    coffee(shop, "o-1", -5, customer_id="c-1")
    learned(shop)
    coffee(shop, "o-2", -4, customer_id="c-1")
    coffee(shop, "o-3", -3, customer_id="c-2")
    assert merge(shop, "c-1", "c-2").status_code == 200
    cancel(shop, "o-1")
    learned(shop, limit=1)

    assert features(shop, "c-2").categories["coffee"].recent == ("o-2", "o-3")
    assert_as_rebuilt(shop)


def test_facts_seen_again_change_nothing(shop: Api):
    coffee(shop, "o-1", -5)
    coffee(shop, "o-2", -4)
    give_back(shop, "o-1", {"1": 1})
    learned(shop)
    before = rows(shop)
    with shop.app.app_context(), transaction() as session:
        session.run("UPDATE followers SET xid = -1, seq = -1 WHERE program_id = %s", (shop.program.program_id,))
    learned(shop)

    assert rows(shop) == before


def test_whoever_is_cut_off_has_learned_nothing_and_learns_it_once(shop: Api, monkeypatch: pytest.MonkeyPatch):
    coffee(shop, "o-1", -5)
    learned(shop)
    before, where = rows(shop), place(shop)
    coffee(shop, "o-2", -4)
    with monkeypatch.context() as cut:
        cut.setattr(following, "relearn", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            learned(shop)
    assert (rows(shop), place(shop)) == (before, where)

    learned(shop)
    assert features(shop).buying.orders == 2
    assert_as_rebuilt(shop)


def test_two_who_follow_at_once_do_not_learn_twice(shop: Api):
    for number in range(6):
        coffee(shop, f"o-{number}", number - 9)
    both, done = Barrier(2, timeout=30), []

    def go() -> None:
        with shop.app.app_context():
            both.wait()
            with transaction() as session:
                done.append(follow_program(session, shop.program.program_id))

    with shop.app.app_context():
        all_are_visible(shop.program.program_id)
    threads = [Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    learned(shop)
    assert features(shop).buying.orders == 6
    assert_as_rebuilt(shop)


def test_an_order_is_recorded_while_features_are_learned(shop: Api):
    coffee(shop, "o-1", -5)
    with shop.app.app_context():
        all_are_visible(shop.program.program_id)
        with transaction() as session:
            assert follow_program(session, shop.program.program_id)
            coffee(shop, "o-2", -4)
            give_back(shop, "o-1", {"1": 1})

    learned(shop)
    assert features(shop).buying.spend == 1_500
    assert_as_rebuilt(shop)


def test_a_batch_costs_as_many_statements_as_one_order(shop: Api):
    def sent() -> int:
        with shop.app.app_context():
            all_are_visible(shop.program.program_id)
            with statements() as found, transaction() as session:
                assert follow_program(session, shop.program.program_id)
        return len(found)

    coffee(shop, "o-1", -5)
    sent()
    coffee(shop, "o-2", -4)
    alone = sent()
    for number in range(3, 15):
        coffee(shop, f"o-{number}", -3, customer_id=f"c-{number % 5}")
    assert alone == sent() == 8


def test_orders_are_found_by_their_keys(shop: Api):
    coffee(shop, "o-1", -5)
    program_id = shop.program.program_id
    with shop.app.app_context(), transaction() as session:
        member_id = member_of(session, shop, "c-42")
        session.run("SET LOCAL enable_seqscan = off")
        plans = {
            "\n".join(session.rows(f"EXPLAIN {sql}", parameters, into=scalar_row))
            for sql, parameters in (
                (gathering._NAMED, ("{o-1}", program_id)),
                (gathering._OF_MEMBERS, ([member_id],)),
                (gathering._FAMILIES, ([member_id],)),
                (members._STAYING, ([member_id],)),
                (gathering._REDEEMED, ([member_id],)),
            )
        }
    assert not [plan for plan in plans if "Seq Scan" in plan]


def test_the_job_learns_of_all_programs(shop: Api):
    coffee(shop, "o-1", -5)
    with shop.app.app_context():
        all_are_visible(shop.program.program_id)
        in_batches(jobs.follow)
    assert features(shop).buying.orders == 1
    assert_as_rebuilt(shop)
