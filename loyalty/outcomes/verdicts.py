"""What may be said of an experiment, in words that a marketer cannot take for more than they are. Pure."""

from dataclasses import dataclass
from typing import Literal

from loyalty.outcomes import statistics
from loyalty.outcomes.domain import Totals
from loyalty.outcomes.statistics import Adjusted, Difference, Sample

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
    """Two arms, and what may be said of them. `best` is the adjusted difference where there is one.

    `detectable` is the least difference of spend that could be told, `missing` how many members more it takes until a
    tenth of what the holdout spends could, `mismatch` how likely arms of such sizes are.
    """

    treatment: Totals
    holdout: Totals
    spend: Difference | None = None
    adjusted: Adjusted | None = None
    orders: Difference | None = None
    detectable: float | None = None
    missing: int | None = None
    mismatch: float | None = None
    verdict: Verdict = "no_holdout"

    @property
    def best(self) -> Difference | None:
        """The difference that counts: that with what was bought before taken into account, if anything was."""
        return self.adjusted.difference if self.adjusted else self.spend

    @property
    def is_told(self) -> bool:
        """Whether more may be read out of it than that it is unclear."""
        return self.verdict in ("more", "less")


def compare(treatment: Totals, holdout: Totals, *, meant: bool = True) -> Comparison:
    """Compare two arms. `meant`: members came into them by the shares that are kept with them."""
    if not treatment.members or not holdout.members:
        verdict: Verdict = "not_enough_data" if holdout.members else "no_holdout"
        return Comparison(treatment, holdout, verdict=verdict)
    one, other = statistics.spend_of(treatment), statistics.spend_of(holdout)
    spend = statistics.compared(one, other)
    adjusted = statistics.adjusted(treatment, holdout)
    best = adjusted.difference if adjusted else spend
    mismatch = statistics.mismatch(treatment, holdout) if meant else None
    detectable = None if best is None else statistics.detectable(best)
    return Comparison(
        treatment, holdout, spend, adjusted,
        statistics.compared(statistics.orders_of(treatment), statistics.orders_of(holdout)), detectable,
        missing_of(treatment.members + holdout.members, detectable, other), mismatch,
        judge(best, other, detectable, mismatch, lopsided=is_lopsided(treatment, holdout)),
    )  # fmt: skip


def is_lopsided(treatment: Totals, holdout: Totals) -> bool:
    """Whether arms have too few members for how spend is spread over them."""
    if min(treatment.members, holdout.members) < MEMBERS_MIN:
        return True
    return abs(statistics.skew(treatment, holdout)) > SKEW_MAX


def missing_of(members: int, detectable: float | None, holdout: Sample) -> int | None:
    """How many members more it takes until a tenth of what the holdout spends can be told."""
    if detectable is None or holdout.mean <= 0:
        return None
    return statistics.members_for(members, detectable, TELLING * holdout.mean)


def judge(
    best: Difference | None, holdout: Sample, detectable: float | None, mismatch: float | None, *, lopsided: bool
) -> Verdict:
    """What may be said: nothing of arms that are not what was meant, nor of too few members."""
    if mismatch is not None and mismatch < statistics.MISMATCH:
        return "arms_do_not_fit"
    if best is None or detectable is None or lopsided:
        return "not_enough_data"
    if best.tells:
        return "more" if best.tells > 0 else "less"
    return "no_difference_told" if detectable <= TELLING * holdout.mean else "not_enough_data"
