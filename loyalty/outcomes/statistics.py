"""What arms say about each other, from their sums alone. Pure.

Nothing here knows single members, so a program of millions costs what one of a hundred does. Means, variances and
covariances are worked out of exact whole numbers, and become decimals at the last step: differences of large squares
would lose what they are about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf, sqrt

from scipy.special import chdtrc, ndtri, stdtr, stdtrit

from loyalty.outcomes.domain import MILLION, Totals

# Two-sided, so an interval holds what is true 95 times of 100.
ALPHA = 0.05
# How often a difference of the least size that can be told is told.
POWER = 0.8
# A mismatch of arms so unlikely is none of chance (Fabijan et al. 2019).
MISMATCH = 0.001


@dataclass(frozen=True, slots=True)
class Sample:
    """Members of an arm: how many, their mean, and how it varies from member to member."""

    members: int
    mean: float
    variance: float

    @property
    def error(self) -> float:
        """The variance of the mean."""
        return self.variance / self.members


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much treatment is above the holdout, between what and what that is with 95 %, and how likely by chance.

    `error` is the standard error, `freedom` the degrees of freedom of the interval.
    """

    difference: float
    low: float
    high: float
    p: float
    error: float
    freedom: float

    @property
    def tells(self) -> int:
        """1 if the interval is above zero, -1 if it is below, 0 if it holds it."""
        return (self.low > 0) - (self.high < 0)


def spend_of(totals: Totals) -> Sample:
    """What members of an arm spent. It takes two to vary."""
    return _sample(totals.members, totals.spend, totals.spend_2)


def orders_of(totals: Totals) -> Sample:
    """How often members of an arm bought."""
    return _sample(totals.members, totals.orders, totals.orders_2)


def compared(treatment: Sample, holdout: Sample) -> Difference | None:
    """The difference of two means whose variances are not alike. None: nothing varies, or too few to say how much.

    Welch, "The generalization of 'Student's' problem when several different population variances are involved"
    (Biometrika 34, 1947), with the degrees of freedom of Satterthwaite (Biometrics Bulletin 2, 1946).
    """
    return _between(treatment.mean - holdout.mean, treatment, holdout)


def adjusted(treatment: Totals, holdout: Totals) -> Difference | None:
    """The difference that is left when each arm is judged by what its members had bought before (CUPED).

    Deng, Xu, Kohavi, Walker, "Improving the sensitivity of online controlled experiments by utilizing pre-experiment
    data" (WSDM 2013): from each member's spend, theta times what they had spent before is taken off. Theta is the
    covariance of the two over the variance of the latter, within arms, of both together. It is of no account to the
    result that theta is estimated, and none that before and after are differently long. None: nobody bought before.
    """
    arms = (treatment, holdout)
    if min(treatment.members, holdout.members) < 2:  # noqa: PLR2004 - it takes two to vary
        return None
    variance = sum(_products(arm.members, arm.before, arm.before, arm.before_2) for arm in arms)
    if not variance:
        return None
    theta = sum(_products(arm.members, arm.spend, arm.before, arm.spend_before) for arm in arms) / variance
    return compared(*(_less_before(arm, theta) for arm in arms))


def narrowed(plain: Difference, by: Difference) -> float:
    """The share of the variance that is gone when a difference is adjusted."""
    return 1 - (by.error / plain.error) ** 2


def lift(treatment: Sample, holdout: Sample, difference: Difference) -> tuple[float, float, float] | None:
    """A difference as a share of the holdout's mean, and its interval by the delta method. None: of nothing.

    That the difference and what it is divided by vary together is left in: the holdout's mean is in both (Deng,
    Knoblich, Lu, "Applying the delta method in metric analytics", KDD 2018). Of an adjusted difference, the variance is
    shared by the two arms as it is without.
    """
    if holdout.mean <= 0:
        return None
    share = difference.difference / holdout.mean
    scale = difference.error**2 / (treatment.error + holdout.error)
    variance = scale * (treatment.error + (1 + share) ** 2 * holdout.error) / holdout.mean**2
    margin = float(stdtrit(difference.freedom, 1 - ALPHA / 2)) * sqrt(variance)
    return share, share - margin, share + margin


def detectable(difference: Difference) -> float:
    """The least difference that would be told four times of five, were it true, with as many members as there are."""
    return float(ndtri(1 - ALPHA / 2) + ndtri(POWER)) * difference.error


