"""Where a member stands: what comes back, what comes late, what is granted, and other ladders."""

import pytest

from loyalty.tiers import standing as standings
from loyalty.tiers.domain import Ladder
from tests.tiers.lives import Life, Record, a_ladder, a_standing, at, known_in_time, some_ladders

A_YEAR = ("12 months", "12 months")


def a_life(downgrade: str = "full", *, grace: str = "") -> Life:
    return Life(some_ladders(a_ladder(*A_YEAR, downgrade, grace)))


# What comes back


@pytest.mark.parametrize(("downgrade", "left"), [("none", "gold"), ("one_step", "silver"), ("full", "bronze")])
def test_what_is_left_of_gold_when_all_comes_back(downgrade: str, left: str):
    life = a_life(downgrade).buys("2025-01-10", 300)

    life.returns("2025-01-10", 300, told="2025-02-01")

    assert life.has("2025-02-01") == left
    assert life.told == []


@pytest.mark.parametrize(("downgrade", "left"), [("none", "gold"), ("one_step", "silver"), ("full", "silver")])
def test_what_is_left_of_gold_when_silver_is_still_reached(downgrade: str, left: str):
    life = a_life(downgrade).buys("2025-01-10", 300)

    life.returns("2025-01-10", 200, told="2025-02-01", orders=0)

    assert life.has("2025-02-01") == left
    assert life.told[0].startswith("2025-01-10 silver reached")


def test_what_a_return_left_ends_when_the_tier_would_have_ended():
    life = a_life("one_step").buys("2025-01-10", 300).returns("2025-01-10", 300, told="2025-02-01")

    assert life.has("2026-01-10 23:59:59.999999") == "silver"
    assert life.waits("2026-01-11 00:00").has("2026-01-11 00:00") == "bronze"
    assert life.seen[-1] == "silver > bronze: grant_ended"


def test_a_return_that_takes_no_tier_changes_none():
    life = a_life().buys("2025-01-10", 300).buys("2025-02-01", 50)

    life.returns("2025-02-01", 50, told="2025-03-01")

    assert life.told == ["2025-01-10 gold reached 2026-01-11"]
    assert life.standing.grants == ()


def test_a_return_takes_back_what_it_had_made_reached_later():
    life = a_life().buys("2025-01-10", 60).buys("2025-03-01", 60).buys("2025-06-01", 60)
    assert life.told == ["2025-03-01 silver reached 2026-03-02"]

    life.returns("2025-01-10", 60, told="2025-07-01")

    assert life.told == ["2025-06-01 silver reached 2026-06-02"]


def test_a_return_after_the_fall_is_a_return_of_what_had_fallen():
    life = a_life("one_step").buys("2025-01-10", 300).waits("2026-02-01")
    assert life.has("2026-02-01") == "silver"

    life.returns("2025-01-10", 300, told="2026-02-01")

    assert life.has("2026-02-01") == "bronze"


# What comes late


def test_an_order_that_comes_late_counts_from_its_day():
    life = a_life().buys("2025-03-01", 60)

    life.buys("2025-01-10", 60, told="2025-04-01")

    assert life.told == ["2025-03-01 silver reached 2026-03-02"]


def test_an_order_that_comes_late_keeps_what_had_been_lost():
    life = a_life().buys("2025-01-10", 100).waits("2026-02-01")
    assert life.has("2026-02-01") == "bronze"

    life.buys("2025-12-24", 100, told="2026-02-02")

    assert life.has("2026-02-02") == "silver"
    assert life.told == ["2025-01-10 silver reached 2026-01-11", "2026-01-11 silver kept 2027-01-11"]


def test_an_order_of_the_grace_that_comes_after_it_keeps_the_tier():
    life = a_life(grace="30 days").buys("2025-01-10", 100).waits("2026-02-15")

    life.buys("2026-02-09 23:59:59.999999", 100, told="2026-02-15 13:00")

    assert life.told[-1] == "2026-02-09 silver reached_again 2027-02-10"


def test_an_order_of_the_future_counts_now():
    life = a_life().buys("2026-01-01", 100, told="2025-01-10")

    assert life.told == ["2025-01-10 silver reached 2026-01-11"]


