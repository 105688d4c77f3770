"""Keeping the catalogue, and redeeming."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import orjson

from loyalty.audit import service as audit
from loyalty.audit.domain import COMMAND_LINE
from loyalty.core.answers import Answer
from loyalty.core.errors import IdempotencyConflict
from loyalty.core.ids import fingerprint
from loyalty.db.session import Session
from loyalty.db.writer import write
from loyalty.ledger import service as ledger
from loyalty.ledger.book import Book
from loyalty.ledger.spending import redeem
from loyalty.members import locks
from loyalty.members.domain import LockedMember
from loyalty.members.errors import MemberNotFound
from loyalty.programs import queries as programs
from loyalty.programs.domain import POINTS
from loyalty.rewards import queries
from loyalty.rewards.domain import NewRedemption, NewReward, Reward, document_of
from loyalty.rewards.errors import OutOfStock, RewardEnded, RewardNotStarted
from loyalty.rewards.models import RedemptionRow, RewardRow, RewardStockRow
from loyalty.vouchers import service as vouchers
from loyalty.vouchers.domain import Voucher, VoucherTerms

_TAKE_ONE = """
UPDATE reward_stock SET remaining = remaining - 1 WHERE program_id = %s AND code = %s AND remaining >= 1
"""


def put_reward(
    session: Session,
    program_id: UUID,
    code: str,
    new: NewReward,
    *,
    keep_stock: bool = False,
    actor: str = COMMAND_LINE,
    now: datetime,
) -> Reward:
    """Create or replace a reward. The caller has locked the program's configuration and checked the version.

    `stock` is what is left to give from now on; with `keep_stock`, only if it is another than was last given.
    """
    row = session.orm.get(RewardRow, (program_id, code))
    before = None if row is None else queries.reward(session, program_id, code)
    if row is None:
        row = RewardRow(program_id=program_id, code=code, version=0)
        session.orm.add(row)
    restocked = not keep_stock or row.stock != new.stock
    for name, value in asdict(new).items():
        setattr(row, name, value)
    row.limited = new.stock is not None
    row.version += 1
    row.updated_at = now
    if restocked:
        _restock(session, program_id, code, new.stock)
    session.orm.flush()
    after = queries.reward(session, program_id, code)
    audit.record(
        session, program_id, actor=actor, action="reward.changed" if before else "reward.created",
        resource=f"rewards/{code}", before=before and document_of(before), after=document_of(after), now=now,
    )  # fmt: skip
    return after


def _restock(session: Session, program_id: UUID, code: str, left: int | None) -> None:
    """Set the counter that all members share; without end there is none."""
    row = session.orm.get(RewardStockRow, (program_id, code), with_for_update=True)
    if left is not None:
        row = row or RewardStockRow(program_id=program_id, code=code)
        row.remaining = left
        session.orm.add(row)
    elif row is not None:
        session.orm.delete(row)


def redeem_reward(
    session: Session, program_id: UUID, customer_id: str, wish: NewRedemption, *, now: datetime
) -> Answer:
    """Spend points on a reward, at once.

    Refuses: MemberNotFound, MemberClosed, MemberSuspended, RewardNotFound, RewardNotStarted, RewardEnded,
    InsufficientPoints, OutOfStock, IdempotencyConflict.
    """
    claimed = _claim(session, program_id, customer_id, wish, now=now)
    if isinstance(claimed, Answer):
        return claimed
    member = claimed
    program = programs.current(session, program_id, config_version=member.config_version)
    reward = queries.reward_at(session, program_id, wish.reward, config_version=member.config_version)
    _refuse_out_of_season(reward, now)

    book = ledger.open_book_to_spend(session, program, member, POINTS, reward.points, now=now)
    redeem(book, POINTS, reward.points, reference=wish.redemption_id, reason=reward.name)
    changes = ledger.changes_of(book, program_id, now=now)
    voucher = None
    if reward.fulfilment == "code":
        worth = {k: v for k, v in {"type": reward.type, **reward.value}.items() if v is not None}
        voucher = vouchers.issue(
            session, changes, member, VoucherTerms(worth), program_id=program_id, redemption_id=wish.redemption_id,
            now=now,
        )  # fmt: skip
    receipt = _receipt(wish, reward, voucher, book)
    changes.insert(
        RedemptionRow,
        {
            "member_id": member.member_id,
            "redemption_id": wish.redemption_id,
            "program_id": program_id,
            "reward_code": reward.code,
            "reward_version": reward.version,
            "status": "confirmed",
            "points": reward.points,
            "voucher_code": voucher and voucher.code,
            "redeemed_at": now,
            "receipt": receipt.decode(),
        },
    )
    write(session, changes)
    if reward.limited and not session.run(_TAKE_ONE, (program_id, reward.code)):
        raise OutOfStock(reward.code)
    return Answer(receipt)


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


def _refuse_out_of_season(reward: Reward, now: datetime) -> None:
    if reward.valid_from is not None and now < reward.valid_from:
        raise RewardNotStarted(reward.code, reward.valid_from)
    if reward.valid_to is not None and now >= reward.valid_to:
        raise RewardEnded(reward.code, reward.valid_to)


def _receipt(wish: NewRedemption, reward: Reward, voucher: Voucher | None, book: Book) -> bytes:
    account = book.account(POINTS)
    return orjson.dumps(
        {
            "redemption_id": wish.redemption_id,
            "reward": reward.code,
            "status": "confirmed",
            "points": reward.points,
            "voucher": voucher and asdict(voucher),
            "balance": {name: getattr(account, name) for name in ("available", "pending", "held", "debt")},
        },
        option=orjson.OPT_UTC_Z,
    )
