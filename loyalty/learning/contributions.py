"""What one order adds to its member's features, and what changes of that when some of it comes back. Pure.

What an order adds is a function of how many of its units came back, as `rules.history` counts it, too: so any sequence
of returns ends where the return of everything does, as if the order had never been.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

from loyalty.core.categories import lineage
from loyalty.features.decay import HABIT, PACE, minus, plus, times, weight
from loyalty.features.sums import GoodsChange, MemberChange, Of, entry_of
from loyalty.rules.history import costs

T = TypeVar("T")

_NOTHING_BACK: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedOrder:
    """An order as it is now, and as it was when features last looked at it.

    `member_id` is whose the order is, `learner_id` whose features it is in: another member's, after a merge. `returned`
    is how many units of a line came back, `known` how many had when features last looked; None: they never did.
    """

    member_id: UUID
    order_id: str
    placed_at: datetime
    lines: Sequence[Mapping[str, Any]]
    discount: int
    returned: Mapping[str, int]
    learner_id: UUID
    known: Mapping[str, int] | None = None

    @property
    def is_news(self) -> bool:
        """Whether features are to change, or to remember, anything."""
        return self.known != self.returned


@dataclass(slots=True)
class Contribution:
    """What an order adds: quantity and spend of each category, with all above it, and of each article; and in all."""

    goods: dict[Of, tuple[int, int]] = field(default_factory=dict)
    spend: int = 0
    gross: int = 0


@dataclass(slots=True)
class Learning:
    """What several orders change, row by row."""

    goods: dict[UUID, dict[Of, GoodsChange]] = field(default_factory=dict)
    members: dict[UUID, MemberChange] = field(default_factory=dict)


def contribution(
    lines: Sequence[Mapping[str, Any]], discount: int, returned: Mapping[str, int] = _NOTHING_BACK
) -> Contribution:
    """What an order adds, of which so many units by line came back. Without goods, it adds nothing at all.

    Spend is after the discounts of lines and of the order; gross is before any.
    """
    nets = [line["quantity"] * line["unit_price"] - line["discount"] for line in lines]
    paid = costs(nets, discount, [line["line_id"] for line in lines])
    made = Contribution()
    goods = made.goods
    for line, cost in zip(lines, paid, strict=True):
        quantity = kept = line["quantity"]
        if returned:
            kept -= returned.get(line["line_id"], 0)
            if not kept:
                continue
            cost = cost * kept // quantity  # noqa: PLW2901 - what the kept ones cost
        made.spend += cost
        made.gross += kept * line["unit_price"]
        for of in _goods_of(line["category"], line["sku"]):
            units, spend = goods.get(of, (0, 0))
            goods[of] = (units + kept, spend + cost)
    return made


def learn(orders: Iterable[LearnedOrder]) -> Learning:
    """What becomes of features when orders are looked at again: nothing, if nothing happened to them."""
    learning = Learning()
    for order in orders:
        if order.is_news:
            if order.known is not None:
                _take_away(learning, order, order.known)
            _add(learning, order)
    return learning


def _add(learning: Learning, order: LearnedOrder) -> None:
    """Add what an order makes of what is kept of it. What went before, and comes again, was there all the time."""
    made = contribution(order.lines, order.discount, order.returned)
    if not made.goods:
        return
    at, entry, (habit, pace) = order.placed_at, entry_of(order.order_id, order.placed_at), weights(order.placed_at)
    member = learning.members.setdefault(order.learner_id, MemberChange())
    member.orders += 1
    member.spend += made.spend
    member.gross += made.gross
    member.weight = plus(member.weight, habit)
    member.visits = plus(member.visits, pace)
    member.worth = plus(member.worth, times(pace, made.spend))
    member.added, member.removed = _come(at, member.added, member.removed)
    changes = learning.goods.setdefault(order.learner_id, {})
    for of, (quantity, spend) in made.goods.items():
        change = changes.get(of)
        if change is None:
            changes[of] = GoodsChange(1, quantity, spend, habit, (entry,))
            continue
        change.orders += 1
        change.quantity += quantity
        change.spend += spend
        change.weight = plus(change.weight, habit)
        change.added, change.removed = _come(entry, change.added, change.removed)


def _take_away(learning: Learning, order: LearnedOrder, known: Mapping[str, int]) -> None:
    """Take away what an order made of what was known to be kept of it."""
    made = contribution(order.lines, order.discount, known)
    if not made.goods:
        return
    at, entry, (habit, pace) = order.placed_at, entry_of(order.order_id, order.placed_at), weights(order.placed_at)
    member = learning.members.setdefault(order.learner_id, MemberChange())
    member.orders -= 1
    member.spend -= made.spend
    member.gross -= made.gross
    member.weight = minus(member.weight, habit)
    member.visits = minus(member.visits, pace)
    member.worth = minus(member.worth, times(pace, made.spend))
    member.removed = (*member.removed, at)
    changes = learning.goods.setdefault(order.learner_id, {})
    for of, (quantity, spend) in made.goods.items():
        change = changes.setdefault(of, GoodsChange())
        change.orders -= 1
        change.quantity -= quantity
        change.spend -= spend
        change.weight = minus(change.weight, habit)
        change.removed = (*change.removed, entry)


def _come(which: T, added: tuple[T, ...], removed: tuple[T, ...]) -> tuple[tuple[T, ...], tuple[T, ...]]:
    if which in removed:
        place = removed.index(which)
        return added, (*removed[:place], *removed[place + 1 :])
    return (*added, which), removed


@lru_cache(maxsize=65_536)
def _goods_of(category: str | None, sku: str) -> tuple[Of, ...]:
    """What a line is counted under."""
    return (*(("category", path) for path in lineage(category)), ("sku", sku))


@lru_cache(maxsize=16_384)
def weights(placed_at: datetime) -> tuple[Decimal, Decimal]:
    """What an order adds to sums of habits, and of pace."""
    return weight(placed_at, HABIT), weight(placed_at, PACE)
