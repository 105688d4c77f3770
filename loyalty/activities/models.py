"""The table of activities, and how far the birthdays have come."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class ActivityRow(Base):
    """An activity as it was reported; `customer_id` is who it was reported of.

    The answer that was given is a receipt of the kind "activity". `award_seqs` are the ledger entries of what it
    earned; `judged` is by what it was judged (`earning.records`).
    """

    __tablename__ = "activities"
    __table_args__ = (CheckConstraint("status IN ('recorded', 'cancelled')", name="status_is_known"),)

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    activity_id: Mapped[str] = mapped_column(Text, primary_key=True)
    program_id: Mapped[UUID]
    customer_id: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    cancelled_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    properties: Mapped[dict[str, Any]] = mapped_column(JSONB)
    award_seqs: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    judged: Mapped[dict[str, Any]] = mapped_column(JSONB)


class BirthdaysRow(Base):
    """The last day of which all birthdays of a program were kept."""

    __tablename__ = "birthdays_kept"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    kept_until: Mapped[date]
