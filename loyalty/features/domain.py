"""What is known of how a member buys, and what the program's members do all together: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Level = Literal["category", "sku"]

# So many of the newest orders support a reason.
RECENT_MAX = 5


@dataclass(frozen=True, slots=True)
class Goods:
    """How a member buys one category, with all below it, or one article. `weight` is a sum of `decay.HABIT`."""

    orders: int
    quantity: int
    spend: int
    weight: float
    first_at: datetime
    last_at: datetime
    recent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Buying:
    """How a member buys in all.

    `weight` and `redeemed_weight` are sums of `decay.HABIT`, `visits` and `worth` of `decay.PACE`.

    They are read as floats, for nothing is added to them any more (`features.sums` keeps them exactly).
    `gross` is what was bought at its price, before any discount; `spend` after.
    """

    orders: int = 0
    spend: int = 0
    gross: int = 0
    weight: float = 0.0
    visits: float = 0.0
    worth: float = 0.0
    first_at: datetime | None = None
    last_at: datetime | None = None
    redeemed: int = 0
    redeemed_weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Features:
    """A member's features: in all, by category, and by article."""

    buying: Buying = Buying()
    categories: Mapping[str, Goods] = field(default_factory=dict)
    skus: Mapping[str, Goods] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where the members of a program who ever bought fall into five parts of equal size, as of an instant.

    Four numbers each, the smallest first: whole days since the last order; decayed visits and decayed spend, both as of
    that instant (`decay.as_of` with `decay.PACE`).
    """

    as_of: datetime
    recency: tuple[float, ...]
    visits: tuple[float, ...]
    worth: tuple[float, ...]

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        parts = {"recency": self.recency, "visits": self.visits, "worth": self.worth}
        return {"as_of": self.as_of.isoformat(), **{name: list(cuts) for name, cuts in parts.items()}}


@dataclass(frozen=True, slots=True)
class Habits:
    """How a member buys, and how everybody does, for comparison: what the conditions on `features` are asked of."""

    buying: Buying = Buying()
    cuts: Cuts | None = None


NO_FEATURES = Features()

# Of how a member buys in all, what whole numbers are made of (`features.summary`).
SUMMED = ("orders", "spend", "gross", "visits", "worth", "first_at", "last_at", "redeemed")


def cuts_from(stored: Mapping[str, Any] | None) -> Cuts | None:
    """Cut points from their stored form."""
    if stored is None:
        return None
    parts = {name: tuple(stored[name]) for name in ("recency", "visits", "worth")}
    return Cuts(datetime.fromisoformat(stored["as_of"]), **parts)
