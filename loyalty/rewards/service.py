"""Redeeming: a member's points for a reward, at once or in two phases. gather → decide → write, and the stock last."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from loyalty.core.answers import Answer
from loyalty.core.errors import DomainError, IdempotencyConflict
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session
from loyalty.db.writer import Changes, write
from loyalty.ledger import service as ledger
from loyalty.ledger import spending
from loyalty.ledger.book import Book
from loyalty.ledger.errors import InsufficientPoints
from loyalty.members import locks
from loyalty.members.domain import LockedMember
from loyalty.members.errors import MemberNotFound
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS, Program
from loyalty.rewards import catalogue as catalogues
from loyalty.rewards import fulfilling, queries, stock
from loyalty.rewards.availability import Asking, Reason, Why, availability
from loyalty.rewards.domain import NewRedemption, Redemption, Reward
from loyalty.rewards.errors import (
    ConditionNotMet,
    LimitReached,
    NotInSegment,
    OutOfStock,
    RewardEnded,
    RewardNotStarted,
    TierTooLow,
)
from loyalty.rewards.gathering import Who, asking
from loyalty.rewards.models import StockHoldRow
from loyalty.rewards.recording import confirmed, new_row, receipt_of, tell, tell_stock


def redeem_reward(
    session: Session, program_id: UUID, customer_id: str, wish: NewRedemption, *, now: datetime
) -> Answer:
    """Spend points on a reward at once, or hold them until the redemption is confirmed.

    Refuses: MemberNotFound, MemberClosed, MemberSuspended, RewardNotFound, RewardNotStarted, RewardEnded, TierTooLow,
    LimitReached, NotInSegment, ConditionNotMet, InsufficientPoints, OutOfStock, IdempotencyConflict.
    """
    claimed = _claim(session, program_id, customer_id, wish, now=now)
    if isinstance(claimed, Answer):
        return claimed
    return redeem_for(session, program_id, claimed, wish, now=now)


def redeem_for(
    session: Session, program_id: UUID, member: LockedMember, wish: NewRedemption, *, reason: str | None = None,
    now: datetime,
) -> Answer:  # fmt: skip
    """`redeem_reward` for an active member under the lock, and an id that was claimed. `reason`: why it came about."""
    program = programs.current(session, program_id, config_version=member.config_version)
    catalogue = catalogues.catalogue(session, program)
    reward = catalogues.published(session, program, wish.reward)
    who = Who(member.member_id, member.enrolled_at)
    asked = asking(session, program, who, catalogue.only(reward), now=now)
    points = reward.cost(asked.tier_code)
    book = ledger.open_book_to_spend(session, program, member, POINTS, points, now=now)
    require_available(reward, replace(asked, available=book.account(POINTS).available))
    return _redeem(session, _Case(program, member, reward, points), book, wish, reason=reason, now=now)


@dataclass(frozen=True, slots=True)
class _Case:
    """A reward that a member can have, and what it costs them."""

    program: Program
    member: LockedMember
    reward: Reward
    points: int


def require_available(reward: Reward, asked: Asking) -> None:
    """Refuse a reward that the member cannot have, for the first reason."""
    found = availability(reward, asked)
    if found.reasons:
        raise _refusal(reward, found.reasons[0])


def _redeem(
    session: Session, case: _Case, book: Book, wish: NewRedemption, *, reason: str | None, now: datetime
) -> Answer:
    member, reward, program_id = case.member, case.reward, case.program.program_id
    made = Redemption(
        member_id=member.member_id, redemption_id=wish.redemption_id, reward_code=reward.code,
        reward_version=reward.version, status="held", points=case.points, fulfilment=reward.fulfilment,
        took_stock=reward.is_limited, redeemed_at=now, reason=reason,
    )  # fmt: skip
    voucher, changes = None, Changes()
    if wish.hold:
        made = replace(made, expires_at=book.now + timedelta(seconds=wish.hold_seconds))
        _hold(book, made, reward, changes, program_id)
    else:
        if reward.fulfilment == "pool":
            # Codes are for those who took one of the stock or hold one. So each of them finds one, whoever else is
            # taking one at the instant, and the counter is not the last to move.
            _take_stock(session, case, changes, now=now)
        entry = spending.redeem(book, POINTS, made.points, reference=made.redemption_id, reason=reward.name)
        voucher = fulfilling.give(session, changes, made, program=case.program, member=member, reward=reward, now=now)
        made = confirmed(made, entry.seq, voucher, now=now)
    receipt = receipt_of(made, voucher, book)
    changes.add(ledger.changes_of(book, program_id, now=now))
    new_row(changes, program_id, made, receipt)
    tell(changes, program_id, (member.member_id, member.customer_id), made, now=now)
    write(session, changes)
    if reward.is_limited and not (reward.fulfilment == "pool" and voucher):
        news = Changes()
        _take_stock(session, case, news, now=now)
        write(session, news)
    return Answer(receipt)


def _take_stock(session: Session, case: _Case, changes: Changes, *, now: datetime) -> None:
    """Take one of a limited reward. Refuses: OutOfStock."""
    program_id, code = case.program.program_id, case.reward.code
    left = stock.take_one(session, program_id, code, now=now)
    if left is not None:
        tell_stock(changes, program_id, case.reward, left, now=now)
    elif code in stock.left(session, program_id, now=now, codes=[code]):
        raise OutOfStock(code)
    # Else somebody has just said that there is no end to it.


def _hold(book: Book, made: Redemption, reward: Reward, changes: Changes, program_id: UUID) -> None:
    assert made.expires_at is not None, "a hold ends"
    spending.hold(book, POINTS, made.points, hold_id=made.hold_id, expires_at=made.expires_at, reason=reward.name)
    if made.took_stock:
        changes.insert(
            StockHoldRow,
            {
                "member_id": made.member_id, "redemption_id": made.redemption_id, "program_id": program_id,
                "reward_code": made.reward_code, "expires_at": made.expires_at,
            },
        )  # fmt: skip


def _claim(
    session: Session, program_id: UUID, customer_id: str, wish: NewRedemption, *, now: datetime
) -> LockedMember | Answer:
    """The member, locked, for whom the redemption is new; or the answer that its first request got."""
    content = fingerprint([customer_id, asdict(wish)])
    claim = locks.Claim(customer_id, wish.redemption_id, content)
    claimed = locks.lock_and_claim(session, program_id, "redemption", [claim], now=now)[wish.redemption_id]
    if not claimed.is_new and (held := locks.holder(session, program_id, "redemption", wish.redemption_id)):
        if held.fingerprint != content:
            detail = f"'{wish.redemption_id}' was used before for another redemption."
            raise IdempotencyConflict(detail, redemption_id=wish.redemption_id)
        return Answer(queries.stored_receipt(session, held, wish.redemption_id), replayed=True)
    if claimed.member is None:
        raise MemberNotFound(customer_id)
    locks.require_active(claimed.member)
    return claimed.member


def _refusal(reward: Reward, reason: Reason) -> DomainError:
    facts: dict[str, Any] = dict(reason.facts)
    refusals: dict[Why, Callable[[], DomainError]] = {
        "ended": lambda: RewardEnded(reward.code, facts["valid_to"]),
        "not_started": lambda: RewardNotStarted(reward.code, facts["valid_from"]),
        "out_of_stock": lambda: OutOfStock(reward.code),
        "tier_too_low": lambda: TierTooLow(reward.code, **facts),
        "limit_reached": lambda: LimitReached(reward.code, **facts),
        "not_in_segment": lambda: NotInSegment(reward.code, **facts),
        "condition_not_met": lambda: ConditionNotMet(reward.code, **facts),
        "insufficient_points": lambda: InsufficientPoints(
            required=facts["required"], available=facts["available"], unit=POINTS
        ),
    }
    return refusals[reason.code]()
