"""What falls due by itself: points mature and lapse, holds time out, events do not come, members fall idle."""

from datetime import UTC, datetime, timedelta

import pytest

from loyalty.ledger.book import Book
from loyalty.ledger.crediting import earn, give
from loyalty.ledger.domain import Credit, Idle
from loyalty.ledger.settling import mature, settle
from loyalty.ledger.spending import capture, hold, release
from tests.builders import NOW, a_credit, a_lot
from tests.ledger.paper import a_book, a_debt, at, buckets, history, hold_of, left, spend, told

INSTANT = timedelta(microseconds=1)
A_DAY = timedelta(days=1)
MINUTES = timedelta(minutes=15)
DAYS = [NOW + number * A_DAY for number in range(60)]
WARSAW = "Europe/Warsaw"

# NOW is the noon of 1 March: thirty days without activity end with 31 March.
IDLE_30 = "inactivity 30d"
GONE = datetime(2026, 4, 1, tzinfo=UTC)


def dozing_credit(points: int = 100, **given: object) -> Credit:
    """Points that lapse after thirty days without activity."""
    return a_credit(points, expiry=IDLE_30, **given)


def a_held_book(points: int = 60, *, expires_at: datetime = DAYS[3], of: datetime | None = None) -> Book:
    """A book with one lot of 100, which lapses at `of`, some of which is on hold."""
    book = a_book(a_lot(100, seq=1, expires_at=of))
    hold(book, "points", points, hold_id="h-1", expires_at=expires_at)
    return book


# The order of what falls due at one instant


def test_at_one_instant_points_mature_then_holds_end_then_points_lapse():
    book = a_book(a_lot(30, seq=1, expires_at=DAYS[2]), a_lot(20, seq=2, pending=True, matures_at=DAYS[2]))
    hold(book, "points", 10, hold_id="h-1", expires_at=DAYS[2])

    settled = at(book, DAYS[2])

    assert told(settled) == [("mature", 20), ("release", 10), ("expire", -30)]
    assert {entry.occurred_at for entry in settled.entries} == {DAYS[2]}
    assert buckets(settled) == (20, 0, 0, 0)


def test_at_one_instant_an_event_is_missed_before_points_lapse():
    book = a_book(
        a_lot(30, seq=1, expires_at=DAYS[2]),
        a_lot(20, seq=2, pending=True, deadline_at=DAYS[2], expiry="rolling 1m"),
    )

    assert told(at(book, DAYS[2])) == [("reverse", -20), ("expire", -30)]


def test_points_that_mature_at_the_instant_they_lapse_mature_and_lapse():
    book = a_book(a_lot(20, seq=1, pending=True, matures_at=DAYS[2], expires_at=DAYS[2]))

    assert told(at(book, DAYS[2])) == [("mature", 20), ("expire", -20)]


def test_what_fell_due_is_known_at_its_instant_whenever_it_is_written_down():
    settled = at(a_book(a_lot(30, seq=1, expires_at=DAYS[2])), DAYS[9])

    assert [(entry.occurred_at, entry.known_at, entry.late) for entry in settled.entries] == [(DAYS[2], DAYS[2], False)]


def test_what_fell_due_is_not_known_before_what_was_written_first():
    book = a_book(a_lot(30, seq=1, expires_at=DAYS[2]))
    spend(book, 10)
    late = at(book, DAYS[1])
    earn(late, a_credit(5, earned_at=DAYS[0], expires_at=DAYS[1] - INSTANT))

    settled = at(late, DAYS[3])

    assert [(entry.kind, entry.occurred_at, entry.known_at) for entry in settled.entries] == [
        ("expire", DAYS[1] - INSTANT, DAYS[1]),
        ("expire", DAYS[2], DAYS[2]),
    ]


# Holds


def test_a_hold_times_out_at_its_instant_and_not_before():
    book = a_held_book()

    assert buckets(at(book, DAYS[3] - INSTANT)) == (40, 0, 60, 0)

    settled = at(book, DAYS[3])
    assert history(settled) == [("release", 60, 100, DAYS[3])]
    assert (hold_of(settled).status, hold_of(settled).resolved_at) == ("expired", DAYS[3])
    assert buckets(settled) == (100, 0, 0, 0)


def test_a_hold_that_was_resolved_does_not_time_out():
    book = a_held_book()
    release(book, hold_of(book), at=book.now)

    assert told(at(book, DAYS[9])) == []


def test_what_lapsed_while_it_was_held_is_gone_when_the_hold_times_out():
    settled = at(a_held_book(of=DAYS[2]), DAYS[9])

    assert history(settled) == [
        ("expire", -40, 0, DAYS[2]),
        ("release", 60, 60, DAYS[3]),
        ("expire", -60, 0, DAYS[3]),
    ]


