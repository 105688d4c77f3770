"""The tables of what was counted. All of it follows from the log and can be counted anew at any time.

What is counted belongs to a *generation*: a program is counted anew beside the one in use, and changes over at once.
Codes are compared byte by byte (collation "C"), so that a beginning such as `points.` is a range of the key.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, Index, Integer, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base

_CODE = Text(collation="C")


class RollupStateRow(Base):
    """A generation of what was counted of a program: by what days, how, and how far in the log.

    `layout` is the way of counting (`rollups.keeping.LAYOUT`). `xid` and `seq` are the place in the log up to which all
    is counted, `as_of` is when the fact there was recorded. It is filled (`building`) to be `used`, or to be compared
    with the one that is (`checking`); the rows of one that is `leaving` are being deleted.
    """

    __tablename__ = "rollup_states"
    __table_args__ = (
        CheckConstraint("generation > 0", name="generation_positive"),
        CheckConstraint("status IN ('building', 'used', 'checking', 'leaving')", name="status_is_known"),
        Index("uq_rollup_states_used", "program_id", unique=True, postgresql_where=text("status = 'used'")),
    )

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    status: Mapped[str] = mapped_column(Text)
    layout: Mapped[int] = mapped_column(Integer)
    time_zone: Mapped[str] = mapped_column(Text)
    xid: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    as_of: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class RollupSumRow(Base):
    """A sum of one day (`rollups.domain.SUMS`)."""

    __tablename__ = "rollup_sums"
    # What is added up day by day is updated in place; room on the page keeps that off the index (HOT).
    __table_args__ = ({"postgresql_with": {"fillfactor": "80"}},)

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(Integer, primary_key=True)
    measure: Mapped[str] = mapped_column(_CODE, primary_key=True)
    unit: Mapped[str] = mapped_column(_CODE, primary_key=True)
    dimension: Mapped[str] = mapped_column(_CODE, primary_key=True)
    key: Mapped[str] = mapped_column(_CODE, primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)


class RollupSetRow(Base):
    """A set of members of one day, ISO week or month (`rollups.domain.SETS`), by their numbers: a Roaring bitmap."""

    __tablename__ = "rollup_sets"
    __table_args__ = (
        CheckConstraint("span IN ('day', 'week', 'month')", name="span_is_known"),
        CheckConstraint("size > 0", name="somebody"),
    )

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(_CODE, primary_key=True)
    dimension: Mapped[str] = mapped_column(_CODE, primary_key=True)
    key: Mapped[str] = mapped_column(_CODE, primary_key=True)
    span: Mapped[str] = mapped_column(_CODE, primary_key=True)
    starts: Mapped[date] = mapped_column(Date, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    members: Mapped[bytes] = mapped_column(LargeBinary)


class RollupMemberRow(Base):
    """The number by which sets know a member: in each program from 0, without gaps, and the same for ever."""

    __tablename__ = "rollup_members"
    __table_args__ = (
        CheckConstraint("number >= 0", name="number_not_negative"),
        Index("uq_rollup_members_program_id_number", "program_id", "number", unique=True),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    program_id: Mapped[UUID]
    number: Mapped[int] = mapped_column(BigInteger)


class RollupCursorRow(Base):
    """What a generation knows of a member: entries of the ledger are counted up to `seq`; `tier` was told last."""

    __tablename__ = "rollup_cursors"
    __table_args__ = ({"postgresql_with": {"fillfactor": "80"}},)

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    tier: Mapped[str] = mapped_column(Text)


class RollupReturnRow(Base):
    """Units of an order, by line, that a generation has counted as returned."""

    __tablename__ = "rollup_returns"

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(Integer, primary_key=True)
    order_id: Mapped[str] = mapped_column(_CODE, primary_key=True)
    lines: Mapped[dict[str, Any]] = mapped_column(JSONB)


class RollupSegmentRow(Base):
    """Who was in a segment when it was looked at on a day; the segment '' says that it was, and has no members."""

    __tablename__ = "rollup_segments"
    __table_args__ = (CheckConstraint("size >= 0", name="size_not_negative"),)

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    taken_on: Mapped[date] = mapped_column(Date, primary_key=True)
    segment: Mapped[str] = mapped_column(_CODE, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    members: Mapped[bytes] = mapped_column(LargeBinary)
