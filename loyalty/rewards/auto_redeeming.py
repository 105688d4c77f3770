"""Redeeming the program's reward for members whose points suffice, without anybody asking for it.

The ledger noted them (`account_notices`), or they were refused and it is time to try again (`auto_redeem_waits`). Each
member is served in a transaction of its own, under their lock, by the use case that a shop calls; a notice goes with
what it led to, so whatever is cut off is done once, later.
"""

from datetime import datetime
from uuid import UUID

import orjson
import structlog
from psycopg.rows import tuple_row

from loyalty.core.errors import DomainError
from loyalty.core.ids import fingerprint, new_id
from loyalty.db.session import Session
from loyalty.ledger.errors import InsufficientPoints
from loyalty.members import locks
from loyalty.members.domain import LockedMember
from loyalty.members.errors import MemberClosed
from loyalty.programs import queries as programs
from loyalty.programs.domain import Program
from loyalty.rewards.automatic import AUTOMATIC, DECLINED, LATER, SOON, UNSOUND, next_try
from loyalty.rewards.domain import NewRedemption
from loyalty.rewards.errors import RewardNotFound
from loyalty.rewards.service import redeem_for

log = structlog.get_logger()

# In one transaction; whoever has points for more is served again at once.
MOST = 10

# Programs in which somebody is to be served; a look at the first of each list, however long they are.
_PROGRAMS = """
SELECT p.program_id, p.clock_ahead FROM programs p CROSS JOIN LATERAL (
    (SELECT 1 FROM account_notices n WHERE n.program_id = p.program_id LIMIT 1)
    UNION ALL
    (SELECT 1 FROM auto_redeem_waits w WHERE w.program_id = p.program_id AND w.retry_at <= %s + p.clock_ahead LIMIT 1)
    LIMIT 1) due
ORDER BY p.program_id
"""

# The choice and the lock are one statement: who is locked is passed over.
_DECLINED = "m.attributes -> 'auto_redeem' = 'false'"
_NOTICED = f"""
SELECT m.member_id, coalesce({_DECLINED}, false) FROM account_notices n JOIN members m ON m.member_id = n.member_id
WHERE n.program_id = %(program_id)s ORDER BY n.noticed_at LIMIT 1 FOR NO KEY UPDATE OF m SKIP LOCKED
"""
_WAITED = f"""
SELECT m.member_id, coalesce({_DECLINED}, false) FROM auto_redeem_waits w JOIN members m ON m.member_id = w.member_id
WHERE w.program_id = %(program_id)s AND w.retry_at <= %(now)s ORDER BY w.retry_at LIMIT 1
FOR NO KEY UPDATE OF m SKIP LOCKED
"""
_DONE = "DELETE FROM account_notices WHERE program_id = %s AND member_id = %s"
_WAITS_NO_MORE = "DELETE FROM auto_redeem_waits WHERE program_id = %s AND member_id = %s"
_WAITS = """
INSERT INTO auto_redeem_waits (program_id, member_id, reward_code, reason, tried_at, retry_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (program_id, member_id) DO UPDATE SET reward_code = excluded.reward_code, reason = excluded.reason,
    tried_at = excluded.tried_at, retry_at = excluded.retry_at
"""


def redeem_batch(session: Session, *, now: datetime) -> int:
    """Serve one member of each program in which somebody waits, by the program's own clock; answers how many.

    `now` is what the real clock shows. Members that someone else has locked are passed over.
    """
    due = session.rows(_PROGRAMS, (now,), into=tuple_row)
    return sum(redeem_next(session, program_id, now=now + ahead) for program_id, ahead in due)


def redeem_next(session: Session, program_id: UUID, *, now: datetime) -> int:
    """Serve the next member of a program; answers whether there was one."""
    where = {"program_id": program_id, "now": now}
    found = session.row(_NOTICED, where, into=tuple_row) or session.row(_WAITED, where, into=tuple_row)
    if found is None:
        return 0
    member_id, declined = found
    members = locks.lock_by_ids(session, [member_id])
    version = members[0].config_version if members else None
    program = programs.current(session, program_id, config_version=version)
    if not members or program.auto_redeem is None or program.notice_points is None:
        # Merged into somebody else, who has their points; or nobody waits for them any more.
        _forget(session, program_id, member_id)
    elif declined:
        _wait(session, program, member_id, DECLINED, now=now, retry_at=now + LATER)
    else:
        _serve(session, program, members[0], program.auto_redeem.reward, program.notice_points, now=now)
    return 1


def _serve(session: Session, program: Program, member: LockedMember, reward: str, least: int, *, now: datetime) -> None:
    """Redeem as often as the points suffice, `MOST` times at the most: whoever has more was noted by the ledger again.

    With less than `least` nobody can have the reward.
    """
    program_id, member_id = program.program_id, member.member_id
    try:
        locks.require_active(member)
        for _ in range(MOST):
            with session.driver.transaction():  # a savepoint: what is refused leaves nothing
                left = _redeem(session, program_id, member, reward, now=now)
            if left < least:
                _forget(session, program_id, member_id)
                return
        session.run(_WAITS_NO_MORE, (program_id, member_id))
    except (MemberClosed, RewardNotFound):
        _forget(session, program_id, member_id)
    except DomainError as refused:
        if isinstance(refused, InsufficientPoints) and refused.facts["available"] < least:
            _forget(session, program_id, member_id)
        else:
            _wait(session, program, member_id, refused.code, now=now, retry_at=next_try(refused, now=now))
    except AssertionError:
        # Left to those who mend it, and in nobody's way.
        log.exception("books contradict themselves", member_id=str(member_id))
        _wait(session, program, member_id, UNSOUND, now=now, retry_at=now + SOON)


def _redeem(session: Session, program_id: UUID, member: LockedMember, reward: str, *, now: datetime) -> int:
    """Redeem once; answers how many points are left to spend."""
    wish = NewRedemption(redemption_id=f"auto:{new_id().hex}", reward=reward)
    content = fingerprint([member.customer_id, wish.redemption_id, reward])
    locks.claim(session, program_id, "redemption", [(wish.redemption_id, member.member_id, content)])
    answer = redeem_for(session, program_id, member, wish, reason=AUTOMATIC, now=now)
    left: int = orjson.loads(answer.body)["balance"]["available"]
    return left


def _forget(session: Session, program_id: UUID, member_id: UUID) -> None:
    session.run(_DONE, (program_id, member_id))
    session.run(_WAITS_NO_MORE, (program_id, member_id))


def _wait(
    session: Session, program: Program, member_id: UUID, reason: str, *, now: datetime, retry_at: datetime | None
) -> None:
    assert program.auto_redeem is not None, "only what is wanted is waited for"
    session.run(_DONE, (program.program_id, member_id))
    where = (program.program_id, member_id, program.auto_redeem.reward, reason, now, retry_at)
    session.run(_WAITS, where)