def members_for(members: int, detectable_now: float, wanted: float) -> int:
    """How many members more it takes, in both arms together, until a difference as small as `wanted` can be told.

    The error falls with the root of the members, if the arms keep their shares.
    """
    return max(0, ceil(members * ((detectable_now / wanted) ** 2 - 1)))


def skew(treatment: Totals, holdout: Totals) -> float:
    """How lopsided the difference of the two means is: that of spend, less the more members there are.

    The first term of Edgeworth's series, for two means: third central moments over the squares of members, over the
    third power of the standard error.
    """
    one, other = (_third(arm) / arm.members**2 for arm in (treatment, holdout))
    error = sum((spend_of(arm).error for arm in (treatment, holdout)), 0.0)
    return float(one - other) / error**1.5 if error else inf


def mismatch(treatment: Totals, holdout: Totals, *, times: int = 1) -> float | None:
    """How likely arms of such sizes are, if members came into them as meant (chi-squared). None: nothing was meant.

    Fabijan et al., "Diagnosing sample ratio mismatch in online controlled experiments" (KDD 2019). Each member was
    meant for the holdout with the share of the day on which they came, so a share that was changed does no harm.
    `times`: how often each member is in the sums.
    """
    members = treatment.members + holdout.members
    meant = (treatment.share + holdout.share) / MILLION
    if not 0 < meant < members:
        return None
    off = (holdout.members - meant) ** 2
    return float(chdtrc(1, (off / meant + off / (members - meant)) / times))


def together(differences: Sequence[tuple[int, Difference]], *, same_members: bool) -> Difference | None:
    """One difference of several, each with a weight.

    Differences of the same members (`same_members`) are taken to err fully alike: who spends much in one month does so
    in the next, how much so is not in the sums, and this is the widest that the interval can be. Those of others err
    each on its own.
    """
    weights = sum(weight for weight, _ in differences)
    if not weights:
        return None
    parts = [(weight / weights, each) for weight, each in differences]
    mean = sum(part * each.difference for part, each in parts)
    if same_members:
        error = sum(part * each.error for part, each in parts)
        return _difference(mean, error, min(each.freedom for _, each in parts))
    variances = [((part * each.error) ** 2, each.freedom) for part, each in parts]
    both = sum(variance for variance, _ in variances)
    return _difference(mean, sqrt(both), both**2 / sum(variance**2 / freedom for variance, freedom in variances))


def _between(difference: float, one: Sample, other: Sample) -> Difference | None:
    if min(one.members, other.members) < 2:  # noqa: PLR2004 - it takes two to vary
        return None
    both = one.error + other.error
    if both <= 0:
        return None
    freedom = both**2 / sum(each.error**2 / (each.members - 1) for each in (one, other))
    return _difference(difference, sqrt(both), freedom)


def _difference(mean: float, error: float, freedom: float) -> Difference:
    margin = float(stdtrit(freedom, 1 - ALPHA / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(mean) / error))
    return Difference(mean, mean - margin, mean + margin, p, error, freedom)


def _less_before(arm: Totals, theta: Fraction) -> Sample:
    """Spend less theta times what was spent before: one number of each member, so a sample like any other."""
    spread = (
        _products(arm.members, arm.spend, arm.spend, arm.spend_2)
        + theta**2 * _products(arm.members, arm.before, arm.before, arm.before_2)
        - 2 * theta * _products(arm.members, arm.spend, arm.before, arm.spend_before)
    )
    return Sample(arm.members, float((arm.spend - theta * arm.before) / arm.members), float(spread / (arm.members - 1)))


def _sample(members: int, total: int, squares: int) -> Sample:
    if not members:
        return Sample(0, 0.0, 0.0)
    spread = _products(members, total, total, squares)
    return Sample(members, float(Fraction(total, members)), float(spread / (members - 1)) if members > 1 else 0.0)


def _products(members: int, one: int, other: int, products: int) -> Fraction:
    """The sum of products of deviations from means, exactly."""
    return Fraction(members * products - one * other, members)


def _third(arm: Totals) -> Fraction:
    """The third central moment of spend, exactly."""
    n, mean = arm.members, Fraction(arm.spend, arm.members)
    return (arm.spend_3 - 3 * mean * arm.spend_2) / n + 2 * mean**3
