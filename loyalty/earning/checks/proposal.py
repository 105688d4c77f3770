"""A draft as the checks see it, and what they say of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import islice

from loyalty.core.findings import Finding
from loyalty.earning.checks.coverage import Goods
from loyalty.earning.rules import EarningRule
from loyalty.earning.segments import Segment
from loyalty.programs.domain import Program

# The first ten unknown SKUs of a rule say what is wrong; the other nine hundred say it again.
FEW = 10


@dataclass(frozen=True, slots=True)
class Known:
    """Names that the shop uses: what it sold lately, with all categories above, in which channels; and its tiers.

    Where nothing was sold yet, nothing is said about what is sold.
    """

    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()


NOTHING_KNOWN = Known()


@dataclass(frozen=True)
class Proposal:
    """A draft as it would be in force, with what there is around it."""

    rules: tuple[EarningRule, ...]
    segments: tuple[Segment, ...]
    program: Program
    known: Known
    now: datetime

    @cached_property
    def goods(self) -> tuple[Goods, ...]:
        """The goods of each rule."""
        return tuple(Goods(rule) for rule in self.rules)


def few(found: Iterator[Finding], count: int) -> Iterator[Finding]:
    """The first of `count` findings that are alike; the last of them says how many more there are."""
    shown = list(islice(found, FEW))
    if left_out := count - len(shown):
        shown[-1] = replace(shown[-1], detail=f"{shown[-1].detail} The same holds for {left_out} more in this list.")
    yield from shown
