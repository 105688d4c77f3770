"""Spending in two phases, as a payment does, and points that are given back to where they came from."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from loyalty.ledger.book import Book
from loyalty.ledger.domain import Idle
from loyalty.ledger.errors import CaptureExceedsHold, HoldResolved, InsufficientPoints
from loyalty.ledger.settling import settle
from loyalty.ledger.spending import GivenBack, capture, give_back, hold, release
from tests.builders import NOW, a_credit, a_lot
from tests.ledger.paper import a_book, a_debt, at, buckets, hold_of, left, spend, taken, told

A_DAY = timedelta(days=1)
SOON = NOW + timedelta(minutes=15)
JANUARY = datetime(2027, 1, 1, tzinfo=UTC)
JUNE = datetime(2027, 6, 1, tzinfo=UTC)


def keep(book: Book, points: int, **given: object) -> None:
    hold(book, "points", points, **{"hold_id": "h-1", "expires_at": SOON, **given})


# Holding


def test_points_on_hold_are_neither_available_nor_spent():
    book = a_book(a_lot(100, seq=1))

    keep(book, 60, order_id="A-1", reason="checkout")

    assert buckets(book) == (40, 0, 60, 0)
    assert told(book) == [("hold", -60)]
    assert (book.entries[0].reference, book.entries[0].order_id, book.entries[0].reason) == ("h-1", "A-1", "checkout")
    assert book.account("points").lifetime_spent == 0
    assert (book.lots[1].remaining, book.lots[1].held) == (40, 60)


def test_a_hold_says_which_points_it_keeps_until_when():
    book = a_book(a_lot(30, seq=1, expires_at=JUNE), a_lot(30, seq=2, expires_at=JANUARY))

    keep(book, 40)

    kept = hold_of(book)
    assert kept.pieces == ((2, 30), (1, 10))
    assert (kept.points, kept.captured, kept.status, kept.held_at, kept.expires_at) == (40, 0, "held", NOW, SOON)
    assert book.account("points").next_change_at == SOON
    assert taken(book) == [(2, 30, 30), (1, 10, 10)]


def test_points_on_hold_cannot_be_held_or_spent_again():
    book = a_book(a_lot(100, seq=1))
    keep(book, 60)

    with pytest.raises(InsufficientPoints):
        spend(book, 41)
    with pytest.raises(InsufficientPoints):
        keep(book, 41, hold_id="h-2")

    assert buckets(book) == (40, 0, 60, 0)


def test_of_credits_of_100_and_70_spent_a_hold_of_50_is_refused():
    book = a_book(a_lot(100, seq=1))
    spend(book, 70)

    with pytest.raises(InsufficientPoints) as refused:
        keep(book, 50)

    assert refused.value.facts == {"required": 50, "available": 30, "missing": 20, "unit": "points"}
    assert told(book) == [("redeem", -70)]


# Capturing


def test_of_a_hold_of_123_of_which_100_are_captured_23_are_released():
    book = a_book(a_lot(200, seq=1))
    keep(book, 123)

    capture(book, hold_of(book), 100)

    assert told(book) == [("hold", -123), ("redeem", -100), ("release", 23)]
    assert buckets(book) == (100, 0, 0, 0)
    assert book.account("points").lifetime_spent == 100
    assert (hold_of(book).status, hold_of(book).captured, hold_of(book).resolved_at) == ("captured", 100, NOW)


def test_a_capture_of_all_that_is_held_releases_nothing():
    book = a_book(a_lot(200, seq=1))
    keep(book, 123)

    capture(book, hold_of(book), 123)

    assert told(book) == [("hold", -123), ("redeem", -123)]
    assert taken(book) == [(1, 123, 123), (1, 0, -123)]


def test_what_is_captured_is_taken_from_the_lots_that_lapse_first():
    book = a_book(a_lot(30, seq=1, expires_at=JUNE), a_lot(30, seq=2, expires_at=JANUARY), a_lot(30, seq=3))
    keep(book, 80)

    capture(book, hold_of(book), 40)

    assert left(book) == {1: 20, 2: 0, 3: 30}
    assert taken(book)[3:] == [(2, 0, -30), (1, 0, -10), (1, -20, -20), (3, -20, -20)]


def test_a_capture_carries_the_order_it_pays_or_else_that_of_the_hold():
    book = a_book(a_lot(200, seq=1))
    keep(book, 10, order_id="cart-7", reason="checkout")
    keep(book, 10, hold_id="h-2", order_id="cart-8")

    capture(book, hold_of(book), 10, order_id="A-1", reason="paid")
    capture(book, hold_of(book, "h-2"), 10)

    redemptions = [entry for entry in book.entries if entry.kind == "redeem"]
    assert [(e.reference, e.order_id, e.reason) for e in redemptions] == [
        ("h-1", "A-1", "paid"),
        ("h-2", "cart-8", None),
    ]
    assert (hold_of(book).order_id, hold_of(book, "h-2").order_id) == ("A-1", "cart-8")


def test_more_than_is_held_cannot_be_captured():
    book = a_book(a_lot(200, seq=1))
    keep(book, 50)

    with pytest.raises(CaptureExceedsHold) as refused:
        capture(book, hold_of(book), 51)

    assert refused.value.facts == {"held": 50, "required": 51}
    assert buckets(book) == (150, 0, 50, 0)


def test_a_capture_never_lacks_points_whatever_became_of_the_others():
    book = a_book(a_lot(100, seq=1, expires_at=NOW + A_DAY))
    keep(book, 60, expires_at=NOW + 9 * A_DAY)
    spend(book, 40)
    book = at(book, NOW + 2 * A_DAY)

    capture(book, hold_of(book), 60)

    assert buckets(book) == (0, 0, 0, 0)


# Releasing


def test_released_points_are_back_in_the_lots_they_came_from():
    book = a_book(a_lot(30, seq=1, expires_at=JUNE), a_lot(30, seq=2, expires_at=JANUARY))
    keep(book, 40)

    release(book, hold_of(book), at=NOW, reason="basket left")

    assert (left(book), buckets(book)) == ({1: 30, 2: 30}, (60, 0, 0, 0))
    assert told(book) == [("hold", -40), ("release", 40)]
    assert book.entries[1].reason == "basket left"
    assert (hold_of(book).status, hold_of(book).captured) == ("released", 0)


@pytest.mark.parametrize("second", ["capture", "release"])
@pytest.mark.parametrize("first", ["captured", "released", "expired"])
def test_a_second_resolution_names_the_first(first: str, second: str):
    book = a_book(a_lot(100, seq=1))
    keep(book, 60)
    if first == "captured":
        capture(book, hold_of(book), 50)
    elif first == "released":
        release(book, hold_of(book), at=NOW)
    else:
        book = at(book, SOON)
    entries = list(book.entries)

    resolve = partial(capture, points=50) if second == "capture" else partial(release, at=book.now)
    with pytest.raises(HoldResolved) as refused:
        resolve(book, hold_of(book))

    resolved_at = SOON if first == "expired" else NOW
    assert refused.value.facts == {"hold_id": "h-1", "hold_status": first, "resolved_at": resolved_at}
    assert f"already {first}" in refused.value.detail
    assert book.entries == entries


# Giving back


def give_back_70(book: Book, *, grace_until: datetime | None = None) -> list[GivenBack]:
    """Give back what was spent: 40 from lot 1 and 30 from lot 2."""
    credit = a_credit(70, reference="ret-1", order_id="A-1", reason="returned")
    return give_back(book, [(book.lots[1], 40), (book.lots[2], 30)], grace_until=grace_until, credit=credit)


def a_book_of_which_70_are_spent(**given: object) -> Book:
    book = a_book(a_lot(40, seq=1, expires_at=NOW + 5 * A_DAY), a_lot(40, seq=2, expires_at=JUNE), **given)
    spend(book, 70)
    return book


def test_points_given_back_are_in_the_lots_they_came_from_with_their_expiry():
    book = at(a_book_of_which_70_are_spent(), NOW + A_DAY)

    outcomes = give_back_70(book)

    assert outcomes == [GivenBack("returned", 40, 1, NOW + 5 * A_DAY), GivenBack("returned", 30, 2, JUNE)]
    assert (left(book), buckets(book)) == ({1: 40, 2: 40}, (80, 0, 0, 0))
    assert told(book) == [("return_spent", 70)]
    assert (book.entries[0].order_id, book.entries[0].reference) == ("A-1", "ret-1")
    assert book.account("points").lifetime_spent == 0


def test_points_of_a_lot_that_lapsed_meanwhile_live_on_for_the_days_of_grace():
    book = at(a_book_of_which_70_are_spent(), NOW + 5 * A_DAY)
    grace_until = book.now + 30 * A_DAY

    returned, extended = give_back_70(book, grace_until=grace_until)

    assert returned == GivenBack("returned", 30, 2, JUNE)
    assert extended == GivenBack("extended", 40, book.entries[-1].seq, grace_until)
    continued = book.lots[extended.lot]
    assert (continued.earned_at, continued.expires_at, continued.origin) == (NOW, grace_until, (book.member_id, 1))
    assert buckets(book) == (80, 0, 0, 0)


@pytest.mark.parametrize("days", [None, -1, 0])
def test_without_days_of_grace_points_of_a_lot_that_lapsed_are_forfeited(days: int | None):
    book = at(a_book_of_which_70_are_spent(), NOW + 5 * A_DAY)

    outcomes = give_back_70(book, grace_until=None if days is None else book.now + days * A_DAY)

    assert outcomes == [GivenBack("returned", 30, 2, JUNE), GivenBack("forfeited", 40, 1, None)]
    assert told(book) == [("return_spent", 30)]
    assert book.account("points").lifetime_spent == 40


def test_if_all_lots_lapsed_and_there_is_no_grace_nothing_is_recorded():
    book = at(a_book_of_which_70_are_spent(), JUNE)
    before = list(book.entries)

    assert {outcome.outcome for outcome in give_back_70(book)} == {"forfeited"}
    assert book.entries == before


def test_points_given_back_pay_what_the_member_owes():
    debts = [a_debt(50, seq=3)]
    book = at(a_book_of_which_70_are_spent(debts=debts), NOW + A_DAY)

    give_back_70(book)

    assert told(book) == [("return_spent", 70), ("debt_paid", -40), ("debt_paid", -10)]
    assert (buckets(book), left(book)) == ((30, 0, 0, 0), {1: 0, 2: 30})


def test_points_whose_clock_of_inactivity_ran_out_are_not_returned_to_their_lot():
    idle = {"inactivity 30d": Idle(NOW + 3 * A_DAY, 100)}
    book = a_book(a_lot(100, seq=1, expiry="inactivity 30d"), idle=idle)
    spend(book, 40)
    gone = book.expires_at(book.lots[1])
    assert gone is not None
    book = at(book, gone)

    outcomes = give_back(book, [(book.lots[1], 40)], grace_until=None, credit=a_credit(40))
    settle(book, book.now)

    assert outcomes == [GivenBack("forfeited", 40, 1, None)]
    assert buckets(book) == (0, 0, 0, 0)
