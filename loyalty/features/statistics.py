"""What a program's members buy all together: reach, trends, and what is bought together. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from loyalty.core.categories import lineage
from loyalty.features.decay import LANDMARK
from loyalty.features.domain import Cuts, cuts_from

Numbers = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]

# What "lately" is in all figures: reach, adoption and trends look so many days back.
LATELY_DAYS = 28
# Members are told apart in so many groups of equal size.
GROUPS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What is known of categories, or of articles: columns in the order of `codes`.

    `rate`: in which share of a member's visits they are bought, over all members. `reach`: which share of the members
    who were there lately bought them lately; `usual`: which share does in any such time. `adoption`: which share of
    those who had never bought them did so lately for the first time. `log_count`: the mean of log(1 + orders).
    """

    codes: tuple[str, ...]
    rate: Numbers
    reach: Numbers
    usual: Numbers
    adoption: Numbers
    log_count: Numbers


_COLUMNS = ("rate", "reach", "usual", "adoption", "log_count")
_NOTHING = np.zeros(0)
NO_FIGURES = Figures((), _NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING)


@dataclass(frozen=True, eq=False)
class Statistics:
    """One finished count.

    `members`: who has bought anything; `pace`: their visits a day; `basket`: what one of them costs, in minor units.
    Categories are ordered by how many members buy them, and the first of them have item-item `weights`: row j, column c
    is how much having bought j speaks for c. `sku_categories`: what the articles lie in, as far as it is known.
    """

    version: int
    as_of: datetime
    members: int = 0
    pace: float = 0.0
    basket: float = 0.0
    cuts: Cuts | None = None
    categories: Figures = NO_FIGURES
    skus: Figures = NO_FIGURES
    sku_categories: Mapping[str, str] = field(default_factory=dict)
    weights: Weights = field(default_factory=lambda: np.zeros((0, 0), np.float32))

    @cached_property
    def place(self) -> dict[str, int]:
        """Where each category stands."""
        return {code: number for number, code in enumerate(self.categories.codes)}

    @cached_property
    def sku_place(self) -> dict[str, int]:
        """Where each article stands."""
        return {code: number for number, code in enumerate(self.skus.codes)}


NO_STATISTICS = Statistics(version=0, as_of=LANDMARK)


def leaves(codes: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    """Which categories have none below them."""
    above = {wider for code in codes for wider in lineage(code)[:-1]}
    return np.array([code not in above for code in codes], bool)


def document_of(statistics: Statistics) -> dict[str, Any]:
    """Statistics as they are stored, but for the weights, and the cut points, which have a column of their own."""
    return {
        "members": statistics.members,
        "pace": statistics.pace,
        "basket": statistics.basket,
        "categories": _columns(statistics.categories),
        "skus": _columns(statistics.skus),
        "sku_categories": dict(statistics.sku_categories),
        "weighted": len(statistics.weights),
    }


def statistics_from(
    version: int, as_of: datetime, cuts: Mapping[str, Any] | None, document: Mapping[str, Any], weights: bytes
) -> Statistics:
    """Statistics as they were stored."""
    side = document["weighted"]
    return Statistics(
        version=version,
        as_of=as_of,
        members=document["members"],
        pace=document["pace"],
        basket=document["basket"],
        cuts=cuts_from(cuts),
        categories=_figures(document["categories"]),
        skus=_figures(document["skus"]),
        sku_categories=document["sku_categories"],
        weights=np.frombuffer(weights, np.dtype("<f4")).reshape(side, side),
    )


def _columns(figures: Figures) -> dict[str, Any]:
    # Nine digits: more is noise, and would double the document.
    numbers = {name: [float(f"{value:.9g}") for value in getattr(figures, name)] for name in _COLUMNS}
    return {"codes": list(figures.codes), **numbers}


def _figures(columns: Mapping[str, Any]) -> Figures:
    numbers = {name: np.array(columns[name], np.float64) for name in _COLUMNS}
    return Figures(codes=tuple(columns["codes"]), **numbers)