def test_states_that_turn_out_untrue_are_void_and_those_that_stay_keep_their_number():
    life = a_life().buys("2025-01-10", 100).buys("2025-03-01", 200).waits("2026-04-01")
    numbered = tuple(standings.replace(state, number=n) for n, state in enumerate(life.standing.states, start=1))
    life.standing = standings.replace(life.standing, states=numbered)
    assert life.told[1] == "2025-03-01 gold reached 2026-03-02"

    life.returns("2025-03-01", 200, told="2026-04-01")

    assert [state.number for state in life.standing.states] == [1, 2, 0]
    assert life.standing.void == (3, 4)


# What is granted


def test_a_pinned_tier_is_a_floor():
    life = a_life().is_given("pinned", "silver", "2025-01-01", "2025-07-01 00:00")

    assert life.has("2025-01-01") == "silver"
    assert life.buys("2025-02-01", 300).has("2025-02-01") == "gold"
    assert life.returns("2025-02-01", 300, told="2025-03-01").has("2025-03-01") == "silver"


def test_a_pinned_tier_ends_at_its_instant():
    life = a_life().is_given("pinned", "gold", "2025-01-01", "2025-07-01 15:30")

    assert life.waits("2025-07-01 15:29:59.999999").has("2025-07-01 15:29:59.999999") == "gold"
    assert life.waits("2025-07-01 15:30").standing.tier == "bronze"
    assert life.seen[-1] == "gold > bronze: grant_ended"


def test_a_pinned_tier_changes_nothing_of_what_is_reached():
    pinned = a_life().is_given("pinned", "gold", "2025-01-01").buys("2025-02-01", 100).waits("2026-06-01")
    other = a_life().buys("2025-02-01", 100).waits("2026-06-01")

    assert pinned.told == other.told
    assert pinned.has("2026-06-01") == "gold"


def test_a_tier_that_the_ladder_does_not_know_gives_nothing():
    assert a_life().is_given("pinned", "diamond", "2025-01-01").has("2025-01-01") == "bronze"


def test_a_pin_is_not_lost_for_news_from_before_it():
    life = a_life().is_given("pinned", "gold", "2025-02-01")

    life.buys("2025-01-15", 10, told="2025-02-02")

    assert life.seen[-1] == "bronze > gold: pinned"
    assert life.standing.since == at("2025-02-01")


def test_a_tier_brought_along_is_valid_as_if_it_had_been_reached():
    life = a_life().is_given("imported", "silver", "2025-01-10").waits("2026-02-01")

    assert life.told == ["2025-01-10 silver imported 2026-01-11", "2026-01-11 bronze fell"]


def test_a_tier_brought_along_with_an_end_is_valid_to_that():
    life = a_life().is_given("imported", "gold", "2025-01-10", "2025-06-01").waits("2025-07-01")

    assert life.told == ["2025-01-10 gold imported 2025-06-02", "2025-06-02 bronze fell"]


def test_a_tier_brought_along_and_bought_for_is_kept():
    life = a_life().is_given("imported", "silver", "2025-01-10").buys("2025-05-01", 100).waits("2026-02-01")

    assert life.told[-1] == "2025-05-01 silver reached_again 2026-05-02"
    assert life.has("2026-02-01") == "silver"


def test_a_lower_tier_brought_along_takes_none_away():
    life = a_life().buys("2025-01-10", 300).is_given("imported", "silver", "2025-02-01")

    assert life.told == ["2025-01-10 gold reached 2026-01-11"]


def test_a_tier_brought_along_from_before_the_enrolment_was_had_then():
    life = a_life().is_given("imported", "silver", "2019-06-01", told="2020-01-01 13:00")

    assert life.told == ["2019-06-01 silver imported 2020-06-02"]


def test_a_tier_brought_along_on_the_day_of_the_first_ladder():
    life = Life(some_ladders(a_ladder(*A_YEAR, begins="2025-01-10 10:00")))

    life.is_given("imported", "silver", "2025-01-10 11:00")

    assert life.has("2025-01-10 11:00") == "silver"


def test_a_tier_brought_along_after_another_ladder_of_the_day():
    second = a_ladder(*A_YEAR, version=2, begins="2025-01-10 10:00")
    life = Life(some_ladders(a_ladder(*A_YEAR), second))

    life.is_given("imported", "silver", "2025-01-10 11:00").waits("2025-02-01")

    assert life.told[-1] == "2025-01-10 silver imported 2026-01-11"


