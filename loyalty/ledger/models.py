"""The tables of the ledger. `entries`, and what they took from lots, only ever grow: a trigger sees to it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKeyConstraint, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base

KINDS = (
    "earn", "mature", "hold", "release", "redeem", "expire", "reverse", "return_spent", "adjust",
    "transfer_in", "transfer_out", "debt", "debt_paid", "reinstate",
)  # fmt: skip


class AccountRow(Base):
    """What a member holds in one unit: a cache of the entries that the ledger check proves."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("available >= 0", name="available_not_negative"),
        CheckConstraint("pending >= 0", name="pending_not_negative"),
        CheckConstraint("held >= 0", name="held_not_negative"),
        CheckConstraint("debt >= 0", name="debt_not_negative"),
        Index("ix_accounts_program_id_member_id", "program_id", "member_id"),
        # What is due, for the job that settles whom nobody touches.
        Index("ix_accounts_next_change_at", "next_change_at", postgresql_where=text("next_change_at IS NOT NULL")),
        # Every order updates its account in place; room on the page keeps the update off the indexes (HOT).
        {"postgresql_with": {"fillfactor": "80"}},
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(Text, primary_key=True)
    program_id: Mapped[UUID]
    available: Mapped[int] = mapped_column(BigInteger)
    pending: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger)
    debt: Mapped[int] = mapped_column(BigInteger)
    lifetime_earned: Mapped[int] = mapped_column(BigInteger)
    lifetime_spent: Mapped[int] = mapped_column(BigInteger)
    last_seq: Mapped[int] = mapped_column(BigInteger)
    next_change_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class EntryRow(Base):
    """One line of a member's history. The primary key alone makes a second history impossible."""

    __tablename__ = "entries"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(kind) for kind in KINDS)})", name="kind_is_known"),
        CheckConstraint("available_after >= 0", name="available_after_not_negative"),
        CheckConstraint("seq > 0", name="seq_begins_at_one"),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    unit: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    available: Mapped[int] = mapped_column(BigInteger)
    pending: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger)
    debt: Mapped[int] = mapped_column(BigInteger)
    available_after: Mapped[int] = mapped_column(BigInteger)
    occurred_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    order_id: Mapped[str | None] = mapped_column(Text)
    rule_code: Mapped[str | None] = mapped_column(Text)
    rule_version: Mapped[int | None] = mapped_column(Integer)
    reference: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class LotRow(Base):
    """Points that came together and lapse together. Redemptions eat the earliest expiry first."""

    __tablename__ = "lots"
    __table_args__ = (
        ForeignKeyConstraint(["member_id", "seq"], ["entries.member_id", "entries.seq"]),
        CheckConstraint("points > 0", name="points_positive"),
        CheckConstraint("remaining BETWEEN 0 AND points", name="remaining_within_points"),
        # The order of consumption, over open lots only: cost follows what is open, not how long the history is.
        Index(
            "ix_lots_open",
            "member_id",
            "unit",
            "expires_at",
            "earned_at",
            "seq",
            postgresql_where=text("remaining > 0"),
        ),
        Index("ix_lots_pending", "member_id", "unit", "matures_at", postgresql_where=text("pending AND remaining > 0")),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    unit: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    pending: Mapped[bool] = mapped_column(Boolean)
    earned_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    matures_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class AllocationRow(Base):
    """How many points an entry took from a lot."""

    __tablename__ = "allocations"
    __table_args__ = (
        ForeignKeyConstraint(["member_id", "seq"], ["entries.member_id", "entries.seq"]),
        ForeignKeyConstraint(["member_id", "lot_seq"], ["lots.member_id", "lots.seq"]),
        CheckConstraint("points <> 0", name="points_not_zero"),
        Index("ix_allocations_member_id_lot_seq", "member_id", "lot_seq"),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    lot_seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    points: Mapped[int] = mapped_column(BigInteger)
