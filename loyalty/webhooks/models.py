"""The tables of webhooks, their secrets, and what is delivered to them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class WebhookRow(Base):
    """An endpoint. Up to the place (`xid`, `seq`) in the log it was given all that it wants, numbered to `sequence`.

    Whoever changes its deliveries locks this row first.
    """

    __tablename__ = "webhooks"
    __table_args__ = (
        Index("ix_webhooks_program_id_webhook_id", "program_id", "webhook_id"),
        CheckConstraint("paused_reason IN ('asked', 'gone', 'failing')", name="paused_reason_known"),
        CheckConstraint("(paused_at IS NULL) = (paused_reason IS NULL)", name="paused_for_a_reason"),
        CheckConstraint("sequence >= 0 AND failures >= 0", name="counts_not_negative"),
    )

    webhook_id: Mapped[UUID] = mapped_column(primary_key=True)
    program_id: Mapped[UUID] = mapped_column(ForeignKey("programs.program_id"))
    url: Mapped[str] = mapped_column(Text)
    types: Mapped[list[str]] = mapped_column(ARRAY(Text))
    description: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    paused_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    paused_reason: Mapped[str | None] = mapped_column(Text)
    xid: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    failing_since: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    next_try_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class WebhookSecretRow(Base):
    """What signs. It must be readable to sign with, so whoever reads this table can sign, too."""

    __tablename__ = "webhook_secrets"
    __table_args__ = (
        Index("ix_webhook_secrets_webhook_id", "webhook_id"),
        CheckConstraint("secret ~ '^whsec_'", name="secret_has_its_prefix"),
    )

    secret_id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.webhook_id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    secret: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class WebhookDeliveryRow(Base):
    """A fact that a webhook is told, by the fact's key in `events`.

    Of what waits for one owner (a member, or the program) only the first, the head of the line, has a `due_at`: when it
    is tried next, or, while it is being sent, when its sender counts as dead. No foreign key leads to the webhook: one
    that is deleted goes at once, and its deliveries by and by.
    """

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("delivered_at IS NULL OR due_at IS NULL", name="delivered_or_due"),
        CheckConstraint("sequence > 0 AND attempts >= 0", name="counts_not_negative"),
        Index("ix_webhook_deliveries_due_at", "webhook_id", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index(
            "ix_webhook_deliveries_waiting_by_owner", "webhook_id", "owner_id", "sequence",
            postgresql_where=text("delivered_at IS NULL"),
        ),
        Index("ix_webhook_deliveries_waiting", "webhook_id", "sequence", postgresql_where=text("delivered_at IS NULL")),
        Index(
            "ix_webhook_deliveries_delivered", "webhook_id", "sequence",
            postgresql_where=text("delivered_at IS NOT NULL"),
        ),
    )  # fmt: skip

    webhook_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    owner_id: Mapped[UUID]
    occurred_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    event_id: Mapped[UUID]
    type: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    due_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    failing_since: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    last_status: Mapped[int | None] = mapped_column(SmallInteger)
    last_error: Mapped[str | None] = mapped_column(Text)
    last_milliseconds: Mapped[int | None] = mapped_column(Integer)
    delivered_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
