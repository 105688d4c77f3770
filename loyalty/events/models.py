"""The table of facts, which only grows, and how far its followers are."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Identity, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class EventRow(Base):
    """A fact, written in the transaction of what it is about.

    `owner_id` is the member, or the program where a fact is about no member: with it the key begins, as that of every
    table of members' data does, and in the order of the key the facts are a member's timeline. `xid` is the number of
    the transaction; it and `seq`, by which the facts of one transaction are told apart, are the order of the log.
    """

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint(r"type ~ '^[a-z_]+(\.[a-z_]+)+$'", name="type_is_dotted"),
        CheckConstraint("version > 0", name="version_positive"),
        CheckConstraint("(customer_id IS NULL) = (owner_id = program_id)", name="owner_is_member_or_program"),
        CheckConstraint("jsonb_typeof(data) = 'object'", name="data_is_an_object"),
        # A page of the log is found by one of these, so it costs the same however long the log is.
        Index("ix_events_program_id_xid_seq", "program_id", "xid", "seq"),
        Index("ix_events_program_id_type_xid_seq", "program_id", "type", "xid", "seq"),
    )

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True), primary_key=True)
    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    program_id: Mapped[UUID]
    type: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    customer_id: Mapped[str | None] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    # As a bigint, which 64-bit transaction ids never leave: xid8 has no casts, and drivers read it as a text.
    xid: Mapped[int] = mapped_column(BigInteger, server_default=text("((pg_current_xact_id())::text)::bigint"))
    seq: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)


class FollowerRow(Base):
    """How far one that acts on facts has come in the log of a program: up to this place it has seen all of it."""

    __tablename__ = "followers"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    program_id: Mapped[UUID] = mapped_column(primary_key=True)
    xid: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
