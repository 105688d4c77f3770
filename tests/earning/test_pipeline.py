"""What an order earns when rules of every kind meet: order, rules and member, and what each rule gives."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from loyalty.earning.domain import UNKNOWN, Activity, Count, Cut, Facts, Judgement, Occasion
from loyalty.earning.rules import BirthdayWindow, Caps, EarningRule, Milestone, RuleSet, Segment, TimeWindow
from loyalty.earning.worth import worth
from loyalty.programs.domain import Rounding, Stacking, UnitTerms
from loyalty.programs.terms import Activation, Dates
from loyalty.rules.history import History, Purchases, Sums
from tests.builders import NOW, a_line, a_rule, an_order
from tests.earning.test_domain import a_scheme, food, other

A_DAY = timedelta(days=1)
BASE = a_rule(priority=1)
REGULARS = Segment("regulars", "Regulars", "history.orders >= 5")


def times(factor: str, code: str = "times", **given: Any) -> EarningRule:
    return a_rule(code, kind="multiplier", factor=Decimal(factor), **given)


def bonus(points: int, code: str = "bonus", **given: Any) -> EarningRule:
    return a_rule(code, kind="bonus", **{"points": points, **given})


def judged(occasion: Occasion, rules: list[EarningRule], facts: Facts = UNKNOWN, **scheme: Any) -> Judgement:
    return worth(occasion, RuleSet(1, tuple(rules), (REGULARS,)), a_scheme(**scheme), facts)


def given(judgement: Judgement) -> dict[str, int]:
    return {award.rule_code: award.points for award in judgement.awards}


def refused(judgement: Judgement) -> dict[str, str]:
    return dict(judgement.refused)


def bought(orders: int = 0, spend: int = 0, *, last_at: datetime | None = None, **categories: int) -> Facts:
    """A member with so many orders, and so many of some categories."""
    by_category = {path: Purchases(Sums(number, number, number * 100), NOW) for path, number in categories.items()}
    return Facts(history=History(Purchases(Sums(orders, orders, spend), last_at), by_category))


def had(code: str, period: str, *, points: int = 0, times: int = 0, last_at: datetime | None = None) -> Facts:
    """A member whom a rule gave something before."""
    return Facts(counts={(code, period): Count(points, times, last_at)})


MULTIPLIERS = [
    pytest.param([BASE, times("2")], {}, {"base": 20, "times": 20}, id="x2-is-twice-the-base-and-not-base-plus-twice"),
    pytest.param([BASE, times("1.5")], {}, {"base": 20, "times": 10}, id="x1.5-adds-half-of-the-base"),
    pytest.param([BASE, times("1")], {}, {"base": 20}, id="x1-adds-nothing"),
    pytest.param(
        [BASE, times("2", priority=2), times("3", "thrice", priority=3)],
        {},
        {"base": 20, "times": 20, "thrice": 80},
        id="multipliers-multiply-each-other-in-the-order-of-priority",
    ),
    pytest.param(
        [BASE, times("2"), times("3", "thrice")],
        {"stacking": Stacking(multiplier="best")},
        {"base": 20, "thrice": 40},
        id="or-only-the-best-of-them-counts",
    ),
    pytest.param(
        [BASE, times("2", categories=("food",)), times("3", "thrice", categories=("other",))],
        {"stacking": Stacking(multiplier="best")},
        {"base": 20, "times": 10, "thrice": 20},
        id="the-best-line-by-line",
    ),
    pytest.param([BASE, times("2", categories=("food",))], {}, {"base": 20, "times": 10}, id="on-the-lines-it-matches"),
    pytest.param([times("2")], {}, {}, id="there-is-nothing-to-multiply-without-a-base"),
    pytest.param(
        [a_rule(categories=("other",)), times("2", categories=("food",))], {}, {"base": 10}, id="or-on-other-lines"
    ),
    pytest.param(
        [BASE, a_rule("more", points="0.5"), times("2")],
        {},
        {"base": 20, "more": 10, "times": 30},
        id="all-base-rules-are-multiplied",
    ),
    pytest.param(
        [BASE, a_rule("unit", points_per_unit=7), times("10")],
        {"stacking": Stacking(base="best")},
        {"base": 20, "times": 180},
        id="but-only-the-best-where-only-the-best-counts",
    ),
    pytest.param([BASE, bonus(100), times("2")], {}, {"base": 20, "bonus": 100, "times": 20}, id="a-bonus-is-not"),
    pytest.param([BASE, times("2", min_basis=2001)], {}, {"base": 20}, id="a-multiplier-from-a-minimum-on"),
]


@pytest.mark.parametrize(("rules", "settings", "awards"), MULTIPLIERS)
def test_multipliers_raise_the_base_of_the_lines_they_match(rules: Any, settings: Any, awards: dict[str, int]):
    assert given(judged(an_order(food(), other()), rules, **settings)) == awards


@pytest.mark.parametrize(("rounding", "total"), [("floor", 29), ("half_up", 30), ("ceil", 30)])
def test_19_99_times_one_and_a_half_is_rounded_once(rounding: Rounding, total: int):
    awards = given(judged(an_order(a_line(1999)), [BASE, times("1.5")], rounding=rounding))

    assert sum(awards.values()) == total


def test_a_multiplier_multiplies_its_own_unit():
    both = {"points": UnitTerms(), "miles": UnitTerms()}
    rules = [BASE, a_rule("miles", unit="miles", points="3"), times("2", unit="miles")]

    assert given(judged(an_order(food()), rules, units=both)) == {"base": 10, "miles": 30, "times": 30}


BONUSES = [
    pytest.param(bonus(100), UNKNOWN, 100, id="for-every-order"),
    pytest.param(bonus(100, categories=("food",)), UNKNOWN, 100, id="with-goods-that-are-in-it"),
    pytest.param(bonus(100, categories=("tools",)), UNKNOWN, "lines", id="not-with-goods-that-are-not"),
    pytest.param(bonus(100, min_basis=2000), UNKNOWN, 100, id="from-20-00-on"),
    pytest.param(bonus(100, min_basis=2001), UNKNOWN, "min_basis", id="not-a-cent-below"),
    pytest.param(bonus(100, milestone=Milestone(first=1)), bought(0), 100, id="the-first-order"),
    pytest.param(bonus(100, milestone=Milestone(first=1)), bought(1), "milestone", id="the-second-is-not-the-first"),
    pytest.param(bonus(100, milestone=Milestone(first=3)), bought(2), 100, id="one-of-the-first-three"),
    pytest.param(bonus(100, milestone=Milestone(nth=5)), bought(4), 100, id="the-fifth-order"),
    pytest.param(bonus(100, milestone=Milestone(nth=5)), bought(5), "milestone", id="not-the-sixth"),
    pytest.param(bonus(100, milestone=Milestone(every=5)), bought(9), 100, id="every-fifth-order"),
    pytest.param(bonus(100, tiers=("gold",)), Facts(tier="gold"), 100, id="for-a-tier"),
    pytest.param(bonus(100, tiers=("gold",)), UNKNOWN, "tiers", id="not-for-others"),
    pytest.param(bonus(100, segments=("regulars",)), bought(5), 100, id="for-a-segment"),
    pytest.param(bonus(100, segments=("regulars",)), bought(4), "segments", id="not-outside-of-it"),
    pytest.param(bonus(100, activity="review"), UNKNOWN, "activity", id="what-is-for-reviews-is-not-for-orders"),
    pytest.param(bonus(100, when="order.basis >= 2000 && history.orders == 0"), UNKNOWN, 100, id="on-a-condition"),
    pytest.param(bonus(100, when="order.basis > 2000"), UNKNOWN, "when", id="that-must-hold"),
    pytest.param(bonus(100, when="order.lines.exists(l, l.sku == 'O')"), UNKNOWN, 100, id="on-any-of-the-lines"),
    pytest.param(bonus(100, when="'food' in order.categories"), UNKNOWN, 100, id="on-a-category-of-the-order"),
    pytest.param(
        bonus(100, when='history.categories["tea"].orders == 0'), bought(3, food=3), 100, id="for-who-never-bought-tea"
    ),
    pytest.param(
        bonus(100, when='history.categories["tea"].orders == 0'), bought(3, tea=1), "when", id="not-for-who-did"
    ),
    pytest.param(
        bonus(100, when="history.days_since_last_order > 30"),
        bought(3, last_at=NOW - 31 * A_DAY),
        100,
        id="for-who-stayed-away-for-a-month",
    ),
    pytest.param(bonus(100, when="history.days_since_last_order > 30"), UNKNOWN, "when", id="unknown-is-not-long-ago"),
    pytest.param(
        bonus(100, when="member.attributes.club == 'A'"), Facts(attributes={"club": "A"}), 100, id="by-an-attribute"
    ),
    pytest.param(bonus(100, when="member.attributes.club == 'A'"), UNKNOWN, "when", id="which-may-be-missing"),
    pytest.param(bonus(100, when="local.weekday == 7 && local.hour == 13"), UNKNOWN, 100, id="by-the-clock-of-Warsaw"),
    pytest.param(bonus(100, limits=(("month", 2),)), had("bonus", "2026-03", times=1), 100, id="twice-a-month"),
    pytest.param(bonus(100, limits=(("month", 2),)), had("bonus", "2026-03", times=2), "limits", id="not-three-times"),
    pytest.param(bonus(100, limits=(("month", 2),)), had("bonus", "2026-02", times=2), 100, id="but-again-next-month"),
    pytest.param(
        bonus(100, cooldown_days=7), had("bonus", "ever", last_at=NOW - 7 * A_DAY), 100, id="a-week-after-the-last"
    ),
    pytest.param(
        bonus(100, cooldown_days=7),
        had("bonus", "ever", last_at=NOW - 7 * A_DAY + timedelta(seconds=1)),
        "cooldown",
        id="not-a-second-earlier",
    ),
]


@pytest.mark.parametrize(("rule", "facts", "outcome"), BONUSES)
def test_a_bonus_is_given_when_all_its_conditions_hold(rule: EarningRule, facts: Facts, outcome: int | str):
    judgement = judged(an_order(food(), other()), [rule], facts)

    assert (given(judgement) or refused(judgement)) == {"bonus": outcome}


def test_a_bonus_is_shared_by_the_lines_it_matches_as_they_were_paid():
    award = judged(an_order(food(3000), other(1000), a_line(500, line_id="x")), [bonus(100)]).awards[0]

    assert award.lines == (("food", 67), ("other", 22), ("x", 11))


@pytest.mark.parametrize("rounding", ["floor", "half_up", "ceil"])
def test_a_bonus_of_fifty_is_fifty_whatever_the_rounding_takes_elsewhere(rounding: Rounding):
    awards = given(judged(an_order(a_line(1580)), [BASE, bonus(50)], rounding=rounding))

    assert awards == {"base": 15 if rounding == "floor" else 16, "bonus": 50}


def test_an_order_that_costs_nothing_earns_no_bonus():
    judgement = judged(an_order(food(1000), discount=1000), [BASE, bonus(100)])

    assert refused(judgement) == {"base": "basis", "bonus": "basis"}


BIRTHDAYS = [
    (date(1990, 3, 1), BirthdayWindow(), True),
    (date(1990, 3, 2), BirthdayWindow(), False),
    (date(1990, 3, 4), BirthdayWindow(days_before=3), True),
    (date(1990, 3, 5), BirthdayWindow(days_before=3), False),
    (date(1990, 2, 27), BirthdayWindow(days_after=2), True),
    (date(1990, 2, 26), BirthdayWindow(days_after=2), False),
    # There is no 29 February in 2026: it is the 28th, the day before.
    (date(1992, 2, 29), BirthdayWindow(days_after=1), True),
    (date(1992, 2, 29), BirthdayWindow(), False),
    (None, BirthdayWindow(days_before=180, days_after=180), False),
]


@pytest.mark.parametrize(("born", "window", "runs"), BIRTHDAYS)
def test_a_rule_may_run_around_a_birthday(born: date | None, window: BirthdayWindow, runs: bool):
    judgement = judged(an_order(), [bonus(100, birthday=window)], Facts(birth_date=born))

    assert bool(judgement.awards) == runs


# 2026-03-29 02:00 in Warsaw does not exist, 2026-10-25 02:30 comes twice. 1 March 2026 is a Sunday.
WINDOWS = [
    ("2026-03-01T12:00:00+01:00", TimeWindow(("sun",)), True),
    ("2026-03-01T12:00:00+01:00", TimeWindow(("sat",)), False),
    ("2026-03-01T23:30:00Z", TimeWindow(("mon",)), True),  # it is half past midnight in Warsaw
    ("2026-03-01T17:00:00+01:00", TimeWindow((), time(17), time(20)), True),
    ("2026-03-01T19:59:59+01:00", TimeWindow((), time(17), time(20)), True),
    ("2026-03-01T20:00:00+01:00", TimeWindow((), time(17), time(20)), False),
    ("2026-03-01T23:59:59+01:00", TimeWindow((), time(17)), True),
    ("2026-03-01T23:00:00+01:00", TimeWindow(("sun",), time(22), time(2)), True),
    ("2026-03-02T01:59:00+01:00", TimeWindow(("sun",), time(22), time(2)), True),  # the night of Sunday
    ("2026-03-01T01:00:00+01:00", TimeWindow(("sun",), time(22), time(2)), False),  # the night of Saturday
    ("2026-03-02T02:00:00+01:00", TimeWindow(("sun",), time(22), time(2)), False),
    ("2026-03-29T03:00:00+02:00", TimeWindow((), time(2), time(3)), False),  # an hour that was skipped
    ("2026-10-25T02:30:00+02:00", TimeWindow((), time(2), time(3)), True),  # an hour that comes twice
    ("2026-10-25T02:30:00+01:00", TimeWindow((), time(2), time(3)), True),
]


@pytest.mark.parametrize(("placed_at", "window", "runs"), WINDOWS)
def test_a_rule_may_run_at_some_hours_of_the_programs_clock(placed_at: str, window: TimeWindow, runs: bool):
    order = an_order(placed_at=datetime.fromisoformat(placed_at).astimezone(UTC))

    assert bool(judged(order, [bonus(100, time_windows=(window,))]).awards) == runs


CAPS = [
    pytest.param(Caps(per_order=15), UNKNOWN, 15, Cut("per_order", 15, 15, 20), id="an-order"),
    pytest.param(Caps(per_order=20), UNKNOWN, 20, None, id="a-cap-that-is-just-reached-cuts-nothing"),
    pytest.param(
        Caps(per_member=(("day", 50),)), had("base", "2026-03-01", points=45), 5, Cut("day", 50, 5, 20), id="a-day"
    ),
    pytest.param(
        Caps(per_member=(("week", 50),)),
        had("base", "2026-W09", points=45),
        5,
        Cut("week", 50, 5, 20),
        id="an-ISO-week",
    ),
    pytest.param(Caps(per_member=(("month", 50),)), had("base", "2026-02", points=45), 20, None, id="another-month"),
    pytest.param(
        Caps(per_member=(("quarter", 50),)),
        had("base", "2026-Q1", points=45),
        5,
        Cut("quarter", 50, 5, 20),
        id="a-quarter",
    ),
    pytest.param(
        Caps(per_member=(("year", 50),)), had("base", "2026", points=45), 5, Cut("year", 50, 5, 20), id="a-year"
    ),
    pytest.param(
        Caps(per_member=(("ever", 50),)), had("base", "ever", points=45), 5, Cut("ever", 50, 5, 20), id="for-ever"
    ),
    pytest.param(
        Caps(per_order=10, per_member=(("ever", 50),)),
        had("base", "ever", points=45),
        5,
        Cut("ever", 50, 5, 20),
        id="the-tightest-cuts",
    ),
    pytest.param(Caps(budget=1000), Facts(budgets={"base": 3}), 3, Cut("budget", 1000, 3, 20), id="a-budget"),
    pytest.param(Caps(budget=1000), UNKNOWN, 20, None, id="a-budget-with-room"),
    pytest.param(Caps(per_member=(("ever", 50),)), had("base", "ever", points=50), 0, None, id="nothing-left"),
    pytest.param(
        Caps(per_member=(("ever", 50),)), had("base", "ever", points=70), 0, None, id="a-cap-that-was-lowered"
    ),
]


@pytest.mark.parametrize(("caps", "facts", "points", "cut"), CAPS)
def test_an_award_is_cut_to_the_room_left_and_says_so(caps: Caps, facts: Facts, points: int, cut: Cut | None):
    judgement = judged(an_order(food(), other()), [replace(BASE, caps=caps)], facts)

    assert given(judgement) == ({"base": points} if points else {})
    assert refused(judgement) == ({} if points else {"base": "caps"})
    assert [award.cut for award in judgement.awards] == ([cut] if points else [])


def test_the_reason_of_an_award_says_what_a_cap_took():
    award = judged(an_order(food(), other()), [replace(BASE, caps=Caps(per_order=15))]).awards[0]

    assert award.reason == "1 per 1.00 EUR; cut from 20 to 15 by the limit of 15 for an order"


def test_a_multiplier_raises_the_base_before_a_cap_cuts_it():
    rules = [replace(BASE, caps=Caps(per_order=15)), times("2")]

    assert given(judged(an_order(food(), other()), rules)) == {"base": 15, "times": 20}


@pytest.mark.parametrize("rounding", ["floor", "half_up", "ceil"])
def test_rounding_never_lifts_an_award_above_its_cap(rounding: Rounding):
    rules = [a_rule("capped", caps=Caps(per_order=10)), a_rule("small", points="0.01")]

    awards = given(judged(an_order(a_line(1090)), rules, rounding=rounding))

    assert awards["capped"] <= 10


def test_an_award_of_less_than_a_point_is_refused_by_the_rounding():
    assert refused(judged(an_order(a_line(99)), [BASE])) == {"base": "rounding"}


def test_who_is_outdone_is_told_so():
    rules = [BASE, a_rule("more", points="2")]

    assert refused(judged(an_order(food()), rules, stacking=Stacking(base="best"))) == {"base": "outdone"}


def test_a_condition_on_lines_picks_lines():
    rules = [a_rule(when="line.quantity >= 2 && line.basis > 1000")]
    order = an_order(food(600, quantity=2), other(600, quantity=1))

    award = judged(order, rules).awards[0]

    assert award.lines == (("food", 12),)


def test_a_condition_that_fails_costs_its_own_rule_and_nothing_else():
    rules = [BASE, a_rule("fruit", when="line.category.startsWith('fruit')"), times("2", when="1 / 0 == 1")]

    judgement = judged(an_order(a_line(1000, line_id="7")), rules)

    assert given(judgement) == {"base": 10}
    assert refused(judgement) == {"fruit": "when", "times": "when"}
    assert judgement.failures == {
        "fruit": "Line 7: line.category has no value (null).",
        "times": "It divides by zero.",
    }


def test_every_rule_either_gave_something_or_says_why_not():
    rules = [BASE, times("2", channels=("app",)), bonus(5), bonus(7, "never", min_basis=10**9)]

    judgement = judged(an_order(food()), rules)

    assert set(given(judgement)) | set(refused(judgement)) == {rule.code for rule in rules}
    assert set(given(judgement)) & set(refused(judgement)) == set()


def an_activity(**told: Any) -> Activity:
    return Activity(**{"type": "review", "occurred_at": NOW, **told})


ACTIVITIES = [
    pytest.param(bonus(50, activity="review"), {}, 50, id="its-own"),
    pytest.param(bonus(50, activity="survey"), {}, "activity", id="not-anothers"),
    pytest.param(bonus(50), {}, "activity", id="nor-what-is-for-orders"),
    pytest.param(BASE, {}, "activity", id="base-rules-are-for-orders"),
    pytest.param(
        bonus(50, activity="review", when="activity.properties.stars >= 4"), {"properties": {"stars": 5}}, 50, id="when"
    ),
    pytest.param(
        bonus(50, activity="review", when="activity.properties.stars >= 4"),
        {},
        "when",
        id="what-it-asks-for-is-missing",
    ),
    pytest.param(bonus(50, activity="review", caps=Caps(per_order=20)), {}, 20, id="caps"),
]


@pytest.mark.parametrize(("rule", "told", "outcome"), ACTIVITIES)
def test_an_activity_earns_the_bonuses_for_it(rule: EarningRule, told: dict[str, Any], outcome: int | str):
    judgement = judged(an_activity(**told), [rule])

    assert (given(judgement) or refused(judgement)) == {rule.code: outcome}
    assert all(award.lines == () for award in judgement.awards)


def test_the_points_of_an_award_live_from_the_instant_of_what_earned_them():
    delay = Activation("delay", days=14)
    rule = bonus(50, activity="review", activation=delay)

    award = judged(an_activity(occurred_at=NOW - A_DAY), [rule]).awards[0]

    assert award.dates == Dates(pending=True, matures_at=NOW + 13 * A_DAY, expires_at=award.dates.expires_at)
