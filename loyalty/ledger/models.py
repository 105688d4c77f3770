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
        # Whose points lapse, and when, if the member does nothing.
        Index(
            "ix_accounts_idle",
            text("first_lapse(idle)"),
            "member_id",
            postgresql_where=text("unit = 'points' AND idle <> '{}'::jsonb"),
        ),
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
    latest_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    known_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    idle: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class EntryRow(Base):
    """One line of a member's history. The primary key alone makes a second history impossible."""

    __tablename__ = "entries"
    __table_args__ = (
        CheckConstraint(f"kind IN ({', '.join(repr(kind) for kind in KINDS)})", name="kind_is_known"),
        CheckConstraint("available_after >= 0", name="available_after_not_negative"),
        CheckConstraint("seq > 0", name="seq_begins_at_one"),
        CheckConstraint("occurred_at <= known_at", name="known_when_it_occurred"),
        # A read of the past finds those that were written down after later ones.
        Index("ix_entries_late", "member_id", "unit", "occurred_at", postgresql_where=text("late")),
        # Points spent on an order that comes back go back to their lots.
        Index(
            "ix_entries_spent_on_order",
            "member_id",
            "order_id",
            postgresql_where=text("kind = 'redeem' AND order_id IS NOT NULL"),
        ),
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
    known_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    late: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    matures_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    order_id: Mapped[str | None] = mapped_column(Text)
    rule_code: Mapped[str | None] = mapped_column(Text)
    rule_version: Mapped[int | None] = mapped_column(Integer)
    reference: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class LotRow(Base):
    """Points that came together and lapse together. Redemptions eat the earliest expiry first.

    While `expires_at` is not fixed, `expiry` is the code of the lot's terms (`programs.terms`).
    """

    __tablename__ = "lots"
    __table_args__ = (
        ForeignKeyConstraint(["member_id", "seq"], ["entries.member_id", "entries.seq"]),
        CheckConstraint("points > 0", name="points_positive"),
        CheckConstraint("remaining >= 0 AND held >= 0 AND remaining + held <= points", name="remaining_within_points"),
        # The order of consumption, over open lots only: cost follows what is open, not how long the history is.
        Index(
            "ix_lots_open",
            "member_id",
            "unit",
            "expires_at",
            "expiry",
            "earned_at",
            "seq",
            postgresql_where=text("remaining > 0"),
        ),
        Index(
            "ix_lots_pending",
            "member_id",
            "unit",
            text("coalesce(matures_at, deadline_at)"),
            postgresql_where=text("pending AND remaining > 0"),
        ),
        Index(
            "ix_lots_origin",
            "member_id",
            "origin_member_id",
            "origin_seq",
            postgresql_where=text("origin_seq IS NOT NULL"),
        ),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    unit: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    pending: Mapped[bool] = mapped_column(Boolean)
    earned_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    matures_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    deadline_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    expiry: Mapped[str | None] = mapped_column(Text)
    origin_member_id: Mapped[UUID | None]
    origin_seq: Mapped[int | None] = mapped_column(BigInteger)


class AllocationRow(Base):
    """How many points an entry took out of what remained of a lot, and out of, or into, what the lot holds."""

    __tablename__ = "allocations"
    __table_args__ = (
        ForeignKeyConstraint(["member_id", "seq"], ["entries.member_id", "entries.seq"]),
        ForeignKeyConstraint(["member_id", "lot_seq"], ["lots.member_id", "lots.seq"]),
        CheckConstraint("points <> 0 OR held <> 0", name="something"),
        Index("ix_allocations_member_id_lot_seq", "member_id", "lot_seq"),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    lot_seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    points: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class HoldRow(Base):
    """Points kept for a payment under way, or what became of them."""

    __tablename__ = "holds"
    __table_args__ = (
        ForeignKeyConstraint(["member_id", "seq"], ["entries.member_id", "entries.seq"]),
        CheckConstraint("status IN ('held', 'captured', 'released', 'expired')", name="status_is_known"),
        CheckConstraint("captured BETWEEN 0 AND points AND points > 0", name="captured_within_points"),
        CheckConstraint("(status = 'held') = (resolved_at IS NULL)", name="resolved_when_not_held"),
        Index("ix_holds_open", "member_id", "unit", "expires_at", postgresql_where=text("status = 'held'")),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    hold_id: Mapped[str] = mapped_column(Text, primary_key=True)
    unit: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    captured: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    seq: Mapped[int] = mapped_column(BigInteger)
    held_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    resolved_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    order_id: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)


class DebtRow(Base):
    """Points that a return could not take back, and what is still owed of them."""

    __tablename__ = "debts"
    __table_args__ = (
        ForeignKeyConstraint(["member_id", "seq"], ["entries.member_id", "entries.seq"]),
        CheckConstraint("remaining BETWEEN 0 AND points AND points > 0", name="remaining_within_points"),
        Index("ix_debts_open", "member_id", "unit", "seq", postgresql_where=text("remaining > 0")),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    unit: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    incurred_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    order_id: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(Text)


class UpcomingRow(Base):
    """How many points of an account mature and lapse at an instant to come: the sums of its lots.

    A balance says what comes when; it reads a row for each instant, however many lots there are. Rows are written by
    difference, and a row to be inserted is checked before it meets the one that is there: hence no CHECK here.
    """

    __tablename__ = "upcoming"
    __table_args__ = (
        # What falls due, for who tells members before. It names nothing that orders change, so updates stay HOT.
        Index("ix_upcoming_due", "at", "member_id", postgresql_where=text("unit = 'points'")),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), primary_key=True)
    maturing: Mapped[int] = mapped_column(BigInteger)
    expiring: Mapped[int] = mapped_column(BigInteger)


class NoticeRow(Base):
    """A member who has as many points to spend as the program waits for (`notice_points`).

    Written along with what made it so, and deleted by whoever waited, each under the member's lock.
    """

    __tablename__ = "account_notices"
    __table_args__ = (Index("ix_account_notices_noticed_at", "program_id", "noticed_at"),)

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    noticed_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class CheckpointRow(Base):
    """The sums of an account's entries up to `seq`, kept at every 64th entry of a member. They only grow, too."""

    __tablename__ = "checkpoints"
    __table_args__ = (
        ForeignKeyConstraint(["member_id", "seq"], ["entries.member_id", "entries.seq"]),
        Index("ix_checkpoints_latest_at", "member_id", "unit", "latest_at", "seq"),
        Index("ix_checkpoints_known_at", "member_id", "unit", "known_at", "seq"),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(Text, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    available: Mapped[int] = mapped_column(BigInteger)
    pending: Mapped[int] = mapped_column(BigInteger)
    held: Mapped[int] = mapped_column(BigInteger)
    debt: Mapped[int] = mapped_column(BigInteger)
    lifetime_earned: Mapped[int] = mapped_column(BigInteger)
    lifetime_spent: Mapped[int] = mapped_column(BigInteger)
    latest_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    known_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
