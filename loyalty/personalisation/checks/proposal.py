"""A draft of offers as the checks see it, and what they say of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from loyalty.core.findings import Finding
from loyalty.earning.checks.coverage import Goods
from loyalty.earning.checks.proposal import NOTHING_KNOWN, Known, few
from loyalty.offers.domain import Offer, Personalising
from loyalty.programs.domain import Program


@dataclass(frozen=True, slots=True)
class Around:
    """What offers may name: goods and tiers; the multiplier of each tier; segments (None: nothing is known of them)."""

    known: Known = NOTHING_KNOWN
    multipliers: Mapping[str, Decimal] = field(default_factory=dict)
    segments: frozenset[str] | None = None


NOTHING_AROUND = Around()


@dataclass(frozen=True)
class Proposal:
    """A draft as it would be in force, with what there is around it."""

    offers: tuple[Offer, ...]
    personalising: Personalising
    program: Program
    around: Around
    now: datetime

    @cached_property
    def goods(self) -> tuple[Goods, ...]:
        """The goods of each offer."""
        return tuple(Goods(offer) for offer in self.offers)


def some(found: list[Finding]) -> Iterator[Finding]:
    """The first of what is the same with many offers; the last of them says with how many more."""
    yield from few(iter(found), len(found))
