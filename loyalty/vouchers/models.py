"""Vouchers, what they were used for, and pools of codes that somebody uploaded."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class VoucherRow(Base):
    """A code, and what it is worth. The code is unique in its program through the registry.

    `member_id` is whose it is; a free voucher has an id that is nobody's. `key` is the code as it is looked up.
    `expires_at` is the first instant at which it is no longer valid. `uses_allowed` is None for one without end.
    """

    __tablename__ = "vouchers"
    __table_args__ = (
        UniqueConstraint("member_id", "key", name="uq_vouchers_member_id_key"),
        CheckConstraint("uses >= 0 AND (uses_allowed IS NULL OR uses <= uses_allowed)", name="uses_within_allowed"),
        CheckConstraint("uses_allowed > 0", name="uses_allowed_positive"),
        CheckConstraint("per_customer > 0", name="per_customer_positive"),
        CheckConstraint("valid_from < expires_at", name="begins_before_it_ends"),
        CheckConstraint("(voided_at IS NULL) = (void_reason IS NULL)", name="void_has_a_reason"),
        CheckConstraint(
            "origin IN ('reward', 'batch', 'offer') AND (origin = 'batch') = (batch_id IS NOT NULL)"
            " AND (origin = 'offer') = (assignment_id IS NOT NULL)",
            name="origin_is_known",
        ),
        Index("ix_vouchers_member_id_issued_at_key", "member_id", "issued_at", "key"),
        Index(
            "ix_vouchers_program_id_batch_id_key",
            "program_id",
            "batch_id",
            "key",
            postgresql_where=text("batch_id IS NOT NULL"),
        ),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text)
    program_id: Mapped[UUID]
    bound: Mapped[bool]
    value: Mapped[dict[str, Any]] = mapped_column(JSONB)
    issued_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    valid_from: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    expires_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    uses_allowed: Mapped[int | None] = mapped_column(BigInteger)
    uses: Mapped[int] = mapped_column(BigInteger)
    per_customer: Mapped[int | None] = mapped_column(BigInteger)
    voided_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    void_reason: Mapped[str | None] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text)
    batch_id: Mapped[str | None] = mapped_column(Text)
    redemption_id: Mapped[str | None] = mapped_column(Text)
    assignment_id: Mapped[UUID | None]


class VoucherUseRow(Base):
    """An order that used a voucher, once at most, and the answers that the shop got.

    What was released does not count. An order that uses the voucher again after that has the same row again.
    """

    __tablename__ = "voucher_uses"
    __table_args__ = (
        CheckConstraint("order_total >= 0", name="order_total_not_negative"),
        CheckConstraint("discount >= 0 AND discount <= order_total", name="discount_within_total"),
        CheckConstraint(
            "(released_at IS NULL) = (release_content IS NULL) AND (released_at IS NULL) = (release_receipt IS NULL)",
            name="release_has_a_receipt",
        ),
        Index(
            "ix_voucher_uses_member_id_code_customer_id",
            "member_id",
            "code",
            "customer_id",
            postgresql_where=text("released_at IS NULL"),
        ),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text, primary_key=True)
    order_id: Mapped[str] = mapped_column(Text, primary_key=True)
    program_id: Mapped[UUID]
    customer_id: Mapped[str | None] = mapped_column(Text)
    order_total: Mapped[int | None] = mapped_column(BigInteger)
    discount: Mapped[int | None] = mapped_column(BigInteger)
    redeemed_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    receipt: Mapped[str] = mapped_column(Text)
    released_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    release_content: Mapped[bytes | None] = mapped_column(LargeBinary)
    release_receipt: Mapped[str | None] = mapped_column(Text)


class PoolCodeRow(Base):
    """A code that somebody uploaded, as it was written, and to whom it was given. It is given once, ever."""

    __tablename__ = "pool_codes"
    __table_args__ = (
        CheckConstraint("(given_at IS NULL) = (member_id IS NULL)", name="given_to_somebody"),
        Index("ix_pool_codes_free", "program_id", "pool", "position", postgresql_where=text("given_at IS NULL")),
    )

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    pool: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    given_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    member_id: Mapped[UUID | None]
    redemption_id: Mapped[str | None] = mapped_column(Text)
