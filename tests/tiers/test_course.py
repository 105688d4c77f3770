"""What happens to a member who buys: each line is a life, worked out by hand from what the words mean."""

from dataclasses import replace

import pytest

from loyalty.tiers.domain import Amounts
from tests.tiers.lives import WARSAW, Life, a_ladder, at, known_in_time, some_ladders


@pytest.mark.parametrize(
    ("before", "order", "tier"),
    [(0, 6000, "bronze"), (0, 15000, "silver"), (0, 25000, "gold"), (8000, 3000, "silver"), (18000, 3000, "gold")],
)
def test_worked_case_13(before: int, order: int, tier: str):
    ladders = some_ladders(a_ladder(steps={"bronze": 0, "silver": 10000, "gold": 20000}))
    life = Life(ladders)
    if before:
        life.buys("2025-01-01", before)

    life.buys("2025-01-02", order)

    assert life.has("2025-01-02") == tier


LAST = "23:59:59.999999"

# A name; the ladder: window, validity, downgrade, grace; what was bought; and all that happens by the end of 2028.
LIVES = {
    "all time, for ever: two orders come to silver, a third to gold": (
        ("lifetime", "forever", "full", ""),
        ["2025-01-01 60", "2025-02-01 40", "2026-03-01 200"],
        ["2025-02-01 silver reached", "2026-03-01 gold reached"],
    ),
    "all time, months from 29 Feb: kept each year, to the end of February": (
        ("lifetime", "12 months", "full", ""),
        ["2024-02-29 100"],
        ["2024-02-29 silver reached 2025-03-01", "2025-03-01 silver kept 2026-03-01",
         "2026-03-01 silver kept 2027-03-01", "2027-03-01 silver kept 2028-03-01", "2028-03-01 silver kept 2029-03-01"],
    ),
    "all time, to the end of the year: kept each New Year": (
        ("lifetime", "end_of_period", "full", ""),
        ["2026-05-01 100"],
        ["2026-05-01 silver reached 2027-01-01", "2027-01-01 silver kept 2028-01-01",
         "2028-01-01 silver kept 2029-01-01"],
    ),
    "rolling year, one order: a year and a day later it is over": (
        ("12 months", "12 months", "full", ""),
        ["2025-01-10 100"],
        ["2025-01-10 silver reached 2026-01-11", "2026-01-11 bronze fell"],
    ),
    "rolling year, two orders: the second keeps it for one more year": (
        ("12 months", "12 months", "full", ""),
        ["2025-01-10 100", "2025-06-01 100"],
        ["2025-01-10 silver reached 2026-01-11", "2026-01-11 silver kept 2027-01-11", "2027-01-11 bronze fell"],
    ),
    "rolling year, the second order before midnight: both are gone": (
        ("12 months", "12 months", "full", ""),
        ["2025-01-10 100", f"2025-01-10 {LAST} 100"],
        ["2025-01-10 silver reached 2026-01-11", "2026-01-11 bronze fell"],
    ),
    "rolling year, the second order at midnight: it still counts": (
        ("12 months", "12 months", "full", ""),
        ["2025-01-10 100", "2025-01-11 00:00 100"],
        ["2025-01-10 silver reached 2026-01-11", "2026-01-11 silver kept 2027-01-11", "2027-01-11 bronze fell"],
    ),
    "rolling quarter, on its last day: nothing is reached anew": (
        ("3 months", "12 months", "full", ""),
        ["2025-01-10 100", f"2025-04-10 {LAST} 100"],
        ["2025-01-10 silver reached 2026-01-11", "2026-01-11 bronze fell"],
    ),
    "rolling quarter, on the day after: reached anew, which extends": (
        ("3 months", "12 months", "full", ""),
        ["2025-01-10 100", "2025-04-11 00:00 100"],
        ["2025-01-10 silver reached 2026-01-11", "2025-04-11 silver reached_again 2026-04-12",
         "2026-04-12 bronze fell"],
    ),
    "a month from the 31st: kept on 28 Feb, then to the end of March": (
        ("1 months", "1 months", "full", ""),
        ["2025-01-31 100", f"2025-02-28 {LAST} 100"],
        ["2025-01-31 silver reached 2025-03-01", "2025-03-01 silver kept 2025-04-01", "2025-04-01 bronze fell"],
    ),
    "a month from the 31st: 1 March is too late, and begins anew": (
        ("1 months", "1 months", "full", ""),
        ["2025-01-31 100", "2025-03-01 00:00 100"],
        ["2025-01-31 silver reached 2025-03-01", "2025-03-01 bronze fell", "2025-03-01 silver reached 2025-04-02",
         "2025-04-02 bronze fell"],
    ),
    "a month from 31 Jan of a leap year: 29 Feb is in time": (
        ("1 months", "1 months", "full", ""),
        ["2024-01-31 100", f"2024-02-29 {LAST} 100"],
        ["2024-01-31 silver reached 2024-03-01", "2024-03-01 silver kept 2024-04-01", "2024-04-01 bronze fell"],
    ),
    "thirty days over the 23-hour day: the thirtieth still counts": (
        ("30 days", "2 months", "full", ""),
        ["2025-03-01 100", f"2025-03-31 {LAST} 100"],
        ["2025-03-01 silver reached 2025-05-02", "2025-05-02 bronze fell"],
    ),
    "thirty days over the 23-hour day: a microsecond later it is anew": (
        ("30 days", "2 months", "full", ""),
        ["2025-03-01 100", "2025-04-01 00:00 100"],
        ["2025-03-01 silver reached 2025-05-02", "2025-04-01 silver reached_again 2025-06-02",
         "2025-06-02 bronze fell"],
    ),
    "a day and the next, the next of 25 hours: together they are silver": (
        ("1 days", "1 months", "full", ""),
        ["2025-10-25 00:00 60", f"2025-10-26 {LAST} 40"],
        ["2025-10-26 silver reached 2025-11-27", "2025-11-27 bronze fell"],
    ),
    "a day and the next, the next of 25 hours: a day later they are not": (
        ("1 days", "1 months", "full", ""),
        [f"2025-10-25 {LAST} 60", "2025-10-27 00:00 40"],
        [],
    ),
    "grace: reached anew in it": (
        ("12 months", "12 months", "full", "30 days"),
        ["2025-01-10 100", "2026-01-20 100"],
        ["2025-01-10 silver reached 2026-01-11", "2026-01-20 silver reached_again 2027-01-21",
         "2027-02-20 bronze fell"],
    ),
    "grace: what was missing is made up for, one microsecond before its end": (
        ("12 months", "12 months", "full", "30 days"),
        ["2025-01-10 100", "2025-01-15 60", f"2026-02-09 {LAST} 50"],
        ["2025-01-10 silver reached 2026-01-11", "2026-02-09 silver kept 2027-01-11", "2027-02-10 bronze fell"],
    ),
    "grace: when it has ended, nothing is made up for": (
        ("12 months", "12 months", "full", "30 days"),
        ["2025-01-10 100", "2025-01-15 60", "2026-02-10 00:00 50"],
        ["2025-01-10 silver reached 2026-01-11", "2026-02-10 bronze fell"],
    ),
    "grace, rounded up to the end of the month it ends in": (
        ("12 months", "12 months", "full", "10 days to month"),
        ["2025-01-10 100"],
        ["2025-01-10 silver reached 2026-01-11", "2026-02-01 bronze fell"],
    ),
    "no grace but the rest of the month": (
        ("12 months", "12 months", "full", "0 days to month"),
        ["2025-01-10 100"],
        ["2025-01-10 silver reached 2026-01-11", "2026-02-01 bronze fell"],
    ),
    "grace of 21 days ends with the month, and is not rounded further": (
        ("12 months", "12 months", "full", "21 days to month"),
        ["2025-01-10 100"],
        ["2025-01-10 silver reached 2026-01-11", "2026-02-01 bronze fell"],
    ),
    "grace of 22 days runs through the next month": (
        ("12 months", "12 months", "full", "22 days to month"),
        ["2025-01-10 100"],
        ["2025-01-10 silver reached 2026-01-11", "2026-03-01 bronze fell"],
    ),
    "full: gold falls to the silver that the window still holds": (
        ("12 months", "12 months", "full", ""),
        ["2025-01-10 300", "2025-08-01 150"],
        ["2025-01-10 gold reached 2026-01-11", "2026-01-11 silver fell 2027-01-11", "2027-01-11 bronze fell"],
    ),
    "full: gold falls to the bottom when the window holds nothing": (
        ("12 months", "12 months", "full", ""),
        ["2025-01-10 300"],
        ["2025-01-10 gold reached 2026-01-11", "2026-01-11 bronze fell"],
    ),
    "one step: gold falls to silver, and silver a year later": (
        ("12 months", "12 months", "one_step", ""),
        ["2025-01-10 300"],
        ["2025-01-10 gold reached 2026-01-11", "2026-01-11 silver fell 2027-01-11", "2027-01-11 bronze fell"],
    ),
    "one step, each with its grace": (
        ("12 months", "12 months", "one_step", "30 days"),
        ["2025-01-10 300"],
        ["2025-01-10 gold reached 2026-01-11", "2026-02-10 silver fell 2027-01-11", "2027-02-10 bronze fell"],
    ),
    "none: nothing is ever lost, and gold is still to be had": (
        ("12 months", "12 months", "none", ""),
        ["2025-01-10 100", "2027-05-01 300"],
        ["2025-01-10 silver reached", "2027-05-01 gold reached"],
    ),
    "grace: silver that was reached in it is valid as if there had been no grace": (
        ("12 months", "12 months", "full", "30 days"),
        ["2025-01-10 300", "2026-01-20 150"],
        ["2025-01-10 gold reached 2026-01-11", "2026-02-10 silver fell 2027-01-21", "2027-02-20 bronze fell"],
    ),
    "year: on New Year's Eve, to the end of the year": (
        ("calendar_year", "end_of_period", "full", ""),
        [f"2025-12-31 {LAST} 100"],
        ["2025-12-31 silver reached 2026-01-01", "2026-01-01 bronze fell"],
    ),
    "year: on New Year, a whole year": (
        ("calendar_year", "end_of_period", "full", ""),
        ["2026-01-01 00:00 100"],
        ["2026-01-01 silver reached 2027-01-01", "2027-01-01 bronze fell"],
    ),
    "year: what lies on both sides of New Year does not add up": (
        ("calendar_year", "end_of_period", "full", ""),
        [f"2025-12-31 {LAST} 60", "2026-01-01 00:00 60"],
        [],
    ),
    "year, to the end of the next: bought again on its last day": (
        ("calendar_year", "end_of_next_period", "full", ""),
        ["2025-05-01 100", f"2026-12-31 {LAST} 100"],
        ["2025-05-01 silver reached 2027-01-01", "2026-12-31 silver reached_again 2028-01-01",
         "2028-01-01 bronze fell"],
    ),
    "year, to the end of the next, with grace: last year and January make it": (
        ("calendar_year", "end_of_next_period", "full", "31 days"),
        ["2025-05-01 100", "2026-06-01 60", f"2027-01-31 {LAST} 40"],
        ["2025-05-01 silver reached 2027-01-01", "2027-01-31 silver kept 2028-01-01", "2028-02-01 bronze fell"],
    ),
    "year, to the end of the next, with grace: February is too late": (
        ("calendar_year", "end_of_next_period", "full", "31 days"),
        ["2025-05-01 100", "2026-06-01 60", "2027-02-01 00:00 40"],
        ["2025-05-01 silver reached 2027-01-01", "2027-02-01 bronze fell"],
    ),
    "year, with grace: reached again in January": (
        ("calendar_year", "end_of_period", "full", "31 days"),
        ["2025-05-01 100", "2026-01-10 100"],
        ["2025-05-01 silver reached 2026-01-01", "2026-01-10 silver reached_again 2027-01-01",
         "2027-02-01 bronze fell"],
    ),
    "year, with grace: in February what was bought since New Year counts for reaching": (
        ("calendar_year", "end_of_period", "full", "31 days"),
        ["2025-05-01 100", "2026-01-10 60", "2026-02-02 40"],
        ["2025-05-01 silver reached 2026-01-01", "2026-02-01 bronze fell", "2026-02-02 silver reached 2027-01-01",
         "2027-02-01 bronze fell"],
    ),
    "year, to the end of the next, with grace: silver of the new year is what is left of gold": (
        ("calendar_year", "end_of_next_period", "full", "31 days"),
        ["2025-05-01 300", "2027-01-10 100"],
        ["2025-05-01 gold reached 2027-01-01", "2027-02-01 silver fell 2029-01-01"],
    ),
    "year, to the end of the next: gold falls to last year's silver for one more year": (
        ("calendar_year", "end_of_next_period", "full", ""),
        ["2025-05-01 300", "2026-03-01 150"],
        ["2025-05-01 gold reached 2027-01-01", "2027-01-01 silver fell 2028-01-01", "2028-01-01 bronze fell"],
    ),
    "year, months: the year that is over still counts on its last day": (
        ("calendar_year", "1 months", "full", ""),
        ["2025-11-30 100"],
        ["2025-11-30 silver reached 2025-12-31", "2025-12-31 silver kept 2026-01-31", "2026-01-31 bronze fell"],
    ),
    "year, months that end with the year: it counts as a whole": (
        ("calendar_year", "2 months", "full", ""),
        ["2025-10-31 100"],
        ["2025-10-31 silver reached 2026-01-01", "2026-01-01 silver kept 2026-03-01", "2026-03-01 bronze fell"],
    ),
    "quarter: its last microsecond": (
        ("calendar_quarter", "end_of_period", "full", ""),
        [f"2025-03-31 {LAST} 100"],
        ["2025-03-31 silver reached 2025-04-01", "2025-04-01 bronze fell"],
    ),
    "quarter, to the end of the next, bought again in that": (
        ("calendar_quarter", "end_of_next_period", "full", ""),
        ["2025-02-10 100", f"2025-06-30 {LAST} 100"],
        ["2025-02-10 silver reached 2025-07-01", "2025-06-30 silver reached_again 2025-10-01",
         "2025-10-01 bronze fell"],
    ),
    "quarter, to the end of the next, over New Year": (
        ("calendar_quarter", "end_of_next_period", "full", ""),
        ["2025-11-15 100"],
        ["2025-11-15 silver reached 2026-04-01", "2026-04-01 bronze fell"],
    ),
    "membership year from 29 Feb: its last microsecond is on 27 Feb": (
        ("membership_year", "end_of_period", "full", ""),
        [f"2025-02-27 {LAST} 100"],
        ["2025-02-27 silver reached 2025-02-28", "2025-02-28 bronze fell"],
    ),
    "membership year from 29 Feb: the next begins on 28 Feb": (
        ("membership_year", "end_of_period", "full", ""),
        ["2025-02-28 00:00 100"],
        ["2025-02-28 silver reached 2026-02-28", "2026-02-28 bronze fell"],
    ),
    "membership year from 29 Feb: it ends on 29 Feb where there is one": (
        ("membership_year", "end_of_period", "full", ""),
        ["2027-03-01 100", f"2028-02-28 {LAST} 100", "2028-02-29 00:00 100"],
        ["2027-03-01 silver reached 2028-02-29", "2028-02-29 bronze fell", "2028-02-29 silver reached 2029-02-28"],
    ),
    "membership year from 29 Feb, to the end of the next": (
        ("membership_year", "end_of_next_period", "full", ""),
        ["2024-03-01 100"],
        ["2024-03-01 silver reached 2026-02-28", "2026-02-28 bronze fell"],
    ),
    "membership year before the enrolment": (
        ("membership_year", "end_of_period", "full", ""),
        ["2024-02-28 100"],
        ["2024-02-28 silver reached 2024-02-29", "2024-02-29 bronze fell"],
    ),
}  # fmt: skip

