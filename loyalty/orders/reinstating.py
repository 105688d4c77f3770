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
SELECT a.assignment_id, a.offer_code, a.offer_version, a.valid_to, EXISTS (
    SELECT FROM assignments o WHERE o.member_id = a.member_id AND o.offer_code = a.offer_code
    AND o.closed_at IS NULL AND o.valid_to > %s AND o.holdout IS NULL)
FROM assignments a
WHERE a.member_id = %s AND a.order_id = %s AND a.status = 'redeemed' AND a.earns ORDER BY a.assignment_id
"""


def reinstate(
    session: Session, program: Program, member: LockedMember, order: RecordedOrder, returned: Mapping[str, int], *,
    now: datetime,
) -> Changes:  # fmt: skip
    """The rows of offers that an order no longer redeems, now that so many units by line have come back in all.

    What was given to who was merged since is not given again: they have offers of their own. The same for an offer that
    the member has been given once more meanwhile.
    """
    changes = Changes()
    wholly = {award.rule_code for award in order.awards if _is_of_offer(award) and _is_back(award, order, returned)}
    if not wholly:
        return changes
    sets = offer_sets(session, program)
    for assignment_id, code, version, valid_to, has_another in _redeemed(session, order, now):
        if rule_code(code) in wholly:
            who = (member.member_id, member.customer_id)
            changes.add(
                keeping.reinstated(
                    who, assignment_id, sets.offer(code, version), owner_id=order.member_id,
                    program_id=program.program_id, valid_to=valid_to, order_id=order.order_id,
                    may_open=not has_another, now=now,
                )
            )  # fmt: skip
    return changes


def _redeemed(session: Session, order: RecordedOrder, now: datetime) -> list[tuple[UUID, str, int, datetime, bool]]:
    return session.rows(_REDEEMED, (now, order.member_id, order.order_id), into=tuple_row)


def _is_of_offer(award: Awarded) -> bool:
    return award.rule_code.startswith(PREFIX)


def _is_back(award: Awarded, order: RecordedOrder, returned: Mapping[str, int]) -> bool:
    return sum(points_of(award, order.lines, returned).values()) == award.points
