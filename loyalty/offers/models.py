"""Published sets of offers, which never change, the draft of the next, and what was given to whom."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class OfferSetRow(Base):
    """Offers published together. The newest whose `effective_from` has come is in force."""

    __tablename__ = "offer_sets"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    offers: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    personalising: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    effective_from: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    published_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    published_by: Mapped[str] = mapped_column(Text)


class OfferDraftRow(Base):
    """The offers being edited; one draft a program. A publish empties it and leaves it: its version moves on."""

    __tablename__ = "offer_drafts"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    offers: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    personalising: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class AssignmentRow(Base):
    """An offer that was given to a member, or held out from them (`held_out`: measured, and never shown).

    `promise` is what was promised to this member, `rank`, `score`, `probability`, `in_list` and `reasons` are why.
    `closed_at` is set when it is over: redeemed, dismissed, or found to have expired.
    """

    __tablename__ = "assignments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["program_id", "offer_version"], ["offer_sets.program_id", "offer_sets.version"],
            name="fk_assignments_program_id_offer_version_offer_sets",
        ),
        CheckConstraint(
            "status IN ('assigned', 'seen', 'activated', 'redeemed', 'expired', 'dismissed', 'held_out')",
            name="status_is_known",
        ),
        CheckConstraint("(status = 'held_out') = (holdout IS NOT NULL)", name="held_out_for_a_reason"),
        CheckConstraint("holdout IN ('program', 'offer')", name="holdout_is_known"),
        CheckConstraint("status <> 'redeemed' OR closed_at IS NOT NULL", name="redeemed_is_closed"),
        CheckConstraint("assigned_at < valid_to", name="begins_before_it_ends"),
        CheckConstraint("points >= 0 AND amount >= 0", name="cost_not_negative"),
        Index("ix_assignments_assignment_id", "assignment_id"),
        Index("ix_assignments_open", "member_id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_assignments_due", "valid_to", postgresql_where=text("closed_at IS NULL")),
        Index(
            "ix_assignments_to_redeem", "member_id", "valid_to",
            postgresql_where=text("earns AND status IN ('activated', 'expired')"),
        ),
        Index("ix_assignments_order", "member_id", "order_id", postgresql_where=text("order_id IS NOT NULL")),
        Index("ix_assignments_of_member", "member_id", "offer_code", "assigned_at"),
        Index("ix_assignments_of_offer", "program_id", "offer_code", "assigned_at"),
    )  # fmt: skip

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    assignment_id: Mapped[UUID] = mapped_column(primary_key=True)
    program_id: Mapped[UUID]
    offer_code: Mapped[str] = mapped_column(Text)
    offer_version: Mapped[int] = mapped_column(Integer)
    status: Mapped[str] = mapped_column(Text)
    promise: Mapped[dict[str, Any]] = mapped_column(JSONB)
    earns: Mapped[bool]
    assigned_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    valid_to: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    seen_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    activated_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    voucher_code: Mapped[str | None] = mapped_column(Text)
    order_id: Mapped[str | None] = mapped_column(Text)
    points: Mapped[int | None] = mapped_column(BigInteger)
    amount: Mapped[int | None] = mapped_column(BigInteger)
    rank: Mapped[int | None] = mapped_column(Integer)
    score: Mapped[float | None] = mapped_column(Double)
    probability: Mapped[float | None] = mapped_column(Double)
    in_list: Mapped[str | None] = mapped_column(Text)
    trigger: Mapped[str] = mapped_column(Text, server_default="ranking")
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    holdout: Mapped[str | None] = mapped_column(Text)


class OfferSweepRow(Base):
    """How far the members of a program were searched, on a day of its own, for whom to win back."""

    __tablename__ = "offer_sweeps"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    after_member: Mapped[UUID]
    done: Mapped[bool]
