"""Who is in which segment, how many they are, and how far the counting has come."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class SegmentMemberRow(Base):
    """A member is in a segment, as was found when it was last looked at; `since` it was first found so."""

    __tablename__ = "segment_members"
    __table_args__ = (Index("ix_segment_members_program_id_member_id", "program_id", "member_id"),)

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class SegmentSizeRow(Base):
    """How many rows of `segment_members` a segment has. `counted_at`: when all members had last been looked at."""

    __tablename__ = "segment_sizes"
    __table_args__ = (CheckConstraint("size >= 0", name="size_not_negative"),)

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    segment: Mapped[str] = mapped_column(Text, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    counted_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class SegmentSweepRow(Base):
    """The look at all members of a program, by which rules and statistics, and how far it has come.

    Whoever writes who is in a segment has this row locked. `begun_at` long ago: it has yet to begin.
    """

    __tablename__ = "segment_sweeps"
    __table_args__ = (CheckConstraint("done >= 0 AND total >= 0", name="progress_not_negative"),)

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    rules_version: Mapped[int] = mapped_column(Integer)
    statistics_version: Mapped[int] = mapped_column(Integer)
    begun_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    after_member: Mapped[UUID | None]
    done: Mapped[int] = mapped_column(BigInteger)
    total: Mapped[int] = mapped_column(BigInteger)
    finished_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
