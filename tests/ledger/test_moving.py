"""Points that one member gives another, and two members who turn out to be one."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.ledger.book import Book
from loyalty.ledger.crediting import earn, give, reinstate
from loyalty.ledger.domain import Idle
from loyalty.ledger.errors import HoldsOpen, InsufficientPoints, NothingToReinstate
from loyalty.ledger.moving import merge, transfer
from loyalty.ledger.spending import hold, release
from tests.builders import NOW, a_credit, a_lot, new_id
from tests.ledger.paper import a_book, a_debt, at, buckets, hold_of, left, spend, told

A_DAY = timedelta(days=1)
JANUARY = datetime(2027, 1, 1, tzinfo=UTC)
JUNE = datetime(2027, 6, 1, tzinfo=UTC)
IDLE_30 = "inactivity 30d"


def move(giver: Book, taker: Book, points: int) -> None:
    transfer(giver, taker, "points", points, reference="t-1", reason="a present")


def join(source: Book, target: Book) -> None:
    merge(source, target, source_id="c-1", target_id="c-2")


def lots_by_expiry(book: Book) -> list[tuple[int, datetime | None]]:
    return [(lot.remaining, book.expires_at(lot)) for lot in book.lots if lot.remaining]


# Transfers


def test_points_given_to_another_keep_the_dates_on_which_they_lapse():
    giver = a_book(a_lot(30, seq=1), a_lot(30, seq=2, expires_at=JUNE), a_lot(30, seq=3, expires_at=JANUARY))
    taker = a_book()

    move(giver, taker, 70)

    assert left(giver) == {1: 20, 2: 0, 3: 0}
    assert sorted(lots_by_expiry(taker), key=str) == [(10, None), (30, JANUARY), (30, JUNE)]
    assert (buckets(giver), buckets(taker)) == ((20, 0, 0, 0), (70, 0, 0, 0))


def test_a_transfer_is_told_in_both_histories():
    giver, taker = a_book(a_lot(30, seq=1)), a_book()

    move(giver, taker, 20)

    for book, kind, points in ((giver, "transfer_out", -20), (taker, "transfer_in", 20)):
        entry = book.entries[0]
        assert (entry.kind, entry.points, entry.reference, entry.reason) == (kind, points, "t-1", "a present")


def test_points_of_one_date_arrive_as_one_lot_that_is_as_old_as_the_oldest():
    lots = [a_lot(10, seq=n, expires_at=JUNE, earned_at=NOW - n * A_DAY) for n in (1, 2, 3)]
    giver, taker = a_book(*lots), a_book()

    move(giver, taker, 25)

    assert [(lot.points, lot.earned_at) for lot in taker.lots] == [(25, NOW - 3 * A_DAY)]


def test_points_given_to_another_count_as_neither_spent_nor_earned():
    giver, taker = a_book(a_lot(30, seq=1)), a_book()

    move(giver, taker, 30)

    for book in (giver, taker):
        assert (book.account("points").lifetime_spent, book.account("points").lifetime_earned) == (0, 0)


def test_what_the_taker_owes_is_paid_first():
    giver, taker = a_book(a_lot(30, seq=1, expires_at=JUNE)), a_book(debts=[a_debt(20, seq=1)])

    move(giver, taker, 30)

    assert told(taker) == [("transfer_in", 30), ("debt_paid", -20)]
    assert (buckets(taker), lots_by_expiry(taker)) == ((10, 0, 0, 0), [(10, JUNE)])


def test_more_than_is_available_cannot_be_given():
    giver = a_book(a_lot(30, seq=1), a_lot(50, seq=2, pending=True, matures_at=JANUARY))
    taker = a_book()

    with pytest.raises(InsufficientPoints) as refused:
        move(giver, taker, 31)

    assert refused.value.facts["available"] == 30
    assert (told(giver), told(taker)) == ([], [])


def test_points_that_lapse_by_inactivity_are_given_with_the_date_they_have_now():
    gone = NOW + 9 * A_DAY
    giver = a_book(a_lot(30, seq=1, expiry=IDLE_30), idle={IDLE_30: Idle(gone, 30)})
    taker = a_book()

    move(giver, taker, 30)

    assert lots_by_expiry(taker) == [(30, gone)]
    assert (giver.account("points").idle[IDLE_30].points, taker.account("points").idle) == (0, {})


# Merges


def test_a_merge_moves_every_lot_with_its_dates_and_remembers_where_it_was_earned():
    source = a_book(
        a_lot(30, seq=1, expires_at=JUNE, earned_at=NOW - A_DAY),
        a_lot(40, seq=2, pending=True, matures_at=JANUARY, expires_at=JUNE),
        a_lot(50, seq=3, pending=True, deadline_at=JANUARY, expiry="rolling 1m"),
        a_lot(60, seq=4, remaining=0),
    )
    target = a_book(a_lot(5, seq=9))

    join(source, target)

    moved = {lot.origin[1]: lot for lot in target.lots if lot.origin[0] == source.member_id}
    dates = ("remaining", "pending", "earned_at", "matures_at", "deadline_at", "expires_at", "expiry")
    assert sorted(moved) == [1, 2, 3]
    for seq, lot in moved.items():
        before = source.lots[seq]
        assert [getattr(lot, name) for name in dates[1:]] == [getattr(before, name) for name in dates[1:]]
        assert (lot.remaining, before.remaining) == (before.points, 0)
    assert (buckets(source), buckets(target)) == ((0, 0, 0, 0), (35, 90, 0, 0))


def test_points_that_moved_before_remember_where_they_were_earned_first():
    first, second, third = (a_book(a_lot(30, seq=1)), a_book(), a_book())
    join(first, second)

    join(second, third)

    assert [lot.origin for lot in third.lots] == [(first.member_id, 1)]


def test_points_that_moved_lapse_and_mature_with_their_new_owner():
    source, target = a_book(a_lot(30, seq=1, pending=True, matures_at=JANUARY, expires_at=JUNE)), a_book()
    join(source, target)

    assert told(at(source, JUNE)) == []
    assert told(at(target, JUNE)) == [("mature", 30), ("expire", -30)]


def test_a_merge_moves_what_is_owed_with_its_source():
    debt = a_debt(50, seq=7, remaining=20, order_id="A-1", reference="ret-1")
    source, target = a_book(debts=[debt]), a_book()

    join(source, target)

    assert (buckets(source), buckets(target)) == ((0, 0, 0, 0), (0, 0, 0, 20))
    moved = next(iter(target.debts))
    assert (moved.remaining, moved.incurred_at, moved.order_id, moved.reference) == (20, NOW, "A-1", "ret-1")
    assert (told(source), told(target)) == ([("transfer_out", 20)], [("transfer_in", 0), ("transfer_in", -20)])


@pytest.mark.parametrize("rich", ["source", "target"])
def test_what_one_owes_is_paid_by_what_the_other_holds(rich: str):
    lots, debts = [a_lot(100, seq=1)], [a_debt(30, seq=2)]
    source = a_book(*lots) if rich == "source" else a_book(debts=debts)
    target = a_book(*lots) if rich == "target" else a_book(debts=debts)

    join(source, target)

    assert buckets(target) == (70, 0, 0, 0)
    assert told(target)[-1] == ("debt_paid", -30)


def test_nobodys_time_to_spend_becomes_shorter_by_a_merge():
    soon, late = NOW + 3 * A_DAY, NOW + 9 * A_DAY
    for source_at, target_at in ((soon, late), (late, soon)):
        source = a_book(a_lot(30, seq=1, expiry=IDLE_30), idle={IDLE_30: Idle(source_at, 30)})
        target = a_book(a_lot(50, seq=1, expiry=IDLE_30), idle={IDLE_30: Idle(target_at, 50)})

        join(source, target)

        assert target.account("points").idle == {IDLE_30: Idle(late, 80)}
        assert source.account("points").idle[IDLE_30].points == 0


def test_a_member_whose_points_are_on_hold_is_not_merged():
    source, target = a_book(a_lot(30, seq=1)), a_book()
    hold(source, "points", 10, hold_id="h-1", expires_at=JANUARY)

    with pytest.raises(HoldsOpen) as refused:
        join(source, target)
    assert refused.value.detail == "10 points are on hold; capture or release them first."
    assert (buckets(source), told(target)) == ((20, 0, 10, 0), [])

    release(source, hold_of(source), at=NOW)
    join(source, target)
    assert buckets(target) == (30, 0, 0, 0)


def test_points_on_hold_at_the_other_member_stay_on_hold():
    source, target = a_book(a_lot(30, seq=1)), a_book(a_lot(50, seq=1))
    hold(target, "points", 20, hold_id="h-1", expires_at=JANUARY)

    join(source, target)

    assert buckets(target) == (60, 0, 20, 0)


def test_both_histories_stay_and_who_stays_has_lived_both_lives():
    source, target = a_book(), a_book()
    earn(source, a_credit(100))
    spend(source, 40)

    join(source, target)

    account = source.account("points")
    assert (account.lifetime_earned, account.lifetime_spent, account.available) == (100, 40, 0)
    assert told(source) == [("earn", 100), ("redeem", -40), ("transfer_out", -60)]
    account = target.account("points")
    assert (account.lifetime_earned, account.lifetime_spent, buckets(target)) == (100, 40, (60, 0, 0, 0))


# Gifts, and lapsed points brought back


def test_points_given_by_hand_pay_what_is_owed_and_the_rest_becomes_a_lot():
    book = a_book(debts=[a_debt(30, seq=1)])

    give(book, "adjust", a_credit(50, reason="sorry", detail={"actor": "key:7"}))

    assert told(book) == [("adjust", 50), ("debt_paid", -30)]
    assert buckets(book) == (20, 0, 0, 0)
    assert book.account("points").lifetime_earned == 0


def test_lapsed_points_are_brought_back_as_a_new_lot_that_names_the_old():
    book = at(a_book(a_lot(100, seq=1, expires_at=NOW + A_DAY)), NOW + 2 * A_DAY)
    origin = (book.member_id, 1)

    entry = reinstate(book, a_credit(60, expires_at=JUNE, origin=origin, reference="1"), lapsed=100)

    assert told(book) == [("expire", -100), ("reinstate", 60)]
    assert (book.lots[entry.seq].origin, book.lots[entry.seq].expires_at) == (origin, JUNE)
    assert book.account("points").lifetime_earned == 0


def test_no_more_is_brought_back_than_lapsed():
    book = a_book()

    with pytest.raises(NothingToReinstate) as refused:
        reinstate(book, a_credit(101, origin=(new_id(), 1)), lapsed=100)

    assert refused.value.facts == {"required": 101, "lapsed": 100}
    assert told(book) == []
