"""From rows and what changes them to rows: what is to be written, and whose orders have to be read again. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from loyalty.features.decay import HABIT, NOTHING, plus, weight
from loyalty.features.sums import (
    NO_SUMS,
    GoodsSums,
    MemberSums,
    Of,
    forgets,
    forgets_visit,
    goods_after,
    member_after,
)
from loyalty.learning.contributions import LearnedOrder, Learning, learn

GoodsRows = Mapping[UUID, Mapping[Of, GoodsSums]]
MemberRows = Mapping[UUID, MemberSums]
# When members redeemed something, those of whom that is to be counted anew.
Redeemed = Mapping[UUID, Sequence[datetime]]


@dataclass(frozen=True, slots=True)
class Changed:
    """A member's rows that become others: before, and after (None where there is none)."""

    goods: dict[Of, tuple[GoodsSums | None, GoodsSums | None]] = field(default_factory=dict)
    member: tuple[MemberSums | None, MemberSums | None] | None = None

    @property
    def rows(self) -> int:
        """How many rows are to be written."""
        return len(self.goods) + (self.member is not None)


def decide(
    learning: Learning, goods: GoodsRows, members: MemberRows, redeemed: Redeemed
) -> tuple[dict[UUID, Changed], set[UUID]]:
    """What changes of each member, and of whom the rows do not tell enough, so that their orders must be read again."""
    changed: dict[UUID, Changed] = {}
    again: set[UUID] = set()
    for member_id in sorted(learning.members.keys() | redeemed.keys()):
        row, change = members.get(member_id), learning.members.get(member_id)
        after = row or NO_SUMS
        rows: dict[Of, tuple[GoodsSums | None, GoodsSums | None]] | None = {}
        if change is not None:
            if forgets_visit(after, change):
                again.add(member_id)
                continue
            after = member_after(after, change)
            rows = _goods(learning, member_id, goods.get(member_id, {}))
        if rows is None:
            again.add(member_id)
            continue
        if member_id in redeemed:
            after = with_redeemed(after, redeemed[member_id])
        changed[member_id] = Changed(rows, _member(row, after))
    return changed, again


def _goods(
    learning: Learning, member_id: UUID, rows: Mapping[Of, GoodsSums]
) -> dict[Of, tuple[GoodsSums | None, GoodsSums | None]] | None:
    """A member's rows of goods before and after; None if the orders must be read again."""
    made: dict[Of, tuple[GoodsSums | None, GoodsSums | None]] = {}
    for of, change in learning.goods.get(member_id, {}).items():
        row = rows.get(of)
        if not change.removed:
            # Most of what happens: an order more.
            if change.orders or change.quantity or change.spend:
                made[of] = (row, goods_after(row, change))
        elif forgets(row, change):
            return None
        else:
            made[of] = (row, goods_after(row, change))
    return made


def built(orders: Iterable[LearnedOrder]) -> tuple[dict[UUID, dict[Of, GoodsSums]], dict[UUID, MemberSums]]:
    """All rows that follow from orders of which nothing was learned, by whose they are."""
    learning = learn(orders)
    goods = {
        member_id: {of: row for of, change in changes.items() if (row := goods_after(None, change)) is not None}
        for member_id, changes in learning.goods.items()
    }
    return goods, {member_id: member_after(NO_SUMS, change) for member_id, change in learning.members.items()}


def differences(
    goods: Mapping[Of, GoodsSums], member: MemberSums | None, stored: Mapping[Of, GoodsSums], row: MemberSums | None
) -> Changed:
    """What must change of a member's stored rows so that they are what they should be."""
    rows = {
        of: (stored.get(of), goods.get(of)) for of in goods.keys() | stored.keys() if stored.get(of) != goods.get(of)
    }
    return Changed(rows, _member(row, member or NO_SUMS))


def with_redeemed(sums: MemberSums, instants: Sequence[datetime]) -> MemberSums:
    """A member's sums with what was redeemed counted anew."""
    total = NOTHING
    for at in instants:
        total = plus(total, weight(at, HABIT))
    return sums._replace(redeemed=len(instants), redeemed_weight=total)


def _member(row: MemberSums | None, after: MemberSums) -> tuple[MemberSums | None, MemberSums | None] | None:
    kept = None if after.is_empty else after
    return None if row == kept else (row, kept)
