"""A draft of a ladder as the checks see it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise

from loyalty.programs.domain import Program
from loyalty.tiers.domain import Ladder, Tier

Numbered = tuple[int, Tier]


@dataclass(frozen=True)
class Proposal:
    """A draft as it would be in force, with what there is around it.

    `tiers` are in the order in which they were written, which the pointers of findings follow; `known` are the codes
    of the ladder in force.
    """

    ladder: Ladder
    tiers: tuple[Tier, ...]
    program: Program
    known: frozenset[str]
    now: datetime

    @cached_property
    def ascending(self) -> tuple[Numbered, ...]:
        """The tiers by threshold, each with its place in the draft."""
        return tuple(sorted(enumerate(self.tiers), key=lambda found: found[1].threshold))

    def steps(self) -> Iterator[tuple[Numbered, Numbered]]:
        """Each tier with the next one above it."""
        return pairwise(self.ascending)
