"""Breakage: what lapsed of the points of each month, to date and as it is expected in the end."""

import numpy as np
import pytest

from loyalty.kpis.reports.breakage import REPORT
from tests.kpis.flows import Shop, a_program, ask, by_hand, lives, on, the_month


def test_what_lapsed_in_a_period_is_set_against_what_was_issued_in_it():
    shop = Shop()
    for month in (0, 1):
        shop.points("earn", 1_000, cohort=month, month=month)
    shop.points("expire", -300, cohort=0, month=1)
    shop.points("reinstate", 100, cohort=0, month=1, day=20)

    said = ask(REPORT, shop, a_program(), first=0, last=2)

    assert [(row["issued"], row["expired"], row["share"]) for row in said.data] == [(1_000, 0, 0.0), (1_000, 200, 0.2)]
    assert (said.totals["issued"], said.totals["expired"], said.totals["share"]) == (2_000, 200, 0.1)


def test_what_became_of_a_month_is_told_up_to_today():
    shop = Shop()
    shop.points("earn", 1_000, cohort=0, month=0)
    shop.points("reverse", -200, cohort=0, month=1)
    shop.points("redeem", -500, cohort=0, month=2)
    shop.points("expire", -300, cohort=0, month=12)
    shop.points("earn", 1_000, cohort=1, month=1)

    said = ask(REPORT, shop, a_program(), first=0, last=1, now=on(13))

    assert said.sections["cohorts"] == [
        {
            "cohort": "2020-01", "issued": 800, "redeemed": 500, "expired": 300, "outstanding": 0, "share": 0.375,
            "expected_share": 0.375, "expected_share_low": None, "expected_share_high": None, "over": True,
        }
    ]  # fmt: skip
    assert (said.totals["cohort_issued"], said.totals["cohort_share"]) == (800, 0.375)


def test_without_history_nothing_is_expected_to_lapse():
    shop = Shop()
    shop.points("earn", 1_000, cohort=0, month=0)

    said = ask(REPORT, shop, a_program(), first=0, last=1)

    assert (said.totals["expected_share"], said.totals["expected_share_low"]) == (0.0, None)
    assert "not enough history" in said.warnings[0]


def test_a_rate_that_is_set_by_hand_is_what_is_expected():
    shop = Shop()
    shop.points("earn", 1_000, cohort=0, month=0)

    said = ask(REPORT, shop, a_program(liability=by_hand((0, "0.9"))), first=0, last=1)

    assert said.totals["expected_share"] == pytest.approx(0.1)
    assert said.warnings == []


def test_months_that_are_over_are_certain_and_young_ones_are_not():
    shop = Shop()
    lives(shop, np.random.default_rng(3), months=24, known=24, habit=lambda _age: 0.05)

    cohorts = ask(REPORT, shop, a_program(), first=0, last=24, now=the_month(24)).sections["cohorts"]

    old, young = cohorts[0], cohorts[-1]
    assert old["over"]
    assert old["expected_share_low"] == old["share"] == old["expected_share_high"]
    assert not young["over"]
    assert young["share"] == 0
    assert young["expected_share_low"] < 0.95**13 < young["expected_share_high"]
    assert young["expected_share"] == pytest.approx(0.95**13, abs=0.03)
