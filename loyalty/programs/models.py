"""The table of programs, and of what their settings were."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Interval, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class ProgramRow(Base):
    """One loyalty scheme. `version` is that of its settings; `config_version` moves with any configuration of it."""

    __tablename__ = "programs"
    __table_args__ = (
        UniqueConstraint("code"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency_is_iso_4217"),
        CheckConstraint("notice_points > 0", name="notice_points_positive"),
        CheckConstraint("clock_ahead >= '0' AND (sandbox OR clock_ahead = '0')", name="clock_of_a_sandbox_runs_ahead"),
    )

    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    sandbox: Mapped[bool]
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(BigInteger, default=1)
    config_version: Mapped[int] = mapped_column(BigInteger, default=1)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    clock_ahead: Mapped[timedelta] = mapped_column(Interval, default=timedelta(0), server_default="0")
    notice_points: Mapped[int | None] = mapped_column(BigInteger)


class ProgramVersionRow(Base):
    """All settings of a program at one version of them: orders are explained by the settings they were judged by."""

    __tablename__ = "program_versions"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    config_version: Mapped[int] = mapped_column(BigInteger)
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)
    recorded_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
