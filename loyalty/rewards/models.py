"""The catalogue, what is left of it, and who redeemed what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class RewardRow(Base):
    """A reward as configured. `stock` is what there was to give when somebody last said so; what is left is counted."""

    __tablename__ = "rewards"
    __table_args__ = (
        CheckConstraint("points > 0", name="points_positive"),
        CheckConstraint("limited = (stock IS NOT NULL)", name="stock_when_limited"),
    )

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[dict[str, Any]] = mapped_column(JSONB)
    limited: Mapped[bool]
    stock: Mapped[int | None] = mapped_column(BigInteger)
    valid_from: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    valid_to: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    fulfilment: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class RewardStockRow(Base):
    """How many of a limited reward are left: the one counter that all members share, moved by one statement, last."""

    __tablename__ = "reward_stock"
    __table_args__ = (CheckConstraint("remaining >= 0", name="remaining_not_negative"),)

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    remaining: Mapped[int] = mapped_column(BigInteger)


class RedemptionRow(Base):
    """A reward that a member had, and the answer that the shop got."""

    __tablename__ = "redemptions"
    __table_args__ = (
        CheckConstraint("status IN ('held', 'confirmed', 'fulfilled', 'cancelled', 'expired')", name="status_is_known"),
        CheckConstraint("points > 0", name="points_positive"),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    redemption_id: Mapped[str] = mapped_column(Text, primary_key=True)
    program_id: Mapped[UUID]
    reward_code: Mapped[str] = mapped_column(Text)
    reward_version: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    voucher_code: Mapped[str | None] = mapped_column(Text)
    redeemed_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    receipt: Mapped[str] = mapped_column(Text)
