"""Counting right behind the log: exactly once, by the days of the program, and asked for before it is done."""

from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from psycopg.rows import scalar_row
from pyroaring import BitMap

from loyalty.db.session import transaction
from loyalty.rollups import following, segments
from loyalty.rollups.reading import rollups
from tests.api import Api
from tests.builders import NOW
from tests.clocks import it_is
from tests.events.following import all_are_visible
from tests.rewards import desk
from tests.rollups.counted import asking, count_page, counted, kept, sums_of
from tests.shop import a_line, adjust, at, buy, cancel, configure, give_back, merge, pay, publish_ladder

BEANS = {"category": "coffee > beans"}
LAST = date(2100, 1, 1)


@pytest.fixture
def shop(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """A shop in which it is noon on Sunday, 1 March 2026."""
    it_is(monkeypatch, NOW)
    configure(api, auto_enrol=True)
    return api


def test_an_order_counts_in_all_by_channel_and_by_category_with_all_above_it(shop: Api):
    lines = (a_line("1", 500, 2, **BEANS), a_line("2", 300, 1, discount=50, category="coffee"), a_line("3", 250))
    buy(shop, "o-1", *lines, discount=150, channel="web")
    buy(shop, "o-2", a_line("1", 400), customer_id=None, channel="web")
    counted(shop)

    assert sums_of(shop, "orders", "sales", "units", "discount", "guest_orders", "guest_sales") == {
        ("orders",): 1, ("orders", "channel", "web"): 1,
        ("orders", "category", "coffee"): 1, ("orders", "category", "coffee > beans"): 1,
        ("sales",): 1_350, ("sales", "channel", "web"): 1_350,
        ("sales", "category", "coffee"): 1_125, ("sales", "category", "coffee > beans"): 900,
        ("units",): 4, ("units", "category", "coffee"): 3, ("units", "category", "coffee > beans"): 2,
        ("discount",): 200, ("discount", "channel", "web"): 200,
        ("guest_orders",): 1, ("guest_orders", "channel", "web"): 1,
        ("guest_sales",): 400, ("guest_sales", "channel", "web"): 400,
    }  # fmt: skip


def test_what_comes_back_in_parts_is_all_that_was_sold(shop: Api):
    buy(shop, "o-1", a_line("1", 100, 3, **BEANS), a_line("2", 100), discount=100)
    for number in range(2):
        assert give_back(shop, "o-1", {"1": 1}, return_id=f"R-{number}").status_code == 201
        counted(shop)
    assert sums_of(shop, "returned", "returned_orders") == {
        ("returned",): 150, ("returned", "category", "coffee"): 150, ("returned", "category", "coffee > beans"): 150,
    }  # fmt: skip

    assert cancel(shop, "o-1").status_code == 200
    counted(shop)

    sums = sums_of(shop, "sales", "returned", "returned_orders")
    assert sums["returned",] == sums["sales",] == 300
    assert sums["returned", "category", "coffee"] == sums["sales", "category", "coffee"] == 225
    assert sums["returned_orders",] == 1


def test_points_count_by_rule_by_reward_and_by_the_month_in_which_they_were_earned(
    shop: Api, monkeypatch: pytest.MonkeyPatch
):
    desk.offer(shop, points=50)
    buy(shop, "o-1", a_line("1", 4_000), channel="web")
    it_is(monkeypatch, NOW + timedelta(days=31))
    adjust(shop, 30)
    assert desk.redeem(shop).status_code == 201
    assert desk.cancel(shop).status_code == 200
    counted(shop)

    assert sums_of(shop, "points.earn", "awards") == {
        ("points.earn",): 40, ("points.earn", "channel", "web"): 40, ("points.earn", "rule", "base"): 40,
        ("points.earn", "cohort", "2026-03"): 40,
        ("awards",): 1, ("awards", "channel", "web"): 1, ("awards", "rule", "base"): 1,
    }  # fmt: skip
    assert sums_of(shop, "points.redeem", "points.return_spent", "redemptions", "redemptions_cancelled") == {
        ("points.redeem",): -50, ("points.redeem", "reward", "five-off"): -50,
        ("points.redeem", "cohort", "2026-03"): -40, ("points.redeem", "cohort", "2026-04"): -10,
        ("points.return_spent",): 50, ("points.return_spent", "reward", "five-off"): 50,
        ("points.return_spent", "cohort", "2026-03"): 40, ("points.return_spent", "cohort", "2026-04"): 10,
        ("redemptions",): 1, ("redemptions", "reward", "five-off"): 1,
        ("redemptions_cancelled",): 1, ("redemptions_cancelled", "reward", "five-off"): 1,
    }  # fmt: skip


def test_a_tier_counts_from_when_it_was_told_on(shop: Api):
    publish_ladder(shop, {"code": "basic", "threshold": 0}, {"code": "gold", "threshold": 5_000})
    for number, price in enumerate((1_000, 6_000, 100)):
        buy(shop, f"o-{number}", a_line("1", price))

    for limit in (1, 1_000):
        counted(shop, limit=limit)
        # The order that takes a member to a tier is none of that tier.
        assert sums_of(shop, "sales", "moves") == {
            ("sales",): 7_100, ("sales", "tier", "basic"): 6_000, ("sales", "tier", "gold"): 100,
            ("moves",): 2, ("moves", "move", ">basic"): 1, ("moves", "move", "basic>gold"): 1,
        }  # fmt: skip


def test_days_are_those_of_the_program_also_when_one_has_23_hours(shop: Api, monkeypatch: pytest.MonkeyPatch):
    configure(shop, time_zone="Europe/Warsaw")
    it_is(monkeypatch, datetime(2026, 4, 2, tzinfo=UTC))
    # The clocks go from two to three on 29 March.
    for number, placed in enumerate(("28T22:59:59", "28T23:00:00", "29T21:59:59", "29T22:00:00")):
        buy(shop, f"o-{number}", a_line("1", 10**number), placed_at=f"2026-03-{placed}Z")
    counted(shop)

    with asking(shop) as asked:
        sales = asked.sums("sales", first=date(2026, 3, 1), last=date(2026, 4, 1))
    assert sales == {date(2026, 3, 28): 1, date(2026, 3, 29): 110, date(2026, 3, 30): 1_000}


def test_sets_know_whom_they_hold_and_who_came_twice_within_a_span(shop: Api):
    for order_id, customer_id, days in (("o-1", "c-1", 0), ("o-2", "c-2", 2), ("o-3", "c-1", 5), ("o-4", "c-1", 33)):
        placed = at(NOW - timedelta(days=40) + timedelta(days=days))
        buy(shop, order_id, a_line("1", 100), customer_id=customer_id, placed_at=placed)
        counted(shop)

    with asking(shop) as asked:
        days = {"first": date(2026, 1, 1), "last": date(2026, 4, 1)}
        assert asked.sizes("buyers", span="month", **days) == {date(2026, 1, 1): 2, date(2026, 2, 1): 1}
        assert asked.sizes("repeaters", span="month", **days) == {date(2026, 1, 1): 1}
        assert asked.sizes("repeaters", span="day", **days) == {}
        assert len(asked.members("buyers", first=date(2026, 1, 1), last=date(2026, 2, 23))) == 2
        assert len(asked.members("buyers", first=date(2026, 1, 25), last=date(2026, 3, 1))) == 1
        assert asked.members("buyers", first=date(2026, 3, 1), last=LAST) == BitMap()


def test_nothing_is_read_twice(shop: Api):
    buy(shop, "o-1")
    counted(shop)
    with asking(shop) as asked:
        first = asked.keyed(["sales", "points.*"], dimension="all", first=None, last=LAST)
        shop_is_asked = asked.keyed(["sales", "points.*"], dimension="all", first=None, last=LAST)
    assert first == shop_is_asked == {("sales", ""): {date(2026, 3, 1): 10_000}}


def test_what_was_not_counted_yet_is_told_nevertheless_unless_it_is_too_much(
    shop: Api, monkeypatch: pytest.MonkeyPatch
):
    buy(shop, "o-1", a_line("1", 100))
    counted(shop)
    buy(shop, "o-2", a_line("1", 1_000), customer_id="c-new")
    with asking(shop) as asked:
        assert (asked.totals(["sales"], first=None, last=LAST)["sales", ""], asked.as_of) == (1_100, NOW)
        assert len(asked.members("buyers", first=None, last=LAST)) == 2

    limit = {"limit": 1}
    plain = following.uncounted
    monkeypatch.setattr(following, "uncounted", lambda session, state: plain(session, state, **limit))
    it_is(monkeypatch, NOW + timedelta(hours=1))
    with shop.app.app_context(), transaction() as session:
        asked = rollups(session, shop.program.program_id, now=NOW + timedelta(hours=1))
        assert (asked.totals(["sales"], first=None, last=LAST)["sales", ""], asked.as_of) == (100, NOW)


def test_what_is_cut_off_is_counted_again_as_if_it_had_never_begun(shop: Api):
    buy(shop, "o-1")
    with shop.app.app_context():
        all_are_visible(shop.program.program_id)
        with pytest.raises(ZeroDivisionError):
            _counts_and_is_cut_off(shop)
    assert not any(kept(shop).values())

    counted(shop)
    assert sums_of(shop, "orders") == {("orders",): 1}
    assert count_page(shop) == 0


def _counts_and_is_cut_off(api: Api) -> None:
    with transaction() as session:
        assert following.follow_program(session, api.program.program_id)
        raise ZeroDivisionError


def test_two_at_once_count_everything_once(shop: Api):
    for number in range(12):
        buy(shop, f"o-{number}", customer_id=f"c-{number % 3}")
    with shop.app.app_context():
        all_are_visible(shop.program.program_id)
    together, done = Barrier(2), list[int]()

    def follow() -> None:
        together.wait()
        for _ in range(30):
            done.append(count_page(shop, limit=3))

    workers = [Thread(target=follow) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    counted(shop)

    assert sums_of(shop, "orders", "sales", "awards") == {
        ("orders",): 12, ("sales",): 120_000, ("awards",): 12, ("awards", "rule", "base"): 12,
    }  # fmt: skip


def test_a_member_is_of_the_segments_that_were_noted_on_a_day_before(shop: Api, monkeypatch: pytest.MonkeyPatch):
    buy(shop, "o-0", a_line("1", 1))
    noted(shop, "new", date(2026, 2, 27))
    noted(shop, "champions", date(2026, 3, 1))
    buy(shop, "o-1", a_line("1", 10), placed_at=at(NOW - timedelta(days=2)))
    buy(shop, "o-2", a_line("1", 100))
    it_is(monkeypatch, NOW + timedelta(days=1))
    buy(shop, "o-3", a_line("1", 1_000), placed_at=at(NOW + timedelta(days=1)))
    counted(shop)

    assert sums_of(shop, "sales") == {
        ("sales",): 1_111, ("sales", "segment", "new"): 101, ("sales", "segment", "champions"): 1_000,
    }  # fmt: skip


def noted(api: Api, segment: str, day: date) -> None:
    """All members are in one segment, and nobody in another, on a day."""
    program_id = api.program.program_id
    with api.app.app_context(), transaction() as session:
        session.run("DELETE FROM segment_members WHERE program_id = %s", (program_id,))
        session.run(
            "INSERT INTO segment_members SELECT program_id, %s, member_id, now() FROM members WHERE program_id = %s",
            (segment, program_id),
        )
        assert segments.take_program(session, program_id, day) == 2


@pytest.mark.parametrize(("hour", "minute", "noted_today"), [(12, 0, True), (22, 49, True), (22, 50, False)])
def test_segments_are_noted_once_a_day_but_not_right_before_midnight(
    shop: Api, hour: int, minute: int, noted_today: bool
):
    configure(shop, time_zone="Europe/Warsaw")
    shop.enrol()
    now, program_id = datetime(2026, 3, 1, hour, minute, tzinfo=UTC), shop.program.program_id
    sweep = "INSERT INTO segment_sweeps VALUES (%s, 1, 1, now(), NULL, 0, 0, now())"
    taken = "SELECT count(*) FROM rollup_segments WHERE program_id = %s AND taken_on = '2026-03-01'"
    with shop.app.app_context():
        with transaction() as session:
            session.run(sweep, (program_id,))
        for _ in range(2):
            done = 1
            while done:
                with transaction() as session:
                    done = segments.take_batch(session, now=now)
        with transaction() as session:
            assert session.row(taken, (program_id,), into=scalar_row) == noted_today


def test_who_was_merged_keeps_what_was_counted_and_a_return_is_of_who_stays(shop: Api):
    buy(shop, "o-1", a_line("1", 500), customer_id="c-1", channel="web")
    buy(shop, "o-2", a_line("1", 500), customer_id="c-2")
    assert merge(shop, "c-1", "c-2").status_code == 200
    pay(shop, 7, "c-2")
    assert give_back(shop, "o-1", {"1": 1}).status_code == 201
    counted(shop)

    sums: dict[Any, int] = sums_of(shop, "points.transfer_in", "points.transfer_out", "left", "returned")
    assert (sums["points.transfer_in",], sums["points.transfer_out",], sums["left",]) == (5, -5, 1)
    assert sums["returned", "channel", "web"] == 500
