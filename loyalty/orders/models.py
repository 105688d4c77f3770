"""The table of orders."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.db.base import Base


class OrderRow(Base):
    """An order as the shop reported it, with its lines as one document: an order is written, and returned, whole.

    The `member_id` of a guest order is an id of its own, nobody's, so that guest orders spread like members do; the
    view `order_lines` gives the lines as rows. `receipt` is the answer the shop got, byte for byte. `award_seqs` are
    the ledger entries of what it earned; `returned` is what came back since (`orders.returning`); `judged` is by what
    it was judged (`earning.records`).
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("status IN ('recorded', 'confirmed', 'cancelled')", name="status_is_known"),
        CheckConstraint("total >= 0", name="total_not_negative"),
        Index("ix_orders_program_id_placed_at", "program_id", "placed_at"),
    )

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(Text, primary_key=True)
    program_id: Mapped[UUID]
    customer_id: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    placed_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    total: Mapped[int] = mapped_column(BigInteger)
    shipping: Mapped[int] = mapped_column(BigInteger)
    discount: Mapped[int] = mapped_column(BigInteger)
    points_paid: Mapped[int] = mapped_column(BigInteger)
    payment_id: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str | None] = mapped_column(Text)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB)
    receipt: Mapped[str] = mapped_column(Text)
    award_seqs: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))
    returned: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    confirmed_at: Mapped[datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    judged: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class ReturnRow(Base):
    """Lines of an order that came back, and what became of the points."""

    __tablename__ = "returns"

    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(Text, primary_key=True)
    return_id: Mapped[str] = mapped_column(Text, primary_key=True)
    program_id: Mapped[UUID]
    returned_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(TIMESTAMP(timezone=True))
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    points: Mapped[dict[str, Any]] = mapped_column(JSONB)
