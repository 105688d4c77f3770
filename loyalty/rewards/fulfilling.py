"""What a member gets in hand for a redemption: a code drawn at random, one out of a pool, or nothing to be typed."""

from datetime import datetime, timedelta
from typing import Any

from loyalty.core import calendar
from loyalty.db.session import Session
from loyalty.db.writer import Changes
from loyalty.members.domain import LockedMember
from loyalty.programs.domain import Program
from loyalty.rewards.domain import NewReward, Redemption
from loyalty.rewards.errors import OutOfStock
from loyalty.vouchers import pools
from loyalty.vouchers import service as vouchers
from loyalty.vouchers.domain import Voucher, VoucherTerms


def give(
    session: Session, changes: Changes, made: Redemption, *, program: Program, member: LockedMember,
    reward: NewReward, now: datetime,
) -> Voucher | None:  # fmt: skip
    """The voucher of a redemption, added to the rows to be written; None where the reward gives no code.

    Refuses: OutOfStock.
    """
    program_id, terms = program.program_id, _terms(reward, program.time_zone, now)
    named: dict[str, Any] = {"redemption_id": made.redemption_id, "now": now}
    gives = {"reward": made.reward_code, **named}
    if reward.fulfilment == "code":
        return vouchers.issue(session, changes, member, terms, program_id=program_id, **gives)
    if reward.fulfilment != "pool":
        return None
    code = pools.take(session, program_id, made.reward_code, member_id=member.member_id, **named)
    if code is None:
        raise OutOfStock(made.reward_code)
    return vouchers.issue_code(changes, member, code, terms, program_id=program_id, **gives)


def _terms(reward: NewReward, zone: str, now: datetime) -> VoucherTerms:
    """What the code stands for, until when, and how often. Its last day is a whole one in the program's zone."""
    days, ends = reward.voucher.valid_days, None
    if days is not None:
        ends = calendar.midnight(calendar.local_date(now, zone) + timedelta(days=days + 1), zone)
    return VoucherTerms(reward.worth, expires_at=ends, uses_allowed=reward.voucher.uses)


def returns_to_stock(fulfilment: str, *, confirmed: bool) -> bool:
    """Whether one more is left when a redemption comes to nothing. A code that was shown to somebody is not."""
    return not (confirmed and fulfilment == "pool")
