"""What the report says of experiments, and what it refuses to say."""

from datetime import date
from typing import Any

import numpy as np
import pytest

from loyalty.kpis.domain import Answer
from loyalty.kpis.reports.increment import NO_HOLDOUT, NOT_ADJUSTED, REPORT, WARNING
from loyalty.outcomes.domain import DayTotals, Outcomes, Totals
from loyalty.programs.domain import PaySettings
from tests.kpis.life import Life, a_program, ask, column
from tests.outcomes.simulated import totals

SPRING = {"first": "2026-03-01", "last": "2026-05-01"}
MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)


def arm(members: int, mean: float, *, before: bool = False, seed: int = 1, **given: Any) -> Totals:
    dice = np.random.default_rng(seed)
    spend = dice.normal(mean, 20, members).round().astype(int)
    earlier = spend - round(mean) + dice.integers(90, 100, members) if before else np.zeros(members, int)
    found = totals(spend, earlier, 0.2)
    return found + Totals(**given)


def day(at: date, treatment: Totals, holdout: Totals, experiment: str = "offer:coffee") -> list[DayTotals]:
    return [DayTotals(experiment, at, "treatment", treatment), DayTotals(experiment, at, "holdout", holdout)]


def report(*days: list[DayTotals], pay: PaySettings | None = None, **wanted: Any) -> Answer:
    outcomes = Outcomes(tuple(each for both in days for each in both))
    program = a_program(**({"pay": pay} if pay else {}))
    return ask(REPORT, Life(), program=program, more={"outcomes": outcomes}, **SPRING, **wanted)


LIFTED = day(MARCH, arm(800, 110, redeemers=400, points=40_000, amount=8_000), arm(200, 100, seed=2))


def test_an_offer_is_compared_with_its_holdout():
    answer = report(LIFTED, offer="coffee")
    found = answer.totals

    assert (found["treatment_members"], found["holdout_members"]) == (800, 200)
    assert (found["holdout_share"], found["holdout_meant"]) == (0.2, 0.2)
    assert found["arms_p"] == 1
    assert found["difference"] == pytest.approx(found["treatment_revenue"] - found["holdout_revenue"], abs=1e-5)
    assert found["low"] < 10 < found["high"]
    assert found["low"] > 0
    assert (found["verdict"], found["adjusted_difference"]) == ("more", None)
    assert found["lift_low"] < found["lift"] < found["lift_high"]
    assert found["redeemers"] == 0.5
    assert answer.warnings[0] == WARNING


def test_what_it_brings_in_is_held_against_what_it_costs():
    found = report(LIFTED, offer="coffee", pay=PaySettings(points=10, amount=1)).totals

    assert (found["points_per_member"], found["cost_per_member"], found["cost"]) == (50, 15, 12_000)
    assert found["incremental_revenue"] == round(found["difference"] * 800)
    assert found["roi"] == pytest.approx((found["difference"] * 800 - 4_000) / 12_000, abs=1e-4)
    assert found["roi_low"] < found["roi"] < found["roi_high"]


def test_no_return_is_said_where_nothing_can_be_told():
    found = report(day(MARCH, arm(800, 100, points=9), arm(200, 100, seed=2)), offer="coffee").totals

    assert found["verdict"] == "no_difference_told"
    assert (found["roi"], found["roi_low"], found["roi_high"]) == (None, None, None)
    assert found["incremental_low"] < 0 < found["incremental_high"]


def test_what_members_had_bought_before_narrows_what_counts():
    pairs = day(MARCH, arm(800, 110, before=True), arm(200, 100, before=True, seed=2))
    found = report(pairs, offer="coffee").totals

    assert found["variance_reduction"] > 0.9
    assert found["low"] < found["adjusted_low"] < found["adjusted_high"] < found["high"]
    assert found["incremental_revenue"] == round(found["adjusted_difference"] * 800)


def test_rows_are_of_who_came_into_it_in_the_period():
    later = day(APRIL, arm(400, 100, seed=3), arm(100, 100, seed=4))
    answer = report(LIFTED, later, offer="coffee")

    assert column(answer, "treatment_members") == [800, 400]
    assert column(answer, "verdict") == ["more", "no_difference_told"]
    assert answer.totals["treatment_members"] == 1_200


def test_the_program_is_told_first_and_each_offer_by_itself():
    months = [day(at, arm(800, 110), arm(200, 100, seed=2), "program") for at in (MARCH, APRIL)]
    answer = report(LIFTED, *months)

    assert [each["experiment"] for each in answer.sections["experiments"]] == ["program", "offer:coffee"]
    assert column(answer, "treatment_members") == [800, 800]
    assert answer.totals["treatment_members"] == 1_600
    alone = report(months[0]).data[0]
    assert answer.totals["low"] == pytest.approx(alone["low"]), "the same members twice are not twice the members"
    assert NOT_ADJUSTED in answer.warnings


def test_without_a_holdout_nothing_is_told():
    answer = report()

    assert answer.totals["verdict"] == "no_holdout"
    assert answer.sections["experiments"] == []
    assert NO_HOLDOUT in answer.warnings


def test_arms_of_other_sizes_than_meant_are_warned_of():
    answer = report(day(MARCH, arm(800, 110), arm(300, 100, seed=2)), offer="coffee")

    assert answer.totals["arms_p"] < 0.001
    assert any(warning.startswith("offer:coffee: The sizes") for warning in answer.warnings)


def test_whoever_looks_at_many_is_told_that_one_may_be_chance():
    many = [day(MARCH, arm(800, 100), arm(200, 100, seed=2), f"offer:o-{n}") for n in range(6)]

    assert any("With 6 experiments" in warning for warning in report(*many).warnings)
