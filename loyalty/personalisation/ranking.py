"""Which offers fit a member best, and why. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from loyalty.features.domain import Features
from loyalty.features.statistics import Statistics
from loyalty.offers.domain import Offer

InList = Literal["favourites", "win_back", "discover"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One term of a score: its `feature`, the `value` it had, what its sentence needs, and the orders it comes from."""

    feature: str
    value: int | float | str
    said: Mapping[str, Any] = field(default_factory=dict)
    orders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """An offer as it fits a member: `rank` from 1 among all, `score` per visit, `probability` in the offer's days."""

    offer: Offer
    rank: int
    score: float
    probability: float
    in_list: InList
    reasons: tuple[Reason, ...]


def rank(
    features: Features, statistics: Statistics, offers: Sequence[Offer], *, now: datetime, limit: int | None = None
) -> list[Ranked]:
    """Rank offers for a member, the best first; the same for the same input. Only the first `limit` have reasons."""
    raise NotImplementedError


def explain(features: Features, statistics: Statistics, offer: Offer, *, now: datetime) -> tuple[Reason, ...]:
    """Why one offer fits a member."""
    raise NotImplementedError
