"""Messages and what became of them, what members want, what programs tell, and how far the sweeps have come."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, CheckConstraint, ForeignKey, Identity, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base
from loyalty.notifications.domain import CHANNELS, REASONS, STATUSES


def _one_of(name: str, words: tuple[str, ...]) -> str:
    return f"{name} IN ({', '.join(repr(word) for word in words)})"


class MessageRow(Base):
    """A message to a member on one channel: what it is about, and whether it was sent or why not.

    It holds no words: these are made from `data` by a template when it is sent, or read in the inbox. `seq` is the
    order in which messages came to be. `digest_id` is the message that this one went out with. Whoever sends it has it
    until `leased_until`, by the real clock.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint(_one_of("channel", CHANNELS), name="channel_is_known"),
        CheckConstraint(_one_of("status", STATUSES), name="status_is_known"),
        CheckConstraint(f"reason IS NULL OR {_one_of('reason', tuple(REASONS))}", name="reason_is_known"),
        CheckConstraint("(status IN ('suppressed', 'failed')) = (reason IS NOT NULL)", name="not_sent_for_a_reason"),
        CheckConstraint("(status = 'sent') = (sent_at IS NOT NULL)", name="sent_when"),
        CheckConstraint("(status = 'digested') = (digest_id IS NOT NULL)", name="digested_with"),
        # Nobody is told the same twice, whoever comes to think of it.
        Index("uq_messages_once", "member_id", "kind", "key", "channel", unique=True),
        Index("ix_messages_due", "program_id", "channel", "due_at", "seq", postgresql_where=text("status = 'queued'")),
        Index("ix_messages_waiting", "member_id", "channel", "seq", postgresql_where=text("status = 'queued'")),
        Index("ix_messages_status", "program_id", "status", "seq"),
        Index("ix_messages_of_member", "member_id", "seq"),
        Index(
            "ix_messages_inbox",
            "member_id",
            "seq",
            postgresql_where=text("channel = 'inbox' AND status = 'sent'"),
        ),
        Index("ix_messages_capped", "member_id", "channel", "sent_at", postgresql_where=text("marketing")),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(primary_key=True)
    program_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    marketing: Mapped[bool] = mapped_column(Boolean)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    occurred_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    due_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    outdated_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    decided_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    read_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    attempts: Mapped[int] = mapped_column(Integer)
    leased_until: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    last_error: Mapped[str | None] = mapped_column(Text)
    digest_id: Mapped[UUID | None]
    language: Mapped[str | None] = mapped_column(Text)
    template_version: Mapped[int | None] = mapped_column(Integer)
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))


class PreferencesRow(Base):
    """What a member wants to be told, where and when. Who has none takes what there is."""

    __tablename__ = "preferences"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    preferences: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class NotificationSettingsRow(Base):
    """What a program tells its members. Who has none has the defaults."""

    __tablename__ = "notification_settings"

    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"), primary_key=True)
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))


class SweepRow(Base):
    """How far a search has come: for what falls due (`until`), or through all members of a program (`after`).

    `scope` is a program, or nobody's id for all programs whose clock is the real one. `not_before`: when it begins.
    """

    __tablename__ = "sweeps"
    __table_args__ = (Index("ix_sweeps_open", "name", "not_before", postgresql_where=text("finished_at IS NULL")),)

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    scope: Mapped[UUID] = mapped_column(primary_key=True)
    until: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    after: Mapped[UUID | None]
    not_before: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class SigningKeyRow(Base):
    """A secret of this deployment that signs what it hands out: links by which members unsubscribe."""

    __tablename__ = "signing_keys"

    purpose: Mapped[str] = mapped_column(Text, primary_key=True)
    secret: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
