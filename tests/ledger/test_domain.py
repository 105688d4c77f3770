"""A member's book: what is spent first, what matures and lapses when, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.ledger.book import Book
from loyalty.ledger.crediting import earn
from loyalty.ledger.domain import Account, Credit, Holdings, Lot
from loyalty.ledger.errors import InsufficientPoints
from loyalty.ledger.settling import settle
from tests.builders import NOW, a_credit, a_lot, an_account, new_id
from tests.ledger.paper import a_book, changed, history, left, spend, taken

INSTANT = timedelta(microseconds=1)
A_DAY = timedelta(days=1)
JANUARY = datetime(2027, 1, 1, tzinfo=UTC)
JUNE = datetime(2027, 6, 1, tzinfo=UTC)


def holding(book: Book) -> tuple[int, int]:
    account = book.account("points")
    return account.available, account.pending


# Earning


def test_earned_points_open_a_lot_and_can_be_spent_at_once():
    book = a_book()

    told = {
        "order_id": "A-1",
        "rule_code": "base",
        "rule_version": 3,
        "reason": "1 per 1.00 EUR",
        "detail": {"lines": []},
    }
    entry = earn(book, a_credit(30, **told))

    assert (entry.kind, entry.points, entry.seq, entry.available_after) == ("earn", 30, 1, 30)
    assert {name: getattr(entry, name) for name in told} == told
    assert holding(book) == (30, 0)
    assert book.lots[1] == Lot(
        member_id=book.member_id, seq=1, unit="points", points=30, remaining=30, pending=False, earned_at=NOW,
        matures_at=None, expires_at=None,
    )  # fmt: skip


def test_points_that_mature_later_are_pending():
    book = a_book()

    entry = earn(book, a_credit(30, matures_at=NOW + A_DAY, expires_at=JUNE))

    assert (entry.available_after, entry.available, entry.pending) == (0, 0, 30)
    assert holding(book) == (0, 30)
    assert book.lots[1].pending


def test_points_that_mature_the_instant_they_are_earned_are_available():
    book = a_book()

    earn(book, a_credit(30, matures_at=NOW))

    assert holding(book) == (30, 0)


def test_entries_are_numbered_on_from_the_last_of_the_member_whatever_the_unit():
    member_id = new_id()
    accounts = (an_account(member_id, last_seq=4), an_account(member_id, unit="miles", last_seq=7))
    book = Book(Holdings(member_id=member_id, accounts=accounts), zone="UTC", now=NOW)

    assert earn(book, a_credit()).seq == 8
    assert book.account("points").last_seq == 8
    assert book.account("miles").last_seq == 7


def test_what_was_ever_earned_and_spent_is_counted_for_good():
    book = a_book()
    earn(book, a_credit(100, expires_at=NOW + A_DAY))
    spend(book, 30)
    settle(book, NOW + A_DAY)

    account = book.account("points")

    assert (account.lifetime_earned, account.lifetime_spent, account.available) == (100, 30, 0)


def test_a_unit_that_a_member_never_held_is_an_empty_account():
    book = a_book()

    assert book.account("miles") == Account(member_id=book.member_id, unit="miles")
    assert list(book.accounts.changed()) == []


# Spending


def test_points_that_lapse_first_are_spent_first():
    june, january = a_lot(100, seq=1, expires_at=JUNE), a_lot(100, seq=2, expires_at=JANUARY)
    book = a_book(june, january)

    spend(book, 100)

    assert left(book) == {1: 100, 2: 0}
    assert holding(book) == (100, 0)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (a_lot(10, seq=9, expires_at=JUNE), a_lot(10, seq=1, expires_at=None)),  # what never lapses comes last
        (a_lot(10, seq=9, expires_at=JUNE, earned_at=NOW - A_DAY), a_lot(10, seq=1, expires_at=JUNE)),
        (a_lot(10, seq=9, earned_at=NOW - A_DAY), a_lot(10, seq=1)),
        (a_lot(10, seq=1, expires_at=JUNE), a_lot(10, seq=2, expires_at=JUNE)),
        (a_lot(10, seq=1), a_lot(10, seq=2)),
        (a_lot(10, seq=9, expires_at=JUNE, earned_at=NOW), a_lot(10, seq=1, expires_at=JUNE + INSTANT)),
    ],
)
def test_expiry_then_the_day_it_was_earned_then_its_number_decide_what_is_spent_first(first: Lot, then: Lot):
    book = a_book(then, first)

    spend(book, 15)

    assert left(book) == {first.seq: 0, then.seq: 5}


def test_a_redemption_says_which_lots_it_consumed():
    book = a_book(a_lot(30, seq=1, expires_at=JANUARY), a_lot(30, seq=2, expires_at=JUNE), a_lot(30, seq=3))

    entry = spend(book, 70)

    assert (entry.kind, entry.points, entry.available_after, entry.occurred_at) == ("redeem", -70, 20, NOW)
    assert (entry.reference, entry.reason) == ("r-1", "5 off")
    assert {allocation.seq for allocation in book.allocations} == {entry.seq}
    assert taken(book) == [(1, 30, 0), (2, 30, 0), (3, 10, 0)]


def test_a_redemption_that_costs_more_than_there_is_is_refused_and_changes_nothing():
    book = a_book(a_lot(70))

    with pytest.raises(InsufficientPoints) as refused:
        spend(book, 300)

    assert refused.value.facts == {"required": 300, "available": 70, "missing": 230, "unit": "points"}
    assert refused.value.detail == "300 points needed, 70 available, 230 missing."
    assert (holding(book), book.entries, book.allocations) == ((70, 0), [], [])


def test_the_last_point_can_be_spent():
    book = a_book(a_lot(70))

    spend(book, 70)

    assert holding(book) == (0, 0)


def test_pending_points_cannot_be_spent():
    book = a_book(a_lot(70, seq=1, pending=True, matures_at=NOW + A_DAY), a_lot(20, seq=2))

    with pytest.raises(InsufficientPoints) as refused:
        spend(book, 21)
    spend(book, 20)

    assert refused.value.facts["available"] == 20
    assert (holding(book), left(book)) == ((0, 70), {1: 70, 2: 0})


def test_points_of_another_unit_cannot_be_spent():
    member_id = new_id()
    accounts = tuple(an_account(member_id, unit=unit, available=100, last_seq=2) for unit in ("miles", "points"))
    lots = (a_lot(100, unit="miles", seq=1), a_lot(100, seq=2))
    book = Book(Holdings(member_id=member_id, accounts=accounts, lots=lots), zone="UTC", now=NOW)

    spend(book, 100)
    with pytest.raises(InsufficientPoints):
        spend(book, 1)

    assert left(book) == {1: 100, 2: 0}


# Maturing and lapsing


def test_spending_80_of_100_that_lapse_leaves_the_50_earned_later():
    book = a_book()
    earn(book, a_credit(100, expires_at=NOW + 10 * A_DAY))
    spend(book, 80)
    earn(book, a_credit(50, expires_at=JUNE))

    settle(book, NOW + 10 * A_DAY)

    assert holding(book) == (50, 0)
    assert history(book)[-1] == ("expire", -20, 50, NOW + 10 * A_DAY)


def test_points_lapse_at_the_instant_of_their_expiry_and_not_before():
    book = a_book(a_lot(100, seq=1, expires_at=JUNE))

    settle(book, JUNE - INSTANT)
    assert holding(book) == (100, 0)

    settle(book, JUNE)
    assert holding(book) == (0, 0)
    assert taken(book) == [(1, 100, 0)]
    assert (book.entries[0].reference, book.entries[0].reason) == ("1", "expired")


def test_points_mature_at_their_instant_and_not_before():
    book = a_book(a_lot(100, seq=1, pending=True, matures_at=JUNE))

    settle(book, JUNE - INSTANT)
    assert holding(book) == (0, 100)

    settle(book, JUNE)
    assert holding(book) == (100, 0)
    assert history(book) == [("mature", 100, 100, JUNE)]
    assert book.entries[0].reference == "1"


def test_what_happened_meanwhile_is_recorded_at_its_instants_and_in_their_order():
    day = [NOW + number * A_DAY for number in range(6)]
    book = a_book(
        a_lot(10, seq=1, expires_at=day[4]),
        a_lot(20, seq=2, pending=True, matures_at=day[1], expires_at=day[5]),
        a_lot(30, seq=3, expires_at=day[2]),
        a_lot(40, seq=4, pending=True, matures_at=day[3], expires_at=JUNE),
    )

    settle(book, day[5])

    assert history(book) == [
        ("mature", 20, 60, day[1]),
        ("expire", -30, 30, day[2]),
        ("mature", 40, 70, day[3]),
        ("expire", -10, 60, day[4]),
        ("expire", -20, 40, day[5]),
    ]
    assert [entry.seq for entry in book.entries] == [5, 6, 7, 8, 9]


def test_points_of_a_late_order_may_mature_and_lapse_before_anyone_looked():
    book = a_book()
    earn(book, a_credit(30, matures_at=NOW + A_DAY, expires_at=NOW + 2 * A_DAY))

    settle(book, NOW + 3 * A_DAY)

    assert history(book) == [
        ("earn", 30, 0, NOW),
        ("mature", 30, 30, NOW + A_DAY),
        ("expire", -30, 0, NOW + 2 * A_DAY),
    ]
    assert holding(book) == (0, 0)


def test_what_was_recorded_is_not_recorded_again():
    book = a_book(a_lot(100, expires_at=JANUARY), a_lot(50, pending=True, matures_at=JANUARY))
    settle(book, JUNE)
    entries = list(book.entries)

    settle(book, JUNE)
    settle(book, JUNE + A_DAY)

    assert book.entries == entries


def test_a_lot_that_was_spent_does_not_lapse():
    book = a_book(a_lot(100, expires_at=JANUARY))
    spend(book, 100)

    settle(book, JUNE)

    assert [entry.kind for entry in book.entries] == ["redeem"]


def test_units_settle_apart():
    member_id = new_id()
    accounts = (
        an_account(member_id, available=10, last_seq=1, next_change_at=JANUARY),
        an_account(member_id, unit="miles", available=20, last_seq=2, next_change_at=JUNE),
    )
    lots = (a_lot(10, seq=1, expires_at=JANUARY), a_lot(20, seq=2, unit="miles", expires_at=JUNE))
    nothing_else = {"points": None, "miles": None}
    holdings = Holdings(member_id=member_id, accounts=accounts, lots=lots, later=nothing_else)
    book = Book(holdings, zone="UTC", now=JANUARY)

    settle(book, JANUARY)

    assert (book.account("points").available, book.account("miles").available) == (0, 20)
    assert (book.account("points").next_change_at, book.account("miles").next_change_at) == (None, JUNE)


# The next change


@pytest.mark.parametrize(
    ("earned", "expected"),
    [
        ([a_credit()], None),
        ([a_credit(expires_at=JUNE)], JUNE),
        ([a_credit(matures_at=JANUARY, expires_at=JUNE)], JANUARY),
        ([a_credit(expires_at=JUNE), a_credit(expires_at=JANUARY)], JANUARY),
        ([a_credit(expires_at=JANUARY), a_credit(expires_at=JUNE)], JANUARY),
        ([a_credit(expires_at=JANUARY), a_credit()], JANUARY),
    ],
)
def test_an_account_knows_when_it_will_next_change_by_itself(earned: list[Credit], expected: datetime | None):
    book = a_book()

    for credit in earned:
        earn(book, credit)

    assert book.account("points").next_change_at == expected


def test_after_a_change_the_account_knows_the_next():
    book = a_book(
        a_lot(10, expires_at=JANUARY), a_lot(20, pending=True, matures_at=JANUARY + A_DAY, expires_at=JUNE), a_lot(30)
    )

    seen = []
    for now in (JANUARY, JANUARY + A_DAY, JUNE):
        settle(book, now)
        seen.append(book.account("points").next_change_at)

    assert seen == [JANUARY + A_DAY, JUNE, None]


@pytest.mark.parametrize(
    ("later", "expected"), [(JANUARY + A_DAY, JANUARY + A_DAY), (JUNE + A_DAY, JUNE), (None, JUNE)]
)
def test_the_next_change_may_be_that_of_a_lot_that_was_not_read(later: datetime | None, expected: datetime):
    matured = a_lot(20, pending=True, matures_at=JANUARY, expires_at=JUNE)
    book = a_book(a_lot(10, expires_at=JANUARY), matured, later={"points": later})

    settle(book, JANUARY)

    assert book.account("points").next_change_at == expected


def test_an_account_that_is_not_due_is_left_alone():
    book = a_book(a_lot(10, expires_at=JUNE))

    settle(book, JANUARY)

    assert list(book.accounts.changed()) == []
    assert list(book.lots.changed()) == []


# What is to be written


def test_a_book_tells_what_is_new_and_what_changed():
    kept, spent = a_lot(10, seq=1), a_lot(10, seq=2, expires_at=JUNE)
    book = a_book(kept, spent)

    spend(book, 4)
    earned = earn(book, a_credit(7, unit="miles"))

    assert changed(book.accounts.changed(), "unit") == {"points": False, "miles": True}
    assert changed(book.lots.changed(), "seq") == {2: False, earned.seq: True}


def test_what_a_book_decided_about_a_lot_stands_when_the_lot_is_read_again():
    pending = a_lot(20, seq=1, pending=True, matures_at=JANUARY)
    book = a_book(pending, now=JANUARY)
    settle(book, JANUARY)

    book.lots.take_in([pending, a_lot(5, seq=2)])

    assert not book.lots[1].pending
    assert changed(book.lots.changed(), "seq") == {1: False}
    assert spend(book, 20).available_after == 0
