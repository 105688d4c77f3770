"""Taking back what an order earned: from where it is, else from what there is, else as a debt or not at all."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.ledger.book import Book
from loyalty.ledger.crediting import earn
from loyalty.ledger.reversing import Claim, Reversal, reverse
from loyalty.ledger.settling import mature
from loyalty.ledger.spending import hold, release
from loyalty.programs.domain import ReturnSettings
from tests.builders import NOW, a_credit, a_lot
from tests.ledger.paper import a_book, a_debt, at, buckets, hold_of, left, spend, taken, told

A_DAY = timedelta(days=1)
JANUARY = datetime(2027, 1, 1, tzinfo=UTC)
JUNE = datetime(2027, 6, 1, tzinfo=UTC)

CLAMP = ReturnSettings("clamp")
DEBT = ReturnSettings("debt")


def a_claim(points: int = 100, *, own: tuple[int, ...] = (1,), **given: object) -> Claim:
    return Claim(**{"points": points, "unit": "points", "own": own, "order_id": "A-1", "reference": "ret-1", **given})


# From where


def test_pending_points_are_taken_back_where_they_wait():
    book = a_book(a_lot(100, seq=1, pending=True, matures_at=JANUARY), a_lot(50, seq=2))

    result = reverse(book, a_claim(40, waiting=True), CLAMP)

    assert result == Reversal(reversed=40)
    assert (told(book), taken(book)) == ([("reverse", -40)], [(1, 40, 0)])
    assert buckets(book) == (50, 60, 0, 0)


def test_points_that_matured_are_taken_from_the_lot_they_created_though_others_lapse_sooner():
    book = a_book(a_lot(100, seq=1), a_lot(100, seq=2, expires_at=JANUARY))

    assert reverse(book, a_claim(100), CLAMP) == Reversal(reversed=100)
    assert left(book) == {1: 0, 2: 100}


def test_what_was_spent_of_its_own_lot_is_taken_from_the_others_in_the_order_of_consumption():
    book = a_book(
        a_lot(100, seq=1, remaining=30), a_lot(50, seq=2), a_lot(50, seq=3, expires_at=JUNE),
        a_lot(50, seq=4, expires_at=JANUARY),
    )  # fmt: skip

    assert reverse(book, a_claim(100), CLAMP) == Reversal(reversed=100)
    assert taken(book) == [(1, 30, 0), (4, 50, 0), (3, 20, 0)]
    assert buckets(book) == (80, 0, 0, 0)


def test_an_award_may_live_in_several_lots_which_are_taken_in_the_order_of_consumption():
    book = a_book(a_lot(40, seq=1), a_lot(40, seq=2, expires_at=JUNE), a_lot(40, seq=3, expires_at=JANUARY))

    reverse(book, a_claim(60, own=(1, 2)), CLAMP)

    assert left(book) == {1: 20, 2: 0, 3: 40}


def test_pending_points_of_other_orders_are_not_touched():
    book = a_book(a_lot(100, seq=1, remaining=0), a_lot(100, seq=2, pending=True, matures_at=JANUARY))

    assert reverse(book, a_claim(100), CLAMP) == Reversal(forgiven=100)
    assert buckets(book) == (0, 100, 0, 0)


def test_points_on_hold_stay_on_hold():
    book = a_book(a_lot(100, seq=1))
    hold(book, "points", 80, hold_id="h-1", expires_at=JANUARY)

    assert reverse(book, a_claim(100), DEBT) == Reversal(reversed=20, debt=80)
    assert buckets(book) == (0, 0, 80, 80)

    release(book, hold_of(book), at=book.now)
    assert buckets(book) == (0, 0, 0, 0)


def test_a_reversal_says_what_it_reverses_and_by_which_rule():
    book = a_book(a_lot(100, seq=1, remaining=60))
    told_by = {"rule_code": "base", "rule_version": 3, "reason": "returned"}

    reverse(book, a_claim(100, **told_by), DEBT)

    for entry in book.entries:
        assert (entry.order_id, entry.reference) == ("A-1", "ret-1")
        assert {name: getattr(entry, name) for name in told_by} == told_by


# What is not there


def test_of_150_earned_and_100_spent_a_return_takes_50_and_forgives_100():
    book = a_book()
    earn(book, a_credit(150))
    spend(book, 100)

    assert reverse(book, a_claim(150), CLAMP) == Reversal(reversed=50, forgiven=100)
    assert book.entries[-1].detail == {"forgiven": 100}
    assert told(book)[-1] == ("reverse", -50)
    assert buckets(book) == (0, 0, 0, 0)


def test_of_150_earned_and_100_spent_a_return_takes_50_and_leaves_a_debt_of_100():
    book = a_book()
    earn(book, a_credit(150))
    spend(book, 100)

    assert reverse(book, a_claim(150), DEBT) == Reversal(reversed=50, debt=100)
    assert told(book)[-2:] == [("reverse", -50), ("debt", -100)]
    assert buckets(book) == (0, 0, 0, 100)
    debt = book.debts[book.entries[-1].seq]
    assert (debt.points, debt.incurred_at, debt.order_id, debt.reference) == (100, NOW, "A-1", "ret-1")
    assert (book.account("points").lifetime_earned, book.account("points").lifetime_spent) == (0, 100)


def test_after_50_and_a_return_of_80_a_credit_of_100_pays_the_debt_and_leaves_one_lot_of_70():
    book = a_book()
    earn(book, a_credit(80))
    spend(book, 80)
    earn(book, a_credit(50))
    reverse(book, a_claim(80), DEBT)
    assert buckets(book) == (0, 0, 0, 30)

    earn(book, a_credit(100))

    assert told(book)[-3:] == [("debt", -30), ("earn", 100), ("debt_paid", -30)]
    assert buckets(book) == (70, 0, 0, 0)
    assert [lot.remaining for lot in book.lots if lot.remaining] == [70]


@pytest.mark.parametrize(
    ("owed", "max_debt", "debt", "forgiven"),
    [
        (0, 100, 60, 0),
        (0, 60, 60, 0),
        (0, 59, 59, 1),
        (0, 0, 0, 60),
        (30, 50, 20, 40),
        (70, 50, 0, 60),
        (0, None, 60, 0),
    ],
)
def test_no_more_is_owed_than_the_program_allows(owed: int, max_debt: int | None, debt: int, forgiven: int):
    debts = [a_debt(owed, seq=2)] if owed else []
    book = a_book(a_lot(100, seq=1, remaining=0), debts=debts)

    result = reverse(book, a_claim(60), ReturnSettings("debt", max_debt=max_debt))

    assert result == Reversal(debt=debt, forgiven=forgiven)
    assert buckets(book) == (0, 0, 0, owed + debt)
    assert [(entry.kind, entry.points, entry.detail) for entry in book.entries] == [
        *([("reverse", 0, {"forgiven": forgiven})] if forgiven else []),
        *([("debt", -debt, None)] if debt else []),
    ]


def test_a_return_of_nothing_records_nothing():
    book = a_book(a_lot(100, seq=1))

    assert reverse(book, a_claim(0), DEBT) == Reversal()
    assert told(book) == []


# What is gone already


def test_points_that_lapsed_are_not_taken_twice():
    book = at(a_book(a_lot(100, seq=1, expires_at=NOW + A_DAY), a_lot(70, seq=2)), NOW + A_DAY)

    assert reverse(book, a_claim(100, lapsed=100), DEBT) == Reversal(expired=100)
    assert (told(book), buckets(book)) == ([("expire", -100)], (70, 0, 0, 0))


def test_of_a_lot_that_was_spent_in_part_and_then_lapsed_only_what_was_spent_is_owed():
    book = a_book(a_lot(100, seq=1, expires_at=NOW + A_DAY))
    spend(book, 60)
    book = at(book, NOW + A_DAY)

    result = reverse(book, a_claim(100, lapsed=40), DEBT)

    assert result == Reversal(expired=40, debt=60)
    assert buckets(book) == (0, 0, 0, 60)


def test_what_lapsed_is_told_beside_what_is_taken():
    book = at(a_book(a_lot(100, seq=1, expires_at=NOW + A_DAY), a_lot(70, seq=2)), NOW + A_DAY)

    assert reverse(book, a_claim(100, lapsed=40), CLAMP) == Reversal(reversed=60, expired=40)
    assert book.entries[-1].detail == {"expired": 40}
    assert left(book) == {1: 0, 2: 10}


# Pending awards never make debt


def a_waiting_book(points: int = 100) -> Book:
    book = a_book()
    earn(book, a_credit(points, pending=True, deadline_at=NOW + 5 * A_DAY, expiry="never"))
    return book


def test_a_pending_award_that_was_taken_back_before_is_not_owed():
    book = a_waiting_book()
    reverse(book, a_claim(80, waiting=True), DEBT)

    assert reverse(book, a_claim(100, waiting=True), DEBT) == Reversal(reversed=20, expired=80)
    assert buckets(book) == (0, 0, 0, 0)


def test_an_award_whose_event_never_came_is_neither_owed_nor_taken_from_other_points():
    book = at(a_waiting_book(), NOW + 5 * A_DAY)
    earn(book, a_credit(70))
    before = list(book.entries)

    assert reverse(book, a_claim(100, waiting=True), DEBT) == Reversal(expired=100)
    assert (book.entries, buckets(book)) == (before, (70, 0, 0, 0))


def test_an_award_whose_event_came_is_taken_back_like_any_other():
    book = a_waiting_book()
    mature(book, book.lots[1], NOW)
    spend(book, 60)

    assert reverse(book, a_claim(100), DEBT) == Reversal(reversed=40, debt=60)
