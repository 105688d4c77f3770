"""What may be said of an experiment, in words that a marketer cannot take for more than they are. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import sqrt
from typing import Literal

from loyalty.outcomes import statistics
from loyalty.outcomes.domain import HOLDOUT, NONE, TREATMENT, DayTotals, Totals
from loyalty.outcomes.statistics import Difference

# Treatment and holdout.
Arms = tuple[Totals, Totals]

Verdict = Literal["more", "less", "no_difference_told", "not_enough_data", "arms_do_not_fit", "no_holdout"]

# The smaller arm has so many, or its variance is anybody's guess.
MEMBERS_MIN = 100
# A lopsided mean makes the interval miss on one side more often than on the other. With this much skewness of the
# difference, 3.5 times of 100 instead of 2.5: the first term of Edgeworth's series, (2z² + 1)φ(z)/6 = 0.085 at
# z = 1.96 (Hall, "The bootstrap and Edgeworth expansion", 1992).
SKEW_MAX = 0.118
# Offers move spend by some percent. Where not even a tenth could be told, that nothing was told says nothing.
TELLING = 0.1

SAYS: dict[Verdict, str] = {
    "more": "Members who were given it spent more, beyond what chance explains.",
    "less": "Members who were given it spent less, beyond what chance explains.",
    "no_difference_told": "No difference can be told, though one of a tenth of what members spend would have been.",
    "not_enough_data": (
        f"Not enough data yet: an arm has fewer than {MEMBERS_MIN} members, or spend is too lopsided for so few, or a"
        " difference of a tenth of what members spend would go unnoticed."
    ),
    "arms_do_not_fit": "The sizes of the arms are not what was meant: the comparison cannot be trusted.",
    "no_holdout": "Nobody was held out, so nothing can be told.",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two arms, and what may be said of them.

    `plain` is the difference of spend, `adjusted` the same with what members bought before taken into account,
    `orders` that of orders; `detectable` is the least difference of spend that could be told, `missing` how many
    members more it takes until a tenth of what the holdout spends could, `mismatch` how likely arms of such sizes are.
    """

    treatment: Totals
    holdout: Totals
    plain: Difference | None = None
    adjusted: Difference | None = None
    orders: Difference | None = None
    detectable: float | None = None
    missing: int | None = None
    mismatch: float | None = None
    verdict: Verdict = "no_holdout"

    @property
    def best(self) -> Difference | None:
        """The difference that counts: that with what was bought before taken into account, if anything was."""
        return self.adjusted or self.plain

    @property
    def is_told(self) -> bool:
        """Whether more may be read out of it than that it is unclear."""
        return self.verdict in ("more", "less")

    @property
    def lift(self) -> tuple[float, float, float] | None:
        """The difference that counts as a share of what the holdout spends, with its interval."""
        if self.best is None:
            return None
        return statistics.lift(statistics.spend_of(self.treatment), statistics.spend_of(self.holdout), self.best)


def compare(strata: Sequence[Arms], *, same_members: bool = False) -> Comparison:
    """Compare two arms within each stratum, and put the strata together, by their members in treatment.

    Strata are calendar months, each of the same members (`same_members`), or members for whom the share of the holdout
    was the same: were they thrown together, a time in which more is spent would be taken for the effect of the offer of
    which the holdout was larger then.
    """
    treatment, holdout = (sum(arm, NONE) for arm in zip(*strata, strict=True)) if strata else (NONE, NONE)
    both = [arms for arms in strata if arms[0].members and arms[1].members]
    if not both:
        return Comparison(treatment, holdout, verdict="not_enough_data" if holdout.members else "no_holdout")
    times = len(both) if same_members else 1

    def all_of(differences: Iterable[Difference | None]) -> Difference | None:
        known = [(arms[0].members, each) for arms, each in zip(both, differences, strict=True) if each is not None]
        return statistics.together(known, same_members=same_members)

    plain = all_of(statistics.compared(*map(statistics.spend_of, arms)) for arms in both)
    each_adjusted = [statistics.adjusted(*arms) for arms in both]
    adjusted = None if None in each_adjusted else all_of(each_adjusted)
    best = adjusted or plain
    mean = statistics.spend_of(holdout).mean
    detectable = None if best is None else statistics.detectable(best)
    mismatch = statistics.mismatch(treatment, holdout, times=times)
    return Comparison(
        treatment, holdout, plain, adjusted,
        orders=all_of(statistics.compared(*map(statistics.orders_of, arms)) for arms in both),
        detectable=detectable,
        missing=missing_of((treatment.members + holdout.members) // times, detectable, mean),
        mismatch=mismatch,
        verdict=judge(best, mean, detectable, mismatch, lopsided=is_lopsided(treatment, holdout, times=times)),
    )  # fmt: skip


def is_lopsided(treatment: Totals, holdout: Totals, *, times: int = 1) -> bool:
    """Whether arms have too few members for how spend is spread over them. `times`: how often each is in the sums."""
    if min(treatment.members, holdout.members) < MEMBERS_MIN * times:
        return True
    return abs(statistics.skew(treatment, holdout)) * sqrt(times) > SKEW_MAX


def missing_of(members: int, detectable: float | None, mean: float) -> int | None:
    """How many members more it takes until a tenth of what the holdout spends can be told."""
    if detectable is None or mean <= 0:
        return None
    return statistics.members_for(members, detectable, TELLING * mean)


def judge(
    best: Difference | None, mean: float, detectable: float | None, mismatch: float | None, *, lopsided: bool
) -> Verdict:
    """What may be said: nothing of arms that are not what was meant, nor of too few members."""
    if mismatch is not None and mismatch < statistics.MISMATCH:
        return "arms_do_not_fit"
    if best is None or detectable is None or lopsided:
        return "not_enough_data"
    if best.tells:
        return "more" if best.tells > 0 else "less"
    return "no_difference_told" if detectable <= TELLING * mean else "not_enough_data"


def strata_of(days: Iterable[DayTotals], *, by_day: bool) -> list[Arms]:
    """The arms of each day (`by_day`: a day stands for a month), or of all days with the same share of the holdout."""
    strata: dict[object, dict[str, Totals]] = {}
    for _, found in groupby(sorted(days, key=lambda each: (each.day, each.arm)), key=lambda each: each.day):
        arms = {each.arm: each.totals for each in found}
        both = sum(arms.values(), NONE)
        key = len(strata) if by_day else Fraction(both.share, both.members)
        into = strata.setdefault(key, {TREATMENT: NONE, HOLDOUT: NONE})
        for arm, totals in arms.items():
            into[arm] += totals
    return [(arms[TREATMENT], arms[HOLDOUT]) for arms in strata.values()]
