"""Redeeming: a member's points for a reward, at once or in two phases. gather → decide → write, and the stock last."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
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
from loyalty.rewards.availability import Asking, Reason, availability
from loyalty.rewards.domain import NewRedemption, Redemption, Reward
from loyalty.rewards.errors import (
    ConditionNotMet,
    LimitReached,
    OutOfStock,
    RewardEnded,
    RewardNotStarted,
    TierTooLow,
)
from loyalty.rewards.gathering import Who, asking
from loyalty.rewards.models import StockHoldRow
from loyalty.rewards.recording import new_row, receipt_of, tell, tell_stock
from loyalty.vouchers.service import Voucher


def redeem_reward(
    session: Session, program_id: UUID, customer_id: str, wish: NewRedemption, *, now: datetime
) -> Answer:
    """Spend points on a reward at once, or hold them until the redemption is confirmed.

    Refuses: MemberNotFound, MemberClosed, MemberSuspended, RewardNotFound, RewardNotStarted, RewardEnded, TierTooLow,
    LimitReached, ConditionNotMet, InsufficientPoints, OutOfStock, IdempotencyConflict.
    """
    claimed = _claim(session, program_id, customer_id, wish, now=now)
    if isinstance(claimed, Answer):
        return claimed
    program = programs.current(session, program_id, config_version=claimed.config_version)
    catalogue = catalogues.catalogue(session, program)
    reward = catalogues.published(session, program, wish.reward)
    who = Who(claimed.member_id, claimed.enrolled_at)
    asked = asking(session, program, who, catalogue.only(reward), now=now)
    points = reward.cost(asked.tier_code)
    book = ledger.open_book_to_spend(session, program, claimed, POINTS, points, now=now)
    require_available(reward, replace(asked, available=book.account(POINTS).available))
    return _redeem(session, program, claimed, book, reward, points, wish, now=now)


def require_available(reward: Reward, asked: Asking) -> None:
    """Refuse a reward that the member cannot have, for the first reason."""
    found = availability(reward, asked)
    if found.reasons:
        raise _refusal(reward, found.reasons[0])


def _redeem(
    session: Session, program: Program, member: LockedMember, book: Book, reward: Reward, points: int,
    wish: NewRedemption, *, now: datetime,
) -> Answer:  # fmt: skip
    made = Redemption(
        member_id=member.member_id, redemption_id=wish.redemption_id, reward_code=reward.code,
        reward_version=reward.version, status="held", points=points, fulfilment=reward.fulfilment,
        took_stock=reward.is_limited, redeemed_at=now,
    )  # fmt: skip
    voucher: Voucher | None = None
    changes = Changes()
    if wish.hold:
        made = replace(made, expires_at=book.now + timedelta(seconds=wish.hold_seconds))
        _hold(book, made, reward, changes, program.program_id)
    else:
        entry = spending.redeem(book, POINTS, points, reference=made.redemption_id, reason=reward.name)
        voucher = fulfilling.give(
            session, changes, program, member, reward, pool=reward.code, redemption_id=made.redemption_id, now=now
        )
        made = replace(
            made, status="confirmed", confirmed_at=now, entry_seq=entry.seq, voucher_code=voucher and voucher.code
        )
    receipt = receipt_of(made, voucher, book)
    changes.add(ledger.changes_of(book, program.program_id, now=now))
    new_row(changes, program.program_id, made, receipt)
    tell(changes, program.program_id, member.customer_id, made, now=now)
    write(session, changes)
    if reward.is_limited:
        left = stock.take_one(session, program.program_id, reward.code, now=book.now)
        if left is None:
            raise OutOfStock(reward.code)
        tell_stock(session, program.program_id, reward, left, now=now)
    return Answer(receipt)


def _hold(book: Book, made: Redemption, reward: Reward, changes: Changes, program_id: UUID) -> None:
    assert made.expires_at is not None, "a hold ends"
    spending.hold(
        book, POINTS, made.points, hold_id=made.hold_id, expires_at=made.expires_at, reason=reward.name
    )
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
    facts = dict(reason.facts)
    match reason.code:
        case "ended":
            return RewardEnded(reward.code, facts["valid_to"])
        case "not_started":
            return RewardNotStarted(reward.code, facts["valid_from"])
        case "out_of_stock":
            return OutOfStock(reward.code)
        case "tier_too_low":
            return TierTooLow(reward.code, **facts)
        case "limit_reached":
            return LimitReached(reward.code, **facts)
        case "condition_not_met":
            return ConditionNotMet(reward.code, **facts)
        case "insufficient_points":
            return InsufficientPoints(required=facts["required"], available=facts["available"], unit=POINTS)