def test_what_lapsed_while_it_was_held_is_gone_when_it_is_released():
    book = at(a_held_book(of=DAYS[2]), DAYS[2] + MINUTES)

    release(book, hold_of(book), at=book.now)

    assert told(book) == [("expire", -40), ("release", 60), ("expire", -60)]
    assert book.entries[-1].occurred_at == DAYS[2] + MINUTES
    assert buckets(book) == (0, 0, 0, 0)


def test_what_lapsed_while_it_was_held_can_be_captured_and_the_rest_is_gone():
    book = at(a_held_book(of=DAYS[2]), DAYS[2] + MINUTES)

    capture(book, hold_of(book), 50)

    assert told(book) == [("expire", -40), ("redeem", -50), ("release", 10), ("expire", -10)]
    assert buckets(book) == (0, 0, 0, 0)


def test_points_released_from_a_hold_pay_what_the_member_came_to_owe_meanwhile():
    book = a_book(a_lot(100, seq=1), debts=[a_debt(30, seq=2)])
    hold(book, "points", 100, hold_id="h-1", expires_at=DAYS[3])

    settled = at(book, DAYS[3])

    assert told(settled) == [("release", 100), ("debt_paid", -30)]
    assert buckets(settled) == (70, 0, 0, 0)


# Events that were waited for


def waiting_book(**given: object) -> Book:
    book = a_book()
    earn(book, a_credit(100, pending=True, **{"deadline_at": DAYS[10], "expiry": "rolling 1m", **given}))
    return book


def test_points_that_wait_for_an_event_are_pending_and_not_expected_to_mature():
    book = waiting_book()

    assert buckets(book) == (0, 100, 0, 0)
    assert book.upcoming == {}
    assert book.account("points").next_change_at == DAYS[10]


def test_points_whose_event_has_not_come_are_reversed_at_the_deadline():
    book = waiting_book()

    assert told(at(book, DAYS[10] - INSTANT)) == []

    settled = at(book, DAYS[10])
    assert history(settled) == [("reverse", -100, 0, DAYS[10])]
    assert (settled.entries[0].reference, settled.entries[0].reason) == ("1", "not confirmed in time")
    assert (buckets(settled), settled.account("points").lifetime_earned) == ((0, 0, 0, 0), 0)


def test_points_may_wait_for_an_event_for_ever():
    book = waiting_book(deadline_at=None)

    assert told(at(book, datetime(2060, 1, 1, tzinfo=UTC))) == []
    assert book.account("points").next_change_at is None


def test_the_expiry_of_points_that_waited_begins_with_the_event():
    book = at(waiting_book(), DAYS[5])

    mature(book, book.lots[1], DAYS[5])

    gone = datetime(2026, 4, 7, tzinfo=UTC)  # 6 March and a month, to the end of that day
    assert history(book) == [("mature", 100, 100, DAYS[5])]
    assert (book.lots[1].matures_at, book.lots[1].expires_at, book.lots[1].expiry) == (DAYS[5], gone, None)
    assert (book.entries[0].matures_at, book.entries[0].expires_at) == (DAYS[5], gone)
    assert told(at(book, gone)) == [("expire", -100)]


def test_points_confirmed_in_time_do_not_miss_their_deadline():
    book = at(waiting_book(expiry="never"), DAYS[5])

    mature(book, book.lots[1], DAYS[5])

    assert told(at(book, DAYS[20])) == []


# Inactivity


def test_points_lapse_together_after_so_long_without_activity():
    book = a_book()
    earn(book, dozing_credit(100))
    earn(book, dozing_credit(20))

    assert told(at(book, GONE - INSTANT)) == []
    assert history(at(book, GONE)) == [("expire", -100, 20, GONE), ("expire", -20, 0, GONE)]


@pytest.mark.parametrize("activity", ["earns", "spends", "captures"])
def test_each_activity_moves_the_date_of_every_open_lot(activity: str):
    book = a_book()
    earn(book, dozing_credit())
    book = at(book, DAYS[10])

    if activity == "earns":
        earn(book, a_credit(5, earned_at=DAYS[10]))
    elif activity == "spends":
        spend(book, 5)
    else:
        capture(book, hold(book, "points", 5, hold_id="h-1", expires_at=DAYS[11]), 5)

    assert book.expires_at(book.lots[1]) == GONE + 10 * A_DAY
    assert told(at(book, GONE)) == []


def test_a_gift_is_no_activity():
    book = a_book()
    earn(book, dozing_credit())
    book = at(book, DAYS[10])

    give(book, "adjust", a_credit(5))
    release(book, hold(book, "points", 5, hold_id="h-1", expires_at=DAYS[11]), at=book.now)

    assert book.expires_at(book.lots[1]) == GONE


def test_an_order_that_arrives_late_moves_the_date_from_when_it_was_placed():
    book = a_book()
    earn(book, dozing_credit())
    book = at(book, DAYS[20])

    earn(book, a_credit(5, earned_at=DAYS[10]))

    assert book.expires_at(book.lots[1]) == GONE + 10 * A_DAY


