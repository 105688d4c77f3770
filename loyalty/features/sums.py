"""What orders add to the features of one member, and take out of them again: exact sums. Pure.

A sum is right whatever the order in which orders come and go. What a sum cannot tell, when an order goes, is which one
was the first, or comes into the newest few: where those few are not all there are, the member's orders have to be
looked at again (`forgets`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from loyalty.features.decay import NOTHING, plus
from loyalty.features.domain import RECENT_MAX, Level

# An entry of `recent` is an order behind the instant it was placed at, in microseconds since the year 1 and as so many
# hexadecimal digits: so entries sort by themselves.
_DIGITS = 14
_BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# Whose features, at which level, and of what.
Key = tuple[UUID, Level, str]
# The same of one member.
Of = tuple[Level, str]


class GoodsSums(NamedTuple):
    """A row of features of a category or an article. `recent` are entries, the newest last."""

    orders: int
    quantity: int
    spend: int
    weight: Decimal
    first_at: datetime
    last_at: datetime
    recent: list[str]


class MemberSums(NamedTuple):
    """A row of features of a member in all."""

    orders: int = 0
    spend: int = 0
    gross: int = 0
    weight: Decimal = NOTHING
    visits: Decimal = NOTHING
    worth: Decimal = NOTHING
    first_at: datetime | None = None
    last_at: datetime | None = None
    redeemed: int = 0
    redeemed_weight: Decimal = NOTHING

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be said."""
        return not self.orders and not self.redeemed


NO_SUMS = MemberSums()


@dataclass(slots=True)
class GoodsChange:
    """What a row of a category or an article gets and loses. `added` and `removed` are entries of whole orders."""

    orders: int = 0
    quantity: int = 0
    spend: int = 0
    weight: Decimal = NOTHING
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether all stays as it is: what went came again."""
        return not (self.added or self.removed or self.quantity or self.spend)


@dataclass(slots=True)
class MemberChange:
    """What a member's row gets and loses; `added` and `removed` are when orders were placed."""

    orders: int = 0
    spend: int = 0
    gross: int = 0
    weight: Decimal = NOTHING
    visits: Decimal = NOTHING
    worth: Decimal = NOTHING
    added: tuple[datetime, ...] = ()
    removed: tuple[datetime, ...] = ()


def entry_of(order_id: str, placed_at: datetime) -> str:
    """An order as `recent` names it.

    >>> entry_of("o-1", datetime(2026, 3, 1, tzinfo=UTC)) < entry_of("o-0", datetime(2026, 3, 1, 1, tzinfo=UTC))
    True
    """
    return f"{(placed_at - _BEGINNING) // _MICROSECOND:0{_DIGITS}x} {order_id}"


@lru_cache(maxsize=16_384)
def placed_at_of(entry: str) -> datetime:
    """When the order of an entry was placed.

    >>> placed_at_of(entry_of("o-1", datetime(2026, 3, 1, tzinfo=UTC))).isoformat()
    '2026-03-01T00:00:00+00:00'
    """
    return _BEGINNING + int(entry[:_DIGITS], 16) * _MICROSECOND


def orders_of(recent: Iterable[str]) -> tuple[str, ...]:
    """The orders of entries."""
    return tuple([entry[_DIGITS + 1 :] for entry in recent])


def forgets(row: GoodsSums | None, change: GoodsChange) -> bool:
    """Whether an order goes that only the member's other orders can replace: as the first, or among the newest."""
    if not change.removed:
        return False
    if row is None or row.orders + change.orders < 0:
        # It was never added: somebody touched the rows.
        return True
    if row.orders <= RECENT_MAX:
        return False
    recent = set(row.recent)
    return any(entry in recent or placed_at_of(entry) <= row.first_at for entry in change.removed)


def forgets_visit(row: MemberSums, change: MemberChange) -> bool:
    """Whether a visit goes that only the member's other orders can replace: the first or the last."""
    left = row.orders + change.orders
    return left < 0 or (left > 0 and any(at in (row.first_at, row.last_at) for at in change.removed))


def goods_after(row: GoodsSums | None, change: GoodsChange) -> GoodsSums | None:
    """A row after a change that `forgets` nothing; None when nothing is left."""
    added = change.added
    if row is None:
        recent = sorted(added)
        if not recent:
            return None
        return GoodsSums(
            change.orders, change.quantity, change.spend, change.weight,
            placed_at_of(recent[0]), placed_at_of(recent[-1]), recent[-RECENT_MAX:],
        )  # fmt: skip
    orders = row.orders + change.orders
    if not orders:
        return None
    recent, first_at = row.recent, row.first_at
    if change.removed:
        gone = set(change.removed)
        recent = [entry for entry in recent if entry not in gone]
    if added:
        recent = sorted([*recent, *added])
    if row.orders <= RECENT_MAX:
        # These are all there are.
        first_at = placed_at_of(recent[0])
    elif added:
        first_at = min(first_at, placed_at_of(min(added)))
    return GoodsSums(
        orders, row.quantity + change.quantity, row.spend + change.spend, plus(row.weight, change.weight),
        first_at, placed_at_of(recent[-1]) if recent is not row.recent else row.last_at, recent[-RECENT_MAX:],
    )  # fmt: skip


def member_after(row: MemberSums, change: MemberChange) -> MemberSums:
    """A member's row after a change that `forgets_visit` nothing."""
    orders = row.orders + change.orders
    first_at, last_at = row.first_at, row.last_at
    if not orders:
        first_at = last_at = None
    elif change.added:
        known = change.added if not row.orders or first_at is None or last_at is None else (
            *change.added, first_at, last_at
        )  # fmt: skip
        first_at, last_at = min(known), max(known)
    return row._replace(
        orders=orders, spend=row.spend + change.spend, gross=row.gross + change.gross,
        weight=plus(row.weight, change.weight), visits=plus(row.visits, change.visits),
        worth=plus(row.worth, change.worth), first_at=first_at, last_at=last_at,
    )  # fmt: skip