ELSEWHERE = {
    "a day that Samoa skipped: the day before is in time": (
        "Pacific/Apia",
        ("1 months", "1 months", "full", ""),
        ["2011-11-29 100", f"2011-12-29 {LAST} 100"],
        ["2011-11-29 silver reached 2011-12-30", "2011-12-30 silver kept 2012-01-30", "2012-01-30 bronze fell"],
    ),
    "a day that Samoa skipped: the tier falls with it": (
        "Pacific/Apia",
        ("1 months", "1 months", "full", ""),
        ["2011-11-29 100", "2011-12-31 00:00 100"],
        ["2011-11-29 silver reached 2011-12-30", "2011-12-30 bronze fell", "2011-12-31 silver reached 2012-02-01",
         "2012-02-01 bronze fell"],
    ),
    "a midnight that Brazil skipped: the microsecond before": (
        "America/Sao_Paulo",
        ("1 months", "1 months", "full", ""),
        ["2018-10-03 100", f"2018-11-03 {LAST} 100"],
        ["2018-10-03 silver reached 2018-11-04", "2018-11-04 silver kept 2018-12-04", "2018-12-04 bronze fell"],
    ),
    "a midnight that Brazil skipped: the day begins at one": (
        "America/Sao_Paulo",
        ("1 months", "1 months", "full", ""),
        ["2018-10-03 100", "2018-11-04 01:00 100"],
        ["2018-10-03 silver reached 2018-11-04", "2018-11-04 bronze fell", "2018-11-04 silver reached 2018-12-05",
         "2018-12-05 bronze fell"],
    ),
    "New Year comes to Kiritimati first": (
        "Pacific/Kiritimati",
        ("calendar_year", "end_of_period", "full", ""),
        [f"2025-12-31 {LAST} 60", "2026-01-01 00:00 100"],
        ["2026-01-01 silver reached 2027-01-01", "2027-01-01 bronze fell"],
    ),
    "New Year comes to Honolulu last": (
        "Pacific/Honolulu",
        ("calendar_year", "end_of_next_period", "one_step", "1 days"),
        [f"2024-12-31 {LAST} 300"],
        ["2024-12-31 gold reached 2026-01-01", "2026-01-02 silver fell 2027-01-01", "2027-01-02 bronze fell"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LIVES)
def test_a_life(name: str):
    terms, bought, happens = LIVES[name]

    assert_happens(WARSAW, terms, bought, happens)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_life_elsewhere(name: str):
    zone, terms, bought, happens = ELSEWHERE[name]

    assert_happens(zone, terms, bought, happens)


def assert_happens(zone: str, terms: tuple[str, str, str, str], bought: list[str], happens: list[str]) -> None:
    """It does, told as it happens, told backwards, and worked out at once."""
    ladders = some_ladders(a_ladder(*terms), zone=zone)
    end = "2028-12-31 23:59"
    enrolled = "2011-01-01" if zone != WARSAW else "2024-02-29"
    orders = [(when, int(worth)) for when, worth in (order.rsplit(" ", 1) for order in bought)]

    life = Life(ladders, enrolled)
    for when, worth in orders:
        life.buys(when, worth)
    backwards = Life(ladders, enrolled)
    for when, worth in reversed(orders):
        backwards.buys(when, worth, told="2028-12-30")

    assert life.waits(end).told == happens
    assert backwards.waits(end).told == happens
    at_once = known_in_time(life.standing, ladders, at(end, zone))
    assert [replace(state, since=at(end)) for state in at_once.states] == [
        replace(state, since=at(end)) for state in life.standing.states
    ]


@pytest.mark.parametrize(
    ("basis", "counts"),
    [("spend", Amounts(100, 0, 0)), ("points_earned", Amounts(0, 100, 0)), ("orders", Amounts(0, 0, 100))],
)
def test_only_what_the_basis_says_counts(basis: str, counts: Amounts):
    ladders = some_ladders(a_ladder(basis=basis))
    others = Amounts(*(500 - 5 * n for n in (counts.spend, counts.points, counts.orders)))

    assert Life(ladders).buys("2025-01-01", others).has("2025-01-01") == "bronze"
    assert Life(ladders).buys("2025-01-01", counts).has("2025-01-01") == "silver"


def test_a_tier_is_had_since_the_instant_of_the_order_and_lost_at_midnight():
    life = Life(some_ladders(a_ladder("12 months", "12 months")))

    life.buys("2025-01-10 12:34", 100).waits("2026-02-01")

    assert [state.since for state in life.standing.states[1:]] == [at("2025-01-10 12:34"), at("2026-01-11 00:00")]
    assert life.has("2026-01-10 23:59:59.999999") == "silver"
    assert life.has("2026-01-11 00:00") == "bronze"


def test_where_midnight_is_skipped_a_tier_is_lost_at_the_jump():
    life = Life(some_ladders(a_ladder("1 months", "1 months"), zone="America/Sao_Paulo"))

    life.buys("2018-10-03", 100).waits("2018-11-04")

    assert life.standing.state.since == life.at("2018-11-04 01:00")


def test_steps_are_skipped():
    life = Life(some_ladders(a_ladder()))

    assert life.buys("2025-01-01", 300).told == ["2025-01-01 gold reached"]
