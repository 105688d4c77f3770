"""What is known of how a member buys, and what the program's members do all together: frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

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


NO_FEATURES = Features()