# Other ladders


def then(moving: str, begins: str = "2025-06-01 12:00", **given: object) -> Ladder:
    """The second ladder."""
    terms = {"steps": {"bronze": 0, "silver": 50, "gold": 150}, **given}
    return a_ladder(*A_YEAR, version=2, moving=moving, begins=begins, **terms)


@pytest.mark.parametrize(
    ("moving", "told"),
    [
        ("now", "2025-06-01 gold moved 2026-04-02"),  # 60 + 60 + 40 are gold on 1 April
        ("upgrades_only", "2025-06-01 gold moved 2026-04-02"),
        ("at_validity_end", "2025-06-01 silver stayed 2026-03-02"),
    ],
)
def test_a_ladder_that_is_easier(moving: str, told: str):
    life = Life(some_ladders(a_ladder(*A_YEAR), then(moving)))
    life.buys("2025-02-01", 60).buys("2025-03-01", 60).buys("2025-04-01", 40)

    assert life.waits("2025-06-02").told == ["2025-03-01 silver reached 2026-03-02", told]


@pytest.mark.parametrize(
    ("moving", "told"),
    [
        ("now", "2025-06-01 bronze moved"),
        ("upgrades_only", "2025-06-01 silver stayed 2026-03-02"),
        ("at_validity_end", "2025-06-01 silver stayed 2026-03-02"),
    ],
)
def test_a_ladder_that_is_harder(moving: str, told: str):
    harder = then(moving, steps={"bronze": 0, "silver": 500, "gold": 900})
    life = Life(some_ladders(a_ladder(*A_YEAR), harder)).buys("2025-03-01", 120)

    assert life.waits("2025-06-02").told == ["2025-03-01 silver reached 2026-03-02", told]
    assert life.waits("2026-03-02").has("2026-03-02") == "bronze"


@pytest.mark.parametrize("moving", ["now", "upgrades_only", "at_validity_end"])
def test_a_tier_that_is_no_more_is_left_in_any_case(moving: str):
    other = then(moving, steps={"bronze": 0, "silver": 150, "platinum": 1000})
    life = Life(some_ladders(a_ladder(*A_YEAR), other)).buys("2025-03-01", 300)

    assert life.waits("2025-06-02").told[-1] == "2025-06-01 silver moved 2026-03-02"
    assert life.has("2025-06-01 11:59:59.999999") == "gold"
    assert life.has("2025-06-01 12:00") == "silver"


@pytest.mark.parametrize("moving", ["now", "upgrades_only", "at_validity_end"])
def test_on_the_day_of_another_ladder_each_order_counts_by_that_in_force(moving: str):
    life = Life(some_ladders(a_ladder(*A_YEAR), then(moving, steps={"bronze": 0, "silver": 200, "gold": 400})))

    life.buys("2025-06-01 11:59:59.999999", 120)
    assert life.has("2025-06-01 11:59:59.999999") == "silver"
    life.buys("2025-06-01 12:00", 90)

    assert life.has("2025-06-01 12:00") == "silver"
    assert life.standing.state.ladder_version == 2
    told_backwards = Life(life.ladders).buys("2025-06-01 12:00", 90)
    told_backwards.buys("2025-06-01 11:59:59.999999", 120, told="2025-06-01 13:00")
    assert told_backwards.told == life.told


def test_a_ladder_that_is_to_come_changes_nothing_until_then():
    life = Life(some_ladders(a_ladder(*A_YEAR), then("now"))).buys("2025-03-01", 60)

    assert life.waits("2025-06-01 11:59:59.999999").told == []
    assert life.waits("2025-06-01 12:00").told == ["2025-06-01 silver moved 2026-03-02"]


def test_a_newer_ladder_that_comes_first_replaces_one_that_was_to_come():
    scheduled, newer = then("now"), a_ladder(*A_YEAR, version=3, begins="2025-05-01")
    ladders = some_ladders(a_ladder(*A_YEAR), scheduled, newer)

    assert [ladder.version for ladder in ladders.published] == [1, 3]