def test_an_order_that_arrives_late_never_shortens_the_life_of_points():
    book = at(a_book(), DAYS[20])
    earn(book, dozing_credit(earned_at=DAYS[20]))

    earn(book, dozing_credit(earned_at=DAYS[10]))

    assert book.expires_at(book.lots[1]) == GONE + 20 * A_DAY


def test_the_clock_of_pending_points_starts_when_they_mature():
    book = a_book()
    earn(book, dozing_credit(matures_at=DAYS[10]))
    assert book.account("points").idle == {}

    settled = at(book, DAYS[10])

    assert settled.account("points").idle == {IDLE_30: Idle(GONE + 10 * A_DAY, 100)}


def test_points_may_mature_and_fall_idle_before_anyone_looked():
    book = a_book()
    earn(book, dozing_credit(matures_at=DAYS[10]))

    assert told(at(book, DAYS[50])) == [("mature", 100), ("expire", -100)]


def test_the_clock_runs_by_the_calendar_of_the_zone():
    book = a_book(zone=WARSAW)
    earn(book, dozing_credit())

    # Summer time has begun: midnight in Warsaw is 22:00 in London's winter.
    assert book.expires_at(book.lots[1]) == GONE - timedelta(hours=2)


def test_points_held_while_their_clock_ran_out_are_gone_when_they_are_free():
    book = a_book()
    earn(book, dozing_credit())
    hold(book, "points", 60, hold_id="h-1", expires_at=GONE + A_DAY)

    settled = at(book, GONE + A_DAY)

    assert told(settled) == [("expire", -40), ("release", 60), ("expire", -60)]
    assert (buckets(settled), settled.account("points").idle) == ((0, 0, 0, 0), {})


def test_points_held_while_their_clock_ran_out_are_gone_whatever_else_fell_due_before():
    book = a_book()
    earn(book, dozing_credit())
    earn(book, a_credit(1, expires_at=DAYS[1]))
    hold(book, "points", 101, hold_id="h-1", expires_at=GONE + 2 * A_DAY)
    give(book, "adjust", a_credit(1, expires_at=DAYS[2]))

    looked_at_often = at(at(book, DAYS[2]), GONE + A_DAY)
    earn(looked_at_often, a_credit(5, earned_at=GONE + A_DAY))
    release(looked_at_often, hold_of(looked_at_often), at=GONE + A_DAY)

    assert told(looked_at_often) == [("earn", 5), ("release", 101), ("expire", -100), ("expire", -1)]


def test_a_clock_that_ran_out_with_nothing_to_lapse_does_not_take_what_comes_later():
    book = a_book()
    earn(book, dozing_credit(100))
    spend(book, 100)
    give(book, "adjust", a_credit(1, expires_at=DAYS[2]))
    book = at(at(book, DAYS[2]), GONE + A_DAY)

    give(book, "adjust", dozing_credit(50))

    assert told(at(book, GONE + A_DAY)) == []
    assert buckets(book) == (50, 0, 0, 0)


# Debts


def test_points_that_mature_pay_what_the_member_owes_and_the_rest_becomes_available():
    book = a_book(a_lot(50, seq=1, pending=True, matures_at=DAYS[5]), debts=[a_debt(30, seq=2)])

    settled = at(book, DAYS[9])

    assert history(settled) == [("mature", 50, 50, DAYS[5]), ("debt_paid", -30, 20, DAYS[5])]
    assert settled.entries[1].reference == "2"
    assert buckets(settled) == (20, 0, 0, 0)


def test_the_oldest_debt_is_paid_first():
    debts = [a_debt(30, seq=3, incurred_at=DAYS[0]), a_debt(30, seq=2, incurred_at=DAYS[0])]
    book = a_book(a_lot(40, seq=1, pending=True, matures_at=DAYS[5]), debts=debts)

    settled = at(book, DAYS[5])

    assert {debt.seq: debt.remaining for debt in settled.debts} == {2: 0, 3: 20}
    assert buckets(settled) == (0, 0, 0, 20)


def test_points_of_a_late_order_pay_a_debt_when_it_was_incurred_not_before():
    book = at(a_book(debts=[a_debt(30, seq=1, incurred_at=DAYS[5])]), DAYS[9])

    earn(book, a_credit(50, earned_at=DAYS[2]))

    assert history(book) == [("earn", 50, 50, DAYS[2]), ("debt_paid", -30, 20, DAYS[5])]


def test_points_that_had_lapsed_before_there_was_a_debt_do_not_pay_it():
    book = at(a_book(debts=[a_debt(30, seq=1, incurred_at=DAYS[5])]), DAYS[9])

    earn(book, a_credit(50, earned_at=DAYS[1], expires_at=DAYS[3]))
    settle(book, book.now)

    assert history(book) == [("earn", 50, 50, DAYS[1]), ("expire", -50, 0, DAYS[3])]
    assert (buckets(book), left(book)) == ((0, 0, 0, 30), {2: 0})
