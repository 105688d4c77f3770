"""The table of payments with points."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class PaymentRow(Base):
    """Points that pay for an order. The points themselves are in the ledger, in the hold of the same name.

    `seq` is the entry that held them, `redeem_seq` the one that spent them. A payment that nobody resolved in time
    stays `held` here: that it expired follows from `expires_at`. `rate` is what points were worth when it was made.
    `given_back` is, by lot, how many of the captured points were given back since, whether by refunds or by returns of
    the order; the columns beside it sum it up.
    """

    __tablename__ = "payments"
    __table_args__ = (
        ForeignKeyConstraint(["member_id", "seq"], ["entries.member_id", "entries.seq"]),
        ForeignKeyConstraint(["member_id", "redeem_seq"], ["entries.member_id", "entries.seq"]),
        CheckConstraint("status IN ('held', 'captured', 'released')", name="status_is_known"),
        CheckConstraint("(status = 'held') = (resolved_at IS NULL)", name="resolved_when_not_held"),
        CheckConstraint(
            "(status = 'captured') = (redeem_seq IS NOT NULL) AND (status = 'captured') = (captured_points > 0)",
            name="captured_is_spent",
        ),
        CheckConstraint("amount > 0 AND captured_points BETWEEN 0 AND points", name="captured_within_points"),
        CheckConstraint("captured_amount BETWEEN 0 AND amount", name="captured_within_amount"),
        CheckConstraint("given_back_points BETWEEN 0 AND captured_points", name="given_back_within_captured"),
        CheckConstraint(
            "refunded_points BETWEEN 0 AND given_back_points AND refunded_amount BETWEEN 0 AND captured_amount",
            name="refunded_within_given_back",
        ),
        Index("ix_payments_member_id_seq", "member_id", "seq", unique=True),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(Text, primary_key=True)
    program_id: Mapped[UUID]
    order_id: Mapped[str | None] = mapped_column(Text)
    order_total: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(Text)
    rate: Mapped[dict[str, Any]] = mapped_column(JSONB)
    points: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    captured_points: Mapped[int] = mapped_column(BigInteger)
    captured_amount: Mapped[int] = mapped_column(BigInteger)
    refunded_points: Mapped[int] = mapped_column(BigInteger)
    refunded_amount: Mapped[int] = mapped_column(BigInteger)
    given_back_points: Mapped[int] = mapped_column(BigInteger)
    given_back: Mapped[dict[str, Any]] = mapped_column(JSONB)
    seq: Mapped[int] = mapped_column(BigInteger)
    redeem_seq: Mapped[int | None] = mapped_column(BigInteger)
    held_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    resolved_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
