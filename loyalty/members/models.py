"""Members, and the registry of the shop's own ids."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class NaturalKey(Base):
    """Which member one of the shop's own ids belongs to: the only uniqueness across members.

    `kind` is "member", "order", "redemption", "voucher", "referral" …. For a guest order, `member_id` is an id that
    is nobody's. `fingerprint` is that of the request that used the id first.
    """

    __tablename__ = "natural_keys"

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[UUID]
    fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary)


class Receipt(Base):
    """The answer that the first request with one of the shop's own ids got, byte for byte."""

    __tablename__ = "receipts"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    body: Mapped[str] = mapped_column(Text)


class MemberRow(Base):
    """A customer enrolled in a program."""

    __tablename__ = "members"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended', 'closed')", name="status_is_known"),
        Index(
            "ix_members_program_id_email",
            "program_id",
            text("lower(email)"),
            postgresql_where=text("email IS NOT NULL"),
        ),
        Index(
            "ix_members_program_id_birthday",
            "program_id",
            text("((extract(month FROM birth_date) * 100 + extract(day FROM birth_date))::integer)"),
            postgresql_where=text("birth_date IS NOT NULL"),
        ),
        Index("ix_members_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index("ix_members_program_id_member_id", "program_id", "member_id"),
        Index("ix_members_program_id_phone", "program_id", "phone", postgresql_where=text("phone IS NOT NULL")),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"))
    customer_id: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    enrolled_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    email: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    first_name: Mapped[str | None] = mapped_column(Text)
    last_name: Mapped[str | None] = mapped_column(Text)
    birth_date: Mapped[date | None]
    locale: Mapped[str | None] = mapped_column(Text)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    consents: Mapped[dict[str, Any]] = mapped_column(JSONB)
    referral_code: Mapped[str] = mapped_column(Text)
    referred_by: Mapped[UUID | None]
    merged_into: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class ReferralRow(Base):
    """A member who came through another one, until both were thanked for it.

    It is `waiting` for the friend's first order, `due` when there is one, then `done`; or `refused`: there will be no
    thanks, because the friend is no new customer, or no member any more. `ordered_at` and `order_id` are of the order
    that made it due.
    """

    __tablename__ = "referrals"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'due', 'done', 'refused')", name="status_is_known"),
        Index("ix_referrals_due", "ordered_at", postgresql_where=text("status = 'due'")),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    program_id: Mapped[UUID]
    referrer_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(Text)
    order_id: Mapped[str | None] = mapped_column(Text)
    ordered_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