def test_what_was_kept_after_a_return_ends_where_all_are_moved_and_does_not_come_back():
    third = a_ladder(*A_YEAR, "none", version=3, moving="upgrades_only", begins="2025-07-01")
    life = Life(some_ladders(a_ladder(*A_YEAR, "none"), then("now"), third))
    life.buys("2025-01-10", 300).returns("2025-01-10", 300, told="2025-02-01")
    assert life.has("2025-02-01") == "gold"

    assert life.waits("2025-06-02").has("2025-06-02") == "bronze"
    assert life.waits("2025-07-02").has("2025-07-02") == "bronze"


def test_nobody_stands_anywhere_before_there_is_a_ladder_but_all_counts_when_there_is_one():
    life = Life(some_ladders(a_ladder(*A_YEAR, begins="2025-06-01"))).buys("2025-03-01", 60).buys("2025-04-01", 60)
    assert life.has("2025-05-31") is None
    assert life.standing.states == ()

    life.waits("2025-06-02")

    assert life.told == ["2025-06-01 silver moved 2026-04-02"]


def test_an_order_from_before_the_first_ladder_that_comes_late_counts():
    life = Life(some_ladders(a_ladder(*A_YEAR, begins="2025-06-01"))).waits("2025-06-02")

    life.buys("2025-03-01", 120, told="2025-06-03")

    assert life.told == ["2025-06-01 silver moved 2026-03-02"]


def test_what_adds_nothing_to_what_counts_moves_nobody():
    life = Life(some_ladders(a_ladder(*A_YEAR), then("at_validity_end"))).buys("2025-03-01", 60).waits("2025-06-02")
    only_points = standings.Amounts(0, 5, 0)

    life.buys("2025-06-03", only_points)

    assert life.has("2025-06-03") == "bronze"
    assert known_in_time(life.standing, life.ladders, at("2025-06-03")).tier == "bronze"


# What was seen


def test_an_evaluation_says_what_was_seen():
    life = a_life().buys("2025-01-10 12:34", 120)

    seen = life.standing.evaluations[-1]

    assert (seen.as_of, seen.cause, seen.reference) == (at("2025-01-10 12:34"), "order", "o-1")
    assert (seen.ladder_version, seen.basis, str(seen.window_from), seen.value) == (1, "spend", "2024-01-10", 120)
    assert (seen.old, seen.new, str(seen.valid_to), seen.reason) == ("bronze", "silver", "2026-01-11", "reached")


def test_an_evaluation_of_all_time_says_so():
    seen = Life(some_ladders(a_ladder())).buys("2025-01-10", 120).standing.evaluations[-1]

    assert (seen.window_from, seen.value, seen.valid_to) == (None, 120, None)


def test_all_changes_are_seen_in_their_order():
    life = a_life().buys("2025-01-10", 300).waits("2026-02-01").buys("2026-03-01", 100)
    life.returns("2026-03-01", 100, told="2026-04-01")

    assert life.seen == ["- > bronze: enrolled", "bronze > gold: order", "gold > bronze: fell",
                         "bronze > silver: order", "silver > bronze: return"]  # fmt: skip
    assert life.standing.evaluations[2].as_of == at("2026-01-11 00:00")


@pytest.mark.parametrize(
    ("now", "change"),
    [("2025-02-01", "2026-01-11 00:00"), ("2026-01-11 00:00", "2026-02-10 00:00"), ("2026-02-10 00:00", None)],
)
def test_the_next_change_by_itself_is_known(now: str, change: str | None):
    life = a_life(grace="30 days").buys("2025-01-10", 100).waits(now)

    found = standings.next_change_at(life.standing, life.ladders, at(now))

    assert found == (at(change) if change else None)


# What is read


def test_for_news_of_a_grace_that_is_over_all_is_read_that_keeps_the_tier():
    life = a_life(grace="30 days")
    life.buys("2025-01-10", 300).buys("2025-01-20", 100).buys("2025-08-01", 150).waits("2026-03-01")
    assert life.told[-1] == "2026-02-10 silver fell 2027-01-11"
    record = Record(life.ladders, a_standing(life.standing.enrolled_at))
    record.store(life.standing)

    life.standing = record.read(at("2026-02-05"), at("2026-03-01"))
    assert str(life.standing.progress.since) == "2025-01-11"
    life.buys("2026-02-05", 60, told="2026-03-01")

    assert life.told[-1] == "2026-02-05 gold kept 2027-01-11"
