"""Features of single members anew from all of their orders, where the rows do not tell enough, or may be wrong.

This is the one place whose cost grows with what a member ever bought. It is needed when an order goes that was the
first, or among the newest few, with something: only the other orders say which one takes its place; and when two
members become one. Whoever calls holds the place of the program (`following`).
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.features import keeping
from loyalty.features.models import LearnedOrderRow
from loyalty.features.sums import NO_SUMS
from loyalty.learning import gathering
from loyalty.learning.contributions import LearnedOrder
from loyalty.learning.deciding import Changed, built, differences, with_redeemed

# The orders of so many members are held in memory at once.
AT_ONCE = 25


def relearn(session: Session, program_id: UUID, member_ids: Collection[UUID]) -> int:
    """Make the features of members what their orders say, who were not merged; answers how many rows were wrong."""
    ordered, wrong = sorted(member_ids), 0
    for begin in range(0, len(ordered), AT_ONCE):
        changes, found = compared(session, program_id, ordered[begin : begin + AT_ONCE])
        write(session, changes)
        wrong += found
    return wrong


def compared(session: Session, program_id: UUID, member_ids: Collection[UUID]) -> tuple[Changes, int]:
    """What is to be written so that the features of members are what their orders say; and how many rows that is."""
    families = gathering.families(session, sorted(member_ids))
    orders, elsewhere = gathering.orders_of(session, families)
    goods, sums = built(replace(order, known=None) for order in orders)
    for member_id, instants in gathering.redeemed(session, member_ids).items():
        sums[member_id] = with_redeemed(sums.get(member_id, NO_SUMS), instants)
    stored, rows = keeping.all_goods(session, families), keeping.members(session, families)
    changed = {
        member_id: differences(
            goods.get(member_id, {}), sums.get(member_id), stored.get(member_id, {}), rows.get(member_id)
        )
        for member_id in families
    }
    changes, wrong = Changes(), sum(each.rows for each in changed.values())
    put(changes, program_id, changed)
    for order in orders:
        if order.is_news or (order.member_id, order.order_id) in elsewhere:
            changes.keep(LearnedOrderRow, learned_row(order), is_new=order.known is None)
            wrong += 1
    return changes, wrong


def put(changes: Changes, program_id: UUID, changed: Mapping[UUID, Changed]) -> None:
    """Add the rows that became others to those to be written."""
    for member_id, each in changed.items():
        keeping.put_goods(changes, member_id, each.goods)
        if each.member is not None:
            keeping.put_member(changes, program_id, member_id, *each.member)


def learned_row(order: LearnedOrder) -> dict[str, Any]:
    """What is kept of an order that was looked at."""
    return {
        "member_id": order.member_id, "order_id": order.order_id, "learner_id": order.learner_id,
        "returned": order.returned,
    }  # fmt: skip
