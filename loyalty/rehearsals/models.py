"""The table of rehearsals."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class RehearsalRow(Base):
    """A rehearsal: the draft as it was when it was asked for, how far it is, what came out.

    One of `earning_rules` is tried on the orders placed in a time, one of a `ladder` on the members there are, one of
    `offers` on those who placed orders in a time: so many of them are `done`.
    `attempts` says how often it has begun: one whose worker was killed, or told to stop, begins again.
    """

    __tablename__ = "rehearsals"
    __table_args__ = (
        CheckConstraint("status IN ('queued', 'running', 'done', 'failed', 'cancelled')", name="status_is_known"),
        CheckConstraint(
            "kind IN ('earning_rules', 'ladder', 'offers') AND (kind <> 'ladder') = (placed_from IS NOT NULL)"
            " AND (placed_from IS NULL) = (placed_to IS NULL)",
            name="kind_is_known",
        ),
        CheckConstraint("placed_from < placed_to", name="window_is_not_empty"),
        Index("ix_rehearsals_program_id_kind_rehearsal_id", "program_id", "kind", "rehearsal_id"),
    )

    rehearsal_id: Mapped[UUID] = mapped_column(primary_key=True)
    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"))
    kind: Mapped[str] = mapped_column(Text)
    draft: Mapped[dict[str, Any]] = mapped_column(JSONB)
    placed_from: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    placed_to: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    status: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    done: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    total: Mapped[int | None] = mapped_column(BigInteger)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    error: Mapped[str | None] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    requested_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
