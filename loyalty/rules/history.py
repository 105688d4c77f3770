"""How a member has bought so far, and what one order adds to it: pure sums.

What an order adds is a function of how many of its units came back, so that any sequence of returns ends where the
return of everything does: as if the order had never been.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from loyalty.core.apportion import apportion
from loyalty.core.categories import lineage


@dataclass(frozen=True, slots=True)
class Sums:
    """Orders, units and money (minor units, after discounts; neither shipping nor points paid count)."""

    orders: int = 0
    quantity: int = 0
    spend: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.orders + other.orders, self.quantity + other.quantity, self.spend + other.spend)

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(self.orders - other.orders, self.quantity - other.quantity, self.spend - other.spend)


NOTHING = Sums()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """A line, and what it cost when the order's discount was taken off."""

    line_id: str
    category: str | None
    quantity: int
    cost: int


@dataclass(frozen=True, slots=True)
class Contribution:
    """What an order adds to its member's history: in all, and by category, where each covers all below it."""

    total: Sums = NOTHING
    categories: Mapping[str, Sums] = field(default_factory=dict)

    def __sub__(self, other: "Contribution") -> "Contribution":
        paths = {**self.categories, **other.categories}
        categories = {p: self.categories.get(p, NOTHING) - other.categories.get(p, NOTHING) for p in paths}
        return Contribution(self.total - other.total, {p: sums for p, sums in categories.items() if sums != NOTHING})


@dataclass(frozen=True, slots=True)
class Purchases:
    """What somebody bought so far, in all or of one category. `last_at` is when the newest order was placed."""

    sums: Sums = NOTHING
    last_at: datetime | None = None

    def plus(self, sums: Sums, at: datetime) -> "Purchases":
        """With another order, placed at `at`."""
        return Purchases(self.sums + sums, max(at, self.last_at or at))


@dataclass(frozen=True, slots=True)
class History:
    """How a member has bought so far: of all that was recorded, in whatever order it was placed."""

    total: Purchases = Purchases()
    categories: Mapping[str, Purchases] = field(default_factory=dict)

    def plus(self, added: Contribution, at: datetime) -> "History":
        """With another order, placed at `at`."""
        categories = dict(self.categories)
        for path, sums in added.categories.items():
            categories[path] = categories.get(path, Purchases()).plus(sums, at)
        return History(self.total.plus(added.total, at), categories)


NO_HISTORY = History()


def costs(nets: Sequence[int], discount: int, line_ids: Sequence[str]) -> list[int]:
    """What lines cost when the order's discount is taken off, shared by largest remainder; ties go by line id."""
    if not discount:
        return list(nets)
    by_id = sorted(range(len(nets)), key=lambda i: line_ids[i])
    shares = dict(zip(by_id, apportion(discount, [nets[i] for i in by_id]), strict=True))
    return [net - shares[i] for i, net in enumerate(nets)]


def contribution(lines: Sequence[Bought], returned: Mapping[str, int] | None = None) -> Contribution:
    """What an order adds to the history, of which so many units by line came back."""
    back = returned or {}
    categories: dict[str, Sums] = {}
    total = NOTHING
    for line in lines:
        kept = line.quantity - back.get(line.line_id, 0)
        if not kept:
            continue
        sums = Sums(1, kept, line.cost * kept // line.quantity)
        total = Sums(1, total.quantity + kept, total.spend + sums.spend)
        for path in lineage(line.category):
            before = categories.get(path, NOTHING)
            categories[path] = Sums(1, before.quantity + kept, before.spend + sums.spend)
    return Contribution(total, categories)
