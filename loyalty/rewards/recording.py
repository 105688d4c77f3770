"""Redemptions as rows, and as what shops are told of them."""

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from loyalty.db.writer import Changes
from loyalty.events import service as facts
from loyalty.ledger import service as ledger
from loyalty.ledger.book import Book
from loyalty.programs.domain import POINTS
from loyalty.rewards import events
from loyalty.rewards.domain import Redemption, Reward
from loyalty.rewards.models import RedemptionRow
from loyalty.vouchers.service import Voucher

# What a redemption is made of, and what of it may change.
_ROW = (
    "member_id", "redemption_id", "reward_code", "reward_version", "status", "points", "fulfilment", "took_stock",
    "redeemed_at", "expires_at", "confirmed_at", "fulfilled_at", "closed_at", "voucher_code", "entry_seq", "reference",
    "reason",
)  # fmt: skip
_CHANGES = (
    "member_id", "redemption_id", "status", "confirmed_at", "fulfilled_at", "closed_at", "voucher_code", "entry_seq",
    "reference", "reason",
)  # fmt: skip


def new_row(changes: Changes, program_id: UUID, made: Redemption, receipt: bytes) -> None:
    """Add a redemption to the rows to be written."""
    row = {name: getattr(made, name) for name in _ROW}
    changes.insert(RedemptionRow, {**row, "program_id": program_id, "receipt": receipt.decode()})


def changed_row(changes: Changes, made: Redemption) -> None:
    """Add what became of a redemption to the rows to be written."""
    changes.update(RedemptionRow, {name: getattr(made, name) for name in _CHANGES})


def confirmed(made: Redemption, entry_seq: int, voucher: Voucher | None, *, now: datetime) -> Redemption:
    """The redemption once its points are spent, and its voucher given."""
    code = voucher.code if voucher else None
    return replace(made, status="confirmed", confirmed_at=now, entry_seq=entry_seq, voucher_code=code)


def told(made: Redemption, voucher: Voucher | None, book: Book) -> dict[str, Any]:
    """What a shop is told of a redemption that was just changed."""
    return {
        "redemption_id": made.redemption_id,
        "reward": made.reward_code,
        "status": made.status,
        "points": made.points,
        "expires_at": made.expires_at if made.status == "held" else None,
        "voucher": voucher and asdict(voucher),
        "balance": ledger.brief(book, POINTS),
    }


def receipt_of(made: Redemption, voucher: Voucher | None, book: Book) -> bytes:
    """What a shop is told, as it is kept for every retry."""
    return orjson.dumps(told(made, voucher, book), option=orjson.OPT_UTC_Z)


def tell(changes: Changes, program_id: UUID, who: tuple[UUID, str], made: Redemption, *, now: datetime) -> None:
    """Add to the rows to be written that a redemption is now what its status says.

    `who`: whose points it concerns, by both ids, which may be the member that its own was merged into.
    """
    resolved = made.resolved(now)
    # Why it was cancelled is somebody's own words: they stay with the redemption, for a fact cannot be erased.
    reason = None if made.status == "cancelled" else made.reason
    fact = events.redemption_became(
        made.status, *who, redemption_id=made.redemption_id, reward=made.reward_code,
        points=made.points, voucher_issued=made.voucher_code is not None, reason=reason, fulfilment=made.fulfilment,
        occurred_at=resolved[1] if resolved else made.redeemed_at,
    )  # fmt: skip
    facts.tell(changes, program_id, fact, now=now)


def tell_stock(changes: Changes, program_id: UUID, reward: Reward, left: int, *, now: datetime) -> None:
    """Tell that a reward runs low, or is gone, when the last redemption made it so. Stock is taken one by one."""
    if left == 0:
        facts.tell(changes, program_id, events.out_of_stock(reward.code, occurred_at=now), now=now)
    elif left == reward.low_stock:
        low = events.stock_low(reward.code, remaining=left, threshold=left, occurred_at=now)
        facts.tell(changes, program_id, low, now=now)
