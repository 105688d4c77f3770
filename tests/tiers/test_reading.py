"""As many days are read as are looked at: news come late, into a grace, or after a grant has ended."""

import pytest
from flask import Flask

from loyalty.db.session import transaction
from loyalty.programs.domain import Program
from tests.builders import NOW, a_program
from tests.rehearsals.builders import buy, enrol
from tests.rehearsals.ladders import DAY, a_ladder, give, publish, tiers_now

A_YEAR_AGO = NOW - 365 * DAY


@pytest.fixture
def program(committed_db: Flask) -> Program:
    with transaction() as session:
        program = a_program(session)
    enrol(program, "ann")
    return program


def test_a_grant_that_ended_days_ago_is_written_down_with_the_window_of_then(program: Program):
    publish(program, a_ladder())
    buy(program, "ann", A_YEAR_AGO + 10 * DAY, 1_000)
    give(program, "ann", "gold", until=NOW + 5 * DAY)

    assert tiers_now(program, NOW + 4 * DAY) == {"ann": "gold"}
    assert tiers_now(program, NOW + 30 * DAY) == {"ann": "bronze"}


@pytest.mark.parametrize(
    ("ladder", "reached_on", "late_on"),
    [
        (a_ladder(window={"mode": "rolling", "months": 2}, validity={"mode": "months", "months": 4},
                  grace={"days": 40}), NOW - 190 * DAY, NOW - 50 * DAY),
        (a_ladder(window={"mode": "calendar_year"}, validity={"mode": "end_of_next_period"}, grace={"days": 40}),
         NOW - 500 * DAY, NOW - 25 * DAY),
    ],
)  # fmt: skip
def test_an_order_that_comes_late_into_a_grace_is_judged_by_the_window_of_the_validity(
    program: Program, ladder, reached_on, late_on
):
    publish(program, ladder)
    buy(program, "ann", reached_on, 5_000)
    assert tiers_now(program, NOW) == {"ann": "bronze"}  # as of the end of the grace

    buy(program, "ann", late_on, 4_000)

    assert tiers_now(program, NOW) == {"ann": "bronze"}
