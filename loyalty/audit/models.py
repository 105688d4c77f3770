"""The table of changes: it only grows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class AuditRow(Base):
    """A change of configuration, written in the transaction that made it. The ids are in the order of time."""

    __tablename__ = "audit_log"
    # A page is found by one of these, whatever it is filtered by, so it costs the same in a log of any length.
    __table_args__ = (
        Index("ix_audit_log_resource", "program_id", "resource", "audit_id"),
        Index("ix_audit_log_actor", "program_id", "actor", "audit_id"),
        Index("ix_audit_log_actor_resource", "program_id", "actor", "resource", "audit_id"),
    )

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    audit_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    resource: Mapped[str] = mapped_column(Text)
    before: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
