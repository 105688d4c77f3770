"""Members who spend as they do: many nothing, few a lot, who did so before most likely again; and a known effect."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from loyalty.outcomes.domain import MILLION, Totals

Amounts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class World:
    """How members spend. A share buys at all, in a window and before; baskets are log-normal.

    `alike`: how much of how a member spends is the member's own; `effect`: by how much treatment makes members who
    buy spend more; `holdout`: the share held out.
    """

    members: int = 3_000
    buys: float = 0.4
    median: float = 3_000
    spread: float = 0.9
    alike: float = 0.7
    effect: float = 0.0
    holdout: float = 0.3

    @property
    def true_difference(self) -> float:
        """What treatment is worth per member, on average over all members there could be."""
        return self.effect * self.buys * self.median * float(np.exp(self.spread**2 / 2))


def totals(spend: Amounts, before: Amounts, share: float) -> Totals:
    """The sums of an arm."""
    exact: NDArray[Any] = spend.astype(object)
    return Totals(
        members=len(spend), share=round(share * MILLION) * len(spend), buyers=int((spend > 0).sum()),
        orders=int((spend > 0).sum()), orders_2=int((spend > 0).sum()), spend=int(spend.sum()),
        spend_2=int((spend**2).sum()), spend_3=int((exact**3).sum()) if len(spend) else 0, before=int(before.sum()),
        before_2=int((before**2).sum()), spend_before=int((spend * before).sum()),
    )  # fmt: skip


def arms(world: World, dice: np.random.Generator) -> tuple[Totals, Totals]:
    """Treatment and holdout of one experiment."""
    own = dice.normal(size=(2, world.members))
    spend, before = (_amounts(world, own, dice) for _ in range(2))
    out = dice.random(world.members) < world.holdout
    spend = np.where(out, spend, np.rint(spend * (1 + world.effect)).astype(np.int64))
    return (
        totals(spend[~out], before[~out], world.holdout),
        totals(spend[out], before[out], world.holdout),
    )


def _amounts(world: World, own: NDArray[np.float64], dice: np.random.Generator) -> Amounts:
    """What members spend in some time: whether they buy, and how much, each in part a habit of their own."""
    habit, chance = np.sqrt(world.alike), np.sqrt(1 - world.alike)
    wish, size = habit * own + chance * dice.normal(size=own.shape)
    amounts = np.rint(world.median * np.exp(world.spread * size))
    return np.where(wish > ndtri(1 - world.buys), amounts, 0).astype(np.int64)
