"""What decayed visits and spend mean in a program, by what became of members who had them. Pure.

Some members are looked at as they were so many days ago (`features.outlook.AHEAD`), and at what they bought since: a
logistic regression of whether they bought at all, and a Poisson one of what they spent, whose sum is what was really
spent. Both have one variable, the logarithm of a counter, so both grow with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import numpy as np

from loyalty.features.decay import PACE, as_of, minus
from loyalty.features.outlook import LEVELS, USUAL, Outlook, level_of
from loyalty.features.statistics import Numbers
from loyalty.features.sums import MemberChange, MemberSums

# Of fewer members nothing is learned.
MEMBERS_MIN = 200
# What is added to everybody's decayed spend, as a part of the mean: who got all money back may yet buy.
FLOOR = 0.02
# More is expected of who has more, but not out of all proportion.
POWERS = (0.1, 2.0)
# So little is nothing.
TINY = 1e-9
_STEPS = 100
_STEP_MAX = 1.0
_SCORE_MAX = 30.0
_NEAR = 1e-9


@dataclass(frozen=True, slots=True)
class Seen:
    """A member as of some time ago, in decayed visits and spend, and what came since: orders, and minor units."""

    visits: float
    worth: float
    orders: int
    spend: int


def seen(sums: MemberSums, since: MemberChange | None, then: datetime) -> Seen | None:
    """A member as of then, from the sums and what was added to them since; None of who had bought nothing by then."""
    change = MemberChange() if since is None else since
    if sums.orders <= change.orders:
        return None
    visits = _then(sums.visits, change.visits, then)
    return Seen(max(visits, TINY), _then(sums.worth, change.worth, then), change.orders, change.spend)


def _then(total: Decimal, since: Decimal, then: datetime) -> float:
    return as_of(minus(total, since), then, PACE)


def learned(members: Sequence[Seen]) -> Outlook:
    """What members showed; what is usual elsewhere, if they are few."""
    if len(members) < MEMBERS_MIN:
        return USUAL
    visits, worth = (np.array([getattr(each, name) for each in members], float) for name in ("visits", "worth"))
    bought, spent = np.array([each.orders > 0 for each in members], float), np.array([each.spend for each in members])
    worth, spent = np.maximum(worth, 0.0), np.maximum(spent, 0.0)
    floor = round(float(worth.mean()) * FLOOR, 6)
    odds = _fitted(np.log(visits), bought, _chance, USUAL.odds)
    # Where nobody was worth anything, or spent anything since, there is no money to tell.
    spend = USUAL.spend
    if floor > 0 and spent.any():
        known, mean = np.log(worth + floor), float(spent.mean())
        factor, power = _fitted(known - known.mean(), spent / mean, _amount, (0.0, 1.0))
        spend = round(float(factor + np.log(mean) - power * known.mean()), 6), power
    return Outlook(len(members), odds, spend, floor)


def spread(outlook: Outlook, visits: Numbers, worth: Numbers, cuts: Sequence[float]) -> Outlook:
    """How many members there are by level and fifth; `cuts` are those of decayed spend, with which spend grows."""
    counts = np.zeros((len(LEVELS), len(cuts) + 1), int)
    levels = [LEVELS.index(level_of(1 - outlook.buys(each))) for each in visits.tolist()]
    np.add.at(counts, (np.array(levels, int), np.searchsorted(cuts, worth, side="left")), 1)
    return replace(outlook, spread=tuple(tuple(fifths) for fifths in counts.tolist()))


def _chance(score: Numbers) -> tuple[Numbers, Numbers]:
    """What is expected, and how much more of it for a bit more score."""
    mean = 1 / (1 + np.exp(-score))
    return mean, mean * (1 - mean)


def _amount(score: Numbers) -> tuple[Numbers, Numbers]:
    mean = np.exp(score)
    return mean, mean


def _fitted(
    known: Numbers, outcome: Numbers, expected: Callable[[Numbers], tuple[Numbers, Numbers]], prior: tuple[float, float]
) -> tuple[float, float]:
    """The factor's logarithm and the power that fit best: by Newton's method, for there is one best answer.

    What is usual weighs as much as a member or two, so that there is an answer even where all did the same.
    """
    middle = float(known.mean())
    usual = np.array([prior[0] + prior[1] * middle, prior[1]])
    columns = np.stack([np.ones(len(known)), known - middle])
    at, low, high = usual.copy(), np.array([-np.inf, POWERS[0]]), np.array([np.inf, POWERS[1]])
    for _ in range(_STEPS):
        mean, more = expected(np.clip(at @ columns, -_SCORE_MAX, _SCORE_MAX))
        towards = columns @ (outcome - mean) - (at - usual)
        curve = (columns * more) @ columns.T + np.eye(2)
        # On a bound, and drawn beyond it, only the factor moves.
        stuck = ((at <= low) & (towards < 0)) | ((at >= high) & (towards > 0))
        if stuck.any():
            curve[0, 1] = curve[1, 0] = towards[1] = 0.0
        step = np.clip(np.linalg.solve(curve, towards), -_STEP_MAX, _STEP_MAX)
        at = np.clip(at + step, low, high)
        if np.abs(step).max() < _NEAR:
            break
    return round(float(at[0] - at[1] * middle), 6), round(float(at[1]), 6)
