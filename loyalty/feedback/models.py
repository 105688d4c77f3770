"""The table of answers."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base
from loyalty.feedback.domain import COMMENT_LENGTH_MAX, SCALES

_IN_RANGE = " OR ".join(f"kind = '{kind}' AND score BETWEEN {of.least} AND {of.most}" for kind, of in SCALES.items())


class FeedbackRow(Base):
    """An answer as it was reported; `customer_id` is who it was reported of. What it earned is its activity's.

    The comment stands here and nowhere else: who erases it here has erased it.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        CheckConstraint(_IN_RANGE, name="score_is_of_its_kind"),
        CheckConstraint(f"char_length(comment) <= {COMMENT_LENGTH_MAX}", name="comment_is_bounded"),
        CheckConstraint("comment IS NULL OR comment_erased_at IS NULL", name="erased_is_gone"),
        Index(
            "uq_feedback_order",
            "program_id",
            "order_id",
            "kind",
            unique=True,
            postgresql_where=text("order_id IS NOT NULL"),
        ),
        Index("ix_feedback_of_member", "member_id", "answered_at", "feedback_id"),
        # In the order in which they were reported, for who looks at what came after.
        Index("ix_feedback_recorded_at", "program_id", "kind", "recorded_at", "member_id"),
        Index("ix_feedback_score", "program_id", "kind", "score", "answered_at", "feedback_id"),
        Index(
            "ix_feedback_touchpoint",
            "program_id",
            "touchpoint",
            "answered_at",
            "feedback_id",
            postgresql_where=text("touchpoint IS NOT NULL"),
        ),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    feedback_id: Mapped[str] = mapped_column(Text, primary_key=True)
    program_id: Mapped[UUID]
    customer_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    score: Mapped[int] = mapped_column(SmallInteger)
    comment: Mapped[str | None] = mapped_column(Text)
    comment_erased_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    order_id: Mapped[str | None] = mapped_column(Text)
    touchpoint: Mapped[str | None] = mapped_column(Text)
    answered_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    activity_id: Mapped[str] = mapped_column(Text)
