"""Thanking those who bring friends, and the friends: after a friend's first order, by a job.

The order itself only marks the referral as due: it has locked the friend, and a second lock in its path would make
orders wait for other members. The job locks both sides, in the order of their ids like everybody.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from psycopg.rows import class_row, tuple_row

from loyalty.activities.domain import Referral, thanks_for
from loyalty.activities.service import decide, keep
from loyalty.activities.soundly import for_all_but_the_broken
from loyalty.core.clock import REAL
from loyalty.db.session import Session, array_of
from loyalty.members import locks
from loyalty.members.models import ReferralRow
from loyalty.programs import queries as programs

# Two members each, so one transaction locks twice as many.
BATCH = 200

_DUE = "SELECT program_id, member_id FROM referrals WHERE status = 'due' ORDER BY ordered_at, member_id LIMIT %s"

# Who was named may have become somebody else since: the one who stayed gets the thanks.
_REFERRALS = """
SELECT r.member_id, r.order_id, r.ordered_at, f.customer_id AS friend, f.status AS friend_status,
       w.customer_id AS referrer, w.status AS referrer_status, coalesce(h.orders, 0) AS orders
FROM referrals r JOIN members f ON f.member_id = r.member_id
LEFT JOIN purchase_histories h ON h.member_id = r.member_id
CROSS JOIN LATERAL (
    WITH RECURSIVE stayed AS (
        SELECT m.customer_id, m.status, m.merged_into FROM members m WHERE m.member_id = r.referrer_id
        UNION ALL
        SELECT m.customer_id, m.status, m.merged_into FROM stayed s JOIN members m ON m.member_id = s.merged_into)
    SELECT customer_id, status FROM stayed WHERE merged_into IS NULL) w
WHERE r.member_id = ANY(%s::uuid[]) AND r.status = 'due' ORDER BY r.ordered_at, r.member_id
"""


def thank_batch(session: Session, *, now: datetime, limit: int = BATCH) -> int:
    """Deal with referrals that are due; answers how many. `now` is real: sandboxes may be ahead of it."""
    by_program: dict[UUID, list[UUID]] = {}
    for program_id, member_id in session.rows(_DUE, (limit,), into=tuple_row):
        by_program.setdefault(program_id, []).append(member_id)
    ahead = programs.moved_clocks(session) if by_program else {}
    # In one order, so that two workers who are at it do not wait for each other.
    return sum(
        _thank(session, program_id, by_program[program_id], now + ahead.get(program_id, REAL))
        for program_id in sorted(by_program)
    )


def _thank(session: Session, program_id: UUID, member_ids: Sequence[UUID], now: datetime) -> int:
    seen = _referrals(session, member_ids)
    locked = locks.lock_members(session, program_id, sorted({name for r in seen for name in (r.friend, r.referrer)}))
    # What was seen before the lock may have changed; who is not locked, by a merge meanwhile, has time until the next.
    found = [r for r in _referrals(session, member_ids) if {r.friend, r.referrer} <= set(locked)]
    return for_all_but_the_broken(session, found, partial(_record, session, program_id, now)) if found else 0


def _record(session: Session, program_id: UUID, now: datetime, found: Sequence[Referral]) -> int:
    thanked = [(referral, *thanks_for(referral)) for referral in found]
    activities = [activity for _, _, thanks in thanked for activity in thanks]
    decided = decide(session, program_id, activities, now=now)
    for referral, status, _ in thanked:
        decided.changes.update(ReferralRow, {"member_id": referral.member_id, "status": status})
    keep(session, decided)
    return len(found)


def _referrals(session: Session, member_ids: Sequence[UUID]) -> list[Referral]:
    return session.rows(_REFERRALS, (array_of(member_ids),), into=class_row(Referral))
