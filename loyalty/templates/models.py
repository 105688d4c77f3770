"""The table of the templates that programs write themselves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class TemplateRow(Base):
    """A template as it was published, or withdrawn, once. These rows never change; the last one is in force."""

    __tablename__ = "notification_templates"
    __table_args__ = (CheckConstraint("version > 0", name="version_positive"),)

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    language: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    withdrawn: Mapped[bool] = mapped_column(Boolean)
    published_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    published_by: Mapped[str] = mapped_column(Text)
