"""What answers on a scale come to, with the interval in which that of all members is, 95 times of 100. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from scipy.special import ndtri, stdtrit

from loyalty.feedback.domain import SCALES, class_of

# Two-sided.
TAIL = 0.025
Z = float(-ndtri(TAIL))
# Bisection halves an interval of the width 2: far below the sixth decimal.
STEPS = 40

# How often each score was given.
Scores = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, and between what and what it is; None where there are too few answers to say."""

    value: float | None
    low: float | None = None
    high: float | None = None


NONE = Estimate(None)


def estimate(kind: str, scores: Scores) -> Estimate:
    """What answers of a kind come to: NPS in points from -100 to 100, CSAT as a share, CES as a mean."""
    return {"nps": nps, "csat": csat, "ces": ces}[kind](scores)


def classes(kind: str, scores: Scores) -> dict[str, int]:
    """How many answers are of each class, best first."""
    found = {name: 0 for name, _ in SCALES[kind].classes}
    for score, n in scores.items():
        found[class_of(kind, score)] += n
    return found


def nps(scores: Scores) -> Estimate:
    """Promoters less detractors, in percent of all answers.

    It is the difference of two shares of the same answers. Its interval are the differences that a score test does not
    refuse (Tango 1998, Statistics in Medicine 17, 891-908), for the usual one has no width where all answer alike.
    """
    found = classes("nps", scores)
    up, down, n = found["promoter"], found["detractor"], sum(found.values())
    if not n:
        return NONE
    low, high = _difference(up, down, n)
    return Estimate(_round(100 * (up - down) / n), _round(100 * low), _round(100 * high))


def csat(scores: Scores) -> Estimate:
    """The share of 4 and 5. Its interval is that of Wilson (1927), which a score test does not refuse either."""
    n = sum(scores.values())
    if not n:
        return NONE
    share = classes("csat", scores)["satisfied"] / n
    middle, half = share + Z * Z / (2 * n), Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    low, high = ((middle + side * half) / (1 + Z * Z / n) for side in (-1, 1))
    return Estimate(_round(share), _round(max(low, 0.0)), _round(min(high, 1.0)))


def ces(scores: Scores) -> Estimate:
    """The mean, with the interval of Student's t within the scale; of one answer there is none."""
    n = sum(scores.values())
    if not n:
        return NONE
    mean = sum(score * m for score, m in scores.items()) / n
    if n == 1:
        return Estimate(_round(mean))
    variance = sum(m * (score - mean) ** 2 for score, m in scores.items()) / (n - 1)
    half = float(-stdtrit(n - 1, TAIL)) * sqrt(variance / n)
    scale = SCALES["ces"]
    return Estimate(_round(mean), _round(max(mean - half, scale.least)), _round(min(mean + half, scale.most)))


def mean_of(n: int, total: int, squares: int) -> Estimate:
    """A mean out of exact sums, with the interval of Student's t."""
    if not n:
        return NONE
    mean = total / n
    if n == 1:
        return Estimate(_round(mean))
    # Whole numbers up to here: the difference of large squares would lose what it is about.
    variance = (n * squares - total * total) / (n * (n - 1))
    half = float(-stdtrit(n - 1, TAIL)) * sqrt(variance / n)
    return Estimate(_round(mean), _round(mean - half), _round(mean + half))


def _difference(up: int, down: int, n: int) -> tuple[float, float]:
    """The interval of (up - down) / n."""
    middle = (up - down) / n
    low = -1.0 if middle == -1 else _edge(up, down, n, outside=-1.0, inside=middle)
    high = 1.0 if middle == 1 else _edge(up, down, n, outside=1.0, inside=middle)
    return low, high


def _edge(up: int, down: int, n: int, *, outside: float, inside: float) -> float:
    """Where the test begins to refuse, between what it refuses and what it does not."""
    for _ in range(STEPS):
        middle = (outside + inside) / 2
        if _is_refused(up, down, n, middle):
            outside = middle
        else:
            inside = middle
    return (outside + inside) / 2


def _is_refused(up: int, down: int, n: int, difference: float) -> bool:
    """Whether the score test refuses a difference: the variance is that of the likeliest shares that differ so."""
    a, b, c = 2 * n, (2 * n - up + down) * difference - up - down, -down * difference * (1 - difference)
    share = (sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = n * (2 * share + difference * (1 - difference))
    distance = abs(up - down - n * difference)
    return distance > Z * sqrt(max(variance, 0.0))


def _round(number: float) -> float:
    return round(number, 6)
