"""Whether the statistics hold what they promise, on a thousand experiments whose truth is known."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pytest

from loyalty.outcomes.statistics import MISMATCH, narrowed
from loyalty.outcomes.verdicts import Comparison, compare
from tests.outcomes.simulated import World, arms

EXPERIMENTS = 1_000


@lru_cache
def experiments(world: World) -> tuple[Comparison, ...]:
    dice = np.random.default_rng(20_260_301)
    return tuple(compare([arms(world, dice)]) for _ in range(EXPERIMENTS))


def intervals(world: World, adjusted: bool) -> Iterator[tuple[float, float]]:
    for each in experiments(world):
        found = each.best if adjusted else each.plain
        assert found is not None
        assert each.adjusted is not None
        yield found.low, found.high


LIFTED = World(effect=0.2)
NOTHING = World()


@pytest.mark.parametrize("adjusted", [False, True], ids=["plain", "with what was bought before"])
@pytest.mark.parametrize("world", [LIFTED, World(effect=-0.1, holdout=0.1), World(effect=0.1, alike=0.0)], ids=str)
def test_the_interval_holds_the_truth_95_times_of_100(world: World, adjusted: bool):
    held = sum(low <= world.true_difference <= high for low, high in intervals(world, adjusted))

    assert 0.93 <= held / EXPERIMENTS <= 0.97


@pytest.mark.parametrize("adjusted", [False, True], ids=["plain", "with what was bought before"])
def test_where_there_is_nothing_something_is_told_about_5_times_of_100(adjusted: bool):
    told = sum(low > 0 or high < 0 for low, high in intervals(NOTHING, adjusted))

    assert 0.03 <= told / EXPERIMENTS <= 0.07


def test_what_was_bought_before_narrows_the_interval_where_members_go_on_as_they_did():
    def gone(world: World) -> float:
        return float(np.mean([narrowed(e.plain, e.adjusted) for e in experiments(world) if e.plain and e.adjusted]))

    assert gone(LIFTED) > 0.15
    assert abs(gone(World(effect=0.1, alike=0.0))) < 0.01


def test_nobody_reads_a_lift_into_nothing_and_hardly_ever_doubts_arms_that_are_as_meant():
    verdicts = [each.verdict for each in experiments(NOTHING)]
    assert sum(verdict in ("more", "less") for verdict in verdicts) <= 0.07 * EXPERIMENTS

    doubted = [each for each in experiments(NOTHING) if each.mismatch is not None and each.mismatch < MISMATCH]
    assert len(doubted) <= 5


def test_the_least_difference_that_can_be_told_is_told_four_times_of_five():
    least = float(np.mean([each.detectable for each in experiments(NOTHING) if each.detectable is not None]))

    told = sum(low + least > 0 for low, _ in intervals(NOTHING, adjusted=True))

    assert 0.75 <= told / EXPERIMENTS <= 0.85
