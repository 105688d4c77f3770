"""What may be expected of a member: the chance that nothing is bought for a while, and what will be spent. Pure.

Two counters that forget say it, decayed visits and decayed spend (`decay.PACE`); what they mean in a program, its own
members have shown, counted at night (`learning.foreseeing`). Somebody with v decayed visits buys within the days ahead
with the odds A * v^a; somebody with decayed spend w is expected to spend B * (w + f)^b. Both grow with every order and
fall with every day without one.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal

# So far ahead is looked, and so far back to see what became of members like that.
AHEAD = timedelta(days=90)

Level = Literal["low", "medium", "high"]
LEVELS: tuple[Level, ...] = ("low", "medium", "high")
# The chance of buying nothing from which it is medium, and from which it is high.
LEVEL_FROM = (0.3, 0.7)

# No more than e^30 is e^30: nothing real comes near.
_EXPONENT_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What decayed visits and spend mean in a program.

    `members`: of how many it was learned; 0: of none, it is taken from another shop. `odds` and `spend` are logarithms
    of factors, and powers: (ln A, a) and (ln B, b). `floor` is f, in minor units. `spread`: how many members there are
    by level of churn (in the order of `LEVELS`) and fifth of expected spend, the lowest first.
    """

    members: int
    odds: tuple[float, float]
    spend: tuple[float, float]
    floor: float
    spread: tuple[tuple[int, ...], ...] = ()

    def buys(self, visits: float) -> float:
        """The chance of an order within the days ahead, with so many decayed visits."""
        if visits <= 0:
            return 0.0
        factor, power = self.odds
        return 1 / (1 + math.exp(-_bounded(factor + power * math.log(visits))))

    def spends(self, worth: float) -> float:
        """What is expected to be spent in the days ahead, in minor units, with so much decayed spend."""
        if worth <= 0:
            return 0.0
        factor, power = self.spend
        return math.exp(_bounded(factor + power * math.log(worth + self.floor)))

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


# What CDNOW's customers showed from April to June 1997, roundly: a member who bought once today is about as likely as
# not to buy within 90 days, and two thirds of what was spent of late will be spent again.
USUAL = Outlook(members=0, odds=(-0.6, 1.0), spend=(-0.43, 1.0), floor=0.0)


def outlook_from(stored: Mapping[str, Any] | None) -> Outlook | None:
    """An outlook from its stored form."""
    if stored is None:
        return None
    odds, spend = tuple(stored["odds"]), tuple(stored["spend"])
    spread = tuple(tuple(fifths) for fifths in stored["spread"])
    return Outlook(stored["members"], odds, spend, stored["floor"], spread)


def level_of(churn: float) -> Level:
    """How likely it is that nothing is bought, in a word."""
    return LEVELS[sum(churn >= begins for begins in LEVEL_FROM)]


def _bounded(exponent: float) -> float:
    return max(-_EXPONENT_MAX, min(_EXPONENT_MAX, exponent))
