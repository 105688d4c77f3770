"""What may be said of an experiment, and what not."""

from dataclasses import replace
from datetime import date

import numpy as np

from loyalty.outcomes.domain import NONE, DayTotals, Totals
from loyalty.outcomes.verdicts import MEMBERS_MIN, SAYS, Comparison, compare, strata_of
from tests.outcomes.simulated import totals


def arm(members: int, mean: float, *, share: float = 0.5, spread: float = 20.0, seed: int = 1) -> Totals:
    spend = np.random.default_rng(seed).normal(mean, spread, members).round().clip(0).astype(int)
    return totals(spend, np.zeros(members, int), share)


def verdict(treatment: Totals, holdout: Totals) -> str:
    return compare([(treatment, holdout)]).verdict


def test_a_clear_difference_is_told_with_its_sign():
    assert verdict(arm(500, 120), arm(500, 100, seed=2)) == "more"
    assert verdict(arm(500, 80), arm(500, 100, seed=2)) == "less"


def test_no_difference_is_told_only_where_a_tenth_would_have_been():
    assert verdict(arm(500, 100), arm(500, 100, seed=2)) == "no_difference_told"
    assert verdict(arm(500, 100, spread=90), arm(500, 100, spread=90, seed=2)) == "not_enough_data"


def test_few_members_tell_nothing_however_far_apart_they_are():
    few = MEMBERS_MIN - 1
    assert verdict(arm(few, 900), arm(few, 100, seed=2)) == "not_enough_data"


def test_a_few_who_spend_a_fortune_are_not_enough():
    spend = np.array([50] * 998 + [100_000, 200_000])
    lopsided = totals(spend, np.zeros(1_000, int), 0.5)

    assert verdict(lopsided, arm(1_000, 60)) == "not_enough_data"


def test_arms_that_are_not_what_was_meant_are_not_compared():
    assert verdict(arm(900, 120, share=0.5), arm(700, 100, share=0.5)) == "arms_do_not_fit"


def test_without_a_holdout_nothing_is_compared():
    assert compare([(arm(500, 120), NONE)]) == Comparison(arm(500, 120), NONE, verdict="no_holdout")
    assert verdict(NONE, arm(500, 120)) == "not_enough_data"


def test_how_many_members_are_missing_falls_to_none():
    little, much = (compare([(arm(n, 100, spread=90), arm(n, 100, spread=90))]) for n in (300, 30_000))

    assert little.missing is not None
    assert little.missing > 600
    assert (much.missing, much.verdict) == (0, "no_difference_told")


def test_a_holdout_that_buys_nothing_is_no_measure():
    nothing = replace(arm(500, 100), spend=0, spend_2=0, spend_3=0)

    assert compare([(arm(500, 100), nothing)]).missing is None


def test_each_verdict_is_a_sentence():
    assert set(SAYS) == {"more", "less", "no_difference_told", "not_enough_data", "arms_do_not_fit", "no_holdout"}
    assert all(sentence.endswith(".") for sentence in SAYS.values())


def test_a_larger_holdout_in_a_better_time_is_no_effect():
    """In the second time members spend twice as much, and five times as many are held out."""
    quiet = (arm(4_500, 100, share=0.1), arm(500, 100, share=0.1, seed=2))
    busy = (arm(500, 200, share=0.5, seed=3), arm(500, 200, share=0.5, seed=4))

    thrown_together = compare([(quiet[0] + busy[0], quiet[1] + busy[1])])

    assert thrown_together.verdict == "less"
    assert compare([quiet, busy]).verdict == "no_difference_told"


def test_days_with_the_same_share_are_one_stratum_and_months_are_each_their_own():
    days = [
        DayTotals("offer:coffee", date(2026, 3, day), name, arm(members, 100, share=share))
        for day, share in ((1, 0.1), (2, 0.1), (3, 0.5))
        for name, members in (("treatment", 90), ("holdout", 10))
    ]

    assert [[totals.members for totals in arms] for arms in strata_of(days, by_day=False)] == [[180, 20], [90, 10]]
    assert [[totals.members for totals in arms] for arms in strata_of(days, by_day=True)] == [[90, 10]] * 3
    assert compare(strata_of([], by_day=True)).verdict == "no_holdout"


def test_months_of_the_same_members_are_not_more_members():
    month = (arm(MEMBERS_MIN - 1, 900), arm(MEMBERS_MIN - 1, 100, seed=2))

    assert compare([month] * 12, same_members=True).verdict == "not_enough_data"
    assert compare([month] * 12).verdict == "more"
