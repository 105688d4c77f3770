"""The catalogue as it is, was and is going to be; what is left of it; and who redeemed what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class RewardRow(Base):
    """A reward as it was last published, or withdrawn. `stock` is what there was to give when somebody last said so."""

    __tablename__ = "rewards"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    withdrawn: Mapped[bool] = mapped_column(Boolean)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    stock: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class RewardVersionRow(Base):
    """A reward as it was published, or withdrawn, once. These rows never change."""

    __tablename__ = "reward_versions"

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    withdrawn: Mapped[bool] = mapped_column(Boolean)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    stock: Mapped[int | None] = mapped_column(BigInteger)
    published_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    published_by: Mapped[str] = mapped_column(Text)


class RewardDraftRow(Base):
    """The next version of a reward, being written. A publish empties it and leaves it: its version moves on."""

    __tablename__ = "reward_drafts"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    stock: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class RewardStockRow(Base):
    """How many of a limited reward are left: the one counter that all members share, moved by one statement, last."""

    __tablename__ = "reward_stock"
    __table_args__ = (CheckConstraint("remaining >= 0", name="remaining_not_negative"),)

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    remaining: Mapped[int] = mapped_column(BigInteger)


class StockHoldRow(Base):
    """One of a limited reward, kept for a redemption that is held.

    Whoever deletes the row decides what becomes of it: who confirms, or who finds that the time is over.
    """

    __tablename__ = "stock_holds"
    __table_args__ = (Index("ix_stock_holds_reward", "program_id", "reward_code", "expires_at"),)

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    redemption_id: Mapped[str] = mapped_column(Text, primary_key=True)
    program_id: Mapped[UUID]
    reward_code: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


_COUNTS = "status IN ('held', 'confirmed', 'fulfilled')"


class RedemptionRow(Base):
    """A reward that a member had or is about to have, and the answer that the shop got when it asked for it."""

    __tablename__ = "redemptions"
    __table_args__ = (
        CheckConstraint("status IN ('held', 'confirmed', 'fulfilled', 'cancelled', 'expired')", name="status_is_known"),
        CheckConstraint("points > 0", name="points_positive"),
        CheckConstraint("(status IN ('confirmed', 'fulfilled')) <= (confirmed_at IS NOT NULL)", name="confirmed_when"),
        CheckConstraint("(confirmed_at IS NULL) = (entry_seq IS NULL)", name="confirmed_by_an_entry"),
        CheckConstraint("(status = 'fulfilled') <= (fulfilled_at IS NOT NULL)", name="fulfilled_when"),
        CheckConstraint("(status IN ('cancelled', 'expired')) = (closed_at IS NOT NULL)", name="closed_when"),
        CheckConstraint("(status IN ('held', 'expired')) <= (expires_at IS NOT NULL)", name="held_until"),
        # How often a member had a reward.
        Index("ix_redemptions_counted", "member_id", "reward_code", "redeemed_at", postgresql_where=text(_COUNTS)),
        Index("ix_redemptions_expires_at", "expires_at", postgresql_where=text("status = 'held'")),
        Index("ix_redemptions_of_member", "member_id", "redeemed_at", "redemption_id"),
        Index("ix_redemptions_of_program", "program_id", "status", "redeemed_at", "redemption_id"),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    redemption_id: Mapped[str] = mapped_column(Text, primary_key=True)
    program_id: Mapped[UUID]
    reward_code: Mapped[str] = mapped_column(Text)
    reward_version: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    fulfilment: Mapped[str] = mapped_column(Text)
    took_stock: Mapped[bool] = mapped_column(Boolean)
    redeemed_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    confirmed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    fulfilled_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    voucher_code: Mapped[str | None] = mapped_column(Text)
    entry_seq: Mapped[int | None] = mapped_column(BigInteger)
    reference: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    receipt: Mapped[str] = mapped_column(Text)


class AutoWaitRow(Base):
    """A member for whom the program's reward was not redeemed by itself yet: why, and when that is tried again.

    No `retry_at`: not before something changes.
    """

    __tablename__ = "auto_redeem_waits"
    __table_args__ = (
        Index("ix_auto_redeem_waits_retry_at", "program_id", "retry_at", postgresql_where=text("retry_at IS NOT NULL")),
    )

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    reward_code: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    tried_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    retry_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class AutoSweepRow(Base):
    """How far the search has come for members who have had enough points since before the program waited for them."""

    __tablename__ = "auto_redeem_sweeps"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    begins_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    after_member: Mapped[UUID]
