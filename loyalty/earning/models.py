"""Published rule sets, which never change, the draft of the next, and what rules gave so far."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class RuleSetRow(Base):
    """Rules published together. Orders are judged by the highest version whose `effective_from` has come."""

    __tablename__ = "earning_rule_sets"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    segments: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    effective_from: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    published_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    published_by: Mapped[str] = mapped_column(Text)


class RuleDraftRow(Base):
    """The rules being edited; one draft a program. A publish empties it and leaves it, so that its version moves on."""

    __tablename__ = "earning_rule_drafts"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    rules: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    segments: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class RuleCountRow(Base):
    """What a rule gave a member in one calendar period, or "ever": points, how often, and when last.

    Only for rules with caps per member, limits or a cooldown. Returns take from it what they take back.
    """

    __tablename__ = "rule_counts"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    rule_code: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger)
    times: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class RuleBudgetRow(Base):
    """What a rule with a budget gave to all members together. `granted` is what the last to ask got."""

    __tablename__ = "rule_budgets"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    rule_code: Mapped[str] = mapped_column(Text, primary_key=True)
    spent: Mapped[int] = mapped_column(BigInteger)
    granted: Mapped[int] = mapped_column(BigInteger)
