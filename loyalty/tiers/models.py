"""Published ladders, which never change, the draft of the next; what counts for members, and where they stand."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class LadderRow(Base):
    """Tiers published together, with what counts for them. Members are judged by the highest version that has begun."""

    __tablename__ = "ladders"
    __table_args__ = (CheckConstraint("moving IN ('now', 'upgrades_only', 'at_validity_end')", name="moving_is_known"),)

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    ladder: Mapped[dict[str, Any]] = mapped_column(JSONB)
    moving: Mapped[str] = mapped_column(Text)
    effective_from: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    published_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    published_by: Mapped[str] = mapped_column(Text)


class LadderDraftRow(Base):
    """The ladder being edited; one a program. A publish empties it and leaves it, so that its version moves on."""

    __tablename__ = "ladder_drafts"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    ladder: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class TierDayRow(Base):
    """What counts for the tier of a member, by the day on which it was bought or done, less what came back.

    `ladder_version` is that of the ladder in force then: the day on which one followed another has a row for each.
    """

    __tablename__ = "tier_days"
    __table_args__ = ({"postgresql_with": {"fillfactor": "80"}},)

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    ladder_version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    spend: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    orders: Mapped[int] = mapped_column(BigInteger)


class TierStandingRow(Base):
    """Where a member stands, as far as that was recorded. Who has none never bought anything under a ladder.

    `tier` and `tier_since` are what the member has, grants included; `seq` is the number of the newest period. `spend`,
    `points` and `orders` are the sums of all days. `counts_from` is the first day that may still
    matter; `next_change_at` when the standing changes by itself.
    """

    __tablename__ = "tier_standings"
    __table_args__ = (
        # With the member, for many fall due at the same midnight.
        Index(
            "ix_tier_standings_next_change_at",
            "next_change_at",
            "member_id",
            postgresql_where=text("next_change_at IS NOT NULL"),
        ),
        Index("ix_tier_standings_program_id_member_id", "program_id", "member_id"),
        {"postgresql_with": {"fillfactor": "80"}},
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    program_id: Mapped[UUID]
    tier: Mapped[str] = mapped_column(Text)
    tier_since: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    ladder_version: Mapped[int] = mapped_column(Integer)
    seq: Mapped[int] = mapped_column(BigInteger)
    spend: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    orders: Mapped[int] = mapped_column(BigInteger)
    counts_from: Mapped[date]
    next_change_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class TierPeriodRow(Base):
    """A tier that a member reached, kept, or was left with, until the next period begins.

    `day`, `ladder_version` and `step` say where in the course of things it began (`tiers.course`); `valid_to` is the
    first day on which it is no longer valid, `held_to` the first on which it is no longer held. One that later news
    made untrue is `void`, and stays readable.
    """

    __tablename__ = "tier_periods"
    __table_args__ = (
        Index("ix_tier_periods_day", "member_id", "day", postgresql_where=text("NOT void")),
        CheckConstraint("(valid_to IS NULL) = (held_to IS NULL) AND valid_to <= held_to", name="held_when_valid"),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ladder_version: Mapped[int] = mapped_column(Integer)
    tier: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    reached_on: Mapped[date]
    valid_to: Mapped[date | None]
    held_to: Mapped[date | None]
    day: Mapped[date]
    step: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(Text)
    void: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


class TierGrantRow(Base):
    """A tier that a member has whatever was bought: `pinned` by hand, `imported` from another program, or `kept`.

    `kept` is what the ladder's downgrade leaves of a tier that was reached with what came back. A pin that another one
    replaces at the same instant ends as it begins.
    """

    __tablename__ = "tier_grants"
    __table_args__ = (
        CheckConstraint("kind IN ('pinned', 'imported', 'kept')", name="kind_is_known"),
        CheckConstraint("until IS NULL OR since <= until", name="lasts"),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    grant_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    tier: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    until: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    reason: Mapped[str] = mapped_column(Text)
    granted_by: Mapped[str] = mapped_column(Text)
    granted_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class TierEvaluationRow(Base):
    """What was seen when a member's tier was judged, and what came of it. These rows only grow."""

    __tablename__ = "tier_evaluations"
    __table_args__ = (
        Index(
            "ix_tier_evaluations_changes",
            "member_id",
            "evaluation_id",
            postgresql_where=text("old IS DISTINCT FROM new"),
        ),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    evaluation_id: Mapped[UUID] = mapped_column(primary_key=True)
    as_of: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    cause: Mapped[str] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(Text)
    ladder_version: Mapped[int] = mapped_column(Integer)
    basis: Mapped[str] = mapped_column(Text)
    window_from: Mapped[date | None]
    value: Mapped[int] = mapped_column(BigInteger)
    old: Mapped[str | None] = mapped_column(Text)
    new: Mapped[str] = mapped_column(Text)
    valid_to: Mapped[date | None]
    reason: Mapped[str] = mapped_column(Text)


class LadderMoveRow(Base):
    """Moving the members there are to a ladder that has come into force: how far that is, and what came of it."""

    __tablename__ = "ladder_moves"
    __table_args__ = (Index("ix_ladder_moves_due", "effective_from", postgresql_where=text("finished_at IS NULL")),)

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    effective_from: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    after: Mapped[UUID]
    members_done: Mapped[int] = mapped_column(BigInteger)
    members_total: Mapped[int | None] = mapped_column(BigInteger)
    up: Mapped[int] = mapped_column(BigInteger)
    down: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
