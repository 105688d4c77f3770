"""What members spent after something, one by one and added up by day; and how far they were looked for."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, Integer, Numeric, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class OutcomeRow(Base):
    """What a member spent in the window after an anchor, and before; and what offers gave them (`outcomes.domain`)."""

    __tablename__ = "outcomes"
    __table_args__ = (
        CheckConstraint("at < ends_at AND before_from <= before_to AND before_to <= at", name="times_in_order"),
        CheckConstraint(
            "spend >= 0 AND orders >= 0 AND before >= 0 AND points >= 0 AND amount >= 0 AND redeemed >= 0",
            name="not_negative",
        ),
        Index("ix_outcomes_of_experiment", "program_id", "experiment", "day", "member_id"),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    experiment: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    program_id: Mapped[UUID]
    arm: Mapped[str] = mapped_column(Text)
    share: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    before_from: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    before_to: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    spend: Mapped[int] = mapped_column(BigInteger)
    orders: Mapped[int] = mapped_column(BigInteger)
    before: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    redeemed: Mapped[int] = mapped_column(BigInteger)


class OutcomeDayRow(Base):
    """The sums of the outcomes of an experiment, by the day of the anchor and the arm (`outcomes.domain.Totals`)."""

    __tablename__ = "outcome_days"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    experiment: Mapped[str] = mapped_column(Text, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    arm: Mapped[str] = mapped_column(Text, primary_key=True)
    members: Mapped[int] = mapped_column(BigInteger)
    share: Mapped[int] = mapped_column(BigInteger)
    buyers: Mapped[int] = mapped_column(BigInteger)
    redeemers: Mapped[int] = mapped_column(BigInteger)
    orders: Mapped[int] = mapped_column(BigInteger)
    orders_2: Mapped[int] = mapped_column(BigInteger)
    spend: Mapped[Decimal] = mapped_column(Numeric)
    spend_2: Mapped[Decimal] = mapped_column(Numeric)
    spend_3: Mapped[Decimal] = mapped_column(Numeric)
    before: Mapped[Decimal] = mapped_column(Numeric)
    before_2: Mapped[Decimal] = mapped_column(Numeric)
    spend_before: Mapped[Decimal] = mapped_column(Numeric)
    points: Mapped[Decimal] = mapped_column(Numeric)
    amount: Mapped[Decimal] = mapped_column(Numeric)


class OutcomePlaceRow(Base):
    """How far the members of an experiment were looked for: up to an anchor, and among those of it, a member."""

    __tablename__ = "outcome_places"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    experiment: Mapped[str] = mapped_column(Text, primary_key=True)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    after_member: Mapped[UUID]
