"""The offers that an order had redeemed, when all that they gave is taken back: they may be used again."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from psycopg.rows import tuple_row

from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.earning.domain import Awarded
from loyalty.members.domain import LockedMember
from loyalty.offers import keeping
from loyalty.offers.domain import PREFIX, rule_code
from loyalty.offers.queries import offer_sets
from loyalty.orders.queries import RecordedOrder
from loyalty.orders.returning import points_of
from loyalty.programs.domain import Program

_REDEEMED = """
SELECT assignment_id, offer_code, offer_version, valid_to FROM assignments
WHERE member_id = %s AND order_id = %s AND status = 'redeemed' AND earns ORDER BY assignment_id
"""


def reinstate(
    session: Session, program: Program, member: LockedMember, order: RecordedOrder, returned: Mapping[str, int], *,
    now: datetime,
) -> Changes:  # fmt: skip
    """The rows of offers that an order no longer redeems, now that so many units by line have come back in all.

    What was given to who was merged since is not given again: they have offers of their own.
    """
    changes = Changes()
    wholly = {award.rule_code for award in order.awards if _is_of_offer(award) and _is_back(award, order, returned)}
    if not wholly:
        return changes
    sets = offer_sets(session, program)
    for assignment_id, code, version, valid_to in _redeemed(session, order):
        if rule_code(code) in wholly:
            who = (member.member_id, member.customer_id)
            changes.add(
                keeping.reinstated(
                    who, assignment_id, sets.offer(code, version), owner_id=order.member_id,
                    program_id=program.program_id, valid_to=valid_to, order_id=order.order_id, now=now,
                )
            )  # fmt: skip
    return changes


def _redeemed(session: Session, order: RecordedOrder) -> list[tuple[UUID, str, int, datetime]]:
    return session.rows(_REDEEMED, (order.member_id, order.order_id), into=tuple_row)


def _is_of_offer(award: Awarded) -> bool:
    return award.rule_code.startswith(PREFIX)


def _is_back(award: Awarded, order: RecordedOrder, returned: Mapping[str, int]) -> bool:
    return sum(points_of(award, order.lines, returned).values()) == award.points
